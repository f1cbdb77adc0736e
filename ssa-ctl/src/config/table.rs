//! A TOML table with spans in; its values by key and type out, and a fault for each that is missing, of another type,
//! or not known.

use std::{ops::Range, str::FromStr};

use ssa_common::quote::Quoted;
use toml::{
    Spanned,
    de::{DeTable, DeValue},
};

use super::{fault::Fault, words::WordError};

/// Where faults are collected.
#[derive(Debug, Default)]
pub(super) struct Sink {
    pub(super) faults: Vec<Fault>,
    /// Faults about what is not there. Said only of a text whose syntax is right: else it may be there.
    pub(super) missing: Vec<Fault>,
}

impl Sink {
    pub(super) fn error(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.faults.push(Fault::error(span, message, help));
    }

    pub(super) fn warning(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.faults.push(Fault::warning(span, message, help));
    }

    pub(super) fn missing(&mut self, span: Range<usize>, message: impl Into<String>, help: impl Into<String>) {
        self.missing.push(Fault::error(span, message, help));
    }
}

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct At<T> {
    pub(super) value: T,
    pub(super) span: Range<usize>,
}

/// A table that is being read: what was asked for is known, what is left over in the end is not.
pub(super) struct Table<'t, 's> {
    /// What the table is, for messages: `[host]`.
    name: &'static str,
    values: &'t DeTable<'t>,
    span: Range<usize>,
    asked: Vec<&'static str>,
    pub(super) sink: &'s mut Sink,
}

impl<'t, 's> Table<'t, 's> {
    pub(super) fn new(name: &'static str, values: &'t DeTable<'t>, span: Range<usize>, sink: &'s mut Sink) -> Self {
        Self { name, values, span, asked: Vec::new(), sink }
    }

    /// Reads a value as a table, or says that it is none.
    pub(super) fn of(name: &'static str, value: &'t Spanned<DeValue<'t>>, sink: &'s mut Sink) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            wrong_type(sink, name, value, "a table", &format!("begin it with a line {name}"));
            return None;
        };
        Some(Self::new(name, table, value.span(), sink))
    }

    /// Where the table begins.
    pub(super) fn span(&self) -> Range<usize> {
        self.span.clone()
    }

    pub(super) fn get(&mut self, key: &'static str) -> Option<&'t Spanned<DeValue<'t>>> {
        self.asked.push(key);
        self.values.get(key)
    }

    /// Where the value of a key stands, if it is there.
    pub(super) fn place(&self, key: &'static str) -> Option<Range<usize>> {
        self.values.get(key).map(Spanned::span)
    }

    pub(super) fn string(&mut self, key: &'static str, example: &str) -> Option<At<&'t str>> {
        let value = self.get(key)?;
        text(self.sink, key, value, &format!("as in {key} = {example}"))
    }

    pub(super) fn required(&mut self, key: &'static str, example: &str) -> Option<At<&'t str>> {
        self.require(key, example);
        self.string(key, example)
    }

    /// Says so if `key` is not there.
    pub(super) fn require(&mut self, key: &'static str, example: &str) {
        if !self.values.contains_key(key) {
            let message = format!("{} has no `{key}`", self.name);
            self.sink.missing(self.span.clone(), message, format!("add {key} = {example}"));
        }
    }

    pub(super) fn word<T: FromStr<Err = WordError>>(&mut self, key: &'static str, example: &str) -> Option<T> {
        let At { value, span } = self.string(key, example)?;
        let word = value.parse().map_err(|WordError(help)| {
            self.sink.error(span, format!("`{key}` cannot be {value:?}"), help);
        });
        word.ok()
    }

    /// A list of words; those that are none are left away.
    pub(super) fn words<T: FromStr<Err = WordError>>(&mut self, key: &'static str, example: &str) -> Vec<At<T>> {
        let list = self.strings(key, example).map_or_else(Vec::new, |list| list.value);
        let read = |At { value, span }: At<&str>| match value.parse() {
            Ok(word) => Some(At { value: word, span }),
            Err(WordError(help)) => {
                self.sink.error(span, format!("`{key}` cannot have {}", shown(value)), help);
                None
            }
        };
        list.into_iter().filter_map(read).collect()
    }

    /// One of a few words.
    pub(super) fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<_> = choices.iter().map(|(word, _)| format!("{word:?}")).collect();
        let words = words.join(" or ");
        let At { value, span } = self.string(key, &words)?;
        let found = choices.iter().find(|(word, _)| *word == value).map(|(_, choice)| *choice);
        if found.is_none() {
            self.sink.error(span, format!("`{key}` cannot be {value:?}"), format!("write {words}"));
        }
        found
    }

    pub(super) fn integer(&mut self, key: &'static str, range: std::ops::RangeInclusive<u64>) -> Option<At<u64>> {
        let value = self.get(key)?;
        let help = format!("`{key}` is a whole number from {} to {}", range.start(), range.end());
        let Some(integer) = value.get_ref().as_integer() else {
            wrong_type(self.sink, &format!("`{key}`"), value, "a number", &help);
            return None;
        };
        let number =
            u64::from_str_radix(integer.as_str(), integer.radix()).ok().filter(|number| range.contains(number));
        if number.is_none() {
            self.sink.error(value.span(), format!("`{key}` cannot be {integer}"), help);
        }
        number.map(|number| At { value: number, span: value.span() })
    }

    pub(super) fn boolean(&mut self, key: &'static str) -> Option<bool> {
        let value = self.get(key)?;
        let found = value.get_ref().as_bool();
        if found.is_none() {
            wrong_type(self.sink, &format!("`{key}`"), value, "true or false", "write true or false, without quotes");
        }
        found
    }

    /// A list of strings, with the span of the list.
    pub(super) fn strings(&mut self, key: &'static str, example: &str) -> Option<At<Vec<At<&'t str>>>> {
        let value = self.get(key)?;
        let help = format!("as in {key} = {example}");
        let Some(list) = value.get_ref().as_array() else {
            wrong_type(self.sink, &format!("`{key}`"), value, "a list of strings", &help);
            return None;
        };
        let what = format!("an entry of `{key}`");
        let strings = list.iter().filter_map(|entry| text_named(self.sink, &what, entry, &help)).collect();
        Some(At { value: strings, span: value.span() })
    }

    /// The tables of `[[…]]`; none if they are something else.
    pub(super) fn tables(&mut self, key: &'static str, header: &str) -> Option<&'t [Spanned<DeValue<'t>>]> {
        let Some(value) = self.get(key) else { return Some(&[]) };
        let Some(list) = value.get_ref().as_array() else {
            let help = format!("begin each with a line {header}, in two pairs of brackets");
            wrong_type(self.sink, &format!("`{key}`"), value, "a list of tables", &help);
            return None;
        };
        Some(list)
    }

    /// Says which keys nobody asked for; gives those that somebody did.
    pub(super) fn end(self) -> Vec<&'static str> {
        let unknown = self.values.keys().filter(|key| !self.asked.contains(&key.get_ref().as_ref()));
        for key in unknown {
            let name = key.get_ref();
            let help = match self.asked.iter().min_by_key(|known| distance(known, name)) {
                Some(near) if distance(near, name) <= (name.len() / 3).max(1) => format!("did you mean `{near}`?"),
                _ => format!("the keys of {} are {}", self.name, self.asked.join(", ")),
            };
            let message = format!("`{}` is not a key of {}", Quoted(name), self.name);
            self.sink.error(key.span(), message, help);
        }
        self.asked
    }
}

fn text<'t>(sink: &mut Sink, key: &str, value: &'t Spanned<DeValue<'t>>, help: &str) -> Option<At<&'t str>> {
    text_named(sink, &format!("`{key}`"), value, help)
}

fn text_named<'t>(sink: &mut Sink, what: &str, value: &'t Spanned<DeValue<'t>>, help: &str) -> Option<At<&'t str>> {
    let found = value.get_ref().as_str();
    if found.is_none() {
        wrong_type(sink, what, value, "a string", help);
    }
    found.map(|text| At { value: text, span: value.span() })
}

fn wrong_type(sink: &mut Sink, what: &str, value: &Spanned<DeValue<'_>>, wanted: &str, help: &str) {
    let found = match value.get_ref() {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "a number",
        DeValue::Float(_) => "a number with a fraction",
        DeValue::Boolean(_) => "true or false",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "a list",
        DeValue::Table(_) => "a table",
    };
    sink.error(value.span(), format!("{what} must be {wanted}, and is {found}"), help);
}

/// A value from the config in a message, not too long.
pub(super) fn shown(value: &str) -> String {
    match value.char_indices().nth(70) {
        Some((end, _)) => format!("{:?} and more", &value[..end]),
        None => format!("{value:?}"),
    }
}

/// Letters to add, take away or change to make one word the other (Levenshtein); long words are far from all.
fn distance(known: &str, found: &str) -> usize {
    if found.len() > 2 * known.len() + 2 {
        return usize::MAX;
    }
    let mut row: Vec<usize> = (0..=found.chars().count()).collect();
    for (index, a) in known.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = index + 1;
        for (column, b) in found.chars().enumerate() {
            let changed = diagonal + usize::from(a != b);
            diagonal = row[column + 1];
            row[column + 1] = changed.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row.last().copied().unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::distance;

    #[test]
    fn near_words_are_near() {
        assert_eq!(distance("prefixes", "prefixes"), 0);
        assert_eq!(distance("prefixes", "prefix"), 2);
        assert_eq!(distance("rule", "rules"), 1);
        assert_eq!(distance("rule", "ruel"), 2);
        assert!(distance("rule", &"r".repeat(1000)) > 2);
    }
}
