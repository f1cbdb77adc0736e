//! A peer's request in; whole slices listed, copied, sealed and forgotten, out.

use hyper::{Method, StatusCode};
use serde_json::json;

use super::{Answer, Asked, Server, given, said, status};
use crate::DiskError;

impl Server {
    /// What a peer asks.
    pub(super) fn slices(&self, asked: &Asked) -> Answer {
        self.sliced(asked).unwrap_or_else(|error| said(status(&error), [&error.to_string(), "\n"].concat()))
    }

    fn sliced(&self, asked: &Asked) -> Result<Answer, DiskError> {
        let parts: Vec<_> = asked.path.split('/').skip(1).collect();
        let slice = parts.get(1).map(|slice| slice.parse());
        let id = parts.get(2).map(|id| u128::from_str_radix(id, 16));
        let slices = self.places.slices();
        if matches!(slice, Some(Ok(slice)) if slice >= slices) {
            let text = format!("there is no such slice: they are 0 to {}\n", slices - 1);
            return Ok(said(StatusCode::NOT_FOUND, text));
        }
        let done = || given(StatusCode::OK, Vec::new());
        Ok(match (&asked.method, &parts[..], slice, id) {
            (&Method::GET, ["counts"], ..) => said(StatusCode::OK, format!("{}\n", json!(self.counts()))),
            (&Method::GET, ["slices"], ..) => said(StatusCode::OK, format!("{}\n", json!(self.disk.held()?))),
            (&Method::GET, ["slices", _], Some(Ok(slice)), _) => {
                let lines: Vec<_> = self.disk.ids(slice)?.iter().map(|id| format!("{id:032x}\n")).collect();
                said(StatusCode::OK, lines.concat())
            }
            (&Method::DELETE, ["slices", _], Some(Ok(slice)), _) => {
                said(StatusCode::OK, format!("{}\n", self.disk.forget(slice)?))
            }
            (&Method::PUT, ["slices", _, "sealed"], Some(Ok(slice)), _) => {
                self.disk.seal(slice)?;
                done()
            }
            (&Method::DELETE, ["slices", _, "sealed"], Some(Ok(slice)), _) => {
                self.disk.open_again(slice)?;
                done()
            }
            (&Method::GET, ["slices", _, _], Some(Ok(slice)), Some(Ok(id))) => match self.disk.read(slice, id)? {
                Some(octets) => given(StatusCode::OK, octets),
                None => said(StatusCode::NOT_FOUND, "there is no such object\n".into()),
            },
            (&Method::PUT, ["slices", _, _], Some(Ok(slice)), Some(Ok(id))) => {
                self.disk.write(slice, id, &asked.octets)?;
                done()
            }
            _ => {
                said(StatusCode::NOT_FOUND, "there are /counts, /slices, /slices/N, /slices/N/ID and its seal\n".into())
            }
        })
    }
}
