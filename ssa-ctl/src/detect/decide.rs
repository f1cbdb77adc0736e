//! A tally, what is blocked already, and what is never blocked, in; what is to be blocked, and for what, out.

use std::collections::BTreeMap;

use ipnet::Ipv6Net;

use super::{Spared, Tally, tally::Sum};

/// Samples of a prefix below which nothing is said of it.
pub const LEAST: u64 = 10;

/// When a prefix is blocked.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Above so many frames a second.
    pub above: f64,
    /// Seconds for which it is blocked.
    pub seconds: u64,
    /// Prefixes that the detector blocks, at most.
    pub most: usize,
    /// Prefixes that the block list has room for.
    pub room: usize,
}

/// What becomes of a prefix that is above.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    /// It is blocked.
    Block,
    /// It was, and is for longer.
    Extend,
    /// It is left alone.
    Spare,
}

/// A prefix that is above.
#[derive(Clone, Debug, PartialEq)]
pub struct Found {
    /// The prefix.
    pub prefix: Ipv6Net,
    /// What becomes of it.
    pub action: Action,
    /// Frames a second, as estimated.
    pub rate: f64,
    /// The standard error of that.
    pub error: f64,
    /// Frames that were seen of it.
    pub samples: u64,
    /// Why they were refused.
    pub reason: String,
    /// Why it is left alone.
    pub spared: Option<String>,
}

/// What a round comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decision {
    /// Prefixes that are above, those of most frames first; but not those that are blocked for long enough.
    pub found: Vec<Found>,
    /// Prefixes that are above, and for which there is no room.
    pub left_out: usize,
}

/// Decides what a tally of so many seconds comes to. `listed` is what the detector blocks, each for so many seconds more.
///
/// A prefix is above if its rate less the standard error is. One that is blocked gets more time when half of it is over.
pub fn decide(
    tally: &Tally,
    over: f64,
    listed: &BTreeMap<Ipv6Net, u64>,
    spared: &Spared,
    settings: Settings,
) -> Decision {
    let Settings { above, seconds, most, room } = settings;
    let candidates = tally.prefixes().filter_map(|(prefix, sums)| {
        // What others have blocked is blocked.
        let sum = match listed.get(&prefix) {
            Some(_) => sums.open.clone().and(&sums.blocked),
            None => sums.open.clone(),
        };
        let found = found(prefix, &sum, over);
        (sum.samples >= LEAST && found.rate - found.error > above).then_some(found)
    });
    let mut candidates: Vec<Found> = candidates.collect();
    candidates.sort_by(|one, other| other.rate.total_cmp(&one.rate).then(one.prefix.cmp(&other.prefix)));
    let mut room = most.saturating_sub(listed.len()).min(room);
    let mut decision = Decision::default();
    for mut found in candidates {
        found.spared = spared.why(found.prefix).map(str::to_owned);
        found.action = match listed.get(&found.prefix) {
            _ if found.spared.is_some() => Action::Spare,
            Some(left) if left.saturating_mul(2) > seconds => continue,
            Some(_) => Action::Extend,
            None if room == 0 => {
                decision.left_out += 1;
                continue;
            }
            None => {
                room -= 1;
                Action::Block
            }
        };
        decision.found.push(found);
    }
    decision
}

fn found(prefix: Ipv6Net, sum: &Sum, over: f64) -> Found {
    Found {
        prefix,
        action: Action::Block,
        rate: sum.frames / over,
        error: sum.variance.sqrt() / over,
        samples: sum.samples,
        reason: sum.reason(),
        spared: None,
    }
}

#[cfg(test)]
mod tests {
    use std::net::Ipv6Addr;

    use proptest::prelude::*;
    use ssa_common::verdict::Reason;

    use super::*;
    use crate::observe::samples::Sample;

    const SETTINGS: Settings = Settings { above: 100.0, seconds: 600, most: 100, room: 1000 };

    fn net(text: &str) -> Ipv6Net {
        text.parse().unwrap()
    }

    /// Samples of the prefix of this number, each of which stands for so many frames.
    fn samples(tally: &mut Tally, number: u16, count: u64, frames: f64, is_blocked: bool) {
        for host in 0..count {
            let host = u16::try_from(host).unwrap();
            let source = Ipv6Addr::new(0x2001, 0xdb8, number, host, 0, 0, 0, 1);
            tally.add(Sample { source, service: "web".into(), reason: Reason::FieldMismatch, is_blocked, frames });
        }
    }

    fn decide_of(tally: &Tally, listed: &[(&str, u64)], spared: &Spared, settings: Settings) -> Decision {
        let listed = listed.iter().map(|(prefix, left)| (net(prefix), *left)).collect();
        decide(tally, 10.0, &listed, spared, settings)
    }

    fn actions(decision: &Decision) -> Vec<(String, Action)> {
        decision.found.iter().map(|found| (found.prefix.to_string(), found.action)).collect()
    }

    #[test]
    fn a_prefix_is_blocked_for_what_it_sends_and_not_for_few_samples() {
        let mut tally = Tally::new(48);
        samples(&mut tally, 1, 100, 50.0, false);
        samples(&mut tally, 2, LEAST - 1, 1e9, false);
        // Each frame seen: exact, and not above.
        samples(&mut tally, 3, 1000, 1.0, false);
        // 150 ± 47 a second, and 140 ± 44.
        samples(&mut tally, 4, LEAST, 150.0, false);
        samples(&mut tally, 5, LEAST, 140.0, false);
        let decision = decide_of(&tally, &[], &Spared::default(), SETTINGS);
        assert_eq!(decision.left_out, 0);
        let [first, second] = &decision.found[..] else { panic!("{decision:?}") };
        assert_eq!((first.prefix, second.prefix), (net("2001:db8:1::/48"), net("2001:db8:4::/48")));
        assert_eq!((first.action, first.samples, first.reason.as_str()), (Action::Block, 100, "field-mismatch of web"));
        assert!((first.rate - 500.0).abs() < 1e-9 && (first.error - 49.497).abs() < 0.001, "{first:?}");
    }

    #[test]
    fn no_more_are_blocked_than_there_is_room_for_and_ties_are_in_order() {
        let mut tally = Tally::new(48);
        for number in [7, 5, 6, 9] {
            samples(&mut tally, number, 100, if number == 9 { 80.0 } else { 50.0 }, false);
        }
        let settings = Settings { most: 4, ..SETTINGS };
        let decision = decide_of(&tally, &[("2001:db8:aa::/56", 9)], &Spared::default(), settings);
        let blocked =
            ["2001:db8:9::/48", "2001:db8:5::/48", "2001:db8:6::/48"].map(|text| (text.into(), Action::Block));
        assert_eq!((actions(&decision), decision.left_out), (blocked.into(), 1));
        // A list that is nearly full takes the first.
        let settings = Settings { room: 2, ..SETTINGS };
        let decision = decide_of(&tally, &[], &Spared::default(), settings);
        let blocked = ["2001:db8:9::/48", "2001:db8:5::/48"].map(|text| (text.into(), Action::Block));
        assert_eq!((actions(&decision), decision.left_out), (blocked.into(), 2));
        let settings = Settings { most: 0, ..SETTINGS };
        let decision = decide_of(&tally, &[("2001:db8:9::/48", 9)], &Spared::default(), settings);
        assert_eq!((actions(&decision), decision.left_out), (vec![("2001:db8:9::/48".into(), Action::Extend)], 3));
    }

    #[test]
    fn who_goes_on_stays_blocked_and_what_others_block_is_theirs() {
        let mut tally = Tally::new(48);
        samples(&mut tally, 1, 60, 50.0, true);
        samples(&mut tally, 1, 60, 50.0, false);
        samples(&mut tally, 2, 100, 50.0, true);
        samples(&mut tally, 3, 100, 50.0, true);
        let listed = [("2001:db8:1::/48", 300), ("2001:db8:2::/48", 301)];
        let decision = decide_of(&tally, &listed, &Spared::default(), SETTINGS);
        assert_eq!(actions(&decision), [("2001:db8:1::/48".into(), Action::Extend)]);
        assert_eq!(decision.found[0].samples, 120);
        assert!((decision.found[0].rate - 600.0).abs() < 1e-9);
    }

    #[test]
    fn who_is_spared_is_told_and_takes_no_room() {
        let mut tally = Tally::new(48);
        samples(&mut tally, 1, 100, 50.0, false);
        samples(&mut tally, 2, 100, 40.0, false);
        let mut spared = Spared::default();
        spared.say("2001:db8:1:5::/64").unwrap();
        let decision = decide_of(&tally, &[], &spared, Settings { most: 1, ..SETTINGS });
        let wanted = [("2001:db8:1::/48".into(), Action::Spare), ("2001:db8:2::/48".into(), Action::Block)];
        assert_eq!(actions(&decision), wanted);
        assert_eq!(decision.found[0].spared.as_deref(), Some("--never 2001:db8:1:5::/64"));
    }

    #[test]
    fn the_reason_is_that_of_most_frames() {
        let mut tally = Tally::new(48);
        samples(&mut tally, 1, 50, 10.0, false);
        for _ in 0..20 {
            let source = "2001:db8:1::5".parse().unwrap();
            let sample =
                Sample { source, service: "api".into(), reason: Reason::MacMismatch, is_blocked: false, frames: 90.0 };
            tally.add(sample);
        }
        let decision = decide_of(&tally, &[], &Spared::default(), SETTINGS);
        assert_eq!(decision.found[0].reason, "mac-mismatch of api");
    }

    proptest! {
        #[test]
        fn nobody_is_blocked_beyond_the_cap_twice_or_against_the_allow_list(
            sent in prop::collection::vec((0..30_u16, 1..40_u64, 1.0..200.0_f64, any::<bool>()), 0..40),
            listed in prop::collection::btree_map(0..30_u16, 0..700_u64, 0..10),
            never in prop::collection::vec(0..30_u16, 0..5),
            most in 0..20_usize,
        ) {
            let prefix = |number: u16| net(&format!("2001:db8:{number:x}::/48"));
            let mut tally = Tally::new(48);
            for (number, count, frames, is_blocked) in sent {
                samples(&mut tally, number, count, frames, is_blocked);
            }
            let listed: BTreeMap<_, _> = listed.into_iter().map(|(number, left)| (prefix(number), left)).collect();
            let mut spared = Spared::default();
            for number in &never {
                spared.add(prefix(*number), "ours");
            }
            let decision = decide(&tally, 10.0, &listed, &spared, Settings { most, ..SETTINGS });
            let blocked: Vec<_> = decision.found.iter().filter(|found| found.action == Action::Block).collect();
            prop_assert!(blocked.is_empty() || listed.len() + blocked.len() <= most);
            for found in &decision.found {
                let is_never = never.iter().any(|number| prefix(*number) == found.prefix);
                prop_assert_eq!(found.action == Action::Spare, is_never);
                prop_assert_eq!(found.action == Action::Extend, !is_never && listed.contains_key(&found.prefix));
                prop_assert!(found.samples >= LEAST && found.rate - found.error > SETTINGS.above);
            }
            prop_assert!(decision.found.is_sorted_by(|one, other| one.rate >= other.rate));
            let again = decide(&tally, 10.0, &listed, &spared, Settings { most, ..SETTINGS });
            prop_assert_eq!(decision, again);
        }
    }
}
