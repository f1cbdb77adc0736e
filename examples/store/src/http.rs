//! A request in, over a connection of its own; its answer out, once the server has closed.
//!
//! The server closes first, so that it is the server's end that waits for what may still be under way, and the client's
//! port is free at once.

use std::io::{self, ErrorKind};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

use crate::LARGEST;

/// The octets of an answer's header, at most.
const HEADER: usize = 16 << 10;

/// What a server answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) octets: Vec<u8>,
}

impl Answer {
    /// The octets, for people.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.octets).trim_end().to_owned()
    }
}

/// Asks.
pub(crate) async fn ask(mut stream: TcpStream, method: &str, path: &str, octets: &[u8]) -> io::Result<Answer> {
    stream.set_nodelay(true)?;
    let length = octets.len();
    let head =
        format!("{method} {path} HTTP/1.1\r\nhost: store\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    stream.write_all(&[head.as_bytes(), octets].concat()).await?;
    let mut said = Vec::new();
    stream.take((HEADER + LARGEST) as u64).read_to_end(&mut said).await?;
    answer(said).ok_or_else(|| io::Error::new(ErrorKind::InvalidData, "the answer is no HTTP, or ends too early"))
}

/// What was said, where it is all there.
fn answer(mut said: Vec<u8>) -> Option<Answer> {
    let end = said.windows(4).position(|four| four == b"\r\n\r\n")?;
    let octets = said.split_off(end + 4);
    let head = str::from_utf8(&said).ok()?;
    let mut lines = head.lines();
    let mut words = lines.next()?.split(' ');
    let status = words.next()?.starts_with("HTTP/1.").then(|| words.next()?.parse().ok())??;
    let length = lines.find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    (length == Some(octets.len())).then_some(Answer { status, octets })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_whole_or_none() {
        let read = |text: &str| answer(text.into()).map(|answer| (answer.status, answer.text()));
        let whole = "HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\ndate: today\r\n\r\nnone";
        assert_eq!(read(whole), Some((404, "none".into())));
        assert_eq!(read("HTTP/1.1 204 No Content\r\ncontent-length: 0\r\n\r\n"), Some((204, String::new())));
        for end in 0..whole.len() {
            assert_eq!(read(&whole[..end]), None);
        }
        assert_eq!(read(&format!("{whole} at all")), None);
        assert_eq!(read("SSH-2.0\r\ncontent-length: 0\r\n\r\n"), None);
    }
}
