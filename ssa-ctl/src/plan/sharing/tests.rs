//! Slices that lie anyhow in, and configs that say the same, more or other things; which of them move, out.

use std::fmt::Write as _;

use proptest::{collection::vec, prelude::*};
use ssa_common::rows::SliceWord;

use crate::{
    config::{Config, Source, parse},
    plan::{
        ranked::Ranked,
        slices::{Before, Slices, told, untold},
    },
};

const BITS: u8 = 5;
const COUNT: usize = 1 << BITS;
const ROOM: u32 = 1 << 10;
const HERTZ: u32 = 100;

/// An endpoint's weight, domain and draining.
type Member = (u32, Option<u8>, bool);

/// A config of these endpoints, for `web` with as many replicas as are wanted, and for `shop` with the first two alone.
fn config(members: &[Member], replicas: bool) -> Config {
    let mut text = String::from("version = 1\n");
    for (at, (weight, domain, drain)) in members.iter().enumerate() {
        write!(text, "[[endpoint]]\nname = \"e{at}\"\naddress = \"2001:db8:e::{at:x}\"\nweight = {weight}\n").unwrap();
        let domain = domain.map_or_else(String::new, |domain| format!("domain = \"{domain}\"\n"));
        writeln!(text, "{domain}drain = {drain}").unwrap();
    }
    let rule = if replicas { "replica(2):1 any:*" } else { "any:*" };
    for (name, net, more) in [("web", 1, ""), ("shop", 2, "endpoints = [\"e0\", \"e1\"]\n")] {
        write!(text, "[[service]]\nname = \"{name}\"\nprefixes = [\"2001:db8:{net}::/64\"]\n").unwrap();
        write!(text, "rule = \"{rule}\"\nslice_bits = {BITS}\n{more}").unwrap();
    }
    parse(Source { path: "/test.toml".into(), text }).unwrap().config
}

fn share(config: &Config, before: Option<(&Config, &Slices)>, rebalance: Option<&str>) -> Slices {
    let before = before.map(|(config, slices)| Before { config, slices, ticks: 1000, rebalance });
    Slices::share(config, ROOM, before, HERTZ).unwrap()
}

/// The name of each slice's owner.
fn owners(config: &Config, slices: &Slices, service: &str) -> Vec<String> {
    let ranked = Ranked::of(config);
    slices.of(service).unwrap().iter().map(|word| ranked.name(word.owner()).unwrap().to_owned()).collect()
}

/// Slices with owners that nobody would have worked out, some of them pinned.
fn anyhow(config: &Config, picks: &[(usize, bool)]) -> Slices {
    let mut slices = share(config, None, None);
    for service in &config.services {
        let takers: Vec<u32> = (0..)
            .zip(Ranked::of(config).endpoints())
            .filter(|(_, endpoint)| !endpoint.drain && config.endpoints_of(service).any(|(_, own)| own == **endpoint))
            .map(|(number, _)| number)
            .collect();
        let place = slices.places[&service.name].range();
        for (word, (pick, pinned)) in slices.words[place].iter_mut().zip(picks) {
            *word = SliceWord::of(takers[pick % takers.len()]).pin(*pinned);
        }
    }
    slices
}

/// Two who take slices, and any others.
fn members() -> impl Strategy<Value = Vec<Member>> {
    let member = (1u32..5, proptest::option::of(0u8..3), prop::bool::weighted(0.2));
    vec(member, 2..9).prop_map(|mut members| {
        members[..2].iter_mut().for_each(|member| member.2 = false);
        members
    })
}

fn picks() -> impl Strategy<Value = Vec<(usize, bool)>> {
    vec((0..1000usize, prop::bool::weighted(0.1)), COUNT)
}

proptest! {
    #[test]
    fn nothing_moves_without_a_reason(members in members(), replicas: bool, picks in picks()) {
        let config = config(&members, replicas);
        let slices = anyhow(&config, &picks);
        let in_force = told(&config, &slices);
        // What is exported, whoever applies it.
        prop_assert_eq!(&share(&in_force, Some((&in_force, &slices)), None), &slices);
        prop_assert_eq!(&share(&in_force, None, None), &slices);
        // The file itself, which says nothing of pins.
        let again = share(&config, Some((&in_force, &slices)), None);
        for service in ["web", "shop"] {
            prop_assert_eq!(owners(&config, &again, service), owners(&config, &slices, service));
        }
        prop_assert!(again.words.iter().all(|word| !word.is_pinned()));
    }

    #[test]
    fn what_is_no_concern_of_a_service_moves_nothing_of_it(members in members(), picks in picks()) {
        let before = config(&members, false);
        let slices = anyhow(&before, &picks);
        let in_force = told(&before, &slices);
        let mut more = members.clone();
        more.push((1, None, false));
        let after = config(&more, false);
        let now = share(&after, Some((&in_force, &slices)), None);
        prop_assert_eq!(owners(&after, &now, "shop"), owners(&before, &slices, "shop"));
        let new = format!("e{}", members.len());
        prop_assert!(owners(&after, &now, "web").contains(&new), "who is new gets its share");
    }

    #[test]
    fn a_pin_in_the_config_moves_its_slice_alone(members in members(), picks in picks(), slice in 0..COUNT) {
        let config = config(&members, false);
        let slices = anyhow(&config, &picks);
        let in_force = told(&config, &slices);
        let mut wanted = untold(&config);
        wanted.services[0].pinned.push(format!("{slice} e1").parse().unwrap());
        let now = owners(&config, &share(&wanted, Some((&in_force, &slices)), None), "web");
        for (at, (now, before)) in now.iter().zip(owners(&config, &slices, "web")).enumerate() {
            prop_assert_eq!(now, if at == slice { "e1" } else { &*before }, "slice {}", at);
        }
    }

    #[test]
    fn who_is_listed_owns_its_slices_and_the_rest_is_shared_out(
        members in members(), picks in picks(), kept in vec(any::<bool>(), COUNT),
    ) {
        let config = config(&members, false);
        let all = owners(&config, &anyhow(&config, &picks), "web");
        let mut wanted = config.clone();
        let listed = (0..COUNT).filter(|at| kept[*at]);
        wanted.services[0].owners = listed.map(|at| format!("{at} {}", all[at]).parse().unwrap()).collect();
        let slices = share(&wanted, None, None);
        let first = owners(&config, &slices, "web");
        for at in (0..COUNT).filter(|at| kept[*at]) {
            prop_assert_eq!(&first[at], &all[at], "slice {}", at);
        }
        let in_force = told(&wanted, &slices);
        prop_assert_eq!(share(&wanted, Some((&in_force, &slices)), None), slices, "and so the next time");
    }

    #[test]
    fn who_is_asked_shares_out_anew(picks in picks()) {
        let config = config(&[(1, None, false); 3], false);
        let slices = anyhow(&config, &picks);
        let now = share(&config, Some((&config, &slices)), Some("web"));
        for name in ["e0", "e1", "e2"] {
            let count = owners(&config, &now, "web").iter().filter(|owner| *owner == name).count();
            prop_assert!((10..=11).contains(&count), "{} has {} of 32", name, count);
        }
        prop_assert_eq!(owners(&config, &now, "shop"), owners(&config, &slices, "shop"));
    }
}

#[test]
fn slices_that_are_cut_anew_lie_where_none_were_if_there_is_room() {
    let before = config(&[(1, None, false), (1, None, false)], false);
    let slices = share(&before, None, None);
    let mut after = before.clone();
    after.services[0].slice_bits = BITS + 1;
    let places = |room: u32| {
        let before = Before { config: &before, slices: &slices, ticks: 0, rebalance: None };
        let places = Slices::share(&after, room, Some(before), HERTZ).unwrap().places;
        assert_eq!(places["shop"], slices.places["shop"], "as many as before stay where they were");
        places["web"].range()
    };
    assert_eq!(slices.places["web"].range(), 0..32);
    assert_eq!(places(ROOM), 64..128);
    let mut small = slices.clone();
    small.places.get_mut("shop").unwrap().first = 96;
    let before = Before { config: &before, slices: &small, ticks: 0, rebalance: None };
    assert_eq!(Slices::share(&after, 128, Some(before), HERTZ).unwrap().places["web"].range(), 0..64, "no other room");
}

#[test]
fn a_slice_that_is_let_go_leaves_who_is_draining_and_others_stay() {
    let config = config(&[(1, None, false), (1, None, false), (1, None, true)], false);
    let mut slices = anyhow(&config, &[(0, false); COUNT]);
    let first = slices.places["web"].first as usize;
    slices.words[first + 7] = SliceWord::of(2).pin(true);
    let in_force = told(&config, &slices);
    let now = share(&config, Some((&in_force, &slices)), None);
    let mut wanted = vec!["e0"; COUNT];
    wanted[7] = "e1";
    assert_eq!(owners(&config, &now, "web"), wanted, "to who has the fewest");
    let word = now.of("web").unwrap()[7];
    assert_eq!((word.previous(), word.is_pinned()), (3, false));
    assert!((31_000..31_000 + 64).contains(&word.deadline()), "300 s from tick 1000 on: {}", word.deadline());
}
