//! Facts about a whole API: title, authentication, and the requests that the server itself sends.

use serde_json::{Value, json};

use super::schemas::SchemaRegistry;

/// Facts about a whole API.
#[derive(Debug)]
pub struct ApiInfo {
    pub title: &'static str,
    /// Markdown.
    pub text: &'static str,
    /// Scheme of operations that require a key. `None` if no operation does.
    pub key: Option<SecurityScheme>,
    /// Requests that the server sends to the client.
    pub webhooks: &'static [Webhook],
}

/// Request that the server sends to URLs of the client: a POST with a JSON body.
#[derive(Debug)]
pub struct Webhook {
    pub name: &'static str,
    pub summary: &'static str,
    /// Markdown.
    pub text: &'static str,
    /// Name and description of the header with the signature.
    pub signature_header: (&'static str, &'static str),
    /// Returns the schema of the body.
    pub body: fn(&mut SchemaRegistry) -> Value,
}

impl Webhook {
    /// Returns the OpenAPI path item object.
    pub(super) fn to_json(&self, schemas: &mut SchemaRegistry) -> Value {
        let (header, header_text) = self.signature_header;
        json!({"post": {
            "operationId": self.name,
            "summary": self.summary,
            "description": self.text,
            "parameters": [{
                "name": header, "in": "header", "required": true, "description": header_text,
                "schema": {"type": "string"},
            }],
            "requestBody": {
                "required": true,
                "content": {"application/json": {"schema": (self.body)(schemas)}},
            },
            "responses": {"2XX": {"description": "Delivered."}},
        }})
    }
}

/// Authentication of requests. `text` is Markdown for people.
#[derive(Debug, Clone, Copy)]
pub enum SecurityScheme {
    /// API key in the header `name`.
    Header {
        name: &'static str,
        text: &'static str,
    },
    /// `Authorization: Bearer`. Optional, because the server may be configured without a token.
    Bearer { text: &'static str },
    /// `Authorization: Bearer` with an API key.
    BearerKey { text: &'static str },
}

impl SecurityScheme {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Header { name, .. } => name,
            Self::Bearer { .. } | Self::BearerKey { .. } => "bearer",
        }
    }

    pub(super) fn scheme(self) -> Value {
        match self {
            Self::Header { name, text } => {
                json!({"type": "apiKey", "in": "header", "name": name, "description": text})
            }
            Self::Bearer { text } | Self::BearerKey { text } => {
                json!({"type": "http", "scheme": "bearer", "description": text})
            }
        }
    }

    /// Returns the alternatives, one of which a request has to satisfy.
    pub(super) fn requirement(self) -> Value {
        match self {
            Self::Header { name, .. } => json!([{name: []}]),
            Self::Bearer { .. } => json!([{self.name(): []}, {}]),
            Self::BearerKey { .. } => json!([{self.name(): []}]),
        }
    }
}
