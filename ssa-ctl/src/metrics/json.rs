//! Families in; one JSON object with the same names, labels and values out.

use serde_json::{Map, Value as Json, json};

use super::family::{Family, Value};

/// All families by the names of their samples.
pub fn object(families: &[Family]) -> Json {
    let metrics: Map<String, Json> = families.iter().map(|family| (family.description.name(), of(family))).collect();
    json!({ "metrics": metrics })
}

fn of(family: &Family) -> Json {
    let samples = family.samples.iter().map(|sample| {
        let labels: Map<String, Json> =
            family.labels(sample).map(|(name, value)| (name.to_owned(), value.into())).collect();
        let value = match sample.value {
            Value::Whole(value) => json!(value),
            Value::Real(value) => json!(value),
        };
        json!({ "labels": labels, "value": value })
    });
    json!({
        "type": family.description.kind.name(),
        "help": family.description.help,
        "samples": samples.collect::<Vec<_>>(),
    })
}
