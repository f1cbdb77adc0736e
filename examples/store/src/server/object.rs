//! A request at an address of the service in; the object of that address read, written or removed, out.

use std::sync::atomic::Ordering;

use hyper::{
    Method, StatusCode,
    header::{HeaderValue, RETRY_AFTER},
};

use super::{Answer, Asked, Server, given, status};
use crate::{BLOCK, DiskError, Wanted, Written};

impl Server {
    /// What is asked of one object.
    pub(super) fn object(&self, asked: &Asked) -> Answer {
        let Some(wanted) = Wanted::of_path(&asked.path) else {
            return self.said(StatusCode::NOT_FOUND, "there are /objects/NAME and /blocks/NUMBER\n".into());
        };
        let id = match wanted.id() {
            Ok(id) => id,
            Err(wrong) => return self.said(StatusCode::BAD_REQUEST, format!("{wrong}\n")),
        };
        let called = asked.called;
        let Some(slice) = self.places.slice(called).filter(|_| self.places.leads(called, id)) else {
            let text = format!("{called} is no address of {}: compute it from the service's rule\n", asked.path);
            return self.said(StatusCode::MISDIRECTED_REQUEST, text);
        };
        match asked.method {
            Method::PUT => self.write(slice, id, &wanted, &asked.octets),
            Method::DELETE => self.remove(slice, id),
            // GET and HEAD.
            _ => self.read(slice, id, &wanted),
        }
    }

    fn read(&self, slice: u32, id: u128, wanted: &Wanted) -> Answer {
        match self.disk.read(slice, id) {
            Ok(Some(octets)) => {
                self.counts.read.fetch_add(1, Ordering::Relaxed);
                given(StatusCode::OK, octets)
            }
            Ok(None) => self.said(StatusCode::NOT_FOUND, format!("there is no {}\n", wanted.path())),
            Err(error) => self.failed(&error.into()),
        }
    }

    fn write(&self, slice: u32, id: u128, wanted: &Wanted, octets: &[u8]) -> Answer {
        if matches!(wanted, Wanted::Block(_)) && octets.len() != BLOCK {
            return self.said(StatusCode::BAD_REQUEST, format!("a block has {BLOCK} octets, not {}\n", octets.len()));
        }
        match self.disk.write(slice, id, octets) {
            Ok(written) => {
                self.counts.written.fetch_add(1, Ordering::Relaxed);
                let status = match written {
                    Written::Created => StatusCode::CREATED,
                    Written::Replaced => StatusCode::OK,
                };
                given(status, Vec::new())
            }
            Err(error) => self.failed(&error),
        }
    }

    fn remove(&self, slice: u32, id: u128) -> Answer {
        match self.disk.remove(slice, id) {
            Ok(true) => {
                self.counts.removed.fetch_add(1, Ordering::Relaxed);
                given(StatusCode::OK, Vec::new())
            }
            Ok(false) => self.said(StatusCode::NOT_FOUND, "there is no such object\n".into()),
            Err(error) => self.failed(&error),
        }
    }

    fn failed(&self, error: &DiskError) -> Answer {
        let mut answer = self.said(status(error), [&error.to_string(), "\n"].concat());
        if matches!(error, DiskError::Sealed) {
            answer.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        answer
    }
}
