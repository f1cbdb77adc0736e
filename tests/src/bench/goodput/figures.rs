//! What clients saw in each round of each state in; figures with ratios and goals out.

use std::collections::BTreeMap;

use super::{
    flood::Flooded,
    narrow::{ONE_CLASS, Suspects},
    state::State,
};
use crate::bench::{
    figure::{Better, Figure, Goal, Spread},
    paired,
};

/// There is none when idle.
const FLOOD: &str = "flood";
/// What filtered should be of idle.
const RATE: Goal = Goal::AtLeast(0.85);
const P99: Goal = Goal::AtMost(2.0);

/// Of a narrow way, what suspects should leave to those who conform, in percent.
const PART: Goal = Goal::AtLeast(95.0);

/// What is seen of a state.
struct Sight {
    id: &'static str,
    name: &'static str,
    unit: &'static str,
    better: Better,
    /// Of filtered to idle.
    goal: Option<Goal>,
    of: fn(&Flooded) -> f64,
}

const SIGHTS: [Sight; 4] = [
    Sight { id: "rate", name: "answers", unit: "1/s", better: Better::Higher, goal: Some(RATE), of: |f| f.seen.rate },
    Sight {
        id: "p50",
        name: "answer within, median",
        unit: "µs",
        better: Better::Lower,
        goal: None,
        of: |f| f.seen.p50,
    },
    Sight {
        id: "p99",
        name: "answer within, 99 %",
        unit: "µs",
        better: Better::Lower,
        goal: Some(P99),
        of: |f| f.seen.p99,
    },
    Sight { id: FLOOD, name: "flood", unit: "1/s", better: Better::Higher, goal: None, of: |f| f.rate },
];

/// The figures of all states.
pub(super) fn of(given: &[Vec<Flooded>; 3]) -> Vec<Figure> {
    SIGHTS.iter().flat_map(|sight| of_sight(sight, given)).collect()
}

fn of_sight(sight: &Sight, given: &[Vec<Flooded>; 3]) -> Vec<Figure> {
    let [idle, unfiltered, filtered] = given.each_ref().map(|given| given.iter().map(sight.of).collect::<Vec<_>>());
    if sight.id == FLOOD {
        return vec![figure(sight, State::Unfiltered, unfiltered), figure(sight, State::Filtered, filtered)];
    }
    let to_idle = |state, seen: Vec<f64>, goal| {
        let ratio = paired::ratio(&seen, &idle, goal);
        let ratios = BTreeMap::from([(State::Idle.name().to_owned(), ratio)]);
        Figure { ratios, ..figure(sight, state, seen) }
    };
    let flooded = [to_idle(State::Unfiltered, unfiltered, None), to_idle(State::Filtered, filtered, sight.goal)];
    [figure(sight, State::Idle, idle)].into_iter().chain(flooded).collect()
}

fn figure(sight: &Sight, state: State, seen: Vec<f64>) -> Figure {
    Figure {
        id: format!("goodput/{}/{}", state.id(), sight.id),
        name: format!("{}, {}", state.name(), sight.name),
        unit: sight.unit.into(),
        better: sight.better,
        rounds: u32::try_from(seen.len()).unwrap_or(u32::MAX),
        spread: Spread::of(seen),
        goal: None,
        ratios: BTreeMap::new(),
    }
}

/// The figures of a narrow way: what came through in each round, by what became of suspects.
pub(super) fn of_parts(given: Vec<(&'static Suspects, Vec<f64>)>) -> impl Iterator<Item = Figure> {
    given.into_iter().map(|(suspects, parts)| Figure {
        id: format!("goodput/narrow/{}", suspects.id),
        name: format!("narrow way, {}", suspects.name),
        unit: "%".into(),
        better: Better::Higher,
        rounds: u32::try_from(parts.len()).unwrap_or(u32::MAX),
        spread: Spread::of(parts),
        goal: (suspects.id != ONE_CLASS).then_some(PART),
        ratios: BTreeMap::new(),
    })
}
