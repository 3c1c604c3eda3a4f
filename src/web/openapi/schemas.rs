//! Schemas of what is answered, derived from the types that are serialised.

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// What leaves it to other keywords which properties an object has.
const ELSEWHERE: [&str; 4] = ["$ref", "allOf", "anyOf", "oneOf"];

/// Schemas, those of named types being kept to be referred to.
#[derive(Debug)]
pub struct Schemas(SchemaGenerator);

impl Default for Schemas {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let settings = settings.with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self(settings.with_transform(close).into_generator())
    }
}

impl Schemas {
    /// The schema of `T`, as it is serialised.
    pub fn of<T: JsonSchema>(&mut self) -> Value {
        let mut schema = self.0.subschema_for::<T>();
        close(&mut schema);
        schema.to_value()
    }

    /// What others refer to, by name.
    #[must_use]
    pub fn named(mut self) -> Map<String, Value> {
        self.0.take_definitions(true)
    }
}

/// Objects have the properties they are described with, and no others.
fn close(schema: &mut Schema) {
    transform_subschemas(&mut close, schema);
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if object.get("type") != Some(&json!("object")) || !object.contains_key("properties") {
        return;
    }
    let elsewhere = ELSEWHERE.iter().any(|word| object.contains_key(*word));
    let word = if elsewhere {
        "unevaluatedProperties"
    } else {
        "additionalProperties"
    };
    object.insert(word.to_owned(), json!(false));
}
