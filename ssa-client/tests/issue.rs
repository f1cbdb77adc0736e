//! Issuers that are honest, and others, in; whom a client without a key calls by what they say, out. Strict filters are in ring
//! `net`.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use ssa_client::{
    Selector, Service,
    connect::{ConnectError, Datagrams, Wish, tcp},
    issue::{IssueError, Issuer},
    record::Record,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UdpSocket},
};

/// The longest wait for what comes at once.
const LONGEST: Duration = Duration::from_secs(10);
const LOOPBACK: (Ipv6Addr, u16) = (Ipv6Addr::LOCALHOST, 0);
/// The `mac` of `::1`, as a key may make it, is zero.
const RULE: &str = "mac(64,key=k1):48 const(0x1):16";
const GOOD: &str = "{\"service\":\"svc\",\"source\":\"::1\",\"addresses\":[\"::1\"],\"valid_until\":null,\"ttl\":300}";

/// An issuer that says the same to all.
struct Fake {
    at: SocketAddr,
    asked: Arc<AtomicUsize>,
    /// The request that came last, and whom it came from.
    last: Arc<Mutex<(String, Option<IpAddr>)>>,
}

async fn fake(answer: String) -> Fake {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let fake = Fake { at: listener.local_addr().unwrap(), asked: Arc::default(), last: Arc::default() };
    let (asked, last) = (fake.asked.clone(), fake.last.clone());
    tokio::spawn(async move {
        loop {
            let (mut stream, peer) = listener.accept().await.unwrap();
            let mut request = vec![0; 4096];
            let length = stream.read(&mut request).await.unwrap();
            asked.fetch_add(1, Ordering::SeqCst);
            *last.lock().unwrap() = (String::from_utf8_lossy(&request[..length]).into_owned(), Some(peer.ip()));
            // Who has enough of it closes.
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    });
    fake
}

fn http(status: &str, more: &str, body: &str) -> String {
    format!("HTTP/1.1 {status}\r\nContent-Length: {}\r\n{more}\r\n{body}", body.len())
}

fn selector(fake: &Fake) -> Arc<Selector> {
    let issuer = Arc::new(Issuer::new(&format!("http://{}", fake.at), "svc", None).unwrap());
    let record = Record::parse_value(&format!("v=1 rule={RULE}")).unwrap();
    let service = Service::new("svc.example", &["::/64".parse().unwrap()], record);
    Arc::new(Selector::with_issuer(&service, issuer).unwrap())
}

async fn refused(answer: String) -> (IssueError, usize) {
    let fake = fake(answer).await;
    let wish = Wish { object: None, replica: None, port: 1 };
    match tcp(&selector(&fake), &wish, LONGEST).await.unwrap_err() {
        ConnectError::Issue(error) => (error, fake.asked.load(Ordering::SeqCst)),
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_client_without_a_key_calls_where_its_issuer_says_and_asks_once() {
    let fake = fake(http("200 OK", "", GOOD)).await;
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (selector, wish) = (selector(&fake), Wish { object: None, replica: None, port });
    for _ in 0..3 {
        let (stream, accepted) = tokio::join!(tcp(&selector, &wish, LONGEST), listener.accept());
        assert_eq!(stream.unwrap().peer_addr().unwrap(), (Ipv6Addr::LOCALHOST, port).into());
        // It asks from where it calls.
        assert_eq!(Some(accepted.unwrap().1.ip()), fake.last.lock().unwrap().1);
    }
    let server = UdpSocket::bind((Ipv6Addr::LOCALHOST, 0)).await.unwrap();
    let wish = Wish { port: server.local_addr().unwrap().port(), ..wish };
    let datagrams = Datagrams::open(&selector, &wish).await.unwrap();
    datagrams.send(b"who").await.unwrap();
    assert_eq!(server.recv(&mut [0; 16]).await.unwrap(), 3);
    assert_eq!(fake.asked.load(Ordering::SeqCst), 1);
    let request = fake.last.lock().unwrap().0.to_lowercase();
    assert!(request.starts_with("get /v1/address?service=svc&replica=0&n=1 http/1.1\r\n"), "{request}");
    assert!(request.contains(&format!("host: {}\r\n", fake.at)), "{request}");
}

#[tokio::test]
async fn an_issuer_that_lies_leads_nowhere() {
    let with = |address: &str| http("200 OK", "", &GOOD.replace("[\"::1\"]", &format!("[\"{address}\"]")));
    // Another constant; another prefix.
    let (error, _) = refused(with("::2")).await;
    assert!(matches!(error, IssueError::Address { address, .. } if address == Ipv6Addr::from(2)), "{error}");
    let (error, _) = refused(with("2001:db8::1")).await;
    assert_eq!(
        error.to_string(),
        "the issuer's answer cannot be used: none of its addresses is in the prefix that is called"
    );
    let (error, _) = refused(http("200 OK", "", &GOOD.replace("\"source\":\"::1\"", "\"source\":\"::5\""))).await;
    assert!(error.to_string().contains("something between changes addresses"), "{error}");
}

#[tokio::test]
async fn no_issuer_sends_a_client_elsewhere_or_fills_it() {
    let elsewhere = TcpListener::bind(LOOPBACK).await.unwrap();
    let there = format!("Location: http://{}/v1/address\r\n", elsewhere.local_addr().unwrap());
    let (error, asked) = refused(http("307 Temporary Redirect", &there, "")).await;
    assert!(matches!(error, IssueError::Refused { status: 307, .. }), "{error}");
    assert_eq!(asked, 1);
    let (error, _) = refused(http("200 OK", "", &" ".repeat(100_000))).await;
    assert!(error.to_string().ends_with("it has more than 16384 octets"), "{error}");
    let endless = format!("X: {}\r\n", "x".repeat(100_000));
    let (error, _) = refused(http("200 OK", &endless, GOOD)).await;
    assert!(matches!(error, IssueError::Http(_)), "{error}");
    let (error, _) = refused("SSH-2.0\r\n".into()).await;
    assert!(matches!(error, IssueError::Http(_)), "{error}");
    let (error, _) = refused(http(
        "429 Too Many Requests",
        "Retry-After: 3\r\n",
        "{\"error\":{\"code\":\"failed\",\"message\":\"your network asks too often\",\"hint\":null}}",
    ))
    .await;
    let said = "the issuer gives no address (429): your network asks too often; it may be asked again in 3 s";
    assert_eq!(error.to_string(), said);
}

#[tokio::test]
async fn nobody_there_is_said() {
    let at = TcpListener::bind(LOOPBACK).await.unwrap().local_addr().unwrap();
    let fake = Fake { at, asked: Arc::default(), last: Arc::default() };
    let wish = Wish { object: None, replica: None, port: 1 };
    let error = tcp(&selector(&fake), &wish, LONGEST).await.unwrap_err().to_string();
    assert!(error.starts_with(&format!("the issuer {at} cannot be asked: ")), "{error}");
}
