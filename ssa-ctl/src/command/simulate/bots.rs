//! A service, its good clients and a number of bots in; what the bots do to the endpoints out: as the rule forces them,
//! as far as it lets them gather, and where nothing forces them.

use serde::Serialize;
use ssa_common::rule::AddressError;

use super::{
    law,
    random::Random,
    reach,
    scene::Scene,
    sources::global_unicast,
    spread::OfEndpoints,
    statistics::{Throw, draw, mean_and_sigma, occupied, real},
};

/// How many times the mean attack an endpoint has, for which the clients who share it are counted.
const TIMES: [f64; 5] = [1.1, 1.25, 1.5, 2.0, 4.0];

/// Bots, as they were asked for.
#[derive(Clone, Copy, Debug)]
pub struct Botnet {
    /// How many.
    pub count: u64,
    /// What each sends, against a good client.
    pub rate: f64,
    /// The length of the prefix that each holds, somewhere among global unicast.
    pub prefix_length: u8,
}

/// What they do. Loads are in what a good client sends.
#[derive(Debug, Serialize)]
pub struct Bots {
    /// How many.
    pub count: u64,
    /// What each sends, against a good client.
    pub rate: f64,
    /// The length of the prefix that each holds.
    pub prefix_length: u8,
    /// The attack on an endpoint, on average.
    pub mean: f64,
    /// As the rule forces them, each with one address of its own.
    pub forced: Case,
    /// Each uses what choice its prefix gives it to reach one endpoint.
    pub gathered: Case,
    /// Nothing forces them, and all go to one endpoint.
    pub naive: Case,
    /// The good clients, as the rule forces the bots.
    pub clients_over: Vec<Over>,
    /// Each endpoint in the order of the config, as the rule forces them.
    pub list: Vec<Attacked>,
}

/// The endpoint with the heaviest attack, and the good clients.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Case {
    /// The attack on it.
    pub load: f64,
    /// Standard deviation of that.
    pub sigma: f64,
    /// Against the mean.
    pub over_mean: f64,
    /// The part of the good clients that use this endpoint.
    pub clients: f64,
    /// The part of good traffic in all that arrives there.
    pub good_there: f64,
    /// The same for a good client on average, wherever it is.
    pub good: f64,
}

/// Good clients on endpoints with a heavy attack.
#[derive(Debug, Serialize)]
pub struct Over {
    /// More than so many times the mean.
    pub times: f64,
    /// The part of the good clients.
    pub clients: f64,
}

/// The attack on an endpoint.
#[derive(Debug, Serialize)]
pub struct Attacked {
    /// Its name.
    pub endpoint: String,
    /// On average.
    pub load: f64,
    /// Standard deviation.
    pub sigma: f64,
}

/// What the bots do. `spread` has the good clients.
pub fn bots(scene: &Scene, spread: &OfEndpoints, botnet: Botnet, seed: u64) -> Result<Bots, AddressError> {
    let mut random = Random::new(seed, 4);
    let of_slices = law::law(scene, global_unicast(), &mut random)?;
    let throw = Throw { balls: botnet.count, chances: scene.by_endpoint(of_slices) };
    let clients = clients(scene, spread);
    let mean = real(botnet.count) * botnet.rate / real(clients.len() as u64);
    let field = Field { clients: &clients, all: clients.iter().sum::<f64>().max(1.0), mean };
    let (forced, clients_over) = field.forced(&throw, botnet.rate, &mut random);
    let (choice, free) = reach::choice(scene, botnet.prefix_length);
    let reached: Vec<f64> =
        throw.chances.iter().map(|chance| if free { 1.0 } else { reached(*chance, choice) }).collect();
    let gathered = if choice == 0 && !free { forced } else { field.gathered(&throw, botnet.rate, &reached) };
    let everywhere = vec![1.0; clients.len()];
    let attacked = |((load, sigma), owner): ((f64, f64), &super::scene::Owner)| Attacked {
        endpoint: owner.name.clone(),
        load: load * botnet.rate,
        sigma: sigma * botnet.rate,
    };
    Ok(Bots {
        count: botnet.count,
        rate: botnet.rate,
        prefix_length: botnet.prefix_length,
        mean,
        forced,
        gathered,
        naive: field.gathered(&throw, botnet.rate, &everywhere),
        clients_over,
        list: throw.expected().zip(&scene.endpoints).map(attacked).collect(),
    })
}

/// How likely one of 2 to the power of `choice` addresses is on an endpoint that has this part of them.
fn reached(chance: f64, choice: i32) -> f64 {
    if chance > 0.0 { occupied(1.0 / chance, 2f64.powi(choice)) } else { 0.0 }
}

/// Good clients of each endpoint, in the order of the config.
fn clients(scene: &Scene, spread: &OfEndpoints) -> Vec<f64> {
    let of = |name: &str| spread.list.iter().find(|endpoint| endpoint.endpoint == name);
    scene.endpoints.iter().map(|owner| of(&owner.name).map_or(0.0, |endpoint| real(endpoint.load))).collect()
}

/// The good clients of each endpoint, and what the bots attack it with on average.
struct Field<'a> {
    clients: &'a [f64],
    all: f64,
    mean: f64,
}

impl Field<'_> {
    /// Mean figures of many draws.
    fn forced(&self, throw: &Throw, rate: f64, random: &mut Random) -> (Case, Vec<Over>) {
        let (mut loads, mut cases, mut over) = (Vec::new(), Vec::new(), [0.0; TIMES.len()]);
        draw(std::slice::from_ref(throw), random, |counts| {
            let attack: Vec<f64> = counts.iter().map(|count| real(*count) * rate).collect();
            let most = (0..attack.len()).max_by(|one, other| attack[*one].total_cmp(&attack[*other])).unwrap_or(0);
            let case = self.case(&attack, most, 0.0);
            for (sum, times) in over.iter_mut().zip(TIMES) {
                let heavy = attack.iter().zip(self.clients).filter(|(attack, _)| **attack > times * self.mean);
                *sum += heavy.map(|(_, clients)| clients).sum::<f64>() / self.all;
            }
            loads.push(case.load);
            cases.push(case);
        });
        let draws = real(cases.len() as u64);
        let mean = |of: fn(&Case) -> f64| cases.iter().map(of).sum::<f64>() / draws;
        let (load, sigma) = mean_and_sigma(&loads);
        let case = Case {
            load,
            sigma,
            over_mean: load / self.mean,
            clients: mean(|case| case.clients),
            good_there: mean(|case| case.good_there),
            good: mean(|case| case.good),
        };
        (case, TIMES.into_iter().zip(over).map(|(times, sum)| Over { times, clients: sum / draws }).collect())
    }

    /// Every bot that can reaches one endpoint, the one that most can reach, and then the one with the most clients. The
    /// others go where their address falls.
    fn gathered(&self, throw: &Throw, rate: f64, reached: &[f64]) -> Case {
        let key = |place: &usize| (reached[*place], self.clients[*place]);
        let target = (0..reached.len())
            .max_by(|one, other| key(one).partial_cmp(&key(other)).unwrap_or(std::cmp::Ordering::Equal))
            .unwrap_or(0);
        let (bots, part) = (real(throw.balls), reached[target]);
        let elsewhere = (1.0 - throw.chances[target]).max(f64::MIN_POSITIVE);
        let mut attack: Vec<f64> =
            throw.chances.iter().map(|chance| bots * (1.0 - part) * chance / elsewhere * rate).collect();
        attack[target] = bots * part * rate;
        self.case(&attack, target, rate * (bots * part * (1.0 - part)).max(0.0).sqrt())
    }

    fn case(&self, attack: &[f64], most: usize, sigma: f64) -> Case {
        let good = |clients: f64, attack: f64| if clients > 0.0 { clients / (clients + attack) } else { 0.0 };
        let weighted = attack.iter().zip(self.clients).map(|(attack, clients)| clients * good(*clients, *attack));
        Case {
            load: attack[most],
            sigma,
            over_mean: attack[most] / self.mean,
            clients: self.clients[most] / self.all,
            good_there: good(self.clients[most], attack[most]),
            good: weighted.sum::<f64>() / self.all,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forced_bots_spread_and_others_gather() {
        let field = Field { clients: &[1000.0; 10], all: 10_000.0, mean: 1000.0 };
        let throw = Throw { balls: 10_000, chances: vec![0.1; 10] };
        let (forced, over) = field.forced(&throw, 1.0, &mut Random::new(1, 0));
        // The largest of ten is 1.539 standard deviations of 30 above the mean.
        assert!((forced.load - 1046.2).abs() < 6.0 && forced.sigma > 10.0 && forced.sigma < 25.0, "{forced:?}");
        assert!((forced.good - 0.5).abs() < 0.001 && (forced.clients - 0.1).abs() < 1e-9, "{forced:?}");
        assert!(over[0].clients < 0.01 && over[4].clients == 0.0, "{over:?}");

        let naive = field.gathered(&throw, 2.0, &[1.0; 10]);
        assert_eq!((naive.load, naive.sigma, naive.clients), (20_000.0, 0.0, 0.1));
        assert!((naive.good_there - 1.0 / 21.0).abs() < 1e-9 && (naive.good - (0.9 + 0.1 / 21.0)).abs() < 1e-9);
        let half = field.gathered(&throw, 1.0, &[0.5; 10]);
        assert!((half.load - 5000.0).abs() < 1e-9 && (half.sigma - 50.0).abs() < 1e-9, "{half:?}");
    }

    #[test]
    fn more_addresses_reach_more() {
        assert!((reached(0.1, 0) - 0.1).abs() < 1e-12 && (reached(0.5, 1) - 0.75).abs() < 1e-12);
        assert!(reached(0.001, 16) > 0.999_999 && reached(0.0, 16) == 0.0);
    }
}
