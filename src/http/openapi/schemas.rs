//! Schemas of what is answered and asked, derived from the types that are serialised, and from
//! those that are read.

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// What leaves it to other keywords which properties an object has.
const COMPOSITION_KEYWORDS: [&str; 4] = ["$ref", "allOf", "anyOf", "oneOf"];

/// Schemas. Those of named types that are answered are kept to be referred to; what is asked is
/// told where it is asked, for a type may be read in another shape than it is written in.
#[derive(Debug)]
pub struct SchemaRegistry {
    response_gen: SchemaGenerator,
    request_gen: SchemaGenerator,
}

impl Default for SchemaRegistry {
    fn default() -> Self {
        let settings = SchemaSettings::draft2020_12().for_serialize();
        let settings = settings.with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        let request_settings = SchemaSettings::draft2020_12().for_deserialize();
        let request_settings = request_settings.with(|settings| {
            settings.inline_subschemas = true;
            settings.meta_schema = None;
        });
        Self {
            response_gen: settings
                .with_transform(forbid_extra_properties)
                .into_generator(),
            request_gen: request_settings.into_generator(),
        }
    }
}

impl SchemaRegistry {
    /// The schema of `T`, as it is serialised.
    pub fn response_schema<T: JsonSchema>(&mut self) -> Value {
        let mut schema = self.response_gen.subschema_for::<T>();
        forbid_extra_properties(&mut schema);
        schema.to_value()
    }

    /// The schema of `T`, as it is read.
    pub fn request_schema<T: JsonSchema>(&mut self) -> Value {
        self.request_gen.subschema_for::<T>().to_value()
    }

    /// What others refer to, by name.
    #[must_use]
    pub fn into_components(mut self) -> Map<String, Value> {
        self.response_gen.take_definitions(true)
    }
}

/// Objects have the properties they are described with, and no others.
fn forbid_extra_properties(schema: &mut Schema) {
    transform_subschemas(&mut forbid_extra_properties, schema);
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if object.get("type") != Some(&json!("object")) || !object.contains_key("properties") {
        return;
    }
    let elsewhere = COMPOSITION_KEYWORDS
        .iter()
        .any(|word| object.contains_key(*word));
    let word = if elsewhere {
        "unevaluatedProperties"
    } else {
        "additionalProperties"
    };
    object.insert(word.to_owned(), json!(false));
}
