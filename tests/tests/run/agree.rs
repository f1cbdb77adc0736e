//! The table of frames, wrapped and damaged, over slices that move, in; the program does with each what the law says, out.

use ssa_common::{
    bits::Words,
    judge::{Judged, Wrap, judge},
    rows::{ClockRow, EndpointRow, FLAG_SLICES, STEER_IP6IP6, STEER_L2, STEER_ROUTE, SliceRow, SliceWord},
    rule::epoch::Clock,
    verdict::Treatment,
};
use ssa_ctl::{
    kernel::sandbox::Sandbox,
    plan::{numbers::Numbers, slices::Place, tables::Tables},
};
use ssa_tests::{
    frames::{cases, services},
    run::{BACK, Config, DROP, PASS, load, moved, name},
};

use crate::{random::Random, site::ENDPOINTS};

/// A quarter past an hour.
const TIME: u64 = 1_700_000_100;
const DEADLINE: u64 = 4_102_444_800;
/// Slices of a service, and of all, in powers of two.
const BITS: u8 = 5;
const ALL: Place = Place { first: 0, bits: 10 };

/// The program's clock, as it was when it was read.
struct Read {
    ticks: u64,
    row: ClockRow,
}

impl Clock for Read {
    fn published(&self) -> ClockRow {
        self.row
    }

    fn ticks(&self) -> u64 {
        self.ticks
    }
}

/// The rows of the table's services, all cut into slices whose words are drawn; this host is an endpoint or none.
fn tables(random: &mut Random, steer: u8, host: Option<u32>) -> Tables {
    let (mut tables, _) = Config::frames(&services(), DEADLINE).tables(&Numbers::default());
    let lengths = tables.bank.masks.map(|mask| mask.hi.count_ones() + mask.lo.count_ones());
    for row in tables.prefixes.iter_mut().filter(|row| row.length != 0) {
        let length = u8::try_from(lengths[row.length as usize - 1]).unwrap();
        row.flags |= FLAG_SLICES;
        let place =
            SliceRow { first: row.service << BITS, cells: 1 << ALL.bits, steer, ..SliceRow::behind(length, BITS) };
        row.slices = place;
    }
    tables.slices.words = (0..1 << ALL.bits).map(|_| word(random)).collect();
    let source = host.map_or(Words::default(), |host| Words::from_u128(ENDPOINTS[host as usize]));
    tables.endpoints = ENDPOINTS
        .map(|address| EndpointRow { address: Words::from_u128(address), source, ..EndpointRow::default() })
        .into();
    (tables.bank.endpoints, tables.bank.host) = (3, host.map_or(0, |host| host + 1));
    tables
}

/// Of nobody, somebody, or somebody after somebody else until a tick that is over or never comes.
fn word(random: &mut Random) -> SliceWord {
    let word = if random.chance(8) { SliceWord::default() } else { SliceWord::of(random.below(3)) };
    let deadline = random.pick(&[64, 1 << 37]);
    if random.chance(2) { word.after(random.below(3), deadline) } else { word }
}

/// The frame in another's, from an endpoint to another or to next to one.
fn wrapped(random: &mut Random, frame: &[u8]) -> Vec<u8> {
    let Some(at) = frame.windows(2).position(|pair| pair == [0x86, 0xdd]).map(|at| at + 2) else {
        return frame.to_vec();
    };
    let (link, packet) = frame.split_at(at);
    let label = random.pick(&[0_u32, 1 << 19]);
    let mut wrapped = [link, &(6 << 28 | label).to_be_bytes()].concat();
    wrapped.extend(u16::try_from(packet.len()).unwrap_or(u16::MAX).to_be_bytes());
    wrapped.extend([41, 64]);
    for _ in 0..2 {
        let off = u128::from(random.chance(8));
        wrapped.extend((random.pick(&ENDPOINTS) ^ off).to_be_bytes());
    }
    wrapped.extend(packet);
    wrapped
}

fn damaged(random: &mut Random, mut frame: Vec<u8>) -> Vec<u8> {
    for _ in 0..random.below(3) {
        let at = 12 + random.index((frame.len() - 12).min(120));
        match random.below(3) {
            0 => frame[at] ^= 1 << random.below(8),
            1 => frame[at] = random.word().to_le_bytes()[0],
            // A frame has an Ethernet header at least.
            _ => frame.truncate(at.max(14)),
        }
    }
    frame
}

/// What the program is to do where the law says so: it knows whether there is a way there.
fn carried_out(tables: &Tables, judged: Judged, frame: &[u8]) -> (Judged, u32) {
    let hop_limit = judged.network as usize + 7;
    let sourceless = judged.wrap.is_wrapped() && tables.endpoints[0].source == Words::default();
    let stuck = judged.to != 0 && (sourceless || frame[hop_limit] <= 1);
    let judged = if stuck { judged.nowhere() } else { judged };
    let action = match judged.treatment {
        Treatment::Drop => DROP,
        _ if judged.to != 0 => BACK,
        _ => PASS,
    };
    (judged, action)
}

/// How many octets are before and behind.
fn room(judged: &Judged) -> (u32, u32) {
    let before = match (judged.to, judged.wrap) {
        (0, _) => return (0, judged.strip),
        (_, Wrap::Bare | Wrap::Tight) => 14,
        (_, Wrap::Steered | Wrap::Last) => 54,
    };
    (before, judged.network)
}

fn difference(sandbox: &mut Sandbox, tables: &Tables, frame: &[u8], clock: &Read) -> Option<String> {
    let (judged, action) = carried_out(tables, judge(&frame, tables, clock), frame);
    let count = |sandbox: &Sandbox| (sandbox.counts().unwrap(), sandbox.instance().slice_frames(ALL).unwrap());
    let (cells, slices) = count(sandbox);
    let ran = sandbox.run(frame, None).unwrap();
    let (after, frames) = count(sandbox);
    let cell = (judged.service * ssa_common::verdict::Verdict::CELLS + judged.cell) as usize;
    let counted = moved(&cells, &after);
    let slice = (1..).zip(slices.iter().zip(&frames)).find(|(_, (old, new))| old != new).map_or(0, |(slice, _)| slice);
    let (more, less) = room(&judged);
    let octets = if action == DROP { frame.len() } else { frame.len() + more as usize - less as usize };
    let same = ran.action == action
        && counted == [(cell, 1, frame.len() as u64)]
        && slice == judged.slice
        && ran.frame.len() == octets;
    (!same).then(|| {
        let names: Vec<_> = counted.iter().map(|&(at, ..)| name(at)).collect();
        let lengths = (ran.frame.len(), octets);
        format!("{judged:?}: action {}, {names:?}, slice {slice}, {lengths:?} octets\n{frame:02x?}", ran.action)
    })
}

#[test]
fn law_and_program_agree_over_slices() {
    let random = &mut Random(0x51_1ce5);
    let all: Vec<_> = cases(TIME).into_iter().filter(|case| case.linear.is_none()).collect();
    let mut sent = 0;
    for steer in [STEER_ROUTE, STEER_L2, STEER_IP6IP6] {
        for host in [None, Some(0), Some(2)] {
            let tables = tables(random, steer, host);
            let mut sandbox = load(&tables);
            sandbox.set_clock(TIME).unwrap();
            let clock = Read { ticks: sandbox.ticks().now(), row: sandbox.instance().clock().unwrap() };
            for case in all.iter().skip(random.index(5)).step_by(5) {
                let twice = wrapped(random, &case.frame);
                for frame in
                    [case.frame.clone(), twice.clone(), damaged(random, case.frame.clone()), damaged(random, twice)]
                {
                    if let Some(difference) = difference(&mut sandbox, &tables, &frame, &clock) {
                        panic!("steer {steer}, {host:?}, {}: {difference}", case.name);
                    }
                    sent += 1;
                }
            }
        }
    }
    println!("{sent} frames");
}
