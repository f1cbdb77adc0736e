//! Numbers of slices in; how long it takes to replace all of them, to move one and to count them, out.

use std::time::Instant;

use anyhow::{Context as _, Result, ensure};
use ssa_common::rows::SliceWord;
use ssa_ctl::plan::slices::Place;

use super::{Context, Figure, commands, figure, maps::Ready};
use crate::bench::site::{Site, checked, sliced};

/// Bits of a slice's number, and what it may take to replace all of them, in microseconds.
const SIZES: [(u8, &str, f64); 2] = [(14, "16,384", 100.0), (20, "1,048,576", 5_000.0)];
/// What it may take to read all counters of the first of these, in microseconds.
const GOAL_READ: f64 = 100.0;
/// The service.
const SERVICE: &str = "s0";
/// Moves in one round.
const MOVES: u32 = 1000;

/// The maps, without a command around.
pub(super) fn run(context: &Context) -> Result<Vec<Figure>> {
    let rounds = context.rounds(15);
    let phase = context.phase(&format!("control: {rounds} rounds of slices"), u64::from(rounds) * SIZES.len() as u64);
    let mut figures = Vec::new();
    for (bits, slices, goal) in SIZES {
        let made = Ready::new(&checked(sliced(1, bits, true))?)?.load()?;
        let instance = &made.instance;
        let known = instance.running()?.tables.slices;
        let place = *known.places.get(SERVICE).context("the service has no slices")?;
        let all = [known.words.clone(), swapped(&known.words, place)];
        let [mut replace, mut wait, mut one, mut read] = [const { Vec::new() }; 4];
        for round in 0..rounds as usize {
            let words = &all[(round + 1) % 2];
            let (took, done) = timed(|| instance.put_slices_in_force(words));
            done?;
            replace.push(took);
            let (took, ()) = timed(|| instance.settle());
            wait.push(took / 1e3);
            ensure!(instance.running()?.tables.slices.words == *words, "other slices are in force than were put there");
            let last = place.first + (1 << bits) - 1;
            let moves = [(last, words[last as usize])];
            let (took, done) = timed(|| (0..MOVES).try_for_each(|_| instance.move_slices(&moves).map(drop)));
            done?;
            one.push(took / f64::from(MOVES));
            let (took, frames) = timed(|| instance.slice_frames(place));
            read.push(took);
            ensure!(frames.is_some_and(|frames| frames.len() == 1 << bits), "not all slices are counted");
            phase.step()?;
        }
        let of = |id: &str, name, unit, took, goal| figure(&format!("{id}/{}", 1 << bits), name, unit, took, goal);
        let read_goal = (bits == 14).then_some(GOAL_READ);
        figures.extend([
            of("slices-replaced", format!("all {slices} slices replaced, until in force"), "µs", replace, Some(goal)),
            of("slices-settled", format!("until no frame sees the {slices} slices before"), "ms", wait, None),
            of("slice-moved", format!("one of {slices} slices moved"), "µs", one, None),
            of("slice-counters", format!("counters of {slices} slices read"), "µs", read, read_goal),
        ]);
    }
    Ok(figures)
}

/// The same slices, each with the other of two owners.
fn swapped(words: &[SliceWord], place: Place) -> Vec<SliceWord> {
    let mut words = words.to_vec();
    for word in &mut words[place.range()] {
        // One more than its number, and there are two.
        *word = SliceWord::of(2 - word.owner());
    }
    words
}

/// What an operator waits for who looks at them.
pub(super) fn command(context: &Context) -> Result<Vec<Figure>> {
    let site = Site::new(context)?;
    let rounds = context.rounds(15);
    let phase = context.phase(&format!("control: {rounds} rounds of slices as a command"), u64::from(rounds) * 2);
    site.said(&["apply", &site.file("slices.toml", &sliced(1, 14, true))?])?;
    let mut took = [const { Vec::new() }; 2];
    for _ in 0..rounds {
        for (arguments, took) in [&["slices"][..], &["slices", "--each"]].into_iter().zip(&mut took) {
            let (milliseconds, said) = commands::timed(&site, arguments)?;
            let slices = said["services"][SERVICE]["runs"].as_array().and_then(|runs| runs.last()?["last"].as_u64());
            ensure!(slices == Some((1 << 14) - 1), "{}: {said}", arguments.join(" "));
            took.push(milliseconds);
            phase.step()?;
        }
    }
    let [runs, each] = took;
    Ok(vec![
        figure("slices/16384", "slices, of 16,384".into(), "ms", runs, None),
        figure("slices-each/16384", "slices, each of 16,384".into(), "ms", each, None),
    ])
}

/// Microseconds that it takes, and what it gives.
fn timed<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let begin = Instant::now();
    let done = work();
    (begin.elapsed().as_secs_f64() * 1e6, done)
}
