//! JSON schemas of response and request bodies, derived from the types that serde writes and reads.

use schemars::generate::SchemaSettings;
use schemars::transform::transform_subschemas;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

/// Keywords that add properties which the object itself does not list.
const COMPOSITION_KEYWORDS: [&str; 4] = ["$ref", "allOf", "anyOf", "oneOf"];

/// Generates schemas. Named response types become components and are referred to by `$ref`. Request
/// schemas are inlined, because a type may be read in another shape than it is written in.
#[derive(Debug)]
pub struct SchemaRegistry {
    response_gen: SchemaGenerator,
    request_gen: SchemaGenerator,
}

impl Default for SchemaRegistry {
    fn default() -> Self {
        let response_settings = SchemaSettings::draft2020_12()
            .for_serialize()
            .with(|settings| {
                settings.definitions_path = "/components/schemas".into();
                settings.meta_schema = None;
            })
            .with_transform(forbid_extra_properties);
        let request_settings = SchemaSettings::draft2020_12()
            .for_deserialize()
            .with(|settings| {
                settings.inline_subschemas = true;
                settings.meta_schema = None;
            });
        Self {
            response_gen: response_settings.into_generator(),
            request_gen: request_settings.into_generator(),
        }
    }
}

impl SchemaRegistry {
    /// Returns the schema of `T` as serde serialises it.
    pub fn response_schema<T: JsonSchema>(&mut self) -> Value {
        let mut schema = self.response_gen.subschema_for::<T>();
        forbid_extra_properties(&mut schema);
        schema.to_value()
    }

    /// Returns the schema of `T` as serde deserialises it.
    pub fn request_schema<T: JsonSchema>(&mut self) -> Value {
        self.request_gen.subschema_for::<T>().to_value()
    }

    /// Returns the component schemas by name.
    #[must_use]
    pub fn into_components(mut self) -> Map<String, Value> {
        self.response_gen.take_definitions(true)
    }
}

/// Forbids properties that the schema of an object does not list.
fn forbid_extra_properties(schema: &mut Schema) {
    transform_subschemas(&mut forbid_extra_properties, schema);
    let Some(object) = schema.as_object_mut() else {
        return;
    };
    if object.get("type") != Some(&json!("object")) || !object.contains_key("properties") {
        return;
    }
    let is_composed = COMPOSITION_KEYWORDS
        .iter()
        .any(|keyword| object.contains_key(*keyword));
    let keyword = if is_composed {
        "unevaluatedProperties"
    } else {
        "additionalProperties"
    };
    object.insert(keyword.to_owned(), json!(false));
    // An alternative lists only some of the properties.
    for keyword in ["allOf", "anyOf", "oneOf"] {
        let parts = object.get_mut(keyword).and_then(Value::as_array_mut);
        for part in parts.into_iter().flatten().filter_map(Value::as_object_mut) {
            part.remove("additionalProperties");
        }
    }
}
