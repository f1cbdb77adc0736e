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
