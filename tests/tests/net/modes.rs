//! The table of frames in, on a wire; in native and in generic mode what the table says, in exactly one counter, out.

use std::time::{Duration, SystemTime};

use ssa_common::{rows::Cell, verdict::Verdict};
use ssa_ctl::{
    change::ticks,
    kernel::{instance::Instance, pins::Pins},
    plan::numbers::Numbers,
};
use ssa_tests::{
    frames::{cases, services},
    net::wait_until,
    run::{Config, moved, name, place},
};

use crate::{
    inside::instance,
    site::{INTERFACE, PEER, RULE, Site, config},
    traffic::Wire,
};

/// A quarter past an hour.
const TIME: u64 = 1_700_000_100;
/// When the previous rules end.
const DEADLINE: u64 = 4_102_444_800;
/// A frame is on its way no longer.
const LONGEST: Duration = Duration::from_millis(500);

/// The rows of the table's services, put in force over a config that `apply` has brought.
fn in_force(site: &Site, mode: &str) -> (Instance, Numbers) {
    site.apply(&config(&[INTERFACE], mode, RULE)).done();
    let instance = instance(site);
    let (tables, numbers) = Config::frames(&services(), DEADLINE).tables_of(&Numbers::default(), instance.shape());
    instance.put_in_force(&tables, "", 2).unwrap();
    let time = SystemTime::UNIX_EPOCH + Duration::from_secs(TIME);
    instance.publish(ticks(&Pins::new(site.pins.path())).unwrap().row(time)).unwrap();
    (instance, numbers)
}

fn read(instance: &Instance, services: u32) -> Vec<Cell> {
    (0..=services).flat_map(|service| instance.cells(service).unwrap()).collect()
}

/// What is wrong with each frame of the table in this mode.
fn differences(mode: &str) -> Vec<String> {
    let site = Site::new(&format!("mode-{mode}"));
    for (namespace, name) in [(&site.host, INTERFACE), (&site.client, PEER)] {
        namespace.ip(&["link", "set", "dev", name, "mtu", "9100"]).unwrap();
    }
    let (instance, numbers) = in_force(&site, mode);
    let wire = Wire::new(&site);
    let services = u32::try_from(services().len()).unwrap();
    let outside = |at: usize| at < Verdict::CELLS as usize;
    let (mut ran, mut refused, mut wrong) = (0, vec![], vec![]);
    for case in cases(TIME) {
        let expected = (place(&case, &numbers), 1, case.frame.len() as u64);
        let before = read(&instance, services);
        if wire.send(&case.frame).is_err() {
            refused.push(case.name);
            continue;
        }
        ran += 1;
        // The link's own multicast moves a counter outside all services at times.
        let is_expected = |(at, packets, bytes): (usize, u64, u64)| {
            if outside(at) {
                at == expected.0 && packets >= 1 && bytes >= expected.2
            } else {
                (at, packets, bytes) == expected
            }
        };
        let mut counted = vec![];
        let came = wait_until(&case.name, LONGEST, || {
            counted = moved(&before, &read(&instance, services));
            counted.iter().copied().any(is_expected)
        });
        let others = counted.iter().filter(|&&(at, ..)| at != expected.0 && !outside(at));
        if came.is_err() || others.count() > 0 {
            let counted: Vec<_> = counted.iter().map(|&(at, packets, bytes)| (name(at), packets, bytes)).collect();
            wrong.push(format!("{mode}, {}: counted {counted:?}, not {} {}", case.name, name(expected.0), expected.2));
        }
    }
    println!("{mode}: {ran} frames; {} that no packet socket sends: {refused:?}", refused.len());
    assert!(refused.len() < 10 && ran > 500, "{ran} frames ran");
    wrong
}

#[test]
fn native_mode_judges_as_the_table_says() {
    let wrong = differences("native");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn generic_mode_judges_as_the_table_says() {
    let wrong = differences("generic");
    assert!(wrong.is_empty(), "{} differ:\n{}", wrong.len(), wrong.join("\n"));
}
