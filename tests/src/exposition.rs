//! Text for Prometheus in; its samples out, or the line that is not as the format wants it. A second reading of the formats,
//! strict where scrapers are lenient.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context as _, Result, bail, ensure};

/// Labels and their values.
pub type Labels = BTreeMap<String, String>;

/// A text that was read.
#[derive(Debug, Default)]
pub struct Exposition {
    /// Values by name and labels.
    pub samples: BTreeMap<(String, Labels), f64>,
    /// Types by the name of the samples.
    pub types: BTreeMap<String, String>,
}

impl Exposition {
    /// Reads `OpenMetrics` 1.0, or the older format where `is_open` does not hold.
    ///
    /// # Errors
    /// At the first line that is wrong.
    pub fn read(text: &str, is_open: bool) -> Result<Self> {
        let mut read = Self::default();
        let mut family = Family::default();
        let mut families = BTreeSet::new();
        let body = if is_open { text.strip_suffix("# EOF\n").context("there is no EOF at the end")? } else { text };
        ensure!(body.ends_with('\n'), "the last line does not end");
        for line in body.lines() {
            let mut words = line.splitn(4, ' ');
            let known = match (words.next(), words.next(), words.next(), words.next()) {
                (Some("#"), Some("HELP"), Some(name), Some(_)) => {
                    ensure!(families.insert(name.to_owned()), "{name} comes twice");
                    family = Family { name: name.into(), ..Family::default() };
                    Ok(())
                }
                (Some("#"), Some("TYPE"), Some(name), Some(kind)) => family.set_type(name, kind),
                (Some("#"), Some("UNIT"), Some(name), Some(unit)) if is_open => {
                    ensure!(name == family.name && name.ends_with(&format!("_{unit}")), "{name} is not in {unit}");
                    Ok(())
                }
                (Some("#"), ..) => bail!("what is this? {line}"),
                _ => read.sample(line, &family, is_open),
            };
            known.with_context(|| format!("in the line {line:?}"))?;
        }
        Ok(read)
    }

    fn sample(&mut self, line: &str, family: &Family, is_open: bool) -> Result<()> {
        let (series, value) = line.rsplit_once(' ').context("there is no value")?;
        let (name, labels) = match series.split_once('{') {
            Some((name, rest)) => (name, labels(rest.strip_suffix('}').context("labels do not end")?)?),
            None => (series, Labels::new()),
        };
        let is_counter = family.kind == "counter";
        let expected = if is_counter && is_open { format!("{}_total", family.name) } else { family.name.clone() };
        ensure!(name == expected, "a sample of {expected} is called {name}");
        ensure!(!is_counter || name.ends_with("_total"), "a counter must end in _total");
        let value: f64 = value.parse()?;
        ensure!(value.is_finite() && !(is_counter && value < 0.0), "{value} is no value");
        self.types.insert(name.into(), family.kind.clone());
        let before = self.samples.insert((name.to_owned(), labels), value);
        ensure!(before.is_none(), "a series comes twice");
        Ok(())
    }

    /// The value of a series.
    pub fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        self.samples.get(&(name.to_owned(), labels)).copied()
    }

    /// The sum of the series that have these labels; none where there is no such series.
    pub fn sum(&self, name: &str, with: &[(&str, &str)]) -> Option<f64> {
        let has =
            |labels: &Labels| with.iter().all(|(name, value)| labels.get(*name).is_some_and(|other| other == value));
        let series = self.samples.iter().filter(|((other, labels), _)| other == name && has(labels));
        series.map(|(_, value)| *value).reduce(|one, other| one + other)
    }

    /// The labels that each metric has.
    pub fn labels(&self) -> BTreeMap<String, BTreeSet<String>> {
        let mut all: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        for (name, labels) in self.samples.keys() {
            all.entry(name.clone()).or_default().extend(labels.keys().cloned());
        }
        all
    }
}

/// The family whose lines are being read.
#[derive(Default)]
struct Family {
    name: String,
    kind: String,
}

impl Family {
    fn set_type(&mut self, name: &str, kind: &str) -> Result<()> {
        ensure!(name == self.name, "its HELP is that of {}", self.name);
        ensure!(["counter", "gauge"].contains(&kind), "{kind} is no type of both formats");
        self.kind = kind.into();
        Ok(())
    }
}

/// `a="b",c="d"`, with what is escaped between the quotation marks.
fn labels(text: &str) -> Result<Labels> {
    let mut labels = Labels::new();
    let mut rest = text;
    loop {
        let (name, after) = rest.split_once("=\"").context("a label has no value")?;
        let is_name = !name.is_empty() && name.chars().all(|c| c == '_' || c.is_ascii_lowercase());
        ensure!(is_name, "{name:?} is no name of a label");
        let (value, after) = quoted(after).context("a value does not end")?;
        ensure!(labels.insert(name.into(), value).is_none(), "the label {name} comes twice");
        if after.is_empty() {
            return Ok(labels);
        }
        rest = after.strip_prefix(',').context("there is no comma between labels")?;
    }
}

/// What stands before the next quotation mark, and what behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other @ ('\\' | '"') => other,
                _ => return None,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPEN: &str = "# HELP a_bytes Octets.\n# TYPE a_bytes counter\n# UNIT a_bytes bytes\n\
                        a_bytes_total{b=\"x\\\"\\\\\"} 2\na_bytes_total{b=\"y\"} 3\n# EOF\n";

    #[test]
    fn a_text_is_read() {
        let read = Exposition::read(OPEN, true).unwrap();
        assert_eq!(read.value("a_bytes_total", &[("b", "x\"\\")]), Some(2.0));
        let sum = |with| read.sum("a_bytes_total", with);
        assert_eq!((sum(&[]), sum(&[("b", "y")]), sum(&[("b", "z")])), (Some(5.0), Some(3.0), None));
        let plain = "# HELP a_total Some.\n# TYPE a_total counter\na_total 1\n";
        assert_eq!(Exposition::read(plain, false).unwrap().value("a_total", &[]), Some(1.0));
    }

    #[test]
    fn what_is_wrong_is_refused() {
        let replaced = |from: &str, to: &str| Exposition::read(&OPEN.replacen(from, to, 1), true);
        assert!(replaced("", "").is_ok());
        for (from, to) in [
            ("# EOF\n", ""),
            ("_total", ""),
            ("\"y\"", "\"x\\\"\\\\\""),
            ("\"y\"", "y"),
            ("} 3", "} -3"),
            ("} 3", "} three"),
            ("} 3", "}"),
            ("counter", "info"),
            ("UNIT a_bytes bytes", "UNIT a_bytes seconds"),
            ("TYPE a_bytes", "TYPE b_bytes"),
            ("# HELP", "# HELLO"),
            ("{b=", "{B="),
        ] {
            assert!(replaced(from, to).is_err(), "{from:?} as {to:?}");
        }
    }
}
