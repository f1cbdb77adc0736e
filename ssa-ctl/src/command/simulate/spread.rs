//! A service and its clients in; how many of them each slice and each endpoint gets, and what it should, out.

use serde::Serialize;

use super::{
    law,
    random::Random,
    scene::Scene,
    sources::Clients,
    statistics::{self, Evenness, Throw, chi_square, real},
};
use crate::{command::progress::Progress, failure::Failure};

/// Clients between two steps of the progress.
const STEP: u64 = 4096;

/// Where the clients went.
pub struct Spread {
    /// Clients of each slice.
    pub counts: Vec<u64>,
    /// Clients.
    pub total: u64,
    /// Of the slices.
    pub slices: OfSlices,
    /// Of the endpoints; none where the slices have no owners.
    pub endpoints: Option<OfEndpoints>,
}

/// The spread over slices.
#[derive(Debug, Serialize)]
pub struct OfSlices {
    /// How many there are.
    pub count: usize,
    /// Slices with a client.
    pub occupied: usize,
    /// Clients of a slice, on average.
    pub mean: f64,
    /// Clients of the fullest slice.
    pub max: u64,
    /// How much more that is.
    pub max_over_mean: f64,
    /// Against slices that are all alike.
    #[serde(flatten)]
    pub test: Option<Evenness>,
}

/// The spread over endpoints.
#[derive(Debug, Serialize)]
pub struct OfEndpoints {
    /// How many there are.
    pub count: usize,
    /// The most that an endpoint has of what its weight asks for.
    pub max_over_mean: f64,
    /// Against the weights.
    #[serde(flatten)]
    pub test: Option<Evenness>,
    /// The fullest endpoint.
    pub busiest: Busiest,
    /// What the fullest endpoint should have.
    pub predicted: Predicted,
    /// Each, the fullest first.
    pub list: Vec<Loaded>,
}

/// The fullest endpoint.
#[derive(Debug, Serialize)]
pub struct Busiest {
    /// Its name.
    pub endpoint: String,
    /// Its clients.
    pub load: u64,
}

/// What the fullest endpoint should have.
#[derive(Debug, Serialize)]
pub struct Predicted {
    /// Its clients, on average over many runs.
    pub load: f64,
    /// Standard deviation.
    pub sigma: f64,
    /// `rule`: for random clients as were asked for. `even`: for a list of sources, as if any slice were equally likely.
    pub by: &'static str,
}

/// An endpoint with its clients.
#[derive(Debug, Serialize)]
pub struct Loaded {
    /// Its name.
    pub endpoint: String,
    /// Its slices.
    pub slices: u32,
    /// Its clients.
    pub load: u64,
    /// The part of all that is.
    pub share: f64,
    /// The part that its weight asks for.
    pub expected_share: f64,
    /// The former over the latter; none where nothing is expected, as it is drained.
    pub over_expected: Option<f64>,
    /// The clients that it should have.
    pub predicted: f64,
    /// Standard deviation of that.
    pub predicted_sigma: f64,
}

/// Sends all clients. They are random ones, or from a list.
pub fn spread(scene: &Scene, clients: &[Clients], listed: bool, seed: u64, terminal: bool) -> Result<Spread, Failure> {
    let total = clients.iter().map(|clients| clients.count).sum();
    let mut counts = vec![0; scene.slices()];
    let mut random = Random::new(seed, 1);
    let progress = Progress::new("thousands of clients", terminal, (total / STEP) as usize);
    let mut sent = 0u64;
    for Clients { prefix, count } in clients {
        for _ in 0..*count {
            counts[scene.slice(0, random.address(*prefix), &mut random)? as usize] += 1;
            sent += 1;
            if sent.is_multiple_of(STEP) {
                progress.step();
            }
        }
    }
    drop(progress);
    let mean = real(total) / real(counts.len() as u64);
    let max = counts.iter().copied().max().unwrap_or(0);
    let part = 1.0 / real(counts.len() as u64);
    let slices = OfSlices {
        count: counts.len(),
        occupied: counts.iter().filter(|count| **count > 0).count(),
        mean,
        max,
        max_over_mean: real(max) / mean,
        test: chi_square(counts.iter().map(|count| (*count, part)), total),
    };
    let endpoints = if scene.owners.is_empty() {
        None
    } else {
        Some(of_endpoints(scene, &counts, &throws(scene, clients, total, listed, seed)?, seed))
    };
    let endpoints = endpoints.map(|endpoints| OfEndpoints {
        predicted: Predicted { by: if listed { "even" } else { "rule" }, ..endpoints.predicted },
        ..endpoints
    });
    Ok(Spread { counts, total, slices, endpoints })
}

/// How the clients should fall on the endpoints.
fn throws(scene: &Scene, clients: &[Clients], total: u64, listed: bool, seed: u64) -> Result<Vec<Throw>, Failure> {
    if listed {
        let part = 1.0 / real(scene.slices() as u64);
        let chances = scene.by_endpoint(std::iter::repeat_n(part, scene.slices()));
        return Ok(vec![Throw { balls: total, chances }]);
    }
    let mut random = Random::new(seed, 2);
    let throw = |clients: &Clients| {
        let of_slices = law::law(scene, clients.prefix, &mut random)?;
        Ok(Throw { balls: clients.count, chances: scene.by_endpoint(of_slices) })
    };
    clients.iter().map(throw).collect()
}

fn of_endpoints(scene: &Scene, counts: &[u64], throws: &[Throw], seed: u64) -> OfEndpoints {
    let mut loads = vec![0u64; scene.endpoints.len()];
    for (owner, count) in scene.owners.iter().zip(counts) {
        loads[*owner as usize] += count;
    }
    let total: u64 = counts.iter().sum();
    let mut predicted = vec![(0.0, 0.0); loads.len()];
    for throw in throws {
        for ((mean, variance), (more, sigma)) in predicted.iter_mut().zip(throw.expected()) {
            *mean += more;
            *variance += sigma * sigma;
        }
    }
    let (load, sigma) = statistics::fullest(throws, &mut Random::new(seed, 3));
    let endpoint = |((owner, load), (mean, variance)): ((&super::scene::Owner, &u64), &(f64, f64))| {
        let share = real(*load) / real(total.max(1));
        Loaded {
            endpoint: owner.name.clone(),
            slices: owner.slices,
            load: *load,
            share,
            expected_share: owner.weight,
            over_expected: (owner.weight > 0.0).then(|| share / owner.weight),
            predicted: *mean,
            predicted_sigma: variance.sqrt(),
        }
    };
    let mut list: Vec<Loaded> = scene.endpoints.iter().zip(&loads).zip(&predicted).map(endpoint).collect();
    let test = chi_square(list.iter().map(|endpoint| (endpoint.load, endpoint.expected_share)), total);
    list.sort_by_key(|endpoint| std::cmp::Reverse(endpoint.load));
    OfEndpoints {
        count: list.len(),
        max_over_mean: list.iter().filter_map(|endpoint| endpoint.over_expected).fold(0.0, f64::max),
        test,
        busiest: Busiest { endpoint: list[0].endpoint.clone(), load: list[0].load },
        predicted: Predicted { load, sigma, by: "rule" },
        list,
    }
}
