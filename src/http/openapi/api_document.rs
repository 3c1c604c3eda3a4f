//! OpenAPI document of one API, as JSON text.

use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::Value;

/// OpenAPI document of one API. Built at its first use.
#[derive(Debug)]
pub struct ApiDocument {
    /// Name of the API, such as `control`.
    pub name: &'static str,
    build: fn() -> Value,
    json: OnceLock<Bytes>,
}

impl ApiDocument {
    /// Creates a document that `build` returns.
    #[must_use]
    pub const fn new(name: &'static str, build: fn() -> Value) -> Self {
        Self {
            name,
            build,
            json: OnceLock::new(),
        }
    }

    /// Returns the document as JSON.
    pub fn json(&self) -> Bytes {
        let json = self.json.get_or_init(|| (self.build)().to_string().into());
        Bytes::clone(json)
    }
}
