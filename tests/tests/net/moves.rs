//! Frames over all slices as fast as they go, and slices that change hands meanwhile, in; each frame at an owner out.

use std::{
    array,
    fmt::Write as _,
    sync::atomic::{AtomicBool, Ordering},
    thread,
    time::{Duration, Instant},
};

use rustix::time::{ClockId, clock_gettime};
use ssa_ctl::{
    kernel::{instance::Instance, pins::Pins},
    plan::slices::Place,
};
use ssa_tests::{
    bench::{
        spray::{HOP_LIMIT, Spray, WINDOW},
        tally::{Tally, Then},
    },
    net::{StopAtEnd, interface, rounds, size, wait_until},
};

use crate::{
    fleet::{CLIENT_END, ENDPOINT_LAN, FILTER_END, Fleet, Host, NAMES, config},
    inside::counts,
    site::{CLIENT, PREFIX},
    stream::LONGEST,
};

/// Frames that are made at a time, sent or not, before anybody looks whether to stop.
const LOOK_EVERY: u32 = 1 << 14;

fn service(endpoints: &[&str], steer: &str, bits: u8) -> String {
    format!(
        "[[service]]\nname = \"web\"\nprefixes = [\"{PREFIX}\"]\nrule = \"any:*\"\nslice_bits = {bits}\n\
         endpoints = {endpoints:?}\nsteer = \"{steer}\"\nslice_counters = true\n"
    )
}

fn open(host: &Host) -> Instance {
    let pins = Pins::new(host.pins.path());
    host.namespace.enter(|| Instance::open(&pins, true)).unwrap().unwrap_or_else(|failure| panic!("{failure:?}"))
}

/// A fleet whose endpoints count all that comes, by slice.
struct Scene {
    fleet: Fleet,
    /// Slice bits of the endpoints: the filter has as many, or more.
    bits: u8,
    ends: [Instance; 3],
    /// Where each of these counts by slice.
    places: [Place; 3],
    tally: Tally,
}

impl Scene {
    fn new(label: &str, steer: &str, bits: u8) -> Self {
        let mut fleet = Fleet::new(label);
        fleet.straighten();
        fleet.filter.apply(&config(FILTER_END, &service(&NAMES, steer, bits))).done();
        let mut tally = Tally::new(PREFIX.split('/').next().unwrap().parse().unwrap()).unwrap();
        for host in &fleet.endpoints {
            host.apply(&config(ENDPOINT_LAN, &service(&[host.name], steer, bits))).done();
            tally.watch(&host.namespace, ENDPOINT_LAN, Then::Ends).unwrap();
        }
        let ends = array::from_fn(|number| open(&fleet.endpoints[number]));
        let places = ends.each_ref().map(|end: &Instance| end.running().unwrap().tables.slices.places["web"]);
        Self { fleet, bits, ends, places, tally }
    }

    fn received(&self) -> [u64; 3] {
        self.ends.each_ref().map(|end| counts(end, "web").received.packets)
    }

    /// Frames of each slice at an endpoint.
    fn frames(&self, end: usize) -> Vec<u64> {
        self.ends[end].slice_frames(self.places[end]).unwrap()
    }

    /// Waits until all that was on its way has arrived, and more.
    fn settle(&self) {
        let enough = self.tally.sent() + 2 * u64::from(WINDOW);
        let deadline = Instant::now() + LONGEST;
        while self.tally.arrived() < enough {
            assert!(Instant::now() < deadline, "of {} frames, {} arrived", self.tally.sent(), self.tally.arrived());
            // sleep: the frames need the CPUs too.
            thread::sleep(Duration::from_micros(100));
        }
    }

    /// Sends until told to stop, and waits until all has arrived; the CPU time that it took.
    fn flood(&self, stop: &AtomicBool) -> Duration {
        let ends = [(&self.fleet.client, CLIENT_END), (&self.fleet.filter.namespace, FILTER_END)];
        let [from, to] = ends.map(|(namespace, name)| interface(namespace, name).unwrap());
        let mut spray = Spray::new(from, to, CLIENT.parse().unwrap(), &self.tally).unwrap();
        let send = || {
            let nozzle = spray.nozzle().unwrap();
            while !stop.load(Ordering::Relaxed) {
                nozzle.send(LOOK_EVERY).unwrap();
            }
            clock_gettime(ClockId::ThreadCPUTime)
        };
        let taken = self.fleet.client.enter(send).unwrap();
        let all = || self.tally.arrived() == self.tally.sent();
        wait_until("all frames to arrive", LONGEST, all).unwrap();
        taken.try_into().unwrap()
    }

    /// Whose the slices are: for each of the endpoints' slices, the hosts that have a part of it.
    fn hosts(&self) -> Vec<[bool; 3]> {
        let said = self.fleet.filter.ctl(["slices", "web"]).done();
        let slices = &said["services"]["web"];
        let parts = slices["slice_bits"].as_u64().unwrap() - u64::from(self.bits);
        let (mut hosts, mut next) = (vec![[false; 3]; 1 << self.bits], 0);
        for run in slices["runs"].as_array().unwrap() {
            let owner = run["endpoint"].as_str();
            let host = host(owner.unwrap_or_else(|| panic!("a slice without an owner: {run}")));
            let [first, last] = ["first", "last"].map(|end| usize::try_from(run[end].as_u64().unwrap()).unwrap());
            assert_eq!(first, next, "not each slice is named once: {said}");
            hosts[first >> parts..=last >> parts].iter_mut().for_each(|hosts| hosts[host] = true);
            next = last + 1;
        }
        assert_eq!(next >> parts, hosts.len(), "not all slices are named: {said}");
        hosts
    }

    /// Does what changes owners. Frames go to those of before and those of now, and to no third.
    fn change(&self, what: &str, work: impl FnOnce()) {
        self.settle();
        let (owned, before) = (self.hosts(), [0, 1, 2].map(|end| self.frames(end)));
        work();
        self.settle();
        let (owns, after) = (self.hosts(), [0, 1, 2].map(|end| self.frames(end)));
        for (end, name) in NAMES.iter().enumerate() {
            for slice in (0..owns.len()).filter(|&slice| !owned[slice][end] && !owns[slice][end]) {
                let frames = after[end][slice] - before[end][slice];
                assert_eq!(frames, 0, "{what}: frames of slice {slice} went to {name}, which has never had it");
            }
        }
    }

    /// Looks whose the slices are, until told to stop; how often.
    fn look(&self, stop: &AtomicBool) -> u32 {
        let mut looks = 0;
        while !stop.load(Ordering::Relaxed) {
            self.hosts();
            looks += 1;
            // sleep: the frames need the CPUs too.
            thread::sleep(Duration::from_millis(30));
        }
        looks
    }

    /// Does the work under the flood; the filter counts what the endpoints do, and drops nothing.
    fn under_flood(&self, what: &str, work: impl FnOnce()) {
        let stop = AtomicBool::new(false);
        let (begin, before, already) = (Instant::now(), self.received(), self.tally.sent());
        let (sending, looks) = thread::scope(|scope| {
            let flood = scope.spawn(|| self.flood(&stop));
            let looker = scope.spawn(|| self.look(&stop));
            let end = StopAtEnd(&stop);
            self.settle();
            work();
            self.settle();
            drop(end);
            (flood.join().unwrap(), looker.join().unwrap())
        });
        let (taken, after) = (begin.elapsed(), self.received());
        let each: [u64; 3] = array::from_fn(|end| after[end] - before[end]);
        let (all, sent) = (self.tally.sent(), self.tally.sent() - already);
        let [rate, at_best] = [taken, sending].map(|time| u128::from(sent) * 1000 / time.as_micros());
        println!(
            "{what}: {sent} frames in {taken:.1?}, {rate} thousand a second, {at_best} in one of the sender's CPU time; \
             {each:?} received, {looks} looks"
        );
        assert_eq!(each.iter().sum::<u64>(), sent, "{each:?} received");
        // Each was sent on once.
        assert_eq!(self.tally.hop_limits(), after.map(|frames| vec![(HOP_LIMIT - 1, frames)]));
        let count = |path: [&str; 2]| self.fleet.filter.packets(&path);
        assert_eq!(count(["treatments", "drop"]), 0, "{}", self.fleet.filter.counted());
        assert_eq!(count(["treatments", "forward"]), all);
    }
}

fn moves_lose_nothing(label: &str, steer: &str, moves: u32) {
    const BITS: u8 = 10;
    let scene = Scene::new(label, steer, BITS);
    let mut owners: Vec<usize> = scene.fleet.owners().iter().map(|owner| host(owner)).collect();
    let what = format!("{steer}, {moves} moves");
    scene.under_flood(&what, || {
        for round in rounds(&what, moves) {
            let slice = round.wrapping_mul(0x9e37) >> 3 & ((1 << BITS) - 1);
            let place = slice as usize;
            let old = owners[place];
            let new = (old + 1 + round as usize % 2) % 3;
            let third = 3 - old - new;
            let before = scene.frames(third)[place];
            scene.fleet.filter.move_slices((slice, slice), NAMES[new]);
            scene.settle();
            assert_eq!(scene.frames(third)[place], before, "slice {slice}: a frame went to {}", NAMES[third]);
            owners[place] = new;
        }
    });
    let now: Vec<usize> = scene.fleet.owners().iter().map(|owner| host(owner)).collect();
    assert!(now == owners, "the slices are where nobody moved them");
}

/// The place of the host that an endpoint is on: those of [`many`] have numbers.
fn host(endpoint: &str) -> usize {
    let by_name = NAMES.iter().position(|name| *name == endpoint);
    by_name.unwrap_or_else(|| endpoint[1..].parse::<usize>().unwrap() % 3)
}

#[test]
fn moves_by_hardware_address_lose_nothing() {
    moves_lose_nothing("movesl2", "l2", size(200, 10_000));
}

#[test]
fn moves_through_tunnels_lose_nothing() {
    moves_lose_nothing("movesip", "ip6ip6", size(100, 10_000));
}

/// So many endpoints, each an address of one of the three; a config for the filter.
fn many(fleet: &Fleet, count: usize) -> String {
    let mut text = format!("version = 1\n[host]\ninterfaces = [\"{FILTER_END}\"]\n");
    for number in 0..count {
        let host = &fleet.endpoints[number % 3];
        let mac = host.mac(ENDPOINT_LAN).map(|octet| format!("{octet:02x}")).join(":");
        let address = format!("2001:db8:e::1:{number:x}");
        write!(text, "[[endpoint]]\nname = \"e{number}\"\naddress = \"{address}\"\nmac = \"{mac}\"\n").unwrap();
    }
    let all = service(&[], "l2", 14).replace("endpoints = []\n", "");
    text + &all
}

#[test]
fn changes_of_the_endpoints_lose_nothing() {
    let scene = Scene::new("scale", "l2", 14);
    let fleet = &scene.fleet;
    let [few, most] = [10, size(300, 1000)];
    scene.fleet.filter.apply(&many(fleet, few)).done();
    scene.under_flood("drain of half", || {
        let half = || (0..few).step_by(2).map(|number| format!("e{number}"));
        for name in half() {
            scene.change(&name, || drop(fleet.filter.ctl(["endpoint", "drain", &name]).done()));
        }
        let said = fleet.filter.ctl(["endpoints"]).done();
        for endpoint in said["endpoints"].as_array().unwrap() {
            assert_eq!(endpoint["services"]["web"]["slices"] == 0, endpoint["drain"] == true, "{endpoint}");
        }
        for name in half() {
            scene.change(&name, || drop(fleet.filter.ctl(["endpoint", "drain", "--off", &name]).done()));
        }
    });
    scene.under_flood(&format!("{few}, {most} and {few} endpoints"), || {
        for count in [most, few] {
            scene.change(&format!("{count} endpoints"), || drop(fleet.filter.apply(&many(fleet, count)).done()));
        }
    });
    scene.under_flood("split and merge", || {
        for (verb, bits) in [("split", "16"), ("merge", "14"), ("split", "15"), ("merge", "14")] {
            scene.change(verb, || drop(fleet.filter.ctl(["slice", verb, "web", bits]).done()));
        }
    });
}
