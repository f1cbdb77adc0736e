//! Loopback as a service in; connections and datagrams to it out. What a filter makes of them, ring `net` asks.

use std::{net::Ipv6Addr, sync::Arc, time::Duration};

use ssa_client::{
    SelectError, Selector, Service,
    connect::{ConnectError, Datagrams, Wish, tcp},
    record::Record,
};
use ssa_common::rule::AddressError;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
};

/// The longest wait for what comes at once.
const LONGEST: Duration = Duration::from_secs(10);
const LOOPBACK: (Ipv6Addr, u16) = (Ipv6Addr::LOCALHOST, 0);

/// A service whose one address is `::1`.
fn selector(rule: &str) -> Arc<Selector> {
    let record = Record::parse_value(&format!("v=1 rule={rule}")).unwrap();
    Arc::new(Selector::new(&Service::new("svc.example", &["::/64".parse().unwrap()], record), &[]).unwrap())
}

fn wish(port: u16) -> Wish {
    Wish { object: None, replica: None, port }
}

#[tokio::test]
async fn a_connection_goes_to_the_address_that_was_computed() {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"hello").await.unwrap();
    });
    let mut stream = tcp(&selector("const(0x1):64"), &wish(port), LONGEST).await.unwrap();
    assert_eq!(stream.peer_addr().unwrap(), (Ipv6Addr::LOCALHOST, port).into());
    let mut said = String::new();
    stream.read_to_string(&mut said).await.unwrap();
    assert_eq!(said, "hello");
    served.await.unwrap();
}

#[tokio::test]
async fn who_refuses_is_named_and_every_replica_was_called() {
    let port = {
        let listener = TcpListener::bind(LOOPBACK).await.unwrap();
        listener.local_addr().unwrap().port()
    };
    let refused = |error: &ConnectError, to: &str| {
        assert!(matches!(error, ConnectError::Connect { .. }), "{error}");
        assert!(error.to_string().starts_with(&format!("cannot connect to [{to}]:{port}: ")), "{error}");
    };
    refused(&tcp(&selector("const(0x1):64"), &wish(port), LONGEST).await.unwrap_err(), "::1");
    // Replica 0 is `::`, which the kernel takes for loopback, too.
    let error = tcp(&selector("const(0x0):60 replica(2):4"), &wish(port), LONGEST).await.unwrap_err();
    let ConnectError::All(errors) = error else { panic!("{error}") };
    assert_eq!(errors.len(), 2, "{errors:?}");
    let only = Wish { replica: Some(1), ..wish(port) };
    refused(&tcp(&selector("const(0x0):60 replica(2):4"), &only, LONGEST).await.unwrap_err(), "::1");
}

#[tokio::test]
async fn what_a_wish_lacks_is_said() {
    let lacks = |error: ConnectError| match error {
        ConnectError::Select(SelectError::Address(error)) => error,
        other => panic!("{other}"),
    };
    assert_eq!(lacks(tcp(&selector("object(0):64"), &wish(1), LONGEST).await.unwrap_err()), AddressError::NoObject);
    let third = Wish { replica: Some(2), ..wish(1) };
    let error = Datagrams::open(&selector("replica(2):64"), &third).await.unwrap_err();
    assert_eq!(lacks(error), AddressError::NoReplica { count: 2 });
}

#[tokio::test]
async fn datagrams_are_heard_from_the_service_alone() {
    let server = UdpSocket::bind(LOOPBACK).await.unwrap();
    let port = server.local_addr().unwrap().port();
    let datagrams = Datagrams::open(&selector("const(0x1):64"), &wish(port)).await.unwrap();
    assert_eq!((datagrams.source(), *datagrams.peer().ip()), (Ipv6Addr::LOCALHOST, Ipv6Addr::LOCALHOST));
    datagrams.send(b"who").await.unwrap();
    let mut octets = [0; 16];
    let (length, client) = server.recv_from(&mut octets).await.unwrap();
    assert_eq!(&octets[..length], b"who");
    let stranger = UdpSocket::bind(LOOPBACK).await.unwrap();
    stranger.send_to(b"not me", client).await.unwrap();
    server.send_to(b"me", client).await.unwrap();
    let length = tokio::time::timeout(LONGEST, datagrams.receive(&mut octets)).await.unwrap().unwrap();
    assert_eq!(&octets[..length], b"me");
}

#[tokio::test]
async fn a_socket_that_is_given_up_is_connected() {
    let server = UdpSocket::bind(LOOPBACK).await.unwrap();
    let to = server.local_addr().unwrap();
    let datagrams = Datagrams::open(&selector("const(0x1):64"), &wish(to.port())).await.unwrap();
    let socket = datagrams.into_connected().await.unwrap();
    assert_eq!((socket.peer_addr().unwrap(), socket.local_addr().unwrap().ip()), (to, Ipv6Addr::LOCALHOST.into()));
    socket.send(b"who").await.unwrap();
    let mut octets = [0; 16];
    let (length, client) = server.recv_from(&mut octets).await.unwrap();
    assert_eq!((&octets[..length], client), (&b"who"[..], socket.local_addr().unwrap()));
    // Nobody listens there any more, and the kernel tells who is connected.
    drop(server);
    socket.send(b"who").await.unwrap();
    let answer = tokio::time::timeout(LONGEST, socket.recv(&mut octets)).await.unwrap();
    assert_eq!(answer.unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
}
