//! Frames over all slices as fast as they go, and slices that change hands meanwhile, in; each frame at an owner out.

use std::{
    array,
    fmt::Write as _,
    sync::{
        Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
        mpsc,
    },
    thread,
    time::{Duration, Instant},
};

use ssa_ctl::{
    kernel::{instance::Instance, pins::Pins},
    plan::slices::Place,
};
use ssa_tests::{
    bench::spray::Spray,
    net::{interface, size, wait_until},
};

use crate::{
    fleet::{CLIENT_END, ENDPOINT_LAN, FILTER_END, Fleet, Host, NAMES, config},
    inside::counts,
    site::{CLIENT, PREFIX},
    stream::LONGEST,
};

/// Frames that are on their way at a time: fewer than the ring of a veth holds.
const BURST: u32 = 192;
/// The kernel takes its time to end a burst that has left. Meanwhile others send.
const SENDERS: usize = 4;
/// Slice bits of endpoints, and of the filter where it moves slices.
const BITS: u8 = 10;

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
    ends: [Instance; 3],
    /// Where each of these counts by slice.
    places: [Place; 3],
    /// Frames sent that have all arrived.
    arrived: AtomicU64,
}

impl Scene {
    fn new(label: &str, steer: &str, filter: &str) -> Self {
        let fleet = Fleet::new(label);
        fleet.filter.apply(filter).done();
        for host in &fleet.endpoints {
            host.apply(&config(ENDPOINT_LAN, &service(&[host.name], steer, BITS))).done();
        }
        let ends = array::from_fn(|number| open(&fleet.endpoints[number]));
        let places = ends.each_ref().map(|end: &Instance| end.running().unwrap().tables.slices.places["web"]);
        Self { fleet, ends, places, arrived: AtomicU64::new(0) }
    }

    fn received(&self) -> [u64; 3] {
        self.ends.each_ref().map(|end| counts(end, "web").received.packets)
    }

    /// Frames of a slice at an endpoint.
    fn frames(&self, end: usize, slice: u32) -> u64 {
        self.ends[end].slice_frames(self.places[end]).unwrap()[slice as usize]
    }

    /// Waits until all that was on its way has arrived, and more.
    fn settle(&self) {
        let before = self.arrived.load(Ordering::Acquire);
        let more = || self.arrived.load(Ordering::Acquire) >= before + 2 * u64::from(BURST);
        wait_until("frames to arrive", LONGEST, more).unwrap();
    }

    /// Sends until told to stop. No frame may be lost: each burst arrives before the next one leaves.
    fn flood(&self, stop: &AtomicBool) {
        let ends = [(&self.fleet.client, CLIENT_END), (&self.fleet.filter.namespace, FILTER_END)];
        let [from, to] = ends.map(|(namespace, name)| interface(namespace, name).unwrap());
        let prefix = PREFIX.split('/').next().unwrap().parse().unwrap();
        let mut spray = Spray::new(from, to, CLIENT.parse().unwrap(), prefix).unwrap();
        let base: u64 = self.received().iter().sum();
        let nozzle = self.fleet.client.enter(|| spray.nozzle()).unwrap().unwrap();
        let (go, turns) = mpsc::sync_channel(0);
        let turns = Mutex::new(turns);
        let turn = || turns.lock().unwrap().recv().is_ok();
        let send = || {
            while turn() {
                nozzle.send(BURST).unwrap();
            }
        };
        thread::scope(|scope| {
            for _ in 0..SENDERS {
                scope.spawn(|| self.fleet.client.enter(send).unwrap());
            }
            let mut sent = 0;
            while !stop.load(Ordering::Relaxed) {
                go.send(()).unwrap();
                sent += u64::from(BURST);
                let deadline = Instant::now() + LONGEST;
                while self.received().iter().sum::<u64>() - base < sent {
                    assert!(Instant::now() < deadline, "of {sent} frames, {:?} - {base} arrived", self.received());
                    thread::yield_now();
                }
                self.arrived.fetch_add(BURST.into(), Ordering::Release);
            }
            drop(go);
            assert_eq!(self.received().iter().sum::<u64>() - base, sent, "more frames than were sent");
        });
    }

    /// Looks whose the slices are, until told to stop; how often.
    fn look(&self, stop: &AtomicBool) -> u32 {
        let mut looks = 0;
        while !stop.load(Ordering::Relaxed) {
            let said = self.fleet.filter.ctl(["slices", "web"]).done();
            let slices = &said["services"]["web"];
            let mut next = 0;
            for run in slices["runs"].as_array().unwrap() {
                assert!(run["first"] == next && run["endpoint"].is_string(), "a slice without an owner: {said}");
                next = run["last"].as_u64().unwrap() + 1;
            }
            assert_eq!(next, 1 << slices["slice_bits"].as_u64().unwrap(), "{said}");
            looks += 1;
            // sleep: the frames need the CPUs too.
            thread::sleep(Duration::from_millis(30));
        }
        looks
    }

    /// Does the work under the flood; the filter counts what the endpoints do, and drops nothing.
    fn under_flood(&self, what: &str, work: impl FnOnce()) {
        let stop = AtomicBool::new(false);
        let (begin, before) = (Instant::now(), self.received());
        let looks = thread::scope(|scope| {
            let flood = scope.spawn(|| self.flood(&stop));
            let looker = scope.spawn(|| self.look(&stop));
            let end = End(&stop);
            self.settle();
            work();
            self.settle();
            drop(end);
            flood.join().unwrap();
            looker.join().unwrap()
        });
        let (taken, after) = (begin.elapsed(), self.received());
        let each: [u64; 3] = array::from_fn(|end| after[end] - before[end]);
        let sent: u64 = each.iter().sum();
        println!("{what}: {sent} frames sent in {taken:.1?}, {each:?} received, {looks} looks");
        let all = |path: [&str; 2]| self.fleet.filter.packets(&path);
        assert_eq!(all(["treatments", "drop"]), 0, "{}", self.fleet.filter.counted());
        assert_eq!(all(["treatments", "forward"]), self.arrived.load(Ordering::Acquire));
    }
}

struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn moves_lose_nothing(label: &str, steer: &str, moves: u32) {
    let scene = Scene::new(label, steer, &config(FILTER_END, &service(&NAMES, steer, BITS)));
    let mut owners: Vec<usize> = scene.fleet.owners().iter().map(|owner| number(owner)).collect();
    scene.under_flood(&format!("{steer}, {moves} moves"), || {
        for round in 0..moves {
            let slice = round.wrapping_mul(0x9e37) >> 3 & ((1 << BITS) - 1);
            let old = owners[slice as usize];
            let new = (old + 1 + round as usize % 2) % 3;
            let third = 3 - old - new;
            let frames = scene.frames(third, slice);
            scene.fleet.filter.move_slices((slice, slice), NAMES[new]);
            scene.settle();
            assert_eq!(scene.frames(third, slice), frames, "slice {slice}: a frame went to {}", NAMES[third]);
            owners[slice as usize] = new;
        }
    });
    let now: Vec<usize> = scene.fleet.owners().iter().map(|owner| number(owner)).collect();
    assert!(now == owners, "the slices are where nobody moved them");
}

fn number(name: &str) -> usize {
    NAMES.iter().position(|other| *other == name).unwrap()
}

#[test]
fn moves_by_hardware_address_lose_nothing() {
    moves_lose_nothing("movesl2", "l2", size(200, 10_000));
}

#[test]
fn moves_through_tunnels_lose_nothing() {
    moves_lose_nothing("movesip", "ip6ip6", size(100, 1000));
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
    let scene = Scene::new("scale", "l2", &config(FILTER_END, &service(&NAMES, "l2", BITS)));
    let fleet = &scene.fleet;
    let [few, most] = [10, size(300, 1000)];
    scene.fleet.filter.apply(&many(fleet, few)).done();
    scene.under_flood("drain of half", || {
        for number in (0..few).step_by(2) {
            fleet.filter.ctl(["endpoint", "drain", &format!("e{number}")]).done();
        }
        let said = fleet.filter.ctl(["endpoints"]).done();
        for endpoint in said["endpoints"].as_array().unwrap() {
            assert_eq!(endpoint["services"]["web"]["slices"] == 0, endpoint["drain"] == true, "{endpoint}");
        }
        for number in (0..few).step_by(2) {
            fleet.filter.ctl(["endpoint", "drain", "--off", &format!("e{number}")]).done();
        }
    });
    scene.under_flood(&format!("{few}, {most} and {few} endpoints"), || {
        for count in [most, few] {
            fleet.filter.apply(&many(fleet, count)).done();
            scene.settle();
        }
    });
    scene.under_flood("split and merge", || {
        for (verb, bits) in [("split", "16"), ("merge", "14"), ("split", "15"), ("merge", "14")] {
            fleet.filter.ctl(["slice", verb, "web", bits]).done();
            scene.settle();
        }
    });
}
