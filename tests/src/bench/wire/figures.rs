//! Ways to drop and what a frame cost in each round in; figures with ratios and goals out.

use std::collections::BTreeMap;

use super::way::Way;
use crate::bench::figure::{Better, Figure, Goal, Ratio, Spread};

/// What is compared with all others.
const OURS: &str = "bit";
/// What our cost may be of theirs.
const GOALS: [(&str, f64); 3] = [("xdp-filter", 0.8), ("nft-pairs", 0.2), ("tc", 0.25)];

/// The cost, and then the rate, of each way.
pub(super) fn of(ways: &[Way], costs: &[Vec<f64>]) -> Vec<Figure> {
    let mut figures: Vec<_> = ways.iter().zip(costs).map(|(way, costs)| cost(way, costs)).collect();
    let quoted: BTreeMap<_, _> = ways.iter().zip(&figures).map(|(way, figure)| (way.id, figure.quoted())).collect();
    for (way, figure) in ways.iter().zip(&mut figures) {
        figure.ratios = ratios(way, ways, &quoted);
    }
    figures.extend(ways.iter().zip(costs).map(|(way, costs)| rate(way, costs)));
    figures
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
fn ratios(way: &Way, ways: &[Way], quoted: &BTreeMap<&str, f64>) -> BTreeMap<String, Ratio> {
    let others = ways.iter().filter(|other| (other.id == OURS) != (way.id == OURS));
    let ratio = |other: &Way| {
        let limit = GOALS.iter().find(|(id, _)| way.id == OURS && *id == other.id);
        let goal = limit.map(|&(_, limit)| Goal::AtMost(limit));
        (other.name.to_owned(), Ratio { value: quoted[way.id] / quoted[other.id], goal })
    };
    others.map(ratio).collect()
}
