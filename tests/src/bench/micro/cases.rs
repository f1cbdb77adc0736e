//! The services and frames that are measured by themselves: each kind of field, each kind of packet.

use ssa_common::{
    rule::Key,
    verdict::{Reason, Treatment},
};

use crate::frames::{
    CLIENT, Case, KEYS, Service,
    packet::{C_TAG, IPV4, Packet, Upper, datagram_v4, discovery, ethernet, icmp},
};

/// A frame to measure.
pub(super) struct Measured {
    /// Its id, without the section's name.
    pub(super) id: &'static str,
    /// What it must come to, and its name for people.
    pub(super) case: Case,
}

/// Services that are in force together, and frames for them. Who looks a prefix up tries each length that there is, so
/// that other lengths are groups of their own.
pub(super) struct Group {
    pub(super) services: Vec<Service>,
    pub(super) keys: &'static [Key],
    pub(super) frames: Vec<Measured>,
    /// Events a second, where they are not as many as a config has that does not say.
    pub(super) events: Option<u32>,
}

/// A router that cannot follow any rule.
const ROUTER: u128 = 0x2001_0db8_00ff << 80 | 1;

/// A service with the plainest rule that looks at the source.
pub(super) const BIT: Service = Service {
    name: "bit",
    prefix: 0x2001_0db8_0000_0001 << 64,
    length: 64,
    rule: "src(16):32 any:*",
    previous: None,
    allow: &[],
    low_priority: false,
    enforce: true,
    deny_source_in_service: false,
    off: 77,
    mismatch: Reason::FieldMismatch,
};

/// All groups. `time` is what the filter's clock says.
pub(super) fn groups(time: u64) -> [Group; 4] {
    [all_kinds(time), quiet(time), short_prefix(time), two_keys(time)]
}

/// One service for each kind of field, on a /64 with one key.
fn all_kinds(time: u64) -> Group {
    let at = |number: u128| (0x2001_0db8_0000_0000 + number) << 64;
    let allow = Service { name: "allow", prefix: at(2), allow: &["tcp/443", "udp/443", "icmpv6"], ..BIT };
    let any = Service { name: "any", prefix: at(3), rule: "any:*", ..BIT };
    let hash = Service { name: "hash", prefix: at(4), rule: "hash(48):12 any:*", off: 70, ..BIT };
    let mac = Service {
        name: "mac",
        prefix: at(5),
        rule: "any:16 mac(48,key=k1):48",
        off: 127,
        mismatch: Reason::MacMismatch,
        ..BIT
    };
    let period = Service { name: "period", prefix: at(6), rule: "any:16 mac(48,key=k1,period=1h):48", ..mac };
    let pow = Service {
        name: "pow",
        prefix: at(7),
        rule: "hash(48):14 pow(64,zeros=8):50",
        off: 127,
        mismatch: Reason::PowMissing,
        ..BIT
    };
    let mut frames = Vec::from(others(time));
    frames.extend(twins(BIT, time, ["bit/conforming", "bit/not-conforming"], "bit rule"));
    frames.extend(packets(time));
    frames.push(conforming(allow, time, "bit/allow", "bit rule and a list of protocols, conforming"));
    frames.push(conforming(any, time, "any", "any:*"));
    frames.extend(twins(hash, time, ["hash/conforming", "hash/not-conforming"], "hash(48)"));
    frames.extend(twins(mac, time, ["mac/conforming", "mac/not-conforming"], "mac(48)"));
    let ids = ["mac-period/conforming", "mac-period/not-conforming"];
    frames.extend(twins(period, time, ids, "mac(48) with a period"));
    frames.extend(twins(pow, time, ["pow/conforming", "pow/not-conforming"], "pow"));
    Group { services: vec![BIT, allow, any, hash, mac, period, pow], keys: &KEYS[..1], frames, events: None }
}

/// The bit rule where no events are kept.
fn quiet(time: u64) -> Group {
    let ids = ["quiet/conforming", "quiet/not-conforming"];
    let frames = twins(BIT, time, ids, "bit rule without events").into();
    Group { services: vec![BIT], keys: &[], frames, events: Some(0) }
}

/// The bit rule on a /48.
fn short_prefix(time: u64) -> Group {
    let wide = Service { name: "wide", prefix: 0x2001_0db8_0007 << 80, length: 48, off: 60, ..BIT };
    let ids = ["bit48/conforming", "bit48/not-conforming"];
    Group {
        services: vec![wide],
        keys: &[],
        frames: twins(wide, time, ids, "bit rule over a /48").into(),
        events: None,
    }
}

/// A `mac` that no key of the ring has made.
fn two_keys(time: u64) -> Group {
    let rule = "any:16 mac(48,key=k1,period=1h):48";
    let service = Service { name: "keys", rule, off: 127, mismatch: Reason::MacMismatch, ..BIT };
    let name = "mac(48) with a period and two keys";
    let [_, wrong] = twins(service, time, ["mac-keys/conforming", "mac-keys/not-conforming"], name);
    Group { services: vec![service], keys: &KEYS, frames: vec![wrong], events: None }
}

/// What is for no service.
fn others(time: u64) -> [Measured; 3] {
    let packet = Packet::new(CLIENT, BIT.address(CLIENT, time)).carrying(datagram());
    let outside = Packet { destination: ROUTER, ..packet.clone() };
    let other = |id, name: &str, frame| Measured {
        id,
        case: Case { service: None, ..case(&BIT, name, Reason::Other, Treatment::Pass, frame) },
    };
    [
        other("other/no-service", "to no service", outside.frame()),
        other("other/ipv4", "IPv4", ethernet(&[], IPV4, &datagram_v4(44))),
        other("other/arp", "neither IPv6 nor IPv4", ethernet(&[], 0x0806, &packet.packet())),
    ]
}

/// Kinds of packets to the service with the bit rule.
fn packets(time: u64) -> Vec<Measured> {
    let good = Packet::new(CLIENT, BIT.address(CLIENT, time)).carrying(datagram());
    let wrong = Packet { destination: BIT.wrong_address(CLIENT, time), ..good.clone() };
    let measured = |id, name: &str, reason, treatment, packet: &Packet| Measured {
        id,
        case: case(&BIT, name, reason, treatment, packet.frame()),
    };
    let pass = |id, name, reason, packet| measured(id, name, reason, Treatment::Pass, &packet);
    let solicitation = wrong.clone().carrying(discovery(135, 0, wrong.destination)).hops(255);
    vec![
        pass("bit/vlan", "bit rule under a VLAN tag", Reason::Conform, good.clone().tagged(&[(C_TAG, 5)])),
        pass("bit/echo", "bit rule, ICMPv6 echo", Reason::Conform, good.clone().carrying(icmp(128, 0, 1, &[0; 24]))),
        pass("icmp-error/valid", "ICMPv6 error, valid", Reason::IcmpError, error(&good)),
        measured("icmp-error/invalid", "ICMPv6 error, invalid", Reason::BadIcmpError, Treatment::Drop, &error(&wrong)),
        pass("discovery", "neighbour discovery", Reason::Control, solicitation),
    ]
}

/// A router's error about the answer to a packet.
pub(super) fn error(packet: &Packet) -> Packet {
    let answer = Packet::new(packet.destination, packet.source).carrying(datagram());
    Packet { source: ROUTER, ..packet.clone() }.carrying(icmp(2, 0, 1400, &answer.packet()))
}

/// A datagram that conforms, and one that is a bit off.
fn twins(service: Service, time: u64, [good, wrong]: [&'static str; 2], name: &str) -> [Measured; 2] {
    let off = Packet::new(CLIENT, service.wrong_address(CLIENT, time)).carrying(datagram());
    let name_of_wrong = format!("{name}, not conforming");
    let case = case(&service, &name_of_wrong, service.mismatch, Treatment::Drop, off.frame());
    [conforming(service, time, good, &format!("{name}, conforming")), Measured { id: wrong, case }]
}

fn conforming(service: Service, time: u64, id: &'static str, name: &str) -> Measured {
    let packet = Packet::new(CLIENT, service.address(CLIENT, time)).carrying(datagram());
    Measured { id, case: case(&service, name, Reason::Conform, Treatment::Pass, packet.frame()) }
}

/// Octets of UDP that make a frame of 86.
pub(super) fn datagram() -> Upper {
    let mut octets = [40_000u16, 443, 32, 0].map(u16::to_be_bytes).concat();
    octets.resize(32, 0x5a);
    (17, octets)
}

pub(super) fn case(service: &Service, name: &str, reason: Reason, treatment: Treatment, frame: Vec<u8>) -> Case {
    let name = name.to_owned();
    Case { name, frame, linear: None, service: Some(service.name), reason, treatment, would_drop: false }
}
