//! A `[service.fair]` table in; the share that a source prefix may have of a service's frames out.

use std::{fmt, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Serialize, Serializer};

use super::{
    table::{At, Table},
    words::WordError,
};

/// Frames a second on each CPU up to which nobody is above the share, if the table does not say.
pub const DEFAULT_ABOVE: u32 = 1000;
/// The most that they can be.
const MAX_ABOVE: u64 = 10_000_000;
/// The lengths that a source prefix can have: what sites, customers and links have.
const LENGTHS: [u64; 3] = [48, 56, 64];

/// How much of a service's conforming frames a source prefix may send before it is suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Fair {
    /// The length of the source prefixes: 48, 56 or 64.
    #[schemars(schema_with = "lengths")]
    pub prefix: u8,
    /// The share of the frames on a CPU that one of them may have.
    pub share: Share,
    /// Frames a second on a CPU up to which none of them is above its share.
    #[serde(default = "default_above")]
    #[schemars(range(min = 1, max = 10_000_000))]
    pub above: u32,
}

/// A part of all, 1 to 99 percent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share(u8);

impl Share {
    /// 1 to 99.
    pub const fn percent(self) -> u8 {
        self.0
    }
}

impl FromStr for Share {
    type Err = WordError;

    fn from_str(text: &str) -> Result<Self, WordError> {
        let percent = text.strip_suffix('%').filter(|digits| !digits.starts_with(['+', '0']));
        let percent = percent.and_then(|digits| digits.parse().ok()).filter(|percent| (1..=99).contains(percent));
        percent.map(Self).ok_or(WordError("write a share from \"1%\" to \"99%\""))
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}%", self.0)
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl JsonSchema for Share {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[1-9][0-9]?%$" })
    }
}

/// Reads the table, if it is there.
pub(super) fn read(table: &mut Table<'_, '_>) -> Option<Fair> {
    let value = table.get("fair")?;
    let mut table = Table::of("[service.fair]", value, table.sink)?;
    table.require("prefix", "56");
    let prefix = table.integer("prefix", 1..=128).and_then(|At { value, span }| {
        let length = u8::try_from(value).ok().filter(|_| LENGTHS.contains(&value));
        if length.is_none() {
            let help = "write 48 for sites, 56 for customers or 64 for links";
            table.sink.error(span, format!("source prefixes of /{value} are not counted"), help);
        }
        length
    });
    table.require("share", "\"5%\"");
    let share = table.word("share", "\"5%\"");
    let above = table.integer("above", 1..=MAX_ABOVE).map_or(Some(DEFAULT_ABOVE), |above| above.value.try_into().ok());
    table.end();
    Some(Fair { prefix: prefix?, share: share?, above: above? })
}

fn default_above() -> u32 {
    DEFAULT_ABOVE
}

fn lengths(_: &mut SchemaGenerator) -> Schema {
    json_schema!({ "enum": LENGTHS })
}
