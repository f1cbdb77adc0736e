//! Datagrams in; frames on the wire, a flood of them, and what arrives at a socket, out.

use std::{
    net::{Ipv6Addr, UdpSocket},
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use etherparse::PacketBuilder;
use ssa_tests::net::{FrameSocket, Namespace, interface};

use crate::site::{CLIENT, INTERFACE, PEER, Site};

/// The port of the sockets here.
pub const PORT: u16 = 7000;
/// How long a socket waits before nothing more is taken to come.
const SILENCE: Duration = Duration::from_millis(300);

/// The wire from a client to a host.
pub struct Wire {
    socket: FrameSocket,
    from: [u8; 6],
    to: [u8; 6],
}

impl Wire {
    /// The client's end.
    pub fn new(site: &Site) -> Self {
        let mac = |namespace: &Namespace, name: &str| interface(namespace, name).unwrap().mac;
        Self {
            socket: FrameSocket::open(&site.client, PEER).unwrap(),
            from: mac(&site.client, PEER),
            to: mac(&site.host, INTERFACE),
        }
    }

    /// A datagram from the client, in a frame with VLAN tags: protocol, and priority with VLAN id, outermost first.
    pub fn datagram(&self, destination: &str, tags: &[(u16, u16)], payload: &str) -> Vec<u8> {
        let octets = |address: &str| address.parse::<Ipv6Addr>().unwrap().octets();
        let packet = PacketBuilder::ethernet2(self.from, self.to).ipv6(octets(CLIENT), octets(destination), 64);
        let mut frame = vec![];
        packet.udp(40_000, PORT).write(&mut frame, payload.as_bytes()).unwrap();
        let tags = tags.iter().flat_map(|(protocol, tag)| [protocol.to_be_bytes(), tag.to_be_bytes()]).flatten();
        frame.splice(12..12, tags);
        frame
    }

    /// The same datagram from another source, with a checksum that is wrong then.
    pub fn datagram_from(&self, source: &str, destination: &str) -> Vec<u8> {
        let mut frame = self.datagram(destination, &[], "one");
        frame[22..38].copy_from_slice(&source.parse::<Ipv6Addr>().unwrap().octets());
        frame
    }

    /// Sends a frame.
    pub fn send(&self, frame: &[u8]) -> std::io::Result<()> {
        self.socket.send(frame)
    }

    /// Does the work under a flood of frames, some ten thousand a second; how many were sent.
    pub fn flood<T>(&self, frame: &[u8], work: impl FnOnce() -> T) -> (T, u64) {
        self.flood_of(&[frame.to_vec()], work)
    }

    /// The same with several frames in turn.
    pub fn flood_of<T>(&self, frames: &[Vec<u8>], work: impl FnOnce() -> T) -> (T, u64) {
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let flood = scope.spawn(|| {
                let (mut sent, mut frames) = (0, frames.iter().cycle());
                while !stop.load(Ordering::Relaxed) {
                    sent += frames.by_ref().take(50).filter(|frame| self.send(frame).is_ok()).count() as u64;
                    // sleep: there are two CPUs, and the flood is not to be all they do.
                    thread::sleep(Duration::from_millis(4));
                }
                sent
            });
            // The flood ends with the work, even where that panics.
            let end = End(&stop);
            let done = work();
            drop(end);
            (done, flood.join().unwrap())
        })
    }
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A socket on all addresses of the host.
pub fn listen(site: &Site) -> UdpSocket {
    let socket = site.host.enter(|| UdpSocket::bind((Ipv6Addr::UNSPECIFIED, PORT))).unwrap().unwrap();
    socket.set_read_timeout(Some(SILENCE)).unwrap();
    socket
}

/// What has arrived, until nothing more comes.
pub fn arrived(socket: &UdpSocket) -> Vec<String> {
    let mut octets = vec![0; 65_536];
    let mut texts = vec![];
    while let Ok(length) = socket.recv(&mut octets) {
        texts.push(String::from_utf8_lossy(&octets[..length]).into_owned());
    }
    texts
}
