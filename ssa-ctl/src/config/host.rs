//! What a config says of its host: where the filter runs, and what it keeps.

use schemars::JsonSchema;
use serde::Serialize;

use super::low_priority::Queues;

/// Events a second that are kept at most, if the host does not say.
pub const DEFAULT_EVENTS: u32 = 100;
/// Events a second that a host may keep.
pub const MOST_EVENTS: u32 = 10_000;

/// Flows that are remembered, if the host does not say.
pub const DEFAULT_FLOWS: u32 = 65_536;

/// What the filter is attached to.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct Host {
    /// The interfaces whose incoming frames are filtered. Empty: none.
    #[serde(default)]
    #[schemars(inner(length(min = 1, max = 15)))]
    pub interfaces: Vec<String>,
    /// Where the program runs.
    #[serde(default)]
    pub mode: Mode,
    /// The endpoint that this host is. Absent: the one whose address it has, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "String")]
    pub endpoint: Option<String>,
    /// Events a second that are kept of frames that are not plainly good, on all CPUs together. 0: none.
    #[serde(default = "default_events", skip_serializing_if = "is_default_events")]
    #[schemars(range(max = 10000))]
    pub events: u32,
    /// The flows that are remembered, where a service wants that.
    #[serde(default = "default_flows", skip_serializing_if = "is_default_flows")]
    #[schemars(range(min = 1024, max = 4_194_304))]
    pub flows: u32,
    /// What it has for suspects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Queues")]
    pub low_priority: Option<Queues>,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            interfaces: Vec::new(),
            mode: Mode::default(),
            endpoint: None,
            events: DEFAULT_EVENTS,
            flows: DEFAULT_FLOWS,
            low_priority: None,
        }
    }
}

/// Where the program runs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// In the driver, before the kernel makes a packet buffer.
    #[default]
    Native,
    /// In the kernel's stack: works with every driver, and is slower.
    Generic,
}

fn default_events() -> u32 {
    DEFAULT_EVENTS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references to fields")]
fn is_default_events(events: &u32) -> bool {
    *events == DEFAULT_EVENTS
}

fn default_flows() -> u32 {
    DEFAULT_FLOWS
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands out references to fields")]
fn is_default_flows(flows: &u32) -> bool {
    *flows == DEFAULT_FLOWS
}
