//! Prefixes cut into slices in; the number of an address's slice, the way of its frames, and words that hold what they are
//! given, out.

use proptest::prelude::*;
use ssa_common::{
    bits::Words,
    judge::{Judged, STEERED, Wrap},
    rows::{COARSE, STEER_IP6IP6, STEER_L2, STEER_ROUTE, SliceRow, SliceWord},
    verdict::{Reason, Treatment},
};
use ssa_tests::frames::{Case, cases, services};

use crate::{
    frames::{DEADLINE, TIME, judge_at},
    random::Random,
    tables::{FIRST_ENDPOINT, Memory},
};

const BITS: u8 = 5;
const ENDPOINTS: [u128; 4] = [AT | 1, AT | 2, AT | 0xff, AT | 1 << 70];
const AT: u128 = 0x2001_0db8_00fe << 80;

/// The bits behind a prefix, by a division.
fn number(address: u128, length: u8, bits: u8) -> u128 {
    let behind = if length == 0 { address } else { address & (u128::MAX >> length) };
    let rest = 128 - u32::from(length) - u32::from(bits);
    if rest == 128 { 0 } else { behind / (1 << rest) }
}

#[test]
fn a_slice_has_the_number_that_stands_behind_the_prefix() {
    let random = &mut Random(0x51_1ce5);
    for length in 0..=127 {
        for bits in 0..=20.min(128 - length) {
            let row = SliceRow::behind(length, bits);
            assert_eq!(row.mask.count_ones(), u32::from(bits));
            for address in [0, u128::MAX, random.wide(), random.wide(), random.wide()] {
                let found = row.number(Words::from_u128(address));
                assert_eq!(u128::from(found), number(address, length, bits), "/{length}, {bits} bits, {address:032x}");
            }
        }
    }
}

proptest! {
    #[test]
    fn a_word_holds_what_it_is_given(owner in 0u32..4095, previous in 0u32..4095, ticks in 0u64..1 << 37, pinned: bool) {
        let plain = SliceWord::of(owner);
        prop_assert_eq!((plain.owner(), plain.previous(), plain.deadline()), (owner + 1, 0, 0));
        let word = plain.pin(pinned).after(previous, ticks);
        prop_assert_eq!((word.owner(), word.previous(), word.is_pinned()), (owner + 1, previous + 1, pinned));
        prop_assert!((ticks..ticks + COARSE).contains(&word.deadline()), "{} of {}", word.deadline(), ticks);
        prop_assert_eq!(plain.after(previous, ticks).pin(pinned), word, "in any order");
        prop_assert_eq!(word.pin(false).pin(pinned), word);
        prop_assert_eq!(word.after(previous, word.deadline()), word, "rounded once");
        prop_assert_eq!(word.after(owner, 0).previous(), owner + 1, "the last one counts");
    }
}

#[test]
fn a_deadline_beyond_the_last_is_the_last() {
    let last = SliceWord::of(1).after(2, (1 << 38) - COARSE);
    assert_eq!(last.deadline(), (1 << 38) - COARSE);
    for beyond in [last.deadline() + 1, 1 << 38, 1 << 63, u64::MAX] {
        assert_eq!(SliceWord::of(1).after(2, beyond), last, "{beyond}");
    }
}

#[test]
fn a_slice_without_words_has_nobody() {
    let word = SliceWord::default();
    assert_eq!((word.owner(), word.previous(), word.deadline(), word.is_pinned()), (0, 0, 0, false));
}

/// The slice of a frame to a service, by its octets.
fn slice_of(case: &Case) -> u32 {
    let services = services();
    let service = services.iter().find(|service| Some(service.name) == case.service).unwrap();
    let at = case.frame.windows(2).position(|pair| pair == [0x86, 0xdd]).unwrap() + 2;
    let destination = u128::from_be_bytes(case.frame[at + 24..at + 40].try_into().unwrap());
    u32::try_from(number(destination, service.length, BITS)).unwrap()
}

/// One more than the number of the endpoint that has a slice; 0: none.
const fn owner(service: u32, slice: u32) -> u32 {
    (service + slice) % 5
}

fn word(service: u32, slice: u32) -> SliceWord {
    owner(service, slice).checked_sub(1).map_or(SliceWord::default(), SliceWord::of)
}

fn seen(judged: &Judged) -> (Reason, Treatment, bool, u32, u32) {
    let verdict = judged.verdict();
    (verdict.reason, verdict.treatment, verdict.would_drop, judged.to, judged.slice)
}

#[test]
fn every_frame_goes_to_the_endpoint_of_its_slice() {
    let services = services();
    for steer in [STEER_ROUTE, STEER_L2, STEER_IP6IP6] {
        for host in [None, Some(0), Some(3)] {
            let mut memory = Memory::new(&services, DEADLINE);
            memory.cut(BITS, steer, word);
            memory.with_endpoints(&ENDPOINTS, host);
            for case in cases(TIME) {
                let judged = judge_at(&case.frame, &memory, TIME);
                let plain = (case.reason, case.treatment, case.would_drop, 0, 0);
                let Some(name) = case.service else {
                    assert_eq!(seen(&judged), plain, "{}", case.name);
                    continue;
                };
                let stays = case.treatment == Treatment::Drop || case.reason == Reason::Control;
                let number = services.iter().position(|service| service.name == name).unwrap() + 1;
                let (service, slice) = (u32::try_from(number).unwrap(), slice_of(&case));
                let (owner, counted) = (owner(service, slice), (service << BITS) + slice + 1);
                let wanted = match owner {
                    _ if stays => plain,
                    0 => (Reason::NoEndpoint, Treatment::Drop, false, 0, 0),
                    _ if steer == STEER_ROUTE || Some(owner - 1) == host => {
                        (case.reason, case.treatment, case.would_drop, 0, counted)
                    }
                    _ => {
                        let low = case.treatment == Treatment::LowPriority;
                        let treatment = if low { Treatment::LowPriority } else { Treatment::Forward };
                        (case.reason, treatment, case.would_drop, FIRST_ENDPOINT + owner, counted)
                    }
                };
                assert_eq!(seen(&judged), wanted, "{}, steer {steer}, {host:?}", case.name);
                let wrap = if judged.to != 0 && steer == STEER_IP6IP6 { Wrap::Steered } else { Wrap::Bare };
                assert_eq!((judged.wrap, judged.strip), (wrap, 0), "{}", case.name);
            }
        }
    }
}

/// A frame as another endpoint wraps it: the Ethernet header with its tags, the outer header, the packet.
fn wrapped(case: &Case, from: u128, to: u128, steered: bool) -> Option<Vec<u8>> {
    let at = case.frame.windows(2).position(|pair| pair == [0x86, 0xdd])? + 2;
    let (link, packet) = case.frame.split_at(at);
    let first = 6 << 28 | if steered { STEERED } else { 0 };
    let mut frame = [link, &first.to_be_bytes()].concat();
    frame.extend(u16::try_from(packet.len()).ok()?.to_be_bytes());
    frame.extend([41, 64]);
    frame.extend([from, to].map(u128::to_be_bytes).concat());
    frame.extend(packet);
    Some(frame)
}

#[test]
fn a_wrapped_frame_is_judged_as_if_it_were_not() {
    const HOST: u32 = 2;
    let services = services();
    let mut memory = Memory::new(&services, DEADLINE);
    memory.with_endpoints(&ENDPOINTS, Some(HOST));
    memory.cut(BITS, STEER_L2, |_, _| SliceWord::of(HOST));
    let host = ENDPOINTS[HOST as usize];
    let mut judged_alike = 0;
    for case in cases(TIME).iter().filter(|case| case.service.is_some() && case.linear.is_none()) {
        let inner = judge_at(&case.frame, &memory, TIME);
        let others = ENDPOINTS.into_iter().filter(|other| *other != host);
        for (from, steered) in others.zip([true, false].into_iter().cycle()) {
            let Some(frame) = wrapped(case, from, host, steered) else { continue };
            let judged = judge_at(&frame, &memory, TIME);
            if case.frame[inner.network as usize + 7] == 255 {
                assert_eq!(seen(&judged), (Reason::Other, Treatment::Pass, false, 0, 0), "{}", case.name);
                continue;
            }
            assert_eq!(seen(&judged), seen(&inner), "{}", case.name);
            assert_eq!((judged.strip, judged.network), (40, inner.network + 40), "{}", case.name);
            judged_alike += 1;
            for (from, to) in [(from + 3, host), (host ^ 1, host), (from, host ^ 1), (0, host), (host, host)] {
                let frame = wrapped(case, from, to, steered).unwrap();
                let judged = judge_at(&frame, &memory, TIME);
                assert_eq!((judged.verdict().reason, judged.strip), (Reason::Other, 0), "{}", case.name);
            }
        }
    }
    assert!(judged_alike > 1000, "{judged_alike}");
}

#[test]
fn the_common_way_agrees_while_slices_move() {
    let services = services();
    let all = cases(TIME);
    for seed in 0..8 {
        let mut memory = Memory::new(&services, DEADLINE);
        let random = std::cell::RefCell::new(Random(seed));
        let steer = random.borrow_mut().pick(&[STEER_ROUTE, STEER_L2, STEER_IP6IP6]);
        memory.cut(BITS, steer, |_, _| {
            let random = &mut *random.borrow_mut();
            let word = if random.chance(8) { SliceWord::default() } else { SliceWord::of(random.below(4)) };
            let deadline = random.pick(&[0, 1 << 20, u64::MAX >> 27]);
            if random.chance(2) { word.after(random.below(4), deadline) } else { word }
        });
        let host = random.borrow_mut().pick(&[None, Some(0), Some(1), Some(2), Some(3)]);
        memory.with_endpoints(&ENDPOINTS, host);
        for case in &all {
            judge_at(&case.frame, &memory, TIME);
            for steered in [true, false] {
                if let Some(frame) = wrapped(case, ENDPOINTS[1], ENDPOINTS[host.unwrap_or(0) as usize], steered) {
                    let judged = judge_at(&frame, &memory, TIME);
                    // What came wrapped goes on once at the most, and as what goes no further.
                    assert!(
                        judged.strip == 0 || judged.to == 0 || steered && judged.wrap == Wrap::Last,
                        "{}",
                        case.name
                    );
                }
            }
        }
    }
}
