//! A config as the commands see it: every value checked and every default filled in.
//!
//! Length: the whole of a config is seen in one file.

use std::{net::Ipv6Addr, path::PathBuf};

use ipnet::Ipv6Net;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use ssa_common::rule::Rule;

use super::{
    fair::Fair,
    host::Host,
    low_priority::{LowPriority, is_usual, usual},
    run::Run,
    unsaid::{
        as_duration, as_hexadecimal, as_seconds, as_text, default_handover, default_skew, is_default,
        is_default_handover, is_one, one,
    },
    words::{Allow, Enforce, Mac},
};

/// Seconds for which the previous owner of a slice keeps its connections, if the service does not say.
pub const DEFAULT_HANDOVER: u32 = 300;
/// Seconds by which neighbouring epochs are accepted, if the service does not say (DESIGN §3).
pub const DEFAULT_SKEW: u32 = 5;

/// What a host filters, and how.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
#[serde(rename = "config")]
pub struct Config {
    /// The host.
    #[serde(default)]
    pub host: Host,
    /// The endpoints that slices belong to.
    #[serde(rename = "endpoint", default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 4095))]
    pub endpoints: Vec<Endpoint>,
    /// The services, at least one.
    #[serde(rename = "service")]
    #[schemars(length(min = 1, max = 4095))]
    pub services: Vec<Service>,
}

/// A host, VM or pod that slices belong to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Endpoint {
    /// Its name: 1 to 63 letters, digits, dots, underscores and hyphens, the first a letter or a digit.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"))]
    pub name: String,
    /// Its own address, outside all services: steered frames travel to it.
    pub address: Ipv6Addr,
    /// Its share of the slices, against the weights of the others.
    #[serde(default = "one", skip_serializing_if = "is_one")]
    #[schemars(range(min = 1, max = 65535))]
    pub weight: u32,
    /// Its failure domain: replicas of one address lie in different ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String", length(min = 1, max = 63))]
    pub domain: Option<String>,
    /// Its hardware address, where neighbour discovery shall not be asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Mac")]
    pub mac: Option<Mac>,
    /// It gives its slices away and gets no others.
    #[serde(default, skip_serializing_if = "is_default")]
    pub drain: bool,
}

/// How a frame goes to another endpoint.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Steer {
    /// By the kernel's routes.
    #[default]
    Route,
    /// As it is, to the endpoint's hardware address.
    L2,
    /// In an IPv6 packet of its own to the endpoint (RFC 2473).
    Ip6ip6,
}

/// Prefixes with a rule.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Service {
    /// Its name: 1 to 63 letters, digits, dots, underscores and hyphens, the first a letter or a digit.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$"))]
    pub name: String,
    /// Its IPv6 prefixes, /16 to /120, host bits zero; no prefix of the config holds another.
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub prefixes: Vec<Ipv6Net>,
    /// What the bits after a prefix must be (rule format, version 1).
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub rule: Rule,
    /// The bits after a prefix that number its slices.
    #[serde(default, skip_serializing_if = "is_default")]
    #[schemars(range(max = 20))]
    pub slice_bits: u8,
    /// The names of the endpoints that its slices belong to. Absent: all of the config.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<String>", length(min = 1))]
    pub endpoints: Option<Vec<String>>,
    /// How a frame goes to the endpoint of its slice.
    #[serde(default, skip_serializing_if = "is_default")]
    pub steer: Steer,
    /// Slices that stay with an endpoint whatever the balance: `7 a` or `0-15 a`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub pinned: Vec<Run>,
    /// The owners that an assignment begins with: it moves as few slices as it can. Absent: those in force.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub owners: Vec<Run>,
    /// How long the previous owner of a slice that moves keeps its TCP connections, such as `5m`.
    #[serde(default = "default_handover", serialize_with = "as_seconds", skip_serializing_if = "is_default_handover")]
    #[schemars(with = "String", regex(pattern = r"^[0-9]+[smh]$"))]
    pub handover: u32,
    /// Count the frames of each slice.
    #[serde(default, skip_serializing_if = "is_default")]
    pub slice_counters: bool,
    /// Whether, or for which share of the sources, verdicts are enforced.
    #[serde(default)]
    pub enforce: Enforce,
    /// What happens to a packet that does not follow the rule.
    #[serde(default)]
    pub on_mismatch: OnMismatch,
    /// What is known, and let in although it does not follow the rule. Absent: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Established")]
    pub established: Option<Established>,
    /// The share of its frames that a source prefix may have before it is suspect. Absent: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Fair")]
    pub fair: Option<Fair>,
    /// What becomes of suspects. Empty: no more than their rate says.
    #[serde(default = "usual", skip_serializing_if = "is_usual")]
    #[schemars(extend("uniqueItems" = true))]
    pub low_priority: Vec<LowPriority>,
    /// Suspects in a second on each CPU; more are dropped. Absent: none are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32", range(min = 1, max = 10_000_000))]
    pub low_priority_rate: Option<u32>,
    /// The protocols that the service takes. Absent: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Vec<Allow>", length(min = 1, max = 16))]
    pub allow: Option<Vec<Allow>>,
    /// The public salt of `hash` and `pow` fields, 32 hexadecimal digits. Absent: zero.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "as_hexadecimal")]
    #[schemars(with = "String", regex(pattern = r"^[0-9A-Fa-f]{32}$"))]
    pub salt: Option<[u8; 16]>,
    /// Seconds by which the epochs before and after the current one are accepted.
    #[serde(default = "default_skew")]
    #[schemars(range(max = 3600))]
    pub skew: u32,
    /// Take a `mac` below 24 bits.
    #[serde(default, skip_serializing_if = "is_default")]
    pub allow_weak: bool,
    /// Drop packets whose source address lies in a service prefix.
    #[serde(default, skip_serializing_if = "is_default")]
    pub deny_source_in_service: bool,
    /// Age at which a clock that nobody refreshed is stale, such as `24h`. Absent: never.
    #[serde(default, skip_serializing_if = "Option::is_none", serialize_with = "as_duration")]
    #[schemars(with = "String", regex(pattern = r"^[0-9]+[smh]$"))]
    pub max_age: Option<u32>,
    /// What a stale clock does to fields with a period.
    #[serde(default, skip_serializing_if = "is_default")]
    pub stale_clock: StaleClock,
    /// The rule before this one, still accepted for a while.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Previous")]
    pub previous: Option<Previous>,
    /// The key rings of the rules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<KeyRef>,
}

/// What happens to a packet that does not follow the rule.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub enum OnMismatch {
    /// It is dropped.
    #[default]
    #[serde(rename = "drop")]
    Drop,
    /// It goes on behind the others.
    #[serde(rename = "lowprio")]
    LowPriority,
}

/// How it is known that a frame goes on with something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Established {
    /// By a connected socket of this host.
    Socket,
    /// By frames of the same flow that followed the rule.
    Flows,
}

/// What a stale clock does to fields with a period.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StaleClock {
    /// They are judged by the last time known.
    #[default]
    Last,
    /// They are taken unseen.
    Open,
    /// They are refused.
    Closed,
}

/// A rule that is accepted besides the current one.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Previous {
    /// The rule.
    #[serde(serialize_with = "as_text")]
    #[schemars(with = "String")]
    pub rule: Rule,
    /// Unix seconds up to which it is accepted. A config may write a date and time instead.
    #[schemars(schema_with = "moment")]
    pub until: u64,
}

/// A key of a ring: where its secret is, never the secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct KeyRef {
    /// The ring's name, as in `mac(64,key=NAME)`.
    #[schemars(regex(pattern = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$"))]
    pub name: String,
    /// The key's number in the ring. The newest key has the highest.
    pub number: u32,
    /// A file of mode 0600 with 32 hexadecimal digits. Relative: to the config's folder.
    #[schemars(with = "String")]
    pub file: PathBuf,
}

impl Service {
    /// The keys of one ring.
    pub fn ring<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a KeyRef> {
        self.keys.iter().filter(move |key| key.name == name)
    }

    /// Whether any of its frames may become a suspect.
    pub fn has_suspects(&self) -> bool {
        self.on_mismatch == OnMismatch::LowPriority || self.fair.is_some()
    }

    /// The current rule, and the previous one if there is one.
    pub fn rules(&self) -> impl Iterator<Item = &Rule> {
        std::iter::once(&self.rule).chain(self.previous.as_ref().map(|previous| &previous.rule))
    }
}

/// The reader takes both; the canonical text has seconds.
fn moment(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string", "format": "date-time" }] })
}
