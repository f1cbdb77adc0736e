//! A client's and a host's namespace in; octets up and down a TCP connection between them out.

use std::{
    io::{Read, Write},
    net::{Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    thread,
    time::Duration,
};

use ssa_tests::net::Namespace;

/// The longest that reading or writing may stand still.
pub const LONGEST: Duration = Duration::from_secs(10);
/// Octets in each direction.
pub const OCTETS: usize = 10_000_000;

/// A listener on all addresses of a namespace.
pub fn listen(namespace: &Namespace) -> TcpListener {
    namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0))).unwrap().unwrap()
}

/// Connects from a namespace to an address of the listener's.
pub fn connect(
    namespace: &Namespace,
    address: &str,
    listener: &TcpListener,
    longest: Duration,
) -> std::io::Result<TcpStream> {
    let to = SocketAddr::new(address.parse().unwrap(), listener.local_addr().unwrap().port());
    namespace.enter(|| TcpStream::connect_timeout(&to, longest)).unwrap()
}

/// Sends all octets up, and then all down.
pub fn up_and_down(client: &Namespace, address: &str, host: &Namespace) {
    let listener = listen(host);
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut stream, _) = listener.accept().unwrap();
            limit(&stream);
            receive(&mut stream);
            send(&mut stream);
        });
        let mut stream = connect(client, address, &listener, LONGEST).unwrap();
        limit(&stream);
        send(&mut stream);
        receive(&mut stream);
    });
}

fn limit(stream: &TcpStream) {
    stream.set_read_timeout(Some(LONGEST)).unwrap();
    stream.set_write_timeout(Some(LONGEST)).unwrap();
}

fn send(stream: &mut TcpStream) {
    stream.write_all(&vec![0x5a; OCTETS]).unwrap();
    stream.shutdown(Shutdown::Write).unwrap();
}

fn receive(stream: &mut TcpStream) {
    let mut octets = vec![];
    stream.read_to_end(&mut octets).unwrap();
    assert_eq!(octets.len(), OCTETS);
}
