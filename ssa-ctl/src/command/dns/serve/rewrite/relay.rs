//! A question in; what the first server that answers says, octet for octet, out.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpStream, UdpSocket},
    time::timeout,
};

use super::message::{HEADER, Over, framed};

/// How long each server is waited for: three have answered before a program asks again.
const LONGEST: Duration = Duration::from_millis(1500);

/// Asks servers in order. None: nobody answers.
pub(super) async fn ask(servers: &[SocketAddr], question: &[u8], over: Over) -> Option<Vec<u8>> {
    for server in servers {
        let asked = async {
            match over {
                Over::Udp => datagram(*server, question).await,
                Over::Tcp => connection(*server, question).await.map_err(io::Error::other),
            }
        };
        match timeout(LONGEST, asked).await {
            Ok(Ok(answer)) => return Some(answer),
            Ok(Err(error)) => tracing::info!("{server} does not answer: {error}"),
            Err(_) => tracing::info!("{server} does not answer within {LONGEST:?}"),
        }
    }
    None
}

/// By a socket of its own, from a port that nobody guesses, with a number that nobody guesses.
async fn datagram(server: SocketAddr, question: &[u8]) -> io::Result<Vec<u8>> {
    let any = if server.is_ipv6() { Ipv6Addr::UNSPECIFIED.into() } else { Ipv4Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind(SocketAddr::new(any, 0)).await?;
    socket.connect(server).await?;
    let asked = numbered(question, rand::random());
    socket.send(&asked).await?;
    let mut octets = vec![0; usize::from(u16::MAX)];
    loop {
        let length = socket.recv(&mut octets).await?;
        if answers(&octets[..length], &asked) {
            octets.truncate(length);
            return Ok(renumbered(octets, question));
        }
    }
}

/// By a connection of its own.
async fn connection(server: SocketAddr, question: &[u8]) -> anyhow::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(server).await?;
    let asked = numbered(question, rand::random());
    stream.write_all(&framed(&asked)?).await?;
    let mut length = [0; 2];
    stream.read_exact(&mut length).await?;
    let mut octets = vec![0; u16::from_be_bytes(length).into()];
    stream.read_exact(&mut octets).await?;
    anyhow::ensure!(answers(&octets, &asked), "it answers something else");
    Ok(renumbered(octets, question))
}

/// The message with this number.
fn numbered(message: &[u8], number: [u8; 2]) -> Vec<u8> {
    [&number, &message[2..]].concat()
}

/// The answer with the number of the question as it came.
fn renumbered(mut answer: Vec<u8>, question: &[u8]) -> Vec<u8> {
    answer[..2].copy_from_slice(&question[..2]);
    answer
}

/// Whether it is an answer to this question: with its number and what it asks, but for the case of letters. Errors may leave
/// the latter out.
fn answers(octets: &[u8], asked: &[u8]) -> bool {
    if octets.len() < HEADER || octets[..2] != asked[..2] || octets[2] & 0x80 == 0 {
        return false;
    }
    let end = question_end(asked);
    let same = || octets.get(HEADER..end).is_some_and(|part| part.eq_ignore_ascii_case(&asked[HEADER..end]));
    octets[4..6] == [0, 0] || same()
}

/// Where the only question of a message ends that has been read before: behind the labels, the type and the class.
fn question_end(message: &[u8]) -> usize {
    let mut at = HEADER;
    while let Some(length @ 1..) = message.get(at) {
        at += 1 + usize::from(*length);
    }
    (at + 5).min(message.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `a.b AAAA`, with this number.
    fn question(number: u8) -> Vec<u8> {
        [&[0, number, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0][..], b"\x01a\x01b\x00", &[0, 28, 0, 1]].concat()
    }

    #[test]
    fn an_answer_is_one_to_the_question() {
        let asked = question(7);
        let mut answer = question(7);
        assert!(!answers(&answer, &asked), "a question");
        answer[2] |= 0x80;
        assert!(answers(&answer, &asked));
        answer[13] = b'A';
        assert!(answers(&answer, &asked), "in other letters");
        answer[13] = b'c';
        assert!(!answers(&answer, &asked), "of another name");
        let mut other = question(8);
        other[2] |= 0x80;
        assert!(!answers(&other, &asked), "with another number");
        let mut error = asked[..HEADER].to_vec();
        error[2] |= 0x80;
        assert!(!answers(&error, &asked), "cut off");
        error[5] = 0;
        assert!(answers(&error, &asked), "an error");
        assert!(!answers(&error[..11], &asked));
    }
}
