//! The table of frames in; the loaded program does with each what the table says, and counts it in exactly one cell.

use ssa_ctl::{kernel::sandbox::Sandbox, plan::numbers::Numbers};
use ssa_tests::{
    frames::{Case, cases, services},
    run::{Config, action, load, moved, name, place},
};

use crate::kernel;

/// A quarter past an hour.
const TIME: u64 = 1_700_000_100;
/// When the previous rules end.
const DEADLINE: u64 = 4_102_444_800;

#[test]
fn every_frame_gets_its_verdict() {
    let (tables, numbers) = Config::frames(&services(), DEADLINE).tables(&Numbers::default());
    let mut sandbox = load(&tables);
    sandbox.set_clock(TIME).unwrap();
    let (mut ran, mut skipped, mut wrong) = (0, 0, vec![]);
    let mut before = sandbox.counts().unwrap();
    for case in cases(TIME) {
        if case.linear.is_some() && !kernel::since(6, 18) {
            skipped += 1;
            continue;
        }
        ran += 1;
        wrong.extend(difference(&mut sandbox, &case, &numbers));
        let after = sandbox.counts().unwrap();
        let expected = [(place(&case, &numbers), 1, case.frame.len() as u64)];
        let counted = moved(&before, &after);
        if counted != expected {
            let counted: Vec<_> = counted.iter().map(|&(at, packets, bytes)| (name(at), packets, bytes)).collect();
            wrong.push(format!("{}: counted {counted:?}, not {}", case.name, name(expected[0].0)));
        }
        before = after;
    }
    println!("{ran} frames; {skipped} of several buffers skipped, as kernels before 6.18 cannot be given them");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

/// Runs one frame; how action or octets are not the table's.
fn difference(sandbox: &mut Sandbox, case: &Case, numbers: &Numbers) -> Option<String> {
    let linear = case.linear.map(|linear| u32::try_from(linear).unwrap());
    let ran = match sandbox.run(&case.frame, linear) {
        Ok(ran) => ran,
        Err(error) => return Some(format!("{}: {error:#}", case.name)),
    };
    // What is dropped is not written to either.
    let octets = case.output().unwrap_or_else(|| case.frame.clone());
    let wanted = action(case.treatment);
    let same = ran.action == wanted && ran.frame == octets;
    (!same).then(|| {
        let at = ran.frame.iter().zip(&octets).position(|(found, wanted)| found != wanted);
        let lengths = (ran.frame.len(), octets.len());
        let place = name(place(case, numbers));
        format!("{}: action {}, not {wanted}; {lengths:?} octets differ at {at:?}; {place}", case.name, ran.action)
    })
}
