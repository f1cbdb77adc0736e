//! A server at the loopback address in; objects written, read, copied and refused, out.
//!
//! The prefix `::/64` with one object bit has two addresses: `::1` is this host, and so the address of every object whose
//! id is odd. The kernel takes `::` for the same host, where the called address is `::1` too: even ids are misdirected.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use ssa_client::{Selector, Service, record::Record};
use ssa_store::{BLOCK, Client, Disk, Places, Server, StoreError, Wanted, copy, counts, forget, held};
use tempfile::TempDir;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    time::timeout,
};

const RULE: &str = "const(0x0):63 object(127):1";
const PATIENCE: Duration = Duration::from_secs(10);

fn service(prefix: &str) -> Service {
    Service::new("objects", &[prefix.parse().unwrap()], Record::new(RULE.parse().unwrap()))
}

/// A server, its address, and its folder. Peers are this host, or nobody.
async fn start(prefix: &str, peers: &[&str]) -> (SocketAddr, TempDir) {
    let folder = TempDir::new().unwrap();
    let disk = Disk::open(folder.path(), true).unwrap();
    let peers = peers.iter().map(|peer| peer.parse().unwrap()).collect();
    let server = Server::new(Places::new(&service(prefix), 0).unwrap(), disk, peers);
    let listener = TcpListener::bind("[::1]:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(server.serve(listener));
    (address, folder)
}

fn client(port: u16) -> Client {
    Client::new(Arc::new(Selector::new(&service("::/64"), &[]).unwrap()), port, PATIENCE)
}

#[tokio::test]
async fn an_object_is_where_its_id_says_and_nowhere_else() {
    let (address, _folder) = start("::/64", &[]).await;
    let client = client(address.port());
    let mut misdirected = 0;
    for number in 0..64 {
        let object = Wanted::Object(format!("object {number}"));
        let octets = vec![number; usize::from(number) * 1000];
        let put = client.put(&object, &octets).await;
        if object.id().unwrap() % 2 == 1 {
            put.unwrap();
            assert_eq!(client.get(&object).await.unwrap().unwrap().octets, octets);
        } else {
            let Err(StoreError::Replica { error, .. }) = put else { panic!("{put:?}") };
            assert!(matches!(*error, StoreError::Refused { status: 421, .. }), "{error:?}");
            misdirected += 1;
        }
    }
    assert!((1..63).contains(&misdirected));
}

#[tokio::test]
async fn blocks_are_zeros_until_they_are_written() {
    let (address, _folder) = start("::/64", &[]).await;
    let client = client(address.port());
    assert_eq!(client.read(7).await.unwrap(), [0; BLOCK]);
    client.put(&Wanted::Block(7), &[9; BLOCK]).await.unwrap();
    assert_eq!((client.read(7).await.unwrap(), client.read(9).await.unwrap()), (vec![9; BLOCK], vec![0; BLOCK]));
    // The number as a name is the same object.
    assert_eq!(client.get(&Wanted::Object("7".into())).await.unwrap().unwrap().octets, [9; BLOCK]);
    let short = client.put(&Wanted::Block(7), &[9; BLOCK - 1]).await;
    assert!(matches!(short, Err(StoreError::Replica { replica: 0, .. })), "{short:?}");
    client.delete(&Wanted::Block(7)).await.unwrap();
    client.delete(&Wanted::Block(7)).await.unwrap();
    assert_eq!(client.read(7).await.unwrap(), [0; BLOCK]);
}

#[tokio::test]
async fn peers_alone_are_asked_for_slices() {
    // Called at an address that is of no prefix of the service.
    let (open, _here) = start("2001:db8::/64", &["::1/128"]).await;
    let (closed, _there) = start("2001:db8::/64", &["2001:db8:e::/64"]).await;
    assert!(held(open).await.unwrap().is_empty());
    assert_eq!(counts(open).await.unwrap().values().sum::<u64>(), 0);
    let refused = held(closed).await.unwrap_err().to_string();
    assert!(refused.contains("403") && refused.contains("no peer"), "{refused}");
    let refused = forget(0, open).await.unwrap_err().to_string();
    assert!(refused.contains("409") && refused.contains("not sealed"), "{refused}");
    let (other, _elsewhere) = start("2001:db8::/64", &["::1/128"]).await;
    assert_eq!(copy(0, open, other).await.unwrap(), 0);
    let refused = copy(0, open, open).await.unwrap_err().to_string();
    assert!(refused.ends_with("name two endpoints"), "{refused}");
    // Without slice bits there is one slice.
    let refused = copy(1, open, other).await.unwrap_err().to_string();
    assert!(refused.contains("404") && refused.contains("they are 0 to 0"), "{refused}");
}

/// What a server answers to this, which may be the begin of a request.
async fn heard(address: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut octets = vec![0; 4096];
    let mut length = 0;
    // Until what is said is said: what nobody has read of the request may break the connection then.
    while !octets[..length].ends_with(b"\n") || !octets[..length].windows(4).any(|four| four == b"\r\n\r\n") {
        let read = timeout(PATIENCE, stream.read(&mut octets[length..])).await.unwrap().unwrap();
        assert_ne!(read, 0, "{}", String::from_utf8_lossy(&octets[..length]));
        length += read;
    }
    String::from_utf8(octets[..length].to_vec()).unwrap()
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_said_before_it_has_come() {
    let (address, _folder) = start("::/64", &[]).await;
    let headers = "Host: store\r\nConnection: close\r\n";
    // Nothing of the body is ever sent.
    let large =
        heard(address, &format!("PUT /blocks/7 HTTP/1.1\r\n{headers}Content-Length: 1099511627776\r\n\r\n")).await;
    assert!(large.starts_with("HTTP/1.1 413 ") && large.ends_with("at most 16777216 octets\n"), "{large}");
    let post = heard(address, &format!("POST /blocks/7 HTTP/1.1\r\n{headers}Content-Length: 4096\r\n\r\n")).await;
    assert!(post.starts_with("HTTP/1.1 405 ") && post.contains("allow: GET, HEAD, PUT, DELETE\r\n"), "{post}");
    let chunked =
        heard(address, &format!("PUT /blocks/7 HTTP/1.1\r\n{headers}Transfer-Encoding: chunked\r\n\r\nx\r\n")).await;
    assert!(chunked.starts_with("HTTP/1.1 400 ") && chunked.contains("the request cannot be read: "), "{chunked}");
}
