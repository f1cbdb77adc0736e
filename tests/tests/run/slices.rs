//! Prefixes and slice bits of all lengths, and slices that move, in; the slice that each frame counts in, out.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use aya::programs::{TestRun as _, TestRunOptions, Xdp};
use ssa_common::rows::SliceWord;
use ssa_ctl::{
    kernel::instance::Instance,
    plan::{numbers::Numbers, slices::Place},
};
use ssa_tests::run::{Config, PASS, load};

use crate::{
    layers::Packet,
    packet::tcp,
    random::Random,
    site::{ENDPOINTS, NOBODY, Site, owner},
};

/// Prefix lengths with slice bits in the upper word, in the lower one, and across.
const LENGTHS: [(u8, u8); 16] = [
    (32, 20),
    (32, 1),
    (48, 16),
    (48, 17),
    (48, 20),
    (48, 4),
    (56, 8),
    (56, 12),
    (60, 3),
    (60, 5),
    (63, 2),
    (64, 1),
    (64, 14),
    (80, 16),
    (100, 20),
    (120, 8),
];

/// Draws addresses; the slice that the kernel counts each in is the one that a division gives.
#[test]
fn the_slice_of_an_address_is_the_number_behind_its_prefix() {
    let random = &mut Random(0x51_1ce5);
    for (length, bits) in LENGTHS {
        let prefix = (0x2001_0db8 << 96 | random.wide() >> 32) >> (128 - length) << (128 - length);
        let lines = format!(
            "name = \"web\"\nprefixes = [\"{}/{length}\"]\nrule = \"any:*\"\nslice_bits = {bits}\n\
             slice_counters = true\n",
            std::net::Ipv6Addr::from_bits(prefix)
        );
        let config = Config::default().service(&lines).endpoint("a", "2001:db9::a", None);
        let (tables, _) = config.tables(&Numbers::default());
        let place = tables.slices.places["web"];
        let mut sandbox = load(&tables);
        let mut wanted = vec![0; 1 << bits];
        for draw in 0..60 {
            let suffix = match draw {
                0 => 0,
                1 => u128::MAX >> length,
                _ => random.wide() >> length,
            };
            let number = suffix / (1 << (128 - length - bits));
            wanted[usize::try_from(number).unwrap()] += 1;
            let frame = tcp(0x2001_0db8_0077 << 80 | 1, prefix + suffix, 0);
            assert_eq!(sandbox.run(&frame, None).unwrap().action, PASS);
        }
        let counted = sandbox.instance().slice_frames(place).unwrap();
        assert!(counted == wanted, "/{length} with {bits} slice bits");
    }
}

/// Several services share the counters, and several prefixes of one service have the same slices.
#[test]
fn services_have_slices_of_their_own() {
    let service = |name: &str, prefixes: &str, bits: u8| {
        format!(
            "name = \"{name}\"\nprefixes = [{prefixes}]\nrule = \"any:*\"\nslice_bits = {bits}\nslice_counters = true\n"
        )
    };
    let config = Config::default()
        .service(&service("small", "\"2001:db8:1::/48\", \"2001:db8:2:2::/64\"", 2))
        .service(&service("large", "\"2001:db8:3::/48\"", 10))
        .service(&service("uncounted", "\"2001:db8:4::/48\"", 2).replace("slice_counters = true\n", ""))
        .service("name = \"whole\"\nprefixes = [\"2001:db8:5::/48\"]\nrule = \"any:*\"\n")
        .endpoint("a", "2001:db9::a", None);
    let (tables, _) = config.tables(&Numbers::default());
    let mut sandbox = load(&tables);
    let to: [(u128, &str, usize); 6] = [
        (0x2001_0db8_0001_c000 << 64, "small", 3),
        (0x2001_0db8_0002_0002 << 64 | 0xc000 << 48, "small", 3),
        (0x2001_0db8_0002_0002 << 64 | 0x4000 << 48, "small", 1),
        (0x2001_0db8_0003_ffc0 << 64, "large", 1023),
        (0x2001_0db8_0004_c000 << 64, "uncounted", 3),
        (0x2001_0db8_0005_c000 << 64, "", 0),
    ];
    let mut wanted: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    for (name, place) in &tables.slices.places {
        wanted.insert(name, vec![0; place.range().len()]);
    }
    for (destination, name, slice) in to {
        sandbox.run(&tcp(0x2001_0db8_0077 << 80 | 1, destination, 0), None).unwrap();
        if let Some(counts) = wanted.get_mut(name).filter(|_| name != "uncounted") {
            counts[slice] += 1;
        }
        for (name, counts) in &wanted {
            let place = tables.slices.places[*name];
            assert_eq!(sandbox.instance().slice_frames(place).as_ref(), Some(counts), "{name}, {destination:x}");
        }
    }
}

/// Runs a frame to each slice in turn until told to stop; how often each was seen to go to which endpoint.
fn watch(program: &Xdp, stop: &AtomicBool) -> BTreeMap<(u32, Option<u32>), u64> {
    let frames: Vec<_> = (0..NOBODY).map(|slice| (slice, Packet::to(slice).frame())).collect();
    let mut seen = BTreeMap::new();
    let mut out = [0; 256];
    while !stop.load(Ordering::Relaxed) {
        for (slice, frame) in &frames {
            let options =
                TestRunOptions { data_in: Some(frame), data_out: Some(&mut out), ..TestRunOptions::default() };
            let result = program.test_run(options).unwrap();
            let octets = &out[..result.data_size_out as usize];
            // Where it went, by the outer header; none where it stayed as it was.
            let address = octets.get(38..54).map(|octets| u128::from_be_bytes(octets.try_into().unwrap()));
            let endpoint = ENDPOINTS.iter().position(|endpoint| octets[20] == 41 && address == Some(*endpoint));
            assert!(endpoint.is_some() || octets == frame, "{octets:02x?}");
            let endpoint = endpoint.map(|endpoint| u32::try_from(endpoint).unwrap());
            *seen.entry((*slice, endpoint)).or_insert(0) += 1;
        }
    }
    seen
}

/// Another share of the slices: each belongs to the next endpoint.
fn turned(slice: u32) -> SliceWord {
    SliceWord::of((owner(slice).unwrap_or(0) + 1) % 3)
}

fn plain(slice: u32) -> SliceWord {
    SliceWord::of(owner(slice).unwrap_or(0))
}

/// Frames go to the old or to the new owner while `change` sets one share of the slices and the other in turn.
fn change_while_frames_flow(change: impl Fn(&Instance, Place, fn(u32) -> SliceWord, u32)) {
    const ROUNDS: u32 = 300;
    let mut site = Site::new(Some(0), "ip6ip6", 1500, "");
    let place = site.place;
    let (program, instance) = site.sandbox.parts().unwrap();
    let stop = AtomicBool::new(false);
    let seen = thread::scope(|scope| {
        let watcher = scope.spawn(|| watch(program, &stop));
        for round in 0..ROUNDS {
            change(instance, place, if round % 2 == 0 { turned } else { plain }, round);
        }
        stop.store(true, Ordering::Relaxed);
        watcher.join().unwrap()
    });
    for slice in 0..NOBODY {
        let went: Vec<_> = seen.keys().filter(|(of, _)| *of == slice).map(|(_, to)| *to).collect();
        let old = owner(slice).unwrap();
        let mut legal = [old, (old + 1) % 3].map(|endpoint| (endpoint != 0).then_some(endpoint));
        legal.sort_unstable();
        // Both, or the frames did not meet the changes.
        assert_eq!(went, legal, "slice {slice}");
    }
    let sent: u64 = seen.values().sum();
    let counted: u64 = instance.slice_frames(place).unwrap().iter().sum();
    assert_eq!(sent, counted, "every frame went on");
}

#[test]
fn slices_move_in_place_while_frames_flow() {
    change_while_frames_flow(|instance, place, word, round| {
        let before = instance.running().unwrap().generation;
        let moves: Vec<_> = (0..NOBODY).map(|slice| (place.first + slice, word(slice))).collect();
        let generation = instance.move_slices(&moves).unwrap();
        assert_eq!(generation, before + 1, "round {round}");
        // Long enough for some frames to meet it.
        instance.settle();
    });
}

#[test]
fn all_slices_are_replaced_at_once_while_frames_flow() {
    change_while_frames_flow(|instance, place, word, round| {
        let running = instance.running().unwrap();
        let mut words = running.tables.slices.words;
        for (slice, to) in (0..).zip(&mut words[place.range()]) {
            *to = word(slice);
        }
        instance.replace_slices(&words).unwrap();
        let after = instance.running().unwrap();
        assert_eq!(after.generation, running.generation + 1, "round {round}");
        assert!(after.tables.slices.words == words, "round {round}: they are read as they were written");
    });
}
