//! Random configs in; the same configs out, after they were written and read.

use std::{net::Ipv6Addr, path::PathBuf};

use ipnet::Ipv6Net;
use proptest::{
    collection::vec,
    option,
    prelude::*,
    sample::{select, subsequence},
};
use ssa_ctl::config::{
    Allow, Class, Config, DEFAULT_HANDOVER, Endpoint, Enforce, Established, Fair, Host, KeyRef, LowPriority, Mac, Mode,
    OnMismatch, Previous, Queues, Run, Service, Source, StaleClock, Steer, parse, to_toml,
};

const RULES: &[&str] = &[
    "any:*",
    "src(0):32 any:*",
    "hash(48):12 any:*",
    "hash(64):8 const(0xab):8 any:*",
    "any:16 mac(48,key=k1,period=30s):32 any:*",
    "keyid:8 mac(128,key=a_b-c):40 any:*",
    "object(64,rev,inv):16 replica(3):2 any:*",
    "hash(48):4 pow(64,zeros=18,period=10m):40 any:*",
];

fn key(name: &'static str) -> impl Strategy<Value = KeyRef> {
    (any::<u32>(), "/[ -~äß]{0,20}").prop_map(move |(number, file)| KeyRef {
        name: name.into(),
        number,
        file: std::path::absolute(PathBuf::from(file)).unwrap(),
    })
}

prop_compose! {
    fn endpoint()(
        name in "[A-Za-z0-9][A-Za-z0-9._-]{0,59}",
        weight in 1u32..=65535,
        domain in option::of("[ -~äß]{1,63}"),
        mac: Option<[u8; 6]>,
        drain: bool,
    ) -> Endpoint {
        let mac = mac.map(|[first, rest @ ..]| [first & 0xfe | 2, rest[0], rest[1], rest[2], rest[3], rest[4]]);
        Endpoint { name, address: Ipv6Addr::UNSPECIFIED, weight, domain, mac: mac.map(Mac), drain }
    }
}

/// What a service says of its slices; endpoints are numbers, of which the config takes its own.
#[derive(Clone, Debug)]
struct Slices {
    listed: Option<Vec<bool>>,
    steer: Steer,
    pinned: Vec<(u32, usize)>,
    owners: Vec<(u32, usize)>,
    handover: u32,
    counters: bool,
}

prop_compose! {
    fn slices()(
        listed in option::of(vec(any::<bool>(), 6)),
        steer in select(&[Steer::Route, Steer::L2, Steer::Ip6ip6]),
        pinned in vec((1u32..100, 0usize..100), 0..5),
        owners in vec((1u32..100, 0usize..100), 0..5),
        handover in 0u32..=35_040 * 3600,
        counters: bool,
    ) -> Slices {
        Slices { listed, steer, pinned, owners, handover, counters }
    }
}

impl Slices {
    /// Puts what is said of slices into a service that has some.
    fn fill(&self, service: &mut Service, endpoints: &[Endpoint]) {
        if service.slice_bits == 0 {
            return;
        }
        // The first one never drains.
        let is_listed = |index: usize| index == 0 || self.listed.as_ref().is_none_or(|listed| listed[index]);
        let names = endpoints.iter().enumerate().filter(|(index, _)| is_listed(*index));
        let names: Vec<String> = names.map(|(_, endpoint)| endpoint.name.clone()).collect();
        service.handover = self.handover;
        service.slice_counters = self.counters;
        if names.is_empty() {
            return;
        }
        let slices = 1u32 << service.slice_bits;
        let runs = |lengths: &[(u32, usize)]| {
            let mut first = 0;
            let mut run = |&(length, endpoint): &(u32, usize)| {
                let endpoint = names[endpoint % names.len()].clone();
                let run = Run { first, last: first + length - 1, endpoint };
                first += length + 1;
                (run.last < slices).then_some(run)
            };
            lengths.iter().map_while(&mut run).collect()
        };
        service.pinned = runs(&self.pinned);
        service.owners = runs(&self.owners);
        service.steer = self.steer;
        service.endpoints = self.listed.as_ref().map(|_| names.clone());
    }
}

fn fair() -> impl Strategy<Value = Fair> {
    (select(&[48, 56, 64]), 1u8..=99, 1..=10_000_000_u32).prop_map(|(prefix, percent, above)| Fair {
        prefix,
        share: format!("{percent}%").parse().unwrap(),
        above,
    })
}

prop_compose! {
    fn queues()(
        cpu in option::of(any::<u32>()),
        queue in 64u32..=16_384,
        mark: u32,
        priority in option::of((1u16.., 1u16..)),
    ) -> Queues {
        Queues { cpu, queue, mark, priority: priority.map(|(major, minor)| Class { major, minor }) }
    }
}

/// The service with what its host has for suspects: it may have no CPU, and in generic mode no marks.
fn possible(mut service: Service, cpu: bool, marks: bool) -> Service {
    let is_possible = |way: &LowPriority| match way {
        LowPriority::Dscp => true,
        LowPriority::Cpu => cpu,
        LowPriority::Mark => marks,
    };
    service.low_priority.retain(is_possible);
    if service.low_priority.is_empty() && service.low_priority_rate.is_none() {
        service.low_priority.push(LowPriority::Dscp);
    }
    service
}

prop_compose! {
    fn service()(
        name in "[A-Za-z0-9][A-Za-z0-9._-]{0,62}",
        length in 49u8..=64,
        rule in select(RULES),
        slice_bits in 0u8..=20,
        enforce in 0u8..=100,
        flags: (bool, bool, bool),
        allow in option::of(vec((0u8..=255, option::of(1u16..)), 1..16)),
        salt: Option<[u8; 16]>,
        skew in 0u32..=3600,
        max_age in option::of(1u32..),
        stale_clock in select(&[StaleClock::Last, StaleClock::Open, StaleClock::Closed]),
        previous in option::of((select(RULES), 0..=i64::MAX.unsigned_abs())),
        keys in (key("k1"), key("a_b-c"), key("unused")),
        suspects in (
            subsequence(vec![LowPriority::Dscp, LowPriority::Cpu, LowPriority::Mark], 0..=3),
            option::of(1u32..=10_000_000),
        ),
        slices in slices(),
        established in option::of(select(&[Established::Socket, Established::Flows])),
        fair in option::of(fair()),
    ) -> (u8, Slices, Service) {
        let mut allowed: Vec<Allow> = Vec::new();
        for (protocol, port) in allow.iter().flatten() {
            let port = port.filter(|_| matches!(protocol, 6 | 17 | 132));
            let entry = Allow { protocol: *protocol, port };
            if !allowed.contains(&entry) {
                allowed.push(entry);
            }
        }
        let service = Service {
            name,
            prefixes: vec![],
            rule: rule.parse().unwrap(),
            slice_bits,
            endpoints: None,
            steer: Steer::default(),
            pinned: vec![],
            owners: vec![],
            handover: DEFAULT_HANDOVER,
            slice_counters: false,
            enforce: format!("{enforce}%").parse::<Enforce>().unwrap(),
            on_mismatch: if flags.0 { OnMismatch::Drop } else { OnMismatch::LowPriority },
            established,
            fair,
            low_priority: suspects.0,
            low_priority_rate: suspects.1,
            allow: allow.map(|_| allowed),
            salt,
            skew,
            allow_weak: flags.1,
            deny_source_in_service: flags.2,
            max_age,
            stale_clock,
            previous: previous.map(|(rule, until)| Previous { rule: rule.parse().unwrap(), until }),
            keys: vec![keys.0, keys.1, keys.2],
        };
        (length, slices, service)
    }
}

prop_compose! {
    fn config()(
        interfaces in proptest::collection::btree_set("[a-z][a-z0-9.@_-]{0,14}", 0..4),
        generic: bool,
        endpoints in vec(endpoint(), 0..6),
        named: bool,
        flows in 1024..=4_194_304_u32,
        events in 0u32..=10_000,
        queues in option::of(queues()),
        services in vec(service(), 1..5),
    ) -> Config {
        let mut endpoints: Vec<Endpoint> = endpoints;
        for (index, endpoint) in endpoints.iter_mut().enumerate() {
            endpoint.name = format!("{index}-{}", endpoint.name);
            endpoint.address = ((0x2001_0db9 << 96) | index as u128).into();
            endpoint.drain &= index != 0;
        }
        let place = |(index, (length, slices, mut service)): (usize, (u8, Slices, Service))| {
            slices.fill(&mut service, &endpoints);
            service.name.truncate(60);
            service.name = format!("{index}-{}", service.name);
            let prefix = |n: u128| Ipv6Net::new((0x2001_0db8 << 96 | ((index as u128) << 8 | n) << 80).into(), length);
            service.prefixes = (0..3).map(|n| prefix(n).unwrap()).collect();
            service
        };
        let has_cpu = !generic && queues.as_ref().is_some_and(|queues| queues.cpu.is_some());
        Config {
            host: Host {
                interfaces: interfaces.into_iter().collect(),
                mode: if generic { Mode::Generic } else { Mode::Native },
                endpoint: endpoints.last().filter(|_| named).map(|endpoint| endpoint.name.clone()),
                flows,
                events,
                low_priority: queues.clone(),
            },
            services: services.into_iter().enumerate().map(place).map(|service| possible(service, has_cpu, !generic)).collect(),
            endpoints,
        }
    }
}

proptest! {
    #[test]
    fn a_config_that_is_written_reads_as_itself(config in config()) {
        let text = to_toml(&config);
        let source = Source { path: "/etc/ssa/ssa.toml".into(), text: text.clone() };
        match parse(source) {
            Ok(checked) => prop_assert_eq!(checked.config, config),
            Err(faults) => prop_assert!(false, "{}\n{}", text, faults.render(false)),
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in "\\PC*") {
        let _ = parse(Source { path: "/x".into(), text });
    }

    #[test]
    fn no_cut_and_no_change_of_a_config_makes_the_reader_panic(
        config in config(),
        cut in any::<proptest::sample::Index>(),
        with in "[\\[\\]{}=\".,#'\n a-z0-9:/-]{0,3}",
    ) {
        let text = to_toml(&config);
        let at = text.floor_char_boundary(cut.index(text.len()));
        let _ = parse(Source { path: "/x".into(), text: text[..at].to_owned() });
        let changed = format!("{}{with}{}", &text[..at], &text[at..]);
        if let Err(faults) = parse(Source { path: "/x".into(), text: changed }) {
            prop_assert!(!faults.items().is_empty());
            faults.render(false);
        }
    }
}
