//! What a metric is called and means in; its samples with their labels out.

/// What Prometheus may do with a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until counting begins anew: `rate()`.
    Counter,
    /// It goes up and down.
    Gauge,
}

impl Kind {
    /// The name in text and JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// What a metric is called and means.
#[derive(Debug, PartialEq, Eq)]
pub struct Description {
    /// The name without unit and `_total`.
    pub stem: &'static str,
    /// The unit that follows: `bytes`, `seconds`, `ratio`.
    pub unit: Option<&'static str>,
    /// Counter or gauge.
    pub kind: Kind,
    /// What it means.
    pub help: &'static str,
    /// The names of its labels.
    pub labels: &'static [&'static str],
}

impl Description {
    pub(super) const fn counter(stem: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { stem, unit: None, kind: Kind::Counter, help, labels }
    }

    pub(super) const fn gauge(stem: &'static str, labels: &'static [&'static str], help: &'static str) -> Self {
        Self { stem, unit: None, kind: Kind::Gauge, help, labels }
    }

    pub(super) const fn in_unit(self, unit: &'static str) -> Self {
        Self { unit: Some(unit), ..self }
    }

    /// The name of the family: with the unit.
    pub fn family(&self) -> String {
        self.unit.map_or_else(|| self.stem.to_owned(), |unit| format!("{}_{unit}", self.stem))
    }

    /// The name of its samples, as queries have it.
    pub fn name(&self) -> String {
        match self.kind {
            Kind::Counter => self.family() + "_total",
            Kind::Gauge => self.family(),
        }
    }
}

/// The value of a sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Value {
    /// A count, or yes and no as 1 and 0.
    Whole(u64),
    /// Anything else.
    Real(f64),
}

impl From<u64> for Value {
    fn from(value: u64) -> Self {
        Self::Whole(value)
    }
}

impl From<u32> for Value {
    fn from(value: u32) -> Self {
        Self::Whole(value.into())
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Self {
        Self::Whole(value.into())
    }
}

impl From<f64> for Value {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

/// A value, and the values of the labels in the order of their names.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// The values of the labels.
    pub labels: Vec<String>,
    /// The value.
    pub value: Value,
}

/// A metric with its samples.
#[derive(Clone, Debug, PartialEq)]
pub struct Family {
    /// What it is called and means.
    pub description: &'static Description,
    /// Its samples.
    pub samples: Vec<Sample>,
}

impl Family {
    pub(super) fn of(description: &'static Description, samples: impl IntoIterator<Item = Sample>) -> Self {
        let samples: Vec<Sample> = samples.into_iter().collect();
        debug_assert!(samples.iter().all(|sample| sample.labels.len() == description.labels.len()));
        Self { description, samples }
    }

    /// A metric that is there once.
    pub(super) fn one(description: &'static Description, value: impl Into<Value>) -> Self {
        Self::of(description, [sample([], value)])
    }

    /// The names and values of the labels of a sample of this family.
    pub fn labels<'a>(&'a self, sample: &'a Sample) -> impl Iterator<Item = (&'static str, &'a str)> {
        self.description.labels.iter().copied().zip(sample.labels.iter().map(String::as_str))
    }
}

pub(super) fn sample<const N: usize>(labels: [&str; N], value: impl Into<Value>) -> Sample {
    Sample { labels: labels.map(str::to_owned).to_vec(), value: value.into() }
}
