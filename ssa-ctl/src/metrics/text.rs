//! Families in; text as Prometheus reads it out.

use std::fmt;

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, MetricEncoder, NoLabelSet, text::encode},
    metrics::MetricType,
    registry::{Registry, Unit},
};

use super::family::{Family, Kind, Sample, Value};

/// A format that Prometheus reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// `OpenMetrics` 1.0.
    Open,
    /// The older one, 0.0.4, which is all that `node_exporter` takes from files: counters have their whole name in `TYPE`
    /// and `HELP`, and there is neither `UNIT` nor `EOF`.
    Plain,
}

impl Format {
    /// What HTTP calls it.
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Open => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Plain => "text/plain; version=0.0.4; charset=utf-8",
        }
    }
}

/// The text of all families.
///
/// # Errors
/// None: a text takes everything.
pub fn text(families: &[Family], format: Format) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Families(families.to_vec())));
    let mut text = String::new();
    encode(&mut text, &registry)?;
    Ok(match format {
        Format::Open => text,
        Format::Plain => plain(&text, families),
    })
}

fn plain(text: &str, families: &[Family]) -> String {
    let counters: Vec<_> =
        families.iter().map(|family| family.description).filter(|of| of.kind == Kind::Counter).collect();
    let whole = |family: &str| {
        let counter = counters.iter().find(|counter| counter.family() == family);
        counter.map_or_else(|| family.to_owned(), |counter| counter.name())
    };
    let mut plain = String::with_capacity(text.len());
    for line in text.lines() {
        let mut words = line.splitn(4, ' ');
        match (words.next(), words.next(), words.next(), words.next()) {
            (Some("#"), Some(kind @ ("HELP" | "TYPE")), Some(family), Some(rest)) => {
                plain.push_str(&["# ", kind, " ", &whole(family), " ", rest].concat());
            }
            (Some("#"), ..) => continue,
            _ => plain.push_str(line),
        }
        plain.push('\n');
    }
    plain
}

#[derive(Debug)]
struct Families(Vec<Family>);

impl Collector for Families {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|family| {
            let of = family.description;
            let unit = of.unit.map(|unit| Unit::Other(unit.into()));
            let kind = match of.kind {
                Kind::Counter => MetricType::Counter,
                Kind::Gauge => MetricType::Gauge,
            };
            let mut encoder = encoder.encode_descriptor(of.stem, of.help, unit.as_ref(), kind)?;
            family.samples.iter().try_for_each(|sample| {
                let labels: Vec<_> = family.labels(sample).collect();
                if labels.is_empty() {
                    one(&mut encoder, of.kind, sample)
                } else {
                    one(&mut encoder.encode_family(&labels)?, of.kind, sample)
                }
            })
        })
    }
}

fn one(encoder: &mut MetricEncoder<'_>, kind: Kind, sample: &Sample) -> fmt::Result {
    match (kind, sample.value) {
        (Kind::Counter, Value::Whole(value)) => encoder.encode_counter::<NoLabelSet, _, u64>(&value, None),
        (Kind::Counter, Value::Real(value)) => encoder.encode_counter::<NoLabelSet, _, u64>(&value, None),
        (Kind::Gauge, Value::Whole(value)) => encoder.encode_gauge(&value),
        (Kind::Gauge, Value::Real(value)) => encoder.encode_gauge(&value),
    }
}
