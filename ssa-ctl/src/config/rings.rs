//! The `[[service.keys]]` tables in; keys of rings, and faults of rings, out.

use std::{ops::Range, path::PathBuf};

use ssa_common::layout::KEYS;
use toml::{Spanned, de::DeValue};

use super::{
    model::KeyRef,
    service::{Draft, KeyDraft},
    source::Source,
    table::{At, Sink, Table, shown},
    words::is_name,
};

/// Reads the keys of a service.
pub(super) fn read(source: &Source, table: &mut Table<'_, '_>) -> Vec<KeyDraft> {
    let keys = table.tables("keys", "[[service.keys]]").unwrap_or_default();
    keys.iter().filter_map(|value| key(source, value, table.sink)).collect()
}

fn key<'t>(source: &Source, value: &'t Spanned<DeValue<'t>>, sink: &mut Sink) -> Option<KeyDraft> {
    let mut table = Table::of("[[service.keys]]", value, sink)?;
    let name = table.required("name", "\"k1\"");
    table.require("number", "1");
    let number = table.integer("number", 0..=u32::MAX.into());
    let file = table.required("file", "\"/etc/ssa/k1.key\"");
    if let Some(At { value, span }) = name.as_ref().filter(|name| !is_name(name.value, "_-")) {
        let help =
            "a ring's name has 1 to 63 letters, digits, underscores and hyphens, and begins with a letter or a digit";
        table.sink.error(span.clone(), format!("{} cannot be the name of a key ring", shown(value)), help);
    }
    let path = file.as_ref().and_then(|file| path(source, file, table.sink));
    table.end();
    let (name, number, file) = (name?, number?, file?);
    let key =
        KeyRef { name: name.value.to_owned(), number: u32::try_from(number.value).unwrap_or(u32::MAX), file: path? };
    Some(KeyDraft { key, name: name.span, number: number.span, file: file.span })
}

/// The absolute path of a key file.
fn path(source: &Source, file: &At<&str>, sink: &mut Sink) -> Option<PathBuf> {
    if file.value.is_empty() || file.value.contains(char::is_control) {
        let message = format!("{} cannot be the path of a file", shown(file.value));
        sink.error(file.span.clone(), message, "name the key file, as in file = \"/etc/ssa/k1.key\"");
        return None;
    }
    let folder = source.path.parent().map(PathBuf::from).unwrap_or_default();
    let path = std::path::absolute(folder.join(file.value)).ok().filter(|path| path.to_str().is_some());
    if path.is_none() {
        let message = format!("the folder that {} is relative to has no name in UTF-8", shown(file.value));
        sink.error(file.span.clone(), message, "write an absolute path, as in file = \"/etc/ssa/k1.key\"");
    }
    path
}

/// The faults of keys that are right each by itself.
pub(super) fn together(draft: &Draft<'_>, sink: &mut Sink) {
    for (index, KeyDraft { key, name, number, .. }) in draft.keys.iter().enumerate() {
        let before = || draft.keys[..index].iter().filter(|other| other.key.name == key.name);
        if before().any(|other| other.key.number == key.number) {
            let message = format!("the ring {} has two keys with the number {}", key.name, key.number);
            sink.error(number.clone(), message, "give each key of a ring a number of its own, the newest the highest");
        }
        if before().count() == KEYS {
            let message = format!("the ring {} has more than {KEYS} keys", key.name);
            sink.error(name.clone(), message, "retire the oldest: ssa-ctl key retire");
        }
        if before().count() == 0 && !is_used(draft, &key.name) {
            let message = format!("no rule of the service uses the ring {}", key.name);
            sink.warning(name.clone(), message, format!("a rule uses it with mac(64,key={}):48", key.name));
        }
    }
    needed(draft, sink);
}

/// A ring that a rule needs has keys.
fn needed(draft: &Draft<'_>, sink: &mut Sink) {
    for text in draft.rules() {
        let (Some(name), Some(mac)) = (text.rule.key(), text.rule.mac()) else { continue };
        let span: Range<usize> = text.place(&mac.span);
        if !draft.keys.iter().any(|key| key.key.name == name) {
            let help = format!(
                "add a table [[service.keys]] with name = \"{name}\", number = 1 and file = \"/etc/ssa/{name}.key\""
            );
            sink.missing(span, format!("there is no key in the ring {name}"), help);
        }
    }
}

fn is_used(draft: &Draft<'_>, ring: &str) -> bool {
    let rules = || draft.rules();
    // Of a rule that could not be read nobody knows.
    rules().next().is_none() || rules().any(|text| text.rule.key() == Some(ring))
}
