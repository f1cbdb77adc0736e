//! The JSON that `block list` prints in; its entries, or the first that is wrong, out.

use std::{fmt, path::Path};

use anyhow::Context as _;
use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::when::LAST;
use crate::{
    failure::{Code, Failure},
    plan::blocks::{Origin, Time},
    sources::{self, cut},
};

/// What a file says of a prefix.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) prefix: String,
    /// Until when, if the file says so.
    pub(super) time: Option<Time>,
    pub(super) origin: Option<Origin>,
    pub(super) reason: String,
    /// When it was put on the list, in Unix seconds.
    pub(super) added: Option<u32>,
}

/// Reads a list.
///
/// # Errors
/// Where the text is none: with the number and the prefix of the entry that is wrong.
pub(super) fn read(text: &str, file: &Path) -> Result<Vec<Item>, Failure> {
    #[derive(Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Listed {
        blocks: Items,
    }
    let listed = serde_json::from_str(text).with_context(|| format!("{} is no block list", file.display()));
    let Listed { blocks: Items(items) } = listed.map_err(|error| {
        Failure::from(error).code(Code::Invalid).hint("give it the JSON that `block list --json` prints, or lines")
    })?;
    Ok(items)
}

struct Items(Vec<Item>);

impl<'de> Deserialize<'de> for Items {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_seq(Entries).map(Self)
    }
}

struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<Item>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of entries")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut entries: A) -> Result<Vec<Item>, A::Error> {
        let mut items = Vec::new();
        loop {
            let number = items.len() + 1;
            let next = entries.next_element().map_err(|error| within(&format!("entry {number}"), &error));
            match next? {
                Some(_) if items.len() == sources::MOST => return Err(Error::custom(sources::too_many())),
                Some(item) => items.push(item),
                None => return Ok(items),
            }
        }
    }
}

impl<'de> Deserialize<'de> for Item {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_map(Keys)
    }
}

struct Keys;

impl<'de> Visitor<'de> for Keys {
    type Value = Item;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with `prefix`")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut keys: A) -> Result<Item, A::Error> {
        let mut item = Item::default();
        let (mut seconds, mut until) = (Given::Unsaid, Given::Unsaid);
        while let Some(key) = keys.next_key::<String>()? {
            let read = match key.as_str() {
                "prefix" => keys.next_value().map(|prefix| item.prefix = prefix),
                "seconds" => keys.next_value().map(|given| seconds = Given::of(given)),
                "until" => keys.next_value().map(|given| until = Given::of(given)),
                "origin" => keys.next_value().map(|origin| item.origin = origin),
                "reason" => keys.next_value().map(|reason| item.reason = reason),
                "added" => keys.next_value().map(|added| item.added = added),
                _ => keys.next_value::<IgnoredAny>().and(Err(Error::custom(
                    "there is no such key: an entry has prefix, seconds, until, origin, reason and added",
                ))),
            };
            read.map_err(|error| {
                let prefix = if item.prefix.is_empty() { String::new() } else { format!("{}: ", cut(&item.prefix)) };
                within(&format!("{prefix}`{}`", cut(&key)), &error)
            })?;
        }
        if item.prefix.is_empty() {
            return Err(Error::missing_field("prefix"));
        }
        item.time = time(seconds, until).map_err(|what| Error::custom(format!("{}: {what}", cut(&item.prefix))))?;
        Ok(item)
    }
}

/// What a key says of a time.
#[derive(Clone, Copy)]
enum Given {
    Unsaid,
    Ever,
    Seconds(u64),
}

impl Given {
    fn of(value: Option<u64>) -> Self {
        value.map_or(Self::Ever, Self::Seconds)
    }
}

/// Until when: `until` says it exactly, `seconds` from now on; null is for ever.
fn time(seconds: Given, until: Given) -> Result<Option<Time>, String> {
    match (seconds, until) {
        (_, Given::Seconds(until)) if until > LAST => Err(format!("`until` is {LAST} at most, or null for ever")),
        (Given::Seconds(seconds), _) if !(1..=LAST).contains(&seconds) => {
            Err(format!("`seconds` is 1 to {LAST}, or null for ever"))
        }
        (_, Given::Seconds(until)) => Ok(Some(Time::Until(until))),
        (Given::Seconds(seconds), Given::Unsaid) => Ok(Some(Time::For(seconds))),
        (Given::Seconds(_), Given::Ever) => Err("`seconds` says that it ends, and `until` that it does not".into()),
        (Given::Unsaid, Given::Unsaid) => Ok(None),
        (Given::Ever, _) | (Given::Unsaid, Given::Ever) => Ok(Some(Time::Ever)),
    }
}

/// An error with its place. Those of serde have no causes, and may quote what is long.
fn within<E: Error>(place: &str, error: &E) -> E {
    const MOST: usize = 300;
    let mut text = format!("{place}: ") + &error.to_string();
    if let Some((end, _)) = text.char_indices().nth(MOST) {
        text.truncate(end);
        text.push('…');
    }
    E::custom(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(entry: &str) -> Result<Vec<Item>, String> {
        let text = format!("{{\"blocks\": [{{\"prefix\": \"2001:db8:1::/48\"}}, {entry}]}}");
        read(&text, Path::new("it")).map_err(|failure| format!("{:#}", failure.error))
    }

    #[test]
    fn entries_are_read_with_all_that_they_say() {
        let whole = "{\"prefix\": \"::1\", \"seconds\": 7, \"until\": 1700000000, \"origin\": \"agent\", \"reason\": \"x\", \
                     \"added\": 5}";
        let item = Item {
            prefix: "::1".into(),
            time: Some(Time::Until(1_700_000_000)),
            origin: Some(Origin::Agent),
            reason: "x".into(),
            added: Some(5),
        };
        assert_eq!(of(whole).unwrap()[1], item);
        for (time, said) in [
            ("", None),
            (", \"seconds\": 9", Some(Time::For(9))),
            (", \"seconds\": null", Some(Time::Ever)),
            (", \"until\": null", Some(Time::Ever)),
            (", \"seconds\": null, \"until\": null", Some(Time::Ever)),
        ] {
            assert_eq!(of(&format!("{{\"prefix\": \"::1\"{time}}}")).unwrap()[1].time, said, "{time}");
        }
    }

    #[test]
    fn what_is_wrong_is_told_with_its_entry_and_prefix() {
        let long = "y".repeat(5000);
        for (more, said) in [
            ("\"deadline\": 5", "entry 2: ::1: `deadline`: there is no such key"),
            (&format!("\"{long}\": 5"), "y…`: there is no such key"),
            ("\"seconds\": 0", "entry 2: ::1: `seconds` is 1 to "),
            ("\"seconds\": 18446744073709551615", "entry 2: ::1: `seconds` is 1 to "),
            ("\"seconds\": \"x\"", "entry 2: ::1: `seconds`: invalid type"),
            (&format!("\"seconds\": \"{long}\""), "entry 2: ::1: `seconds`: invalid type"),
            ("\"until\": 253402300800", "entry 2: ::1: `until` is 253402300799 at most"),
            ("\"seconds\": 5, \"until\": null", "entry 2: ::1: `seconds` says that it ends"),
            ("\"origin\": \"me\"", "entry 2: ::1: `origin`: unknown variant"),
            ("\"added\": -1", "entry 2: ::1: `added`: invalid"),
        ] {
            let error = of(&format!("{{\"prefix\": \"::1\", {more}}}")).unwrap_err();
            assert!(error.contains(said) && error.len() < 500, "{error}");
        }
        assert!(of("{}").unwrap_err().contains("entry 2: missing field `prefix`"));
        assert!(of("7").unwrap_err().contains("entry 2: invalid type"));
        let many = vec!["{\"prefix\": \"::1\"}"; sources::MOST].join(",");
        assert!(of(&many).unwrap_err().contains("more than 100000 prefixes"));
    }
}
