//! A service with slices and three endpoints in; the loaded program over it, and how it treats frames not as it should, out.

use std::time::{Duration, Instant};

use ssa_common::{
    rows::{HopRow, SliceWord},
    verdict::{Reason, Treatment, Verdict},
};
use ssa_ctl::{
    kernel::sandbox::Sandbox,
    plan::{numbers::Numbers, slices::Place, tables::Tables},
};
use ssa_tests::run::{BACK, Config, DROP, PASS, REDIRECT, cell, load, moved, name};

use crate::layers::{Packet, destination};

/// The endpoints, in the order of their addresses.
pub const ENDPOINTS: [u128; 3] = [AT | 0xa, AT | 0xb, AT | 0xc];
const AT: u128 = 0x2001_0db8_00ff << 80;
const NAMES: [&str; 3] = ["a", "b", "c"];
/// The slice that nobody owns. Slice n of the others belongs to endpoint n modulo 3.
pub const NOBODY: u32 = 15;

/// Within this, there are many ticks.
const PATIENCE: Duration = Duration::from_secs(10);

/// The Ethernet addresses that lead to an endpoint, destination and source.
fn stations(endpoint: usize) -> [u8; 12] {
    let number = u8::try_from(endpoint).unwrap();
    [2, 0x11, 0x22, 0x33, 0x44, number, 2, 0xbb, 0xcc, 0xdd, 0xee, number]
}

/// The interface that leads to an endpoint: to the first two, it is the one that the frames of a test run come by.
const fn interface(endpoint: usize) -> u32 {
    if endpoint < 2 { 1 } else { 7 }
}

/// The action by which a frame leaves for an endpoint.
pub const fn leaving(endpoint: usize) -> u32 {
    if interface(endpoint) == 1 { BACK } else { REDIRECT }
}

/// The way to an endpoint.
pub fn way(endpoint: usize, mtu: u32) -> HopRow {
    let stations = stations(endpoint);
    HopRow {
        link: u64::from_ne_bytes(stations[..8].try_into().unwrap()),
        link_end: u32::from_ne_bytes(stations[8..].try_into().unwrap()),
        interface: interface(endpoint),
        mtu,
        ..HopRow::default()
    }
}

/// A frame on its way to an endpoint.
pub fn out(endpoint: usize, packet: &Packet) -> Vec<u8> {
    [&stations(endpoint)[..], &[0x86, 0xdd], &packet.packet()].concat()
}

/// A packet in one from an endpoint to another, as `steered` says: it may go once more.
pub fn wrapped(from: usize, to: usize, steered: bool, packet: &Packet) -> Packet {
    Packet {
        tags: vec![],
        class: packet.class,
        label: if steered { 1 << 19 } else { 0 },
        hop_limit: 64,
        source: ENDPOINTS[from],
        destination: ENDPOINTS[to],
        next: 41,
        payload: packet.packet(),
    }
}

/// A packet as the first endpoint sends it to another.
pub fn sent(steer: &str, endpoint: usize, packet: &Packet) -> Packet {
    let packet = Packet { tags: vec![], ..packet.on() };
    if steer == "l2" { packet } else { wrapped(0, endpoint, true, &packet) }
}

/// What becomes of a frame.
#[derive(Clone)]
pub struct Fate {
    pub action: u32,
    pub frame: Vec<u8>,
    /// Reason, treatment, whether it would have been dropped.
    pub counted: (Reason, Treatment, bool),
    /// The slice that counts it.
    pub slice: Option<u32>,
}

impl Fate {
    /// It passes, with these octets.
    pub fn here(slice: u32, frame: Vec<u8>) -> Self {
        Self { action: PASS, frame, counted: (Reason::Conform, Treatment::Pass, false), slice: Some(slice) }
    }

    /// It goes to an endpoint, as this packet.
    pub fn to(endpoint: usize, slice: u32, packet: &Packet) -> Self {
        let counted = (Reason::Conform, Treatment::Forward, false);
        Self { action: leaving(endpoint), frame: out(endpoint, packet), counted, slice: Some(slice) }
    }

    /// It is left as it is and counted outside of all services.
    pub fn other(frame: Vec<u8>) -> Self {
        Self { action: PASS, frame, counted: (Reason::Other, Treatment::Pass, false), slice: None }
    }

    /// It is dropped; the octets that are left do not matter, and are the same but for what is said here.
    pub fn dropped(reason: Reason, frame: Vec<u8>) -> Self {
        Self { action: DROP, frame, counted: (reason, Treatment::Drop, false), slice: None }
    }

    /// The same, for another reason.
    pub fn because(mut self, reason: Reason) -> Self {
        self.counted.0 = reason;
        self
    }

    /// The same, counted otherwise.
    pub fn counted(self, reason: Reason, treatment: Treatment, would_drop: bool) -> Self {
        Self { counted: (reason, treatment, would_drop), ..self }
    }
}

/// The program, and where it counts.
pub struct Site {
    pub sandbox: Sandbox,
    pub tables: Tables,
    pub place: Place,
    service: u32,
    wrong: Vec<String>,
}

impl Site {
    /// This host is an endpoint or none. The ways to the others take packets of `mtu` octets.
    pub fn new(host: Option<usize>, steer: &str, mtu: u32, lines: &str) -> Self {
        let (tables, numbers) = config(host, steer, mtu, lines);
        Self::over(tables, &numbers)
    }

    fn over(mut tables: Tables, numbers: &Numbers) -> Self {
        let place = tables.slices.places["web"];
        for (slice, word) in (0..).zip(&mut tables.slices.words[place.range()]) {
            *word = owner(slice).map_or(SliceWord::default(), SliceWord::of);
        }
        let service = numbers.get("web").unwrap();
        Self { sandbox: load(&tables), tables, place, service, wrong: vec![] }
    }

    /// Sets the word of a slice.
    pub fn set(&self, slice: u32, word: SliceWord) {
        self.sandbox.instance().move_slices(&[(self.place.first + slice, word)]).unwrap();
    }

    /// Lets a slice belong to an endpoint, and its connections to another until a tick.
    pub fn hand_over(&self, slice: u32, owner: usize, previous: usize, deadline: u64) {
        let [owner, previous] = [owner, previous].map(|endpoint| u32::try_from(endpoint).unwrap());
        self.set(slice, SliceWord::of(owner).after(previous, deadline));
    }

    /// Notes what is not as it should be.
    pub fn expect(&mut self, what: &str, frame: &[u8], fate: &Fate) {
        self.expect_split(what, frame, None, fate);
    }

    /// The same of a frame in two buffers.
    pub fn expect_split(&mut self, what: &str, frame: &[u8], linear: Option<u32>, fate: &Fate) {
        let (cells, slices) = (self.sandbox.counts().unwrap(), self.slices());
        let ran = match self.sandbox.run(frame, linear) {
            Ok(ran) => ran,
            Err(error) => return self.wrong.push(format!("{what}: {error:#}")),
        };
        if ran.action != fate.action {
            self.wrong.push(format!("{what}: action {}, not {}", ran.action, fate.action));
        }
        let (found, wanted) = (spread(&ran.frame), spread(&fate.frame));
        if found != wanted {
            self.wrong.push(format!("{what}: octets\n{found:02x?}\n{wanted:02x?}"));
        }
        let (reason, treatment, would_drop) = fate.counted;
        let service = if reason == Reason::Other { 0 } else { self.service };
        let at = cell(&Verdict { service, reason, treatment, would_drop });
        let counted = moved(&cells, &self.sandbox.counts().unwrap());
        if counted != [(at, 1, frame.len() as u64)] {
            let counted: Vec<_> = counted.iter().map(|&(at, packets, bytes)| (name(at), packets, bytes)).collect();
            self.wrong.push(format!("{what}: counted {counted:?}, not {}", name(at)));
        }
        let frames: Vec<_> =
            (0..).zip(slices.iter().zip(self.slices())).map(|(n, (old, new))| (n, new - old)).collect();
        let frames: Vec<(u32, u64)> = frames.into_iter().filter(|(_, count)| *count != 0).collect();
        let wanted: Vec<_> = fate.slice.iter().map(|slice| (*slice, 1)).collect();
        if frames != wanted {
            self.wrong.push(format!("{what}: slices counted {frames:?}, not {wanted:?}"));
        }
    }

    /// What is sent back about a frame. One in a tick is answered, and the others are dropped.
    pub fn answer(&mut self, frame: &[u8]) -> Vec<u8> {
        let began = Instant::now();
        loop {
            let ran = self.sandbox.run(frame, None).unwrap();
            if ran.action == BACK {
                return ran.frame;
            }
            assert_eq!((ran.action, &ran.frame[..]), (DROP, frame));
            assert!(began.elapsed() < PATIENCE, "no answer");
        }
    }

    fn slices(&self) -> Vec<u64> {
        self.sandbox.instance().slice_frames(self.place).unwrap()
    }

    /// Fails where something was noted.
    pub fn judge(self) {
        assert!(self.wrong.is_empty(), "{} differ:\n{}", self.wrong.len(), self.wrong.join("\n"));
    }
}

/// The number of the endpoint that a slice belongs to.
pub const fn owner(slice: u32) -> Option<u32> {
    if slice == NOBODY { None } else { Some(slice % 3) }
}

/// The rows of the service.
pub fn config(host: Option<usize>, steer: &str, mtu: u32, lines: &str) -> (Tables, Numbers) {
    let config = Config::default().service(&format!(
        "name = \"web\"\nprefixes = [\"2001:db8:1::/48\"]\nrule = \"any:16 const(0x5a5a):16 any:*\"\n\
         slice_bits = 4\nslice_counters = true\nsteer = \"{steer}\"\n{lines}"
    ));
    let endpoints = NAMES.iter().zip(ENDPOINTS).enumerate();
    let config = endpoints.fold(config, |config, (number, (name, address))| {
        let way = (host != Some(number)).then(|| way(number, mtu));
        config.endpoint(name, &std::net::Ipv6Addr::from_bits(address).to_string(), way)
    });
    config.tables(&Numbers::default())
}

/// The same frame without the bits of an outer flow label that spread flows over paths.
fn spread(frame: &[u8]) -> Vec<u8> {
    let mut frame = frame.to_vec();
    if frame.get(12..14) == Some(&[0x86, 0xdd]) && frame.get(20) == Some(&41) {
        frame[15] &= 0xf8;
        frame[16..18].fill(0);
    }
    frame
}

/// A frame to an address that does not follow the rule.
pub fn wrong(slice: u32) -> Packet {
    let packet = Packet::to(slice);
    Packet { destination: destination(slice) ^ 1 << 50, ..packet }
}
