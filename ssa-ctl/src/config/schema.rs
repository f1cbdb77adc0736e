//! Nothing in; the JSON schema of a config out.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::{model::Config, text::VERSION};

/// The schema of the config format (JSON Schema, draft 2020-12). Keys it does not list are refused by the reader too.
pub fn schema() -> Value {
    let schema = SchemaSettings::draft2020_12().into_generator().into_root_schema_for::<Config>();
    let mut schema = schema.to_value();
    let version = json!({ "description": "The version of the config format.", "const": VERSION });
    if let Some(properties) = schema.get_mut("properties").and_then(Value::as_object_mut) {
        let rest = std::mem::take(properties);
        *properties = Map::from_iter([("version".to_owned(), version)]);
        properties.extend(rest);
    }
    if let Some(required) = schema.get_mut("required").and_then(Value::as_array_mut) {
        required.insert(0, "version".into());
    }
    close(&mut schema);
    schema
}

/// No object has other keys than those it lists.
fn close(schema: &mut Value) {
    match schema {
        Value::Object(object) => {
            if object.contains_key("properties") {
                object.insert("additionalProperties".into(), false.into());
            }
            object.values_mut().for_each(close);
        }
        Value::Array(list) => list.iter_mut().for_each(close),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::config::{Source, parse};

    /// The keys that the reader knows of a table, as it says where it meets another.
    fn known(table: &str, text: &str) -> Vec<String> {
        let text = format!("{text}\nqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq = 1");
        let faults = parse(Source { path: PathBuf::from("/x"), text }).unwrap_err();
        let start = format!("the keys of {table} are ");
        let list = faults.items().iter().find_map(|fault| fault.help.strip_prefix(&start)).expect(table);
        list.split(", ").map(str::to_owned).collect()
    }

    fn sorted(mut keys: Vec<String>) -> Vec<String> {
        keys.sort();
        keys
    }

    #[test]
    fn the_schema_and_the_reader_know_the_same_keys() {
        let schema = schema();
        let service = "[[service]]\nname = \"a\"\n";
        let tables = [
            ("the config", "", &schema),
            ("[host]", "[host]", &schema["$defs"]["Host"]),
            ("[host.low_priority]", "[host.low_priority]", &schema["$defs"]["Queues"]),
            ("[[endpoint]]", "[[endpoint]]", &schema["$defs"]["Endpoint"]),
            ("[[service]]", "[[service]]", &schema["$defs"]["Service"]),
            ("[service.previous]", &format!("{service}[service.previous]"), &schema["$defs"]["Previous"]),
            ("[[service.keys]]", &format!("{service}[[service.keys]]"), &schema["$defs"]["KeyRef"]),
        ];
        for (name, text, schema) in tables {
            let properties = schema["properties"].as_object().expect(name).keys().cloned().collect();
            assert_eq!(sorted(known(name, text)), sorted(properties), "{name}");
            assert_eq!(schema["additionalProperties"], false, "{name}");
        }
    }
}
