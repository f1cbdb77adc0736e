//! Ways to drop and what a frame cost in each round in; figures with ratios and goals out.

use std::collections::BTreeMap;

use super::way::Way;
use crate::bench::{
    figure::{Better, Figure, Goal, Ratio, Spread},
    paired,
};

/// What is compared with all others.
const OURS: &str = "bit";
/// What our cost may be of theirs.
const GOALS: [(&str, f64); 3] = [("xdp-filter", 0.8), ("nft-pairs", 0.2), ("tc", 0.25)];

/// The cost, and then the rate, of each way.
pub(super) fn of(ways: &[Way], costs: &[Vec<f64>]) -> Vec<Figure> {
    let all = || ways.iter().zip(costs);
    let compared = |(way, costs): (&Way, &Vec<f64>)| Figure { ratios: ratios(way, costs, all()), ..cost(way, costs) };
    all().map(compared).chain(all().map(|(way, costs)| rate(way, costs))).collect()
}

fn cost(way: &Way, costs: &[f64]) -> Figure {
    let name = format!("{}, CPU time a frame", way.name);
    figure(format!("wire/{}/cpu", way.id), name, "ns", Better::Lower, costs.to_vec())
}

fn rate(way: &Way, costs: &[f64]) -> Figure {
    let rates = costs.iter().map(|nanoseconds| 1e3 / nanoseconds).collect();
    let name = format!("{}, frames that a core drops", way.name);
    figure(format!("wire/{}/rate", way.id), name, "Mpps", Better::Higher, rates)
}

fn figure(id: String, name: String, unit: &str, better: Better, given: Vec<f64>) -> Figure {
    let rounds = u32::try_from(given.len()).unwrap_or(u32::MAX);
    let spread = Spread::of(given);
    Figure { id, name, unit: unit.into(), better, spread, rounds, goal: None, ratios: BTreeMap::new() }
}

/// Ours to each of the others, and each of the others to ours.
fn ratios<'a>(way: &Way, costs: &[f64], all: impl Iterator<Item = (&'a Way, &'a Vec<f64>)>) -> BTreeMap<String, Ratio> {
    let others = all.filter(|(other, _)| (other.id == OURS) != (way.id == OURS));
    let ratio = |(other, its): (&Way, &Vec<f64>)| {
        let limit = GOALS.iter().find(|(id, _)| way.id == OURS && *id == other.id);
        let goal = limit.map(|&(_, limit)| Goal::AtMost(limit));
        (other.name.to_owned(), paired::ratio(costs, its, goal))
    };
    others.map(ratio).collect()
}
