//! Block lists and frames in; the reason `blocked`, or the one that comes before it, and the one counter that moved, out.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::Duration,
};

use aya::programs::{TestRun as _, TestRunOptions};
use ipnet::Ipv6Net;
use ssa_common::{
    judge::{judge, judge_whole},
    rule::epoch::Fixed,
    verdict::{Reason, Treatment},
};
use ssa_ctl::{
    kernel::{instance::block_table, sandbox::Sandbox},
    plan::{
        blocks::{Block, NEVER, Origin},
        numbers::Numbers,
        tables::Tables,
    },
};
use ssa_tests::{
    frames::{CLIENT, Case, cases, services},
    run::{Config, DROP, PASS, action, load, moved, place},
};

use crate::{packet::tcp, random::Random};

const TIME: u64 = 1_700_000_100;
const DEADLINE: u64 = 4_102_444_800;
const PREFIX: u128 = 0x2001_0db8_0001 << 80;
const ANY: &str = "name = \"web\"\nprefixes = [\"2001:db8:1::/48\"]\nrule = \"any:*\"\n";

fn block(prefix: &str, deadline: u64) -> Block {
    let prefix: Ipv6Net = prefix.parse().unwrap();
    Block { prefix, origin: Origin::Operator, deadline, added: 0, reason: "why".into() }
}

fn any() -> (Tables, u32) {
    let (tables, numbers) = Config::default().service(ANY).tables(&Numbers::default());
    (tables, numbers.get("web").unwrap())
}

/// What a case comes to where its source is blocked: what is judged before the list stays as it is.
fn blocked(case: Case) -> Case {
    let first =
        [Reason::Control, Reason::IcmpError, Reason::BadIcmpError, Reason::BadSource, Reason::Other, Reason::Malformed];
    if first.contains(&case.reason) {
        return case;
    }
    let audit = case.service == Some("audit");
    let treatment = if audit { Treatment::Pass } else { Treatment::Drop };
    Case { reason: Reason::Blocked, treatment, would_drop: audit, ..case }
}

#[test]
fn a_blocked_source_is_judged_before_protocols_and_rules() {
    let (tables, numbers) = Config::frames(&services(), DEADLINE).tables(&Numbers::default());
    // All that may be a source at all.
    let list: Vec<_> = (0..=u16::MAX)
        .filter(|first| !(0xfe80..0xfec0).contains(first) && first >> 8 != 0xff)
        .map(|first| block(&format!("{first:x}::/16"), NEVER))
        .collect();
    let tables = tables.with_blocks(block_table(&list).unwrap());
    let mut sandbox = load(&tables);
    sandbox.set_clock(TIME).unwrap();
    let (mut met, hertz) = (0, u64::from(sandbox.ticks().hertz()));
    for case in cases(TIME).into_iter().map(blocked) {
        let wanted = place(&case, &numbers);
        let before = sandbox.counts().unwrap();
        let linear = case.linear.and_then(|linear| u32::try_from(linear).ok());
        let ran = sandbox.run(&case.frame, linear).unwrap();
        let moved = moved(&before, &sandbox.counts().unwrap());
        assert_eq!(moved.iter().map(|cell| (cell.0, cell.1)).collect::<Vec<_>>(), [(wanted, 1)], "{}", case.name);
        assert_eq!(ran.action, action(case.treatment), "{}", case.name);
        assert_eq!(ran.frame, case.frame, "{}: no octet changes", case.name);
        let (frame, clock) = (case.frame.as_slice(), Fixed(TIME * hertz));
        for judged in [judge(&frame, &tables, &clock), judge_whole(&frame, &tables, &clock)] {
            let verdict = judged.verdict();
            let said = (verdict.reason, verdict.treatment, verdict.would_drop);
            assert_eq!(said, (case.reason, case.treatment, case.would_drop), "{}", case.name);
        }
        met += usize::from(case.reason == Reason::Blocked);
    }
    assert!(met > 200, "{met} cases are blocked");
}

#[test]
fn a_list_that_has_not_the_source_changes_nothing() {
    let (tables, numbers) = Config::frames(&services(), DEADLINE).tables(&Numbers::default());
    let list: Vec<_> = (16..=128).map(|length| block(&format!("1234::/{length}"), NEVER)).collect();
    let mut sandbox = load(&tables.with_blocks(block_table(&list).unwrap()));
    sandbox.set_clock(TIME).unwrap();
    let mut with_cells = 0;
    for case in cases(TIME).into_iter().filter(|case| case.linear.is_none()) {
        let before = sandbox.counts().unwrap();
        sandbox.run(&case.frame, None).unwrap();
        let moved = moved(&before, &sandbox.counts().unwrap());
        let wanted = place(&case, &numbers);
        assert_eq!(moved.iter().map(|cell| (cell.0, cell.1)).collect::<Vec<_>>(), [(wanted, 1)], "{}", case.name);
        with_cells += 1;
    }
    assert!(with_cells > 200);
}

fn reason(sandbox: &mut Sandbox, service: u32, source: u128) -> Reason {
    sandbox.judge_of(&tcp(source, PREFIX | 5, 0), None, [service]).unwrap().unwrap().reason
}

#[test]
fn the_program_finds_every_length_and_every_bit() {
    let (tables, service) = any();
    let mut sandbox = load(&tables);
    let random = &mut Random(11);
    for length in 16..=128u8 {
        let bits = (random.wide() | 1 << 125) & !(6 << 125);
        let prefix = Ipv6Net::new_assert(bits.into(), length).trunc();
        sandbox.instance().put_blocks(&[Block { prefix, ..block("2000::/16", NEVER) }]).unwrap();
        let source = prefix.network().to_bits() | random.wide() & prefix.hostmask().to_bits();
        assert_eq!(reason(&mut sandbox, service, source), Reason::Blocked, "{prefix}");
        // Behind the bits that every source has, and at both ends.
        for bit in [3, length - 1, length, 127].into_iter().filter(|bit| (3..128).contains(bit)) {
            let wanted = if bit < length { Reason::Conform } else { Reason::Blocked };
            assert_eq!(reason(&mut sandbox, service, source ^ 1 << (127 - bit)), wanted, "{prefix}, bit {bit}");
        }
    }
}

#[test]
fn a_full_list_is_the_same_for_the_program_and_the_law() {
    let random = &mut Random(12);
    let mut list: Vec<_> = (0..100_000)
        .map(|_| {
            let length = random.pick(&[48, 52, 56, 64, 64, 64, 80, 127, 128]);
            let bits = 0x2001_0db8 << 96 | random.wide() >> random.pick(&[32, 36]);
            Block { prefix: Ipv6Net::new_assert(bits.into(), length).trunc(), ..block("2000::/16", NEVER) }
        })
        .collect();
    list.sort();
    list.dedup();
    let (tables, service) = any();
    let tables = tables.with_blocks(block_table(&list).unwrap());
    let mut sandbox = load(&tables);
    assert_eq!(sandbox.instance().blocks().unwrap(), list, "it is read as it was written");
    let mut counts = [0; 2];
    for _ in 0..3000 {
        let inside = list[random.index(list.len())].prefix.network().to_bits();
        let source = inside ^ 1 << random.below(96);
        let frame = tcp(source, PREFIX | 5, 0);
        let law = judge(&frame.as_slice(), &tables, &Fixed(0)).verdict().reason;
        assert_eq!(reason(&mut sandbox, service, source), law, "{source:032x}");
        counts[usize::from(law == Reason::Blocked)] += 1;
    }
    assert!(counts.iter().all(|count| *count > 300), "{counts:?}");
}

#[test]
fn a_deadline_that_passes_lets_the_source_in() {
    let (tables, service) = any();
    let mut sandbox = load(&tables);
    let (ticks, hertz) = (*sandbox.ticks(), u64::from(sandbox.ticks().hertz()));
    let deadline = ticks.now() + hertz / 4;
    sandbox.instance().put_blocks(&[block("2001:db8:77::/48", deadline), block("2001:db8:78::/48", NEVER)]).unwrap();
    let [passing, staying] = [0x77_u128, 0x78].map(|network| 0x2001_0db8_0000_u128 << 80 | network << 80 | 1);
    loop {
        let before = ticks.now();
        let found = reason(&mut sandbox, service, passing);
        if found == Reason::Conform {
            assert!(ticks.now() + 1 >= deadline, "let in too early");
            break;
        }
        // The clock of the host and that of the program may be a tick apart.
        assert!(found == Reason::Blocked && before <= deadline + 1, "blocked too long");
        // sleep: the next tick is to come.
        thread::sleep(Duration::from_millis(1));
    }
    assert_eq!(reason(&mut sandbox, service, staying), Reason::Blocked);
    sandbox.instance().put_blocks(&[]).unwrap();
    assert_eq!(reason(&mut sandbox, service, staying), Reason::Conform);
}

#[test]
fn a_config_that_changes_keeps_the_list() {
    let (tables, service) = any();
    let mut sandbox = load(&tables);
    sandbox.instance().put_blocks(&[block("2001:db8:77::/48", NEVER)]).unwrap();
    let source = 0x2001_0db8_0077 << 80 | 1;
    for generation in 2..8 {
        sandbox.instance().put_in_force(&tables, "", generation).unwrap();
        assert_eq!(reason(&mut sandbox, service, source), Reason::Blocked, "generation {generation}");
        assert_eq!(reason(&mut sandbox, service, CLIENT), Reason::Conform);
        assert_eq!(sandbox.instance().running().unwrap().tables, tables, "the list is no part of it");
        if generation % 2 == 0 {
            // The other bank of the list.
            let list = sandbox.instance().blocks().unwrap();
            sandbox.instance().put_blocks(&list).unwrap();
        }
    }
}

/// Lists in turn that all block one source, and all but the other: whoever sees half of two sees it.
#[test]
fn every_frame_is_judged_by_one_list() {
    let (tables, service) = any();
    let mut sandbox = load(&tables);
    let random = &mut Random(13);
    let mut list = |length: u8| {
        let noise: Vec<_> = (0..900)
            .map(|_| {
                let bits = 0x3fff_u128 << 112 | random.wide() >> 16;
                let length = random.pick(&[40, 56, 64, 96, 128]);
                Block { prefix: Ipv6Net::new_assert(bits.into(), length).trunc(), ..block("2000::/16", NEVER) }
            })
            .collect();
        let own = Ipv6Net::new_assert((0x2001_0db8_0077_u128 << 80).into(), length).trunc();
        let mut list = [noise, vec![Block { prefix: own, ..block("2000::/16", NEVER) }]].concat();
        list.sort();
        list
    };
    let lists: Vec<_> = [48, 64, 52, 128].map(&mut list).into();
    let frames = [0x2001_0db8_0077 << 80, 0x2001_0db8_0078 << 80].map(|source| tcp(source, PREFIX | 5, 0));
    sandbox.instance().put_blocks(&lists[0]).unwrap();
    let before = sandbox.counts().unwrap();
    let stop = AtomicBool::new(false);
    let (program, instance) = sandbox.parts().unwrap();
    let sent = thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut sent = 0;
            while !stop.load(Ordering::Relaxed) {
                for (frame, wanted) in frames.iter().zip([DROP, PASS]) {
                    let options = TestRunOptions { data_in: Some(frame), repeat: 64, ..TestRunOptions::default() };
                    assert_eq!(program.test_run(options).unwrap().return_value, wanted);
                }
                sent += 64;
            }
            sent
        });
        let swapped = (0..400).try_for_each(|swap| instance.put_blocks(&lists[swap % lists.len()]));
        stop.store(true, Ordering::Relaxed);
        swapped.unwrap();
        watcher.join().unwrap()
    });
    println!("{sent} frames each over 400 swaps");
    let moved: Vec<_> = moved(&before, &sandbox.counts().unwrap()).iter().map(|cell| cell.1).collect();
    assert_eq!(moved, [sent, sent], "of service {service}: all of one were blocked, and none of the other");
}
