//! Frames of flows that followed a rule that is over, in; which of them are known, out (DESIGN §4 step 7).

use std::collections::BTreeSet;

use ssa_common::{
    layout::FLOW_COARSE,
    rows::TICK_PARTS,
    verdict::{Reason, Treatment, Verdict},
};
use ssa_ctl::{
    kernel::{clock, flows, sandbox::Sandbox},
    plan::numbers::Numbers,
};
use ssa_tests::run::{Config, load};

use crate::layers::{ACK, Packet, SYN, behind_options, destination, icmp, later_fragment, tcp, too_big, udp};

const SLICE: u32 = 6;
const FIN: u8 = 1;
const RST: u8 = 4;
/// The rule that all packets to [`destination`] follow, and one that none does.
const BEFORE: &str = "any:64 const(0x1234):16";
const AFTER: &str = "any:64 const(0x1235):16";

/// A service with a rule, over which the program is loaded.
struct Rotation {
    sandbox: Sandbox,
    numbers: Numbers,
    settings: &'static str,
}

impl Rotation {
    fn new(settings: &'static str) -> Self {
        let (tables, numbers) = config("web", BEFORE, settings).tables(&Numbers::default());
        Self { sandbox: load(&tables), numbers, settings }
    }

    /// Puts a service in force, by this rule.
    fn rotate(&mut self, name: &str, rule: &str) {
        let (tables, numbers) = config(name, rule, self.settings).tables(&self.numbers);
        self.sandbox.instance().put_in_force(&tables, "", 2).unwrap();
        self.numbers = numbers;
    }

    fn judge(&mut self, packet: &Packet) -> (Reason, Treatment) {
        let Verdict { reason, treatment, .. } = self.sandbox.judge(&packet.frame(), None).unwrap();
        (reason, treatment)
    }

    #[track_caller]
    fn expect(&mut self, packet: &Packet, reason: Reason) {
        let treatment = match reason {
            Reason::Conform | Reason::Established | Reason::IcmpError => Treatment::Pass,
            _ => Treatment::Drop,
        };
        assert_eq!(self.judge(packet), (reason, treatment));
    }
}

fn config(name: &str, rule: &str, settings: &str) -> Config {
    let prefixes = "prefixes = [\"2001:db8:1::/48\"]";
    Config::default().service(&format!("name = \"{name}\"\n{prefixes}\nrule = \"{rule}\"\n{settings}"))
}

fn segment(flags: u8) -> Packet {
    Packet::to(SLICE).carrying(tcp(flags, 0))
}

fn datagram() -> Packet {
    Packet::to(SLICE).carrying(udp())
}

/// The same packet from another port of the client.
fn from_port(mut packet: Packet, port: u16) -> Packet {
    packet.payload[..2].copy_from_slice(&port.to_be_bytes());
    packet
}

#[test]
fn flows_that_conformed_live_through_a_rotation() {
    let mut site = Rotation::new("established = \"flows\"");
    site.expect(&segment(ACK), Reason::Conform);
    site.expect(&datagram(), Reason::Conform);
    site.rotate("web", AFTER);
    for known in [segment(ACK), segment(FIN | ACK), segment(RST), segment(0), datagram(), segment(ACK).tagged(3)] {
        site.expect(&known, Reason::Established);
    }
    // What begins is judged by the rule, and so is what says nothing of a flow.
    for unknown in [SYN, SYN | ACK, SYN | FIN] {
        site.expect(&segment(unknown), Reason::FieldMismatch);
    }
    site.expect(&Packet::to(SLICE).carrying(behind_options()), Reason::FieldMismatch);
    site.expect(&Packet::to(SLICE).carrying(later_fragment()), Reason::FieldMismatch);
    site.expect(&Packet::to(SLICE).carrying(icmp(128, 1, b"echo")), Reason::FieldMismatch);
    let short = Packet::to(SLICE).carrying((6, tcp(ACK, 0).1[..12].to_vec()));
    site.expect(&short, Reason::FieldMismatch);
}

#[test]
fn each_part_of_a_flow_counts() {
    let mut site = Rotation::new("established = \"flows\"");
    site.expect(&segment(ACK), Reason::Conform);
    site.rotate("web", AFTER);
    site.expect(&segment(ACK), Reason::Established);
    let mut other_port = segment(ACK);
    other_port.payload[3] ^= 1;
    let others = [
        datagram(),
        from_port(segment(ACK), 40_001),
        other_port,
        Packet { source: segment(ACK).source ^ 1, ..segment(ACK) },
        Packet { destination: destination(SLICE) ^ 1 << 64, ..segment(ACK) },
    ];
    for other in others {
        site.expect(&other, Reason::FieldMismatch);
    }
    // Whose flow it was counts too: another service has the prefix now.
    site.rotate("other", AFTER);
    site.expect(&segment(ACK), Reason::FieldMismatch);
}

#[test]
fn a_syn_makes_no_flow_known() {
    let mut site = Rotation::new("established = \"flows\"");
    site.expect(&segment(SYN), Reason::Conform);
    site.rotate("web", AFTER);
    site.expect(&segment(ACK), Reason::FieldMismatch);
    // Nor does what fails the rule.
    site.expect(&segment(ACK), Reason::FieldMismatch);
}

#[test]
fn errors_about_what_is_known_are_let_in() {
    let mut site = Rotation::new("established = \"flows\"");
    let about_other = Packet::to(SLICE + 1).carrying(too_big(SLICE + 1));
    site.expect(&segment(ACK), Reason::Conform);
    site.expect(&Packet::to(SLICE).carrying(too_big(SLICE)), Reason::IcmpError);
    site.expect(&about_other, Reason::IcmpError);
    site.rotate("web", AFTER);
    site.expect(&Packet::to(SLICE).carrying(too_big(SLICE)), Reason::IcmpError);
    site.expect(&about_other, Reason::BadIcmpError);
    // About what is known, and to an address that has not sent it.
    site.expect(&Packet::to(SLICE + 1).carrying(too_big(SLICE)), Reason::BadIcmpError);
}

#[test]
fn without_the_setting_nothing_is_known() {
    let mut site = Rotation::new("");
    site.expect(&segment(ACK), Reason::Conform);
    site.rotate("web", AFTER);
    site.expect(&segment(ACK), Reason::FieldMismatch);
    site.expect(&Packet::to(SLICE).carrying(too_big(SLICE)), Reason::BadIcmpError);
}

#[test]
fn what_is_known_goes_before_low_priority_and_counts_where_nothing_is_enforced() {
    let mut site = Rotation::new("established = \"flows\"\non_mismatch = \"lowprio\"");
    site.expect(&segment(ACK), Reason::Conform);
    site.rotate("web", AFTER);
    site.expect(&segment(ACK), Reason::Established);
    assert_eq!(site.judge(&segment(SYN)), (Reason::FieldMismatch, Treatment::LowPriority));
    site.settings = "established = \"flows\"\nenforce = \"off\"";
    site.rotate("web", AFTER);
    site.expect(&segment(ACK), Reason::Established);
    assert_eq!(site.judge(&segment(SYN)), (Reason::FieldMismatch, Treatment::Pass));
}

/// Whoever sends new flows all the time turns the map over no faster than it may, and none of what is known leaves it.
#[test]
fn a_flood_of_new_flows_is_bounded() {
    const FLOOD: u16 = 20_000;
    let mut site = Rotation::new("established = \"flows\"");
    let began = site.sandbox.ticks().now();
    site.expect(&segment(ACK), Reason::Conform);
    for port in 1..=FLOOD {
        site.expect(&from_port(segment(ACK), port), Reason::Conform);
        if port % 64 == 0 {
            site.expect(&segment(ACK), Reason::Conform);
        }
    }
    let passed = site.sandbox.ticks().now() - began + 1;
    let away = site.sandbox.instance().flows_turned_away().unwrap();
    site.rotate("web", AFTER);
    site.expect(&segment(ACK), Reason::Established);
    let reasons = (1..=FLOOD).map(|port| site.judge(&from_port(segment(ACK), port)).0);
    let known = reasons.filter(|reason| *reason == Reason::Established).count() as u64;
    let meta = site.sandbox.instance().meta;
    let gate = flows::gates(meta.flows, meta.cpus, clock::hertz().unwrap())[0];
    // A test run stays on one CPU, or comes to another.
    let most = ((passed + FLOW_COARSE) * TICK_PARTS / gate.interval + 1) * u64::from(meta.cpus);
    assert!((1..=most).contains(&known), "{known} of {FLOOD}, and {most} may be");
    assert_eq!(known + away, u64::from(FLOOD), "each of them was let in or turned away");
}

/// The service's frames that follow the rule, by treatment, and so on: what a share takes.
fn shared(site: &mut Rotation, source: u128, frames: u32) -> [u32; 2] {
    let packet = Packet { source, ..Packet::to(SLICE) };
    let mut treated = [0; 2];
    for _ in 0..frames {
        match site.judge(&packet) {
            (Reason::Conform, Treatment::Pass) => treated[0] += 1,
            (Reason::Conform, Treatment::LowPriority) => treated[1] += 1,
            other => panic!("{other:?}"),
        }
    }
    treated
}

/// Two source prefixes that differ in the last bit that counts, of /48.
const HEAVY: u128 = 0x2001_0db8_0077 << 80;
const LIGHT: u128 = 0x2001_0db8_0076 << 80;

#[test]
fn a_source_prefix_above_its_share_is_suspect() {
    let mut site = Rotation::new("fair = { prefix = 48, share = \"50%\", above = 500 }");
    let [passed, low] = shared(&mut site, HEAVY, 4000);
    // As many as may be in a window or two, and all others not.
    assert!((500..=2000).contains(&passed) && passed + low == 4000, "{passed} {low}");
    // Whoever sends little is not held to the share, in the same prefix and in others.
    assert_eq!(shared(&mut site, LIGHT, 100), [100, 0]);
    let [passed, low] = shared(&mut site, HEAVY | 1 << 79 | 7, 100);
    assert!(low > 0, "another address of the same prefix: {passed} {low}");
}

#[test]
fn many_that_send_alike_are_above_no_share() {
    let mut site = Rotation::new("fair = { prefix = 64, share = \"10%\", above = 50 }");
    let prefixes: BTreeSet<u128> = (0..40).map(|number| HEAVY | number << 64).collect();
    for _ in 0..100 {
        for source in &prefixes {
            assert_eq!(shared(&mut site, *source, 1), [1, 0]);
        }
    }
}

#[test]
fn a_share_is_no_more_enforced_than_the_rule() {
    let mut site = Rotation::new("enforce = \"off\"\nfair = { prefix = 48, share = \"50%\", above = 1 }");
    assert_eq!(shared(&mut site, HEAVY, 1000), [1000, 0]);
    site.settings = "fair = { prefix = 48, share = \"50%\", above = 1 }";
    site.rotate("web", BEFORE);
    let [passed, low] = shared(&mut site, HEAVY, 1000);
    assert!(low > 900, "{passed} {low}");
    let frame = Packet { source: HEAVY, ..Packet::to(SLICE) };
    let ran = site.sandbox.run(&frame.frame(), None).unwrap();
    assert_eq!(ran.frame, frame.class(0x04).frame(), "the lower-effort code point and nothing else");
    // What fails the rule is nobody's share.
    site.rotate("web", AFTER);
    assert_eq!(site.judge(&segment(ACK)), (Reason::FieldMismatch, Treatment::Drop));
}
