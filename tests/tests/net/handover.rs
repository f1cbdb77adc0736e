//! Connections to slices that move from endpoint to endpoint in; every octet of all of them out.

use std::{
    io::{self, Read as _, Write as _},
    net::{Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream},
    sync::atomic::{AtomicBool, AtomicU64, Ordering},
    thread,
    time::Duration,
};

use ssa_tests::{
    bench::tally::{Tally, Then},
    net::{Namespace, StopAtEnd, rounds, size, wait_until},
};

use crate::{
    fleet::{BITS, ENDPOINT_LAN, Fleet, Host, NAMES, called, service},
    stream::LONGEST,
};

const SLICES: u32 = 1 << BITS;
/// Where the servers listen.
const PORT: u16 = 7444;
/// The hop limit that packets of the client leave with.
const HOP_LIMIT: u8 = 64;
/// Octets that go up and come back at a time.
const CHUNK: usize = 4096;

/// Starts a server that says the host's name, and then what the client says. It ends with this process.
pub fn start(host: &Host) {
    let listener = host.namespace.enter(|| TcpListener::bind((Ipv6Addr::UNSPECIFIED, PORT))).unwrap().unwrap();
    let name = host.name;
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // What breaks, the client sees.
            thread::spawn(move || -> io::Result<u64> {
                stream.set_nodelay(true)?;
                stream.write_all(name.as_bytes())?;
                io::copy(&mut stream.try_clone()?, &mut stream)
            });
        }
    });
}

/// A connection, and who has it.
pub fn connect(client: &Namespace, address: Ipv6Addr) -> io::Result<(TcpStream, String)> {
    let mut stream =
        client.enter(|| TcpStream::connect_timeout(&SocketAddr::from((address, PORT)), LONGEST)).unwrap()?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LONGEST))?;
    let mut name = [0];
    stream.read_exact(&mut name)?;
    Ok((stream, String::from_utf8_lossy(&name).into_owned()))
}

/// Sends octets that follow each other like no others and takes the same back, until it is told to stop; how many.
fn talk(mut stream: TcpStream, seed: u64, stop: &AtomicBool) -> io::Result<u64> {
    let (mut state, mut octets) = (seed | 1, 0);
    loop {
        let mut sent = Vec::with_capacity(CHUNK);
        while sent.len() < CHUNK {
            // Xorshift (Marsaglia 2003).
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            sent.extend(state.to_ne_bytes());
        }
        stream.write_all(&sent)?;
        let mut heard = vec![0; CHUNK];
        stream.read_exact(&mut heard)?;
        assert!(sent == heard, "octets from {octets} on came back as others");
        octets += CHUNK as u64;
        if stop.load(Ordering::Relaxed) {
            break;
        }
        // sleep: there are two CPUs, and many connections.
        thread::sleep(Duration::from_millis(size(10, 100)));
    }
    stream.shutdown(Shutdown::Write)?;
    let rest = stream.read_to_end(&mut vec![])?;
    assert_eq!(rest, 0, "octets that nobody sent");
    Ok(octets)
}

/// The two endpoints that a slice moves between: its connections are never at a third one.
fn pair(slice: u32) -> [&'static str; 2] {
    [NAMES[slice as usize % 3], NAMES[(slice as usize + 1) % 3]]
}

/// Moves a slice on all hosts, one after the other in another order each time; routes last.
fn move_slice(fleet: &Fleet, round: u32, slice: u32, to: &str) {
    let mut hosts: Vec<_> = fleet.hosts().collect();
    hosts.rotate_left(round as usize % 4);
    if round / 4 % 2 == 1 {
        hosts.reverse();
    }
    for host in hosts {
        host.move_slices((slice, slice), to);
        // sleep: operators are not in all places at once.
        thread::sleep(Duration::from_millis(u64::from(round % 3)));
    }
}

/// Counts at each endpoint what its stack gets of the service, frame by frame.
fn watch(fleet: &Fleet) -> Tally {
    let mut tally = Tally::new(called(0, 0)).unwrap();
    for host in &fleet.endpoints {
        host.namespace.run("ethtool", ["-K", ENDPOINT_LAN, "gro", "off"]).unwrap();
        tally.watch(&host.namespace, ENDPOINT_LAN, Then::GoesOn).unwrap();
    }
    tally
}

/// Checks by the hop limits of all frames that none went in a circle: each has been sent on once or twice, and all of them
/// together as often as the hosts have counted.
fn none_circled(hop_limits: &[Vec<(u8, u64)>], frames: u64, sent_on: u64) {
    let arrived = hop_limits.iter().flatten().map(|&(hop_limit, frames)| (HOP_LIMIT - hop_limit, frames));
    let (mut all, mut hops) = (0, 0);
    for (taken, frames) in arrived {
        assert!((1..=2).contains(&taken), "{frames} frames were sent on {taken} times: {hop_limits:?}");
        all += frames;
        hops += u64::from(taken) * frames;
    }
    assert_eq!((all, hops), (frames, sent_on), "frames that arrived, and how often they were sent on: {hop_limits:?}");
}

fn no_connection_breaks(steer: &str, connections: u32, moves: u32) {
    let fleet = Fleet::new(&format!("hand{steer}"));
    fleet.set_forwarding(steer == "route");
    // What the client sends fits into a packet of a tunnel.
    fleet.set_lan_mtu(1600);
    fleet.apply(&service(steer, ""));
    fleet.endpoints.iter().for_each(start);
    let tally = watch(&fleet);
    let arrive = |slice: u32, to: &str| {
        if steer == "route" {
            fleet.route_slice(slice, to);
        }
    };
    for slice in 0..SLICES {
        move_slice(&fleet, 0, slice, pair(slice)[0]);
        arrive(slice, pair(slice)[0]);
    }
    let (stop, started, short) = (AtomicBool::new(false), AtomicU64::new(0), AtomicU64::new(0));
    let client = &fleet.client;
    let octets: u64 = thread::scope(|scope| {
        let end = StopAtEnd(&stop);
        let (stop, started, short) = (&stop, &started, &short);
        let long = |number: u32| {
            let (stream, name) = connect(client, called(number % SLICES, 1)).unwrap();
            assert_eq!(name, pair(number % SLICES)[0], "connection {number}");
            started.fetch_add(1, Ordering::Relaxed);
            talk(stream, number.into(), stop).unwrap_or_else(|error| panic!("connection {number} to {name}: {error}"))
        };
        let talkers: Vec<_> = (0..connections).map(|number| scope.spawn(move || long(number))).collect();
        let others = scope.spawn(move || {
            let mut number = 0;
            while !stop.load(Ordering::Relaxed) {
                let (slice, done) = (number * 7 % SLICES, AtomicBool::new(true));
                let (stream, name) = connect(client, called(slice, 2)).unwrap();
                assert!(pair(slice).contains(&&*name), "slice {slice} at {name}");
                talk(stream, number.into(), &done).unwrap_or_else(|error| panic!("a short one to {name}: {error}"));
                short.fetch_add(1, Ordering::Relaxed);
                number += 1;
                // sleep: new connections all the time, and time for the others.
                thread::sleep(Duration::from_millis(5));
            }
        });
        let all = || {
            started.load(Ordering::Relaxed) == u64::from(connections)
                || talkers.iter().any(thread::ScopedJoinHandle::is_finished)
        };
        wait_until("all connections to be there", LONGEST, all).unwrap();
        for round in rounds(&format!("{steer}, {moves} moves"), moves) {
            let slice = round * 5 % SLICES;
            let to = pair(slice)[(round / SLICES + 1) as usize % 2];
            move_slice(&fleet, round, slice, to);
            arrive(slice, to);
            let (_, name) = connect(client, called(slice, 3)).unwrap();
            assert_eq!(name, to, "a new connection after slice {slice} has moved");
            assert!(talkers.iter().all(|one| !one.is_finished()), "move {round} of slice {slice} broke a connection");
        }
        drop(end);
        others.join().unwrap();
        talkers.into_iter().map(|one| one.join().unwrap()).sum()
    });
    let quiet = || {
        let before = tally.arrived();
        // sleep: what was lost or is late comes again within this (RFC 6298, and 200 ms in Linux).
        thread::sleep(Duration::from_millis(250));
        tally.arrived() == before
    };
    wait_until("the last frames of closed connections", LONGEST, quiet).unwrap();
    let counts = |path: [&str; 2]| fleet.hosts().map(|host| host.packets(&path)).collect::<Vec<_>>();
    let (received, sent_on) =
        (fleet.hosts().map(|host| host.packets(&["received"])), counts(["treatments", "forward"]));
    let received: Vec<_> = received.collect();
    let short = short.into_inner();
    println!("{steer}: {connections} connections, {moves} moves, {octets} octets, {short} short connections beside");
    println!("{steer}: received {received:?}, forwarded {sent_on:?} by the filter and {NAMES:?}");
    assert_eq!(counts(["treatments", "drop"]), [0; 4], "dropped");
    // Each frame that goes on arrives, and what an endpoint got goes to another one at most once.
    let from_filter = if steer == "route" { received[0] } else { sent_on[0] };
    let by_endpoints: u64 = sent_on[1..].iter().sum();
    assert!(by_endpoints > 0 && by_endpoints <= from_filter, "{by_endpoints} of {from_filter} were sent on once more");
    assert_eq!(received[1..].iter().sum::<u64>(), from_filter + by_endpoints, "frames got lost, or came twice");
    let hop_limits = tally.hop_limits();
    println!("{steer}: hop limits and frames at {NAMES:?}: {hop_limits:?}");
    none_circled(&hop_limits, from_filter, from_filter + by_endpoints);
}

#[test]
fn connections_stay_while_slices_move() {
    no_connection_breaks("ip6ip6", size(40, 200), size(100, 1000));
}

#[test]
fn connections_stay_while_hardware_addresses_change() {
    no_connection_breaks("l2", size(20, 200), size(50, 1000));
}

#[test]
fn connections_stay_while_routes_change() {
    no_connection_breaks("route", size(20, 200), size(50, 1000));
}
