//! Low priority: six bits of the traffic class change, and nothing else in the frame.

use ssa_common::verdict::Reason;

use super::{
    case::Cases,
    packet::{C_TAG, Extension, Packet, S_TAG, icmp, udp},
};

pub(super) fn add(cases: &mut Cases) {
    for dscp in [0, 1, 10, 34, 46, 63] {
        for ecn in 0..4 {
            let class = dscp << 2 | ecn;
            for tags in [&[][..], &[(C_TAG, 7)], &[(S_TAG, 8), (C_TAG, 9)], &[(C_TAG, 0); 4]] {
                let name = format!("DSCP {dscp}, ECN {ecn}, {} tags", tags.len());
                cases.by_rule(&name, "slow", |packet| Packet { traffic_class: class, ..packet }.tagged(tags).frame());
            }
            let name = format!("DSCP {dscp}, ECN {ecn}");
            cases.by_rule(&name, "audit", |packet| Packet { traffic_class: class, ..packet }.frame());
        }
    }
    for flow_label in [0, 0xf_0000, 0x0_ffff, 0xf_ffff] {
        let name = format!("flow label {flow_label:#x}");
        cases.by_rule(&name, "slow", |packet| Packet { flow_label, ..packet }.frame());
    }
    cases.by_rule("UDP", "slow", |packet| packet.carrying(udp(53)).frame());
    cases.by_rule("echo", "slow", |packet| packet.carrying(icmp(128, 0, 1, b"echo")).frame());
    let fragment = [Extension::fragment(185, true)];
    cases.by_rule("a middle fragment", "slow", |packet| packet.behind(&fragment).frame());
    cases.by_rule("the shortest packet", "slow", |packet| packet.carrying((59, vec![])).frame());
    // What is refused for another reason than the rule is not let in behind the others.
    let wrong = cases.wrong("slow");
    let error = wrong.clone().carrying(icmp(1, 0, 0, &Packet::new(wrong.destination, wrong.source).packet()));
    cases.inside("a bad error", "slow", Reason::BadIcmpError, error.frame());
    cases.inside("from ::, one bit off", "slow", Reason::BadSource, Packet { source: 0, ..wrong }.frame());
}
