//! 10,007 frames of each reason over two CPUs in; every counter exact, out.

use std::{collections::BTreeMap, thread};

use aya::{
    maps::{Array, Map, MapData, MapInfo},
    programs::{TestRun as _, TestRunOptions, Xdp},
};
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use ssa_common::{
    layout,
    verdict::{Reason, Treatment, Verdict},
};
use ssa_ctl::plan::numbers::Numbers;
use ssa_tests::{
    frames::{Case, cases, services},
    run::{Config, action, load, name},
};

const TIME: u64 = 1_700_000_100;
const DEADLINE: u64 = 4_102_444_800;
const FRAMES: u64 = 10_007;
/// Reasons that none of these frames has.
const LATER: [Reason; 3] = [Reason::Established, Reason::Blocked, Reason::NoEndpoint];

/// Two CPUs of those we may use; the same twice where there is one.
fn two() -> [usize; 2] {
    let allowed = sched_getaffinity(None).unwrap();
    let mut cpus = (0..CpuSet::MAX_CPU).filter(|&cpu| allowed.is_set(cpu));
    let first = cpus.next().unwrap();
    [first, cpus.next().unwrap_or(first)]
}

fn pin(cpu: usize) {
    let mut only = CpuSet::new();
    only.set(cpu);
    sched_setaffinity(None, &only).unwrap();
}

/// One case for each reason and treatment that can be.
fn chosen() -> Vec<Case> {
    let mut chosen = BTreeMap::new();
    for case in cases(TIME).into_iter().filter(|case| case.linear.is_none()) {
        chosen.entry((case.reason, case.treatment, case.would_drop)).or_insert(case);
    }
    chosen.into_values().collect()
}

fn run(program: &Xdp, case: &Case, repeat: u64) {
    let repeat = u32::try_from(repeat).unwrap();
    let options = TestRunOptions { data_in: Some(&case.frame), repeat, ..TestRunOptions::default() };
    let result = program.test_run(options).unwrap();
    assert_eq!(result.return_value, action(case.treatment), "{}", case.name);
}

#[test]
fn every_counter_is_exact_over_two_cpus() {
    let (tables, numbers) = Config::frames(&services(), DEADLINE).tables(&Numbers::default());
    let mut sandbox = load(&tables);
    sandbox.set_clock(TIME).unwrap();
    let cases = chosen();
    for reason in Reason::ALL.into_iter().filter(|reason| !LATER.contains(reason)) {
        assert!(cases.iter().any(|case| case.reason == reason), "{reason:?} has a frame");
    }
    let (program, instance) = sandbox.parts().unwrap();
    let (cpus, shares) = (two(), [FRAMES / 2, FRAMES - FRAMES / 2]);
    thread::scope(|scope| {
        for (cpu, share) in cpus.into_iter().zip(shares) {
            let cases = &cases;
            scope.spawn(move || {
                pin(cpu);
                for case in cases {
                    run(program, case, share);
                }
            });
        }
    });

    let number = |case: &Case| case.service.map_or(0, |name| numbers.get(name).unwrap());
    let mut expected = BTreeMap::new();
    let mut rows = BTreeMap::new();
    for case in &cases {
        let Case { reason, treatment, would_drop, .. } = *case;
        let verdict = Verdict { service: number(case), reason, treatment, would_drop };
        let octets = case.frame.len() as u64;
        expected.insert((verdict.service, verdict.cell()), (FRAMES, FRAMES * octets));
        for (cpu, share) in cpus.into_iter().zip(shares) {
            let row = verdict.service * (instance.meta.cpus + 1) + u32::try_from(cpu).unwrap();
            let cell: &mut [u64; 2] = rows.entry(row * Verdict::CELLS + verdict.cell()).or_default();
            *cell = [cell[0] + share, cell[1] + share * octets];
        }
    }
    let mut received = 0;
    for service in 0..instance.meta.services {
        let cells = instance.cells(service).unwrap();
        for (index, cell) in (0..).zip(&cells) {
            let wanted = expected.get(&(service, index)).copied().unwrap_or_default();
            let place = (service * Verdict::CELLS + index) as usize;
            assert_eq!((cell.packets, cell.bytes), wanted, "{}", name(place));
        }
        let sum = |counts: &dyn Fn(Reason, Treatment) -> bool| -> u64 {
            let of = |index| Verdict::of_cell(index).is_some_and(|(reason, treatment, _)| counts(reason, treatment));
            (0..).zip(&cells).filter(|(index, _)| of(*index)).map(|(_, cell)| cell.packets).sum()
        };
        let by_reason: u64 = Reason::ALL.iter().map(|&wanted| sum(&|reason, _| reason == wanted)).sum();
        let by_treatment: u64 = Treatment::ALL.iter().map(|&wanted| sum(&|_, treatment| treatment == wanted)).sum();
        assert_eq!(by_reason, by_treatment);
        received += by_reason;
    }
    assert_eq!(received, FRAMES * cases.len() as u64);
    assert_eq!(own(program), rows, "each CPU counts in its own row");
}

/// The cells that are not zero, as the map has them.
fn own(program: &Xdp) -> BTreeMap<u32, [u64; 2]> {
    let ids = program.info().unwrap().map_ids().unwrap().unwrap();
    let is_counters = |id: &u32| MapInfo::from_id(*id).unwrap().name_as_str() == Some(layout::COUNTERS);
    let id = ids.into_iter().find(is_counters).unwrap();
    let map: Array<MapData, [u64; 2]> = Map::Array(MapData::from_id(id).unwrap()).try_into().unwrap();
    let cells = (0..map.len()).map(|index| (index, map.get(&index, 0).unwrap()));
    cells.filter(|(_, cell)| *cell != [0, 0]).collect()
}
