//! A load of the program in; what the verifier and the kernel say of it, and that nothing stays behind, out.

use std::{
    collections::BTreeMap,
    fs,
    os::fd::{AsFd, AsRawFd},
    thread,
    time::{Duration, Instant},
};

use aya::{maps::MapInfo, programs::loaded_programs};
use ssa_common::layout;
use ssa_ctl::{kernel::sandbox::Sandbox, plan::numbers::Numbers};
use ssa_tests::{
    frames::services,
    run::{Config, load},
};

/// The verifier's limit is a million; what is left is for kernels that see less far.
const MOST_INSTRUCTIONS: u32 = 800_000;
/// `linux/bpf.h`.
const BPF_F_RDONLY_PROG: u32 = 1 << 7;

fn sandbox() -> Sandbox {
    load(&Config::frames(&services(), 4_102_444_800).tables(&Numbers::default()).0)
}

#[test]
fn the_verifier_has_room_to_spare() {
    let mut sandbox = sandbox();
    let (program, _) = sandbox.parts().unwrap();
    let info = program.info().unwrap();
    // Kernels before 5.16 do not say.
    let seen = info.verified_instruction_count().expect("the kernel counts what it verifies");
    println!("the verifier looked at {seen} instructions; translated: {:?} octets", info.size_translated());
    assert!(seen < MOST_INSTRUCTIONS, "{seen} instructions verified");
    assert_eq!(info.gpl_compatible(), Some(true));
}

#[test]
fn the_program_writes_what_it_must_alone() {
    let mut sandbox = sandbox();
    let (program, _) = sandbox.parts().unwrap();
    let mut read_only = BTreeMap::new();
    for id in program.info().unwrap().map_ids().unwrap().unwrap() {
        let map = MapInfo::from_id(id).unwrap();
        read_only.insert(map.name_as_str().unwrap().to_owned(), flags(map.fd().unwrap()) & BPF_F_RDONLY_PROG != 0);
    }
    println!("read-only for the program: {read_only:?}");
    assert!(read_only.contains_key(layout::PREFIXES));
    // The slices are the controller's to write, by its memory, which the kernel refuses for what is read-only here.
    let written = [
        layout::COUNTERS,
        layout::SLICE_COUNTERS,
        layout::HOPS,
        layout::SLICES,
        layout::HANDOVERS,
        layout::FLOWS,
        layout::FLOW_GATES,
        layout::SHARES,
        layout::EVENTS,
        layout::EVENT_GATES,
        layout::SUSPECTS,
        layout::REFUSED,
        // Queues have no such flag, and no program writes to them.
        layout::CPUS,
    ];
    for (name, read_only) in read_only {
        assert_eq!(read_only, !written.contains(&&*name), "{name}");
    }
}

/// The flags that a map was made with.
fn flags(map: impl AsFd) -> u32 {
    let path = format!("/proc/self/fdinfo/{}", map.as_fd().as_raw_fd());
    let text = fs::read_to_string(path).unwrap();
    let flags = text.lines().find_map(|line| line.strip_prefix("map_flags:")).unwrap().trim();
    u32::from_str_radix(flags.trim_start_matches("0x"), 16).unwrap()
}

#[test]
fn a_sandbox_leaves_nothing_behind() {
    let mut sandbox = sandbox();
    let (program, _) = sandbox.parts().unwrap();
    let info = program.info().unwrap();
    let (program, maps) = (info.id(), info.map_ids().unwrap().unwrap());
    assert!(maps.iter().all(|&id| MapInfo::from_id(id).is_ok()));
    drop(sandbox);
    // A pin would keep them. The kernel frees them a little later.
    let gone = || {
        let of_ours = |found: u32| found == program;
        !loaded_programs().flatten().any(|info| of_ours(info.id()))
            && maps.iter().all(|&id| MapInfo::from_id(id).is_err())
    };
    let started = Instant::now();
    while !gone() {
        assert!(started.elapsed() < Duration::from_secs(10), "program or maps outlive the sandbox");
        // sleep: the kernel frees what a process held when it has the time; bounded above.
        thread::sleep(Duration::from_millis(20));
    }
}
