//! The services that the frames are for, and the addresses that clients of them use.

use std::ops::ControlFlow;

use ssa_common::{
    rule::{Compiled, Key, Request, Rule, Secrets},
    verdict::Reason,
};

/// The client that most frames come from.
pub const CLIENT: u128 = 0x2001_0db8_000c_0001_0000_0000_0005_0006;

/// The name of the ring that rules with a `mac` use.
pub const RING: &str = "k1";

/// That ring. The newest key is 7.
pub const KEYS: [Key; 3] = [
    Key { number: 7, secret: *b"newest sixteen!!" },
    Key { number: 6, secret: *b"second sixteen!!" },
    Key { number: 4, secret: *b"oldest sixteen!!" },
];

/// A service as an operator would configure it. What is not here is as if nothing were said of it.
#[derive(Clone, Copy, Debug)]
pub struct Service {
    /// Its name.
    pub name: &'static str,
    /// Its one prefix.
    pub prefix: u128,
    /// The prefix's length.
    pub length: u8,
    /// The rule in force.
    pub rule: &'static str,
    /// The rule before, accepted until the year 2100.
    pub previous: Option<&'static str>,
    /// The protocols it takes, as a config writes them; empty: all.
    pub allow: &'static [&'static str],
    /// `on_mismatch = "lowprio"`, and not "drop".
    pub low_priority: bool,
    /// `enforce = "on"`, and not "off".
    pub enforce: bool,
    /// `deny_source_in_service`.
    pub deny_source_in_service: bool,
    /// A bit that only the rule's first check looks at, for a destination that is one bit off.
    pub off: u8,
    /// The reason that bit gives.
    pub mismatch: Reason,
}

const PLAIN: Service = Service {
    name: "strict",
    prefix: 0x2001_0db8_000a_0001 << 64,
    length: 64,
    rule: "hash(48):14 src(0):50",
    previous: None,
    allow: &[],
    low_priority: false,
    enforce: true,
    deny_source_in_service: false,
    off: 77,
    mismatch: Reason::FieldMismatch,
};

/// The services, by name: see each for what sets it apart.
pub fn services() -> Vec<Service> {
    let at = |prefix: u64| u128::from(prefix) << 64;
    vec![
        PLAIN,
        // Takes two protocols only.
        Service {
            name: "web",
            prefix: at(0x2001_0db8_000a_0002),
            rule: "src(0):64",
            allow: &["tcp/443", "icmpv6"],
            off: 127,
            ..PLAIN
        },
        // Lets in behind the others what does not conform.
        Service {
            name: "slow",
            prefix: at(0x2001_0db8_000a_0003),
            rule: "hash(48):32 any:32",
            low_priority: true,
            off: 64,
            ..PLAIN
        },
        // Counts what it would do.
        Service { name: "audit", prefix: at(0x2001_0db8_000a_0004), rule: "hash(48):64", enforce: false, ..PLAIN },
        // Shorter than a /64.
        Service {
            name: "wide",
            prefix: at(0x2001_0db8_000b_0000),
            length: 48,
            rule: "hash(48):16 src(0,rev):32 any:*",
            off: 48,
            ..PLAIN
        },
        // Hops with time.
        Service {
            name: "hopping",
            prefix: at(0x2001_0db8_000a_0006),
            rule: "replica(3):2 keyid:6 any:8 mac(48,key=k1,period=1h):48",
            off: 127,
            mismatch: Reason::MacMismatch,
            ..PLAIN
        },
        // Wants work done.
        Service { name: "proof", prefix: at(0x2001_0db8_000a_0007), rule: "hash(48):14 pow(64,zeros=8):50", ..PLAIN },
        // No client lives in a service.
        Service { name: "inner", prefix: at(0x2001_0db8_000a_0008), deny_source_in_service: true, ..PLAIN },
        // Between two rules.
        Service {
            name: "turned",
            prefix: at(0x2001_0db8_000a_0009),
            rule: "src(0):64",
            previous: Some("hash(48):64"),
            ..PLAIN
        },
        // Longer than a /64.
        Service {
            name: "narrow",
            prefix: 0x2001_0db8_000e_0001_0001 << 48,
            length: 80,
            rule: "hash(48):48",
            off: 100,
            ..PLAIN
        },
    ]
}

impl Service {
    /// The rule in force, ready for use.
    pub fn compile(&self) -> Compiled {
        self.compile_rule(self.rule)
    }

    /// The rule before, ready for use.
    pub fn compile_previous(&self) -> Option<Compiled> {
        self.previous.map(|rule| self.compile_rule(rule))
    }

    fn compile_rule(&self, rule: &str) -> Compiled {
        let rule: Rule = rule.parse().expect("the table holds rules that are right");
        let placed = rule.place(self.prefix, self.length).expect("the table holds rules that fit");
        placed.compile(&Secrets { salt: [0; 16], ring: &KEYS }, 5)
    }

    /// What a client at `source` computes at `time`.
    pub fn address(&self, source: u128, time: u64) -> u128 {
        address(&self.compile(), source, time)
    }

    /// The same, one bit off.
    pub fn wrong_address(&self, source: u128, time: u64) -> u128 {
        self.address(source, time) ^ 1 << (127 - self.off)
    }
}

/// The address of a compiled rule, its random bits the same each time.
pub(super) fn address(rule: &Compiled, source: u128, time: u64) -> u128 {
    let mut drawn = 0x0123_4567_89ab_cdef_u64;
    let mut random = || {
        drawn = drawn.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29).wrapping_add(1);
        drawn
    };
    let request = Request { source, object: Some(1), replica: 0, time };
    rule.destination(&request, &mut random, &mut |_| ControlFlow::Continue(())).expect("the ring has keys")
}
