//! Routes and rows wanted and had in; the steps from these to those out. Pure.

use ipnet::Ipv6Net;
use serde::Serialize;
use ssa_common::rows::LookupRow;

use super::{
    hand::{self, Handing},
    shown::Shown,
};
use crate::{
    config::Service,
    kernel::{
        lookup::Lookup,
        routes::{Local, OURS},
    },
};

/// What a step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// The lookup program is put where it should be.
    Lookup,
    /// Calls are handed to a socket.
    Hand,
    /// They are no longer.
    Unhand,
    /// A route is added.
    Route,
    /// A route is removed.
    Unroute,
}

impl Action {
    /// Its name, in text and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Lookup => "lookup",
            Self::Hand => "hand",
            Self::Unhand => "unhand",
            Self::Route => "route",
            Self::Unroute => "unroute",
        }
    }
}

/// A step.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// What it does.
    #[serde(rename = "step")]
    pub action: Action,
    /// To what.
    pub object: String,
    /// In words.
    pub detail: String,
}

impl Step {
    fn new(action: Action, object: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { action, object: object.into(), detail: detail.into() }
    }
}

/// What is to be done about routes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Routes {
    /// To be added.
    pub add: Vec<Ipv6Net>,
    /// To be removed.
    pub remove: Vec<Ipv6Net>,
    /// There already, and somebody else's.
    pub others: Vec<Local>,
}

impl Routes {
    /// The routes for services, all or the named ones. With all, ours that are in no service any more go.
    pub fn on(services: &[Service], named: &[&str], have: &[Local]) -> Self {
        let mut routes = Self::default();
        let wanted = services.iter().filter(|service| named.is_empty() || named.contains(&service.name.as_str()));
        for prefix in wanted.flat_map(|service| &service.prefixes) {
            let there: Vec<_> = have.iter().filter(|route| route.prefix == *prefix).collect();
            match there.iter().find(|route| route.protocol == OURS).or(there.first()) {
                None => routes.add.push(*prefix),
                Some(route) if route.protocol != OURS => routes.others.push(**route),
                Some(_) => {}
            }
        }
        if named.is_empty() {
            let prefixes: Vec<_> = services.iter().flat_map(|service| &service.prefixes).collect();
            routes.remove.extend(ours(have).filter(|ours| !prefixes.iter().any(|prefix| prefix.contains(ours))));
        }
        routes
    }

    /// All of ours removed.
    pub fn off(have: &[Local]) -> Self {
        Self { remove: ours(have).collect(), ..Self::default() }
    }

    /// The steps.
    pub fn steps(&self) -> impl Iterator<Item = Step> {
        let add = self.add.iter().map(|prefix| Step::new(Action::Route, prefix.to_string(), "local, on lo"));
        let remove = self.remove.iter();
        add.chain(remove.map(|prefix| Step::new(Action::Unroute, prefix.to_string(), "our local route")))
    }
}

fn ours(have: &[Local]) -> impl Iterator<Item = Ipv6Net> {
    have.iter().filter(|route| route.protocol == OURS).map(|route| route.prefix)
}

/// The steps to what hands calls to sockets: `found` has the cookies of the sockets that are wanted.
pub fn lookup(
    services: &[Service],
    want: &Handing,
    found: &[Option<u64>],
    have: Option<&Lookup>,
    is_left: bool,
) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut lookup = |detail: &str| steps.push(Step::new(Action::Lookup, crate::kernel::lookup::LOOKUP, detail));
    match have {
        _ if is_left => lookup("remove what a killed command has left"),
        None if !want.rows.is_empty() => lookup("load the program and attach it to this network namespace"),
        Some(have) if !have.attached => lookup("attach to this network namespace again"),
        Some(have) if !have.current => lookup("replace the program of another build"),
        _ => {}
    }
    let rows = have.map_or(&[][..], |have| &have.rows);
    let cookie = |cookies: &[Option<u64>], row: &LookupRow| cookies.get(row.socket as usize).copied().flatten();
    for row in &want.rows {
        let before = rows.iter().find(|other| hand::same(row, other));
        let now = cookie(found, row);
        match before.map(|before| have.and_then(|have| cookie(&have.sockets, before))) {
            None => steps.push(step(services, Action::Hand, row, "")),
            Some(before) if before != now => {
                let what = if now.is_some() { ", another socket" } else { ", no socket" };
                steps.push(step(services, Action::Hand, row, what));
            }
            Some(_) => {}
        }
    }
    steps.extend(unhand(services, rows.iter().filter(|row| !want.rows.iter().any(|other| hand::same(row, other)))));
    steps
}

/// The steps that take rows away.
pub fn unhand<'a>(services: &[Service], rows: impl IntoIterator<Item = &'a LookupRow>) -> Vec<Step> {
    rows.into_iter().map(|row| step(services, Action::Unhand, row, "")).collect()
}

fn step(services: &[Service], action: Action, row: &LookupRow, what: &str) -> Step {
    let shown = Shown::of(services, row);
    Step::new(action, shown.service.unwrap_or("-"), format!("{shown}{what}"))
}

/// The step that takes the program away.
pub fn without_lookup() -> Step {
    Step::new(Action::Lookup, crate::kernel::lookup::LOOKUP, "detach and remove the program")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Source, parse};

    fn services() -> Vec<Service> {
        let text = "version = 1\n[[service]]\nname = \"web\"\nprefixes = [\"2001:db8:a::/48\", \"2001:db8:b::/64\"]\n\
                    rule = \"any:*\"\n[[service]]\nname = \"dns\"\nprefixes = [\"2001:db8:c::/64\"]\nrule = \"any:*\"\n";
        parse(Source { path: "test.toml".into(), text: text.into() }).unwrap().config.services
    }

    fn local(prefix: &str, protocol: u8) -> Local {
        Local { prefix: prefix.parse().unwrap(), protocol }
    }

    fn said(routes: &Routes) -> Vec<String> {
        routes.steps().map(|step| format!("{} {}", step.action.name(), step.object)).collect()
    }

    #[test]
    fn ours_are_added_and_removed_and_others_left() {
        let have = [
            local("2001:db8:b::/64", 3),
            local("2001:db8:c::/64", OURS),
            local("2001:db8:d::/64", OURS),
            local("2001:db8:e::/64", 3),
            // A slice of ours.
            local("2001:db8:a:8000::/52", OURS),
        ];
        let all = Routes::on(&services(), &[], &have);
        assert_eq!(said(&all), ["route 2001:db8:a::/48", "unroute 2001:db8:d::/64"]);
        assert_eq!(all.others, [have[0]]);
        let named = Routes::on(&services(), &["web"], &have);
        assert_eq!(said(&named), ["route 2001:db8:a::/48"]);
        assert!(Routes::on(&services(), &["dns"], &have) == Routes::default());
        assert_eq!(Routes::off(&have).remove.len(), 3);
        // Somebody's beside ours, with another metric.
        let both = [local("2001:db8:c::/64", 3), have[1]];
        assert_eq!(Routes::on(&services(), &["dns"], &both), Routes::default());
    }

    #[test]
    fn rows_are_compared_with_their_sockets() {
        let hands = ["web=tcp/443@[::1]:1".parse().unwrap(), "dns=tcp/443@[::1]:2".parse().unwrap()];
        let want = Handing::of(&services(), &hands).unwrap();
        let have = |want: &Handing, sockets: &[Option<u64>]| Lookup {
            rows: want.rows.clone(),
            sockets: sockets.to_vec(),
            program: 1,
            link: 1,
            attached: true,
            current: true,
        };
        let names = |steps: Vec<Step>| steps.iter().map(|step| step.action.name()).collect::<Vec<_>>().join(" ");
        let both = [Some(1), Some(2)];
        assert_eq!(names(lookup(&services(), &want, &both, None, false)), "lookup hand hand hand");
        assert_eq!(names(lookup(&services(), &want, &both, Some(&have(&want, &both)), false)), "");
        assert_eq!(names(lookup(&services(), &want, &both, Some(&have(&want, &both)), true)), "lookup");
        assert_eq!(names(lookup(&services(), &want, &both, Some(&have(&want, &[Some(1), None])), false)), "hand");
        let none = [None, None];
        assert_eq!(names(lookup(&services(), &want, &none, Some(&have(&want, &none)), false)), "");
        let one = Handing::of(&services(), &hands[..1]).unwrap();
        assert_eq!(names(lookup(&services(), &one, &both, Some(&have(&want, &both)), false)), "unhand");
        let other = Lookup { attached: false, ..have(&want, &both) };
        assert_eq!(names(lookup(&services(), &want, &both, Some(&other), false)), "lookup");
        let other = Lookup { current: false, ..have(&want, &both) };
        assert_eq!(names(lookup(&services(), &want, &both, Some(&other), false)), "lookup");
    }
}
