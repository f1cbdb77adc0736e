//! Each bit of an address pair by itself, and each reason a rule can give.

use ssa_common::{bits::mask, verdict::Reason};

use super::{
    case::Cases,
    packet::Packet,
    service::{CLIENT, Service},
};

pub(super) fn add(cases: &mut Cases) {
    let good = cases.good("strict");
    // hash(48):14 src(0):50 after a /64: all 64 bits of the one, 50 of the other.
    for bit in 64..128 {
        let packet = Packet { destination: good.destination ^ 1 << (127 - bit), ..good.clone() };
        cases.inside(format!("destination bit {bit}"), "strict", Reason::FieldMismatch, packet.frame());
    }
    for bit in 0..128 {
        let packet = Packet { source: CLIENT ^ 1 << (127 - bit), ..good.clone() };
        // Bits 0 to 2 lead out of global unicast, to addresses that can be as well.
        let reason = if bit < 50 { Reason::FieldMismatch } else { Reason::Conform };
        cases.inside(format!("source bit {bit}"), "strict", reason, packet.frame());
    }
    hopping(cases);
    proof(cases);
}

fn hopping(cases: &mut Cases) {
    // replica(3):2 keyid:6 any:8 mac(48,key=k1,period=1h):48 after a /64.
    let service = cases.service("hopping");
    let good = cases.good("hopping");
    for bit in 80..128 {
        let packet = Packet { destination: good.destination ^ 1 << (127 - bit), ..good.clone() };
        cases.inside(format!("bit {bit} of the tag"), "hopping", Reason::MacMismatch, packet.frame());
    }
    for bit in 72..80 {
        let packet = Packet { destination: good.destination ^ 1 << (127 - bit), ..good.clone() };
        cases.inside(format!("random bit {bit} under the tag"), "hopping", Reason::MacMismatch, packet.frame());
    }
    for bit in [0, 1, 3, 16, 32, 47] {
        let packet = Packet { source: CLIENT ^ 1 << (127 - bit), ..good.clone() };
        cases.inside(format!("source bit {bit} under the tag"), "hopping", Reason::MacMismatch, packet.frame());
    }
    for bit in [48, 63, 127] {
        let packet = Packet { source: CLIENT ^ 1 << (127 - bit), ..good.clone() };
        cases.inside(format!("source bit {bit} past the tag's"), "hopping", Reason::Conform, packet.frame());
    }
    // Whatever the tag, the replica is looked at first, and then the key's number.
    let with = |first: u8, width: u8, value: u128| {
        let shift = 128 - u32::from(first) - u32::from(width);
        Packet { destination: good.destination & !mask(first, width) | value << shift, ..good.clone() }
    };
    cases.inside("replica 3 of 3", "hopping", Reason::ReplicaRange, with(64, 2, 3).frame());
    for number in [4, 6] {
        let name = format!("the tag of key 7 under the number {number}");
        cases.inside(name, "hopping", Reason::MacMismatch, with(66, 6, number).frame());
    }
    for number in [0, 5, 8, 63] {
        cases.inside(format!("key {number}"), "hopping", Reason::UnknownKey, with(66, 6, number).frame());
    }
    assert_eq!(service.rule, "replica(3):2 keyid:6 any:8 mac(48,key=k1,period=1h):48");
}

fn proof(cases: &mut Cases) {
    // hash(48):14 pow(64,zeros=8):50 after a /64; nonces until one is no proof, by the law on the host.
    let service: Service = cases.service("proof");
    let good = cases.good("proof");
    cases.inside("a proof", "proof", Reason::Conform, good.frame());
    let (rule, time) = (service.compile(), cases.time());
    let missing = (1..1000)
        .map(|step| good.destination ^ step)
        .find(|&nonce| rule.conforms(CLIENT, nonce, time) == Reason::PowMissing);
    if let Some(destination) = missing {
        cases.inside("no proof", "proof", Reason::PowMissing, Packet { destination, ..good.clone() }.frame());
    }
    let other = Packet { destination: good.destination ^ 1 << 50, ..good };
    cases.inside("a proof for another place", "proof", Reason::FieldMismatch, other.frame());
}
