//! What a service and the host say of suspects in; what becomes of those, and what is wrong with it, out.

use std::{borrow::Cow, fmt, ops::Range, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::{
    host::{Host, Mode},
    table::{At, Sink, Table},
    words::{WordError, text_in_configs},
};

/// The length of the queue of a CPU, if nobody says.
const DEFAULT_QUEUE: u32 = 512;
/// Lengths that a queue may have: the driver hands over 64 frames at a time, and the kernel takes no longer one (Linux,
/// `cpu_map_alloc`).
const QUEUES: std::ops::RangeInclusive<u64> = 64..=16_384;
/// The mark, if nobody says.
const DEFAULT_MARK: u32 = 1;
/// Suspects of a second on one CPU, at most: more than a CPU takes.
const MAX_RATE: u64 = 10_000_000;

/// What becomes of suspects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LowPriority {
    /// The code point of lower effort is written into their traffic class (RFC 8622).
    Dscp,
    /// They wait in a queue for a CPU of their own.
    Cpu,
    /// They are marked for the queues of the host.
    Mark,
}

impl LowPriority {
    /// Its word in a config.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Dscp => "dscp",
            Self::Cpu => "cpu",
            Self::Mark => "mark",
        }
    }
}

impl FromStr for LowPriority {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        match text {
            "dscp" => Ok(Self::Dscp),
            "cpu" => Ok(Self::Cpu),
            "mark" => Ok(Self::Mark),
            _ => Err(WordError("write \"dscp\", \"cpu\", \"mark\", or several of them")),
        }
    }
}

/// What low priority is if nobody says.
pub(super) fn usual() -> Vec<LowPriority> {
    vec![LowPriority::Dscp]
}

pub(super) fn is_usual(ways: &[LowPriority]) -> bool {
    ways == [LowPriority::Dscp]
}

/// What the host has for suspects.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Queues {
    /// The CPU that they wait for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "u32")]
    pub cpu: Option<u32>,
    /// How many of them wait for it at most.
    #[serde(default = "default_queue")]
    #[schemars(range(min = 64, max = 16384))]
    pub queue: u32,
    /// The mark of their packets.
    #[serde(default = "default_mark")]
    pub mark: u32,
    /// The class of a queueing discipline that their packets are for, as tc writes it. Absent: they keep their priority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Class")]
    pub priority: Option<Class>,
}

impl Default for Queues {
    fn default() -> Self {
        Self { cpu: None, queue: DEFAULT_QUEUE, mark: DEFAULT_MARK, priority: None }
    }
}

fn default_queue() -> u32 {
    DEFAULT_QUEUE
}

fn default_mark() -> u32 {
    DEFAULT_MARK
}

/// A class of a queueing discipline, which is a priority of packets too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// The discipline's number.
    pub major: u16,
    /// The class's.
    pub minor: u16,
}

impl Class {
    /// As packets have it.
    pub const fn priority(self) -> u32 {
        (self.major as u32) << 16 | self.minor as u32
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:x}:{:x}", self.major, self.minor)
    }
}

impl FromStr for Class {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        const FORM: WordError = WordError("write a class as tc does, both numbers hexadecimal, as in \"1:20\"");
        let number = |text: &str| {
            let is_number = text.bytes().all(|octet| octet.is_ascii_hexdigit());
            is_number.then(|| u16::from_str_radix(text, 16).ok()).flatten()
        };
        let (major, minor) = text.split_once(':').ok_or(FORM)?;
        let class = Self { major: number(major).ok_or(FORM)?, minor: number(minor).ok_or(FORM)? };
        if class.major == 0 || class.minor == 0 { Err(FORM) } else { Ok(class) }
    }
}

text_in_configs!(Class, r"^[0-9A-Fa-f]{1,4}:[0-9A-Fa-f]{1,4}$");

/// What a service says of its suspects.
pub(super) struct LowDraft {
    pub(super) ways: Vec<LowPriority>,
    pub(super) rate: Option<u32>,
    /// Where it wants a CPU, and where marks.
    early: Vec<At<LowPriority>>,
}

/// Reads what a service says of its suspects, which it has or has not.
pub(super) fn read(table: &mut Table<'_, '_>, has_suspects: bool) -> LowDraft {
    let rate = table.integer("low_priority_rate", 1..=MAX_RATE);
    let listed = table.words::<LowPriority>("low_priority", "[\"dscp\", \"cpu\", \"mark\"]");
    let mut ways: Vec<LowPriority> = Vec::new();
    for At { value, span } in &listed {
        if ways.contains(value) {
            let message = format!("`low_priority` lists {:?} twice", value.name());
            table.sink.error(span.clone(), message, "list it once");
        } else {
            ways.push(*value);
        }
    }
    let early = listed.into_iter().filter(|way| way.value != LowPriority::Dscp).collect();
    // In one order: another one says nothing else.
    ways.sort_unstable();
    match table.place("low_priority") {
        None => ways = usual(),
        Some(span) if ways.is_empty() && table.place("low_priority_rate").is_none() => {
            let help = "list what becomes of suspects, as in low_priority = [\"dscp\"], or add low_priority_rate";
            table.sink.missing(span, "an empty `low_priority` makes no difference to suspects", help);
        }
        Some(_) => {}
    }
    if !has_suspects {
        for key in ["low_priority", "low_priority_rate"] {
            if let Some(span) = table.place(key) {
                let help = "let in what does not follow the rule, as in on_mismatch = \"lowprio\", or hold source prefixes \
                            to a [service.fair] share, or take the key away";
                table.sink.warning(span, format!("`{key}` has no effect: the service has no suspects"), help);
            }
        }
    }
    LowDraft { ways, rate: rate.map(|rate| u32::try_from(rate.value).unwrap_or(u32::MAX)), early }
}

/// Reads `[host.low_priority]`; and where its CPU stands.
pub(super) fn host(table: &mut Table<'_, '_>) -> (Option<Queues>, Option<Range<usize>>) {
    let Some(value) = table.get("low_priority") else { return (None, None) };
    let Some(mut table) = Table::of("[host.low_priority]", value, table.sink) else { return (None, None) };
    let number = |at: At<u64>| u32::try_from(at.value).unwrap_or(u32::MAX);
    let cpu = table.integer("cpu", 0..=u32::MAX.into());
    let place = cpu.as_ref().map(|cpu| cpu.span.clone());
    let queues = Queues {
        cpu: cpu.map(number),
        queue: table.integer("queue", QUEUES).map_or(DEFAULT_QUEUE, number),
        mark: table.integer("mark", 0..=u32::MAX.into()).map_or(DEFAULT_MARK, number),
        priority: table.word("priority", "\"1:20\""),
    };
    table.end();
    (Some(queues), place)
}

/// Says which services want a CPU where the host names none, and what its mode cannot do.
pub(super) fn together(lows: &[&LowDraft], host: &Host, sink: &mut Sink) {
    let is_named = host.low_priority.as_ref().is_some_and(|queues| queues.cpu.is_some());
    for At { value, span } in lows.iter().flat_map(|low| &low.early) {
        if host.mode == Mode::Generic {
            // Linux 6.18 has lost there where the link header begins: it drops what it takes out of a queue, and looks for
            // what is written in front of a frame in another place.
            let help = format!("take {:?} out, or set mode = \"native\" under [host]", value.name());
            let message = format!("in generic mode the kernel does not do what {:?} needs", value.name());
            sink.error(span.clone(), message, help);
        } else if *value == LowPriority::Cpu && !is_named {
            let help = "say for which CPU suspects wait: [host.low_priority] with cpu = 1";
            sink.missing(span.clone(), "suspects are to wait for a CPU, and the host names none", help);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_come_back_as_tc_writes_them() {
        for text in ["1:20", "ffff:1", "a:b", "8001:ffff"] {
            assert_eq!(text.parse::<Class>().map(|class| class.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("1:20".parse::<Class>().map(Class::priority), Ok(0x0001_0020));
        for text in ["", "1", "1:", ":1", "0:1", "1:0", "10000:1", "1:g", "+1:1", "1:1:1", "0x1:1"] {
            assert!(text.parse::<Class>().is_err(), "{text}");
        }
    }
}
