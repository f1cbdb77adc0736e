//! A site in; its instance as the controller's library sees it, and what of it the kernel still holds, out.

use std::time::Duration;

use aya::maps::loaded_maps;
use serde_json::Value;
use ssa_common::{
    layout,
    rows::{ClockRow, MetaRow},
    verdict::Reason,
};
use ssa_ctl::{
    kernel::{instance::Instance, map::Map, object::MAPS, pins::Pins},
    observe::counters::ServiceCounts,
};
use ssa_tests::net::wait_until;

use crate::{
    site::{INTERFACE, Site, attached, bpftool, names},
    traffic::Wire,
};

const LONGEST: Duration = Duration::from_secs(5);

/// The instance of a site, opened from its namespace.
pub fn instance(site: &Site) -> Instance {
    let pins = Pins::new(site.pins.path());
    site.host.enter(|| Instance::open(&pins, false)).unwrap().unwrap_or_else(|failure| panic!("{failure:?}"))
}

/// What a service has counted.
pub fn counts(instance: &Instance, service: &str) -> ServiceCounts {
    let number = instance.numbers().unwrap().get(service).unwrap_or_else(|| panic!("no service {service}"));
    ServiceCounts::of(&instance.cells(number).unwrap())
}

/// Why the service `web` does with a frame what it does: the frame is sent, and the counters say.
pub fn judged(instance: &Instance, wire: &Wire, frame: &[u8]) -> Reason {
    let before = counts(instance, "web");
    wire.send(frame).unwrap();
    let mut after = before.clone();
    wait_until("the frame to be counted", LONGEST, || {
        after = counts(instance, "web");
        after.received.packets > before.received.packets
    })
    .unwrap();
    let moved = Reason::ALL.into_iter().filter(|&reason| after.reason(reason) != before.reason(reason));
    let moved: Vec<_> = moved.collect();
    assert_eq!(moved.len(), 1, "{moved:?}");
    moved[0]
}

/// Writes another clock than the one that was published: this many seconds ahead.
pub fn set_clock_ahead(site: &Site, seconds: i64) {
    let instance = instance(site);
    let ClockRow { offset, published } = instance.clock().unwrap();
    let ticks = seconds * i64::from(instance.meta.hertz);
    instance.publish(ClockRow { offset: offset.wrapping_add_signed(ticks), published }).unwrap();
}

/// Writes that the program is of another build.
pub fn set_other_build(site: &Site) {
    let meta: Map<MetaRow> = Map::open(&site.pins.path().join("maps").join(layout::META), false).unwrap();
    let row = meta.get(0).unwrap();
    meta.write(0, &[MetaRow { build: !row.build, ..row }]).unwrap();
}

/// Checks that there is one instance of this site and nothing besides: pins, program, link, maps by number.
pub fn check_alone(site: &Site) {
    assert_eq!(names(site.pins.path()), ["links", "maps", "progs"]);
    assert_eq!(names(&site.pins.path().join("links")), [INTERFACE]);
    assert_eq!(names(&site.pins.path().join("progs")), ["ssa_clock", "ssa_filter"]);
    assert_eq!(names(&site.pins.path().join("maps")).len(), MAPS.len());
    let status = site.status();
    assert_eq!(status["program"]["build"], "current", "{status}");
    let program = attached(&site.host, INTERFACE).unwrap().program;
    assert_eq!((&status["program"]["id"], &status["interfaces"][0]["program_id"]), (&program.into(), &program.into()));
    let active = site.pins.path().join("maps").join(layout::ACTIVE);
    let active = bpftool(&["map", "show", "pinned", active.to_str().unwrap()])["id"].clone();
    let netns = instance(site).meta.netns;
    // What a killed process held goes when the kernel has the time.
    wait_until("one program and one instance to be left", LONGEST, || {
        users(&active) == [program] && instances_of(netns) == 1
    })
    .unwrap_or_else(|error| panic!("{error}: programs {:?}, {} instances", users(&active), instances_of(netns)));
}

/// The numbers of the programs that use a map.
fn users(map: &Value) -> Vec<u64> {
    let programs = bpftool(&["prog", "show"]);
    let uses = |program: &&Value| program["map_ids"].as_array().is_some_and(|maps| maps.contains(map));
    programs.as_array().unwrap().iter().filter(uses).map(|program| program["id"].as_u64().unwrap()).collect()
}

/// How many instances of a namespace the kernel holds, pinned or not: each has one map that says whose it is.
fn instances_of(netns: u64) -> usize {
    let owner = |info: aya::maps::MapInfo| {
        let fd = info.fd().ok()?;
        let map = Map::<MetaRow>::new(std::os::fd::AsFd::as_fd(&fd).try_clone_to_owned().ok()?, layout::META).ok()?;
        Some(map.get(0).ok()?.netns)
    };
    let metas = loaded_maps().flatten().filter(|info| info.name_as_str() == Some(layout::META));
    metas.filter_map(owner).filter(|owner| *owner == netns).count()
}
