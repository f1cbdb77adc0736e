//! Random octets and damaged frames in; a verdict that has a counter, and no panic, out.

use std::sync::LazyLock;

use proptest::prelude::*;
use ssa_common::{
    parse::{self, Upper},
    verdict::{Reason, Treatment, Verdict},
};
use ssa_tests::frames::{cases, services};

use crate::{
    frames::{DEADLINE, TIME, judge_at},
    random::Random,
    tables::Memory,
};

static MEMORY: LazyLock<Memory> = LazyLock::new(|| Memory::new(&services(), DEADLINE));

fn sound(frame: &[u8]) -> Verdict {
    let judged = judge_at(frame, &MEMORY, TIME);
    let verdict = judged.verdict();
    assert!(verdict.cell() < Verdict::CELLS);
    let outside = matches!(verdict.reason, Reason::Other | Reason::Malformed);
    assert_eq!(outside, verdict.service == 0);
    assert!(!verdict.would_drop || verdict.treatment == Treatment::Pass);
    assert!(judged.octets >= 54 || outside);
    assert_eq!(judge_at(frame, &MEMORY, TIME).verdict(), verdict, "the same each time");
    verdict
}

#[test]
fn damaged_frames_get_a_verdict() {
    let random = &mut Random(0xf00d);
    let cases = cases(TIME);
    for _ in 0..60_000 {
        let mut frame = cases[random.index(cases.len())].frame.clone();
        frame.truncate(2500);
        for _ in 0..=random.below(4) {
            let at = random.index(frame.len());
            match random.below(5) {
                0 => frame[at] ^= 1 << random.below(8),
                1 => frame[at] = random.word().to_le_bytes()[0],
                2 => frame.truncate(at.max(1)),
                3 => frame.insert(at, random.pick(&[0, 6, 43, 44, 51, 58, 60, 135, 255])),
                _ => {
                    frame.remove(at);
                    frame.push(0);
                }
            }
        }
        sound(&frame);
    }
}

#[test]
fn every_cut_of_every_frame_gets_a_verdict() {
    for case in cases(TIME).iter().step_by(7) {
        for octets in 0..case.frame.len().min(160) {
            let verdict = sound(&case.frame[..octets]);
            // Where there is no whole IPv6 header nothing but these two can be said.
            assert!(octets >= 54 || matches!(verdict.reason, Reason::Other | Reason::Malformed));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 5000, ..ProptestConfig::default() })]

    #[test]
    fn random_octets_get_a_verdict(octets in prop::collection::vec(any::<u8>(), 0..300), next: u8, hop_limit: u8) {
            sound(&octets);
        // The same octets as what a packet to a service carries.
        for service in services() {
            let mut frame = vec![0; 12];
            frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, 0, 0, next, hop_limit]);
            frame.extend(0x2001_0db8_000c_0001_0000_0000_0005_0006_u128.to_be_bytes());
            frame.extend((service.prefix | 0x1234).to_be_bytes());
            frame.extend(&octets);
            prop_assert_ne!(sound(&frame).reason, Reason::Malformed);
        }
    }

    #[test]
    fn the_walk_never_passes_its_bound(octets in prop::collection::vec(
        prop::sample::select(&[0u8, 1, 2, 6, 43, 44, 51, 58, 60, 135, 250, 255][..]), 0..3000), next: u8) {
        let start = 54;
        let mut frame = vec![0; start];
        frame.extend(octets);
        if let Upper::Found { offset, .. } = parse::upper(&&frame[..], next, u32::try_from(start).unwrap()) {
            prop_assert!(offset as usize - start <= parse::MAX_EXTENSION_OCTETS as usize);
        }
    }
}
