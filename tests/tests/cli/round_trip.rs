//! Random configs in; the same configs out, after they were written and read.

use std::path::PathBuf;

use ipnet::Ipv6Net;
use proptest::{collection::vec, option, prelude::*, sample::select};
use ssa_ctl::config::{
    Allow, Config, Enforce, Host, KeyRef, Mode, OnMismatch, Previous, Service, Source, StaleClock, parse, to_toml,
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
    ) -> (u8, Service) {
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
            enforce: format!("{enforce}%").parse::<Enforce>().unwrap(),
            on_mismatch: if flags.0 { OnMismatch::Drop } else { OnMismatch::LowPriority },
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
        (length, service)
    }
}

prop_compose! {
    fn config()(
        interfaces in proptest::collection::btree_set("[a-z][a-z0-9.@_-]{0,14}", 0..4),
        generic: bool,
        services in vec(service(), 1..5),
    ) -> Config {
        let place = |(index, (length, mut service)): (usize, (u8, Service))| {
            service.name.truncate(60);
            service.name = format!("{index}-{}", service.name);
            let prefix = |n: u128| Ipv6Net::new((0x2001_0db8 << 96 | ((index as u128) << 8 | n) << 80).into(), length);
            service.prefixes = (0..3).map(|n| prefix(n).unwrap()).collect();
            service
        };
        Config {
            host: Host {
                interfaces: interfaces.into_iter().collect(),
                mode: if generic { Mode::Generic } else { Mode::Native },
            },
            services: services.into_iter().enumerate().map(place).collect(),
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
