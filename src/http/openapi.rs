//! Descriptions of operations, in OpenAPI 3.1: told where an operation is routed, made of the
//! types that are answered and of the very readers of what is asked.
//!
//! Schemas are JSON Schema 2020-12. An object that is answered has the properties it is
//! described with and no others; one that is asked may have others, which are ignored, unless it
//! says that it has none.

mod schemas;

use std::collections::BTreeMap;

use axum::http::Method;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::requires_same_origin;
use crate::model::rule::ResultKind;
use crate::services::fixtures::FixtureBuilder;
pub use schemas::SchemaRegistry;

/// Fills in the description of an operation.
pub type Describe = for<'s> fn(OperationDoc<'s>) -> OperationDoc<'s>;

/// One method and path of a front door.
#[derive(Debug, Clone)]
pub struct Operation {
    /// `bizmori.createAiDetection`.
    pub name: &'static str,
    pub method: Method,
    /// As axum writes it: `/api/v2/orders/{orderId}`.
    pub path: &'static str,
    /// What its orders come to; none: it makes no orders.
    pub result_kind: Option<ResultKind>,
    /// Makes of an order that is told in a document what a client would have wanted; none: such
    /// orders are not told.
    pub fixture_builder: Option<FixtureBuilder>,
    /// Fills in its description; none: it is not described.
    pub describe: Option<Describe>,
}

/// What a whole API is.
#[derive(Debug)]
pub struct ApiInfo {
    pub title: &'static str,
    /// Markdown.
    pub text: &'static str,
    /// The key that operations want.
    pub key: Option<SecurityScheme>,
}

/// How a call says who makes it; `text` is for people.
#[derive(Debug, Clone, Copy)]
pub enum SecurityScheme {
    /// By a header of that name.
    Header {
        name: &'static str,
        text: &'static str,
    },
    /// By `Authorization: Bearer`, which may be left out where the server wants none.
    Bearer { text: &'static str },
}

impl SecurityScheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Header { name, .. } => name,
            Self::Bearer { .. } => "bearer",
        }
    }

    fn scheme(self) -> Value {
        match self {
            Self::Header { name, text } => {
                json!({"type": "apiKey", "in": "header", "name": name, "description": text})
            }
            Self::Bearer { text } => {
                json!({"type": "http", "scheme": "bearer", "description": text})
            }
        }
    }

    /// What one of has to be there.
    fn requirement(self) -> Value {
        match self {
            Self::Header { name, .. } => json!([{name: []}]),
            Self::Bearer { .. } => json!([{self.name(): []}, {}]),
        }
    }
}

/// Something that is asked: a field of a body, a parameter of a query.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    pub name: &'static str,
    pub required: bool,
    pub schema: Value,
}

/// The description of one operation.
#[derive(Debug)]
pub struct OperationDoc<'s> {
    schemas: &'s mut SchemaRegistry,
    summary: &'static str,
    text: &'static str,
    has_security: bool,
    requires_same_origin: bool,
    parameters: Vec<Value>,
    body: Option<Value>,
    responses: BTreeMap<u16, ResponseDoc>,
}

#[derive(Debug, Default)]
struct ResponseDoc {
    text: String,
    /// By media type; empty where there is no body.
    content: Map<String, Value>,
    /// By name.
    headers: Map<String, Value>,
}

impl<'s> OperationDoc<'s> {
    fn new(schemas: &'s mut SchemaRegistry, operation: &Operation) -> Self {
        let (method, path) = (&operation.method, operation.path);
        let of_path = |segment: &str| {
            let name = segment.strip_prefix('{')?.strip_suffix('}')?;
            Some(
                json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}),
            )
        };
        Self {
            schemas,
            summary: "",
            text: "",
            has_security: false,
            requires_same_origin: requires_same_origin(method, path),
            parameters: path.split('/').filter_map(of_path).collect(),
            body: None,
            responses: BTreeMap::new(),
        }
    }

    /// What it does: a title, and sentences in Markdown.
    #[must_use]
    pub fn summary(self, summary: &'static str, text: &'static str) -> Self {
        Self {
            summary,
            text,
            ..self
        }
    }

    /// It wants the API's key.
    #[must_use]
    pub fn security(self) -> Self {
        Self {
            has_security: true,
            ..self
        }
    }

    /// It reads these parameters of the query.
    #[must_use]
    pub fn query_params(mut self, inputs: Vec<Param>) -> Self {
        let parameter = |input: Param| {
            let Param {
                name,
                required,
                schema,
            } = input;
            json!({"name": name, "in": "query", "required": required, "schema": schema})
        };
        self.parameters.extend(inputs.into_iter().map(parameter));
        self
    }

    /// It reads a JSON body with these fields.
    #[must_use]
    pub fn body_fields(mut self, inputs: Vec<Param>) -> Self {
        let mut schema = json!({"type": "object", "properties": {}});
        let required = inputs.iter().filter(|input| input.required);
        let required: Vec<&str> = required.map(|input| input.name).collect();
        if !required.is_empty() {
            schema["required"] = json!(required);
        }
        for input in inputs {
            schema["properties"][input.name] = input.schema;
        }
        let content = json!({"application/json": {"schema": schema}});
        self.body = Some(json!({"required": true, "content": content}));
        self
    }

    /// It reads a JSON body of the shape of `T`; nothing at all is an empty object, where one is
    /// not required.
    #[must_use]
    pub fn json_body<T: JsonSchema>(mut self, required: bool) -> Self {
        let content = json!({"application/json": {"schema": self.schemas.request_schema::<T>()}});
        self.body = Some(json!({"required": required, "content": content}));
        self
    }

    /// The fields of its body are together as at least one of these schemas has them.
    ///
    /// # Panics
    /// If it reads no body, which is a mistake in the program.
    #[must_use]
    pub fn body_any_of(mut self, any_of: &Value) -> Self {
        let body = self.body.as_mut().expect("a body");
        body["content"]["application/json"]["schema"]["anyOf"] = any_of.clone();
        self
    }

    /// Sentences on an input of that name.
    ///
    /// # Panics
    /// If it asks for no such thing, which is a mistake in the program.
    #[must_use]
    pub fn describe_param(mut self, name: &str, text: &str) -> Self {
        let mut parameters = self.parameters.iter_mut();
        let parameter = parameters.find(|parameter| parameter["name"] == name);
        let field = self.body.as_mut().and_then(|body| {
            let schema = &mut body["content"]["application/json"]["schema"];
            schema["properties"].get_mut(name)
        });
        let input = parameter.or(field).expect("an input of that name");
        input["description"] = json!(text);
        self
    }

    /// It may answer that status with JSON of the shape of `T`.
    #[must_use]
    pub fn response<T: JsonSchema>(self, status: u16, text: &str) -> Self {
        let schema = self.schemas.response_schema::<T>();
        self.response_schema(status, text, &schema)
    }

    /// It may answer that status with JSON of that schema.
    #[must_use]
    pub fn response_schema(self, status: u16, text: &str, schema: &Value) -> Self {
        self.response_as(status, text, "application/json", &json!({"schema": schema}))
    }

    /// It may answer that status with bytes of one of these media types.
    #[must_use]
    pub fn binary_response(self, status: u16, text: &str, media_types: &[&str]) -> Self {
        media_types.iter().fold(self, |described, media_type| {
            described.response_as(status, text, media_type, &json!({}))
        })
    }

    /// It may answer that status without a body.
    #[must_use]
    pub fn empty_response(mut self, status: u16, text: &str) -> Self {
        let response = self.responses.entry(status).or_default();
        text.clone_into(&mut response.text);
        self
    }

    fn response_as(mut self, status: u16, text: &str, media_type: &str, content: &Value) -> Self {
        let response = self.responses.entry(status).or_default();
        text.clone_into(&mut response.text);
        response
            .content
            .insert(media_type.to_owned(), content.clone());
        self
    }

    /// Answers of that status have a header; `schema` is of its value.
    #[must_use]
    pub fn with_header(
        mut self,
        status: u16,
        name: &str,
        required: bool,
        text: &str,
        schema: &Value,
    ) -> Self {
        let header = json!({"description": text, "required": required, "schema": schema});
        let response = self.responses.entry(status).or_default();
        response.headers.insert(name.to_owned(), header);
        self
    }

    /// `true` if web pages of another origin are refused.
    #[must_use]
    pub const fn requires_same_origin(&self) -> bool {
        self.requires_same_origin
    }

    /// It reads a body.
    #[must_use]
    pub const fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// It reads parameters or a body.
    #[must_use]
    pub fn has_input(&self) -> bool {
        self.has_body() || self.parameters.iter().any(|it| it["in"] == "query")
    }

    /// The schema of `T`, as it stands in a description.
    pub fn schema<T: JsonSchema>(&mut self) -> Value {
        self.schemas.response_schema::<T>()
    }

    /// As an OpenAPI operation.
    fn into_json(self, operation: &Operation, about: &ApiInfo) -> Value {
        let mut response_body = json!({
            "operationId": operation.name,
            "summary": self.summary,
            "description": self.text,
            "responses": {},
        });
        if let Some(key) = about.key.filter(|_| self.has_security) {
            response_body["security"] = key.requirement();
        }
        if !self.parameters.is_empty() {
            response_body["parameters"] = json!(self.parameters);
        }
        if let Some(body) = self.body {
            response_body["requestBody"] = body;
        }
        for (status, response) in self.responses {
            response_body["responses"][status.to_string()] = response.into_json(status);
        }
        response_body
    }
}

impl ResponseDoc {
    fn into_json(mut self, status: u16) -> Value {
        let mut refer = |name: &str| {
            let to = format!("#/components/headers/{name}");
            self.headers.insert(name.to_owned(), json!({"$ref": to}));
        };
        refer("X-Mock-Request");
        if status >= 400 {
            refer("X-Mock-Reason");
        }
        let mut response_body = json!({"description": self.text, "headers": self.headers});
        if !self.content.is_empty() {
            response_body["content"] = self.content.into();
        }
        response_body
    }
}

/// The OpenAPI document of the operations that are described.
#[must_use]
pub fn document(about: &ApiInfo, operations: &[Operation]) -> Value {
    let mut schemas = SchemaRegistry::default();
    let mut paths = json!({});
    for operation in operations {
        let Some(describe) = operation.describe else {
            continue;
        };
        let described = describe(OperationDoc::new(&mut schemas, operation));
        let method = operation.method.as_str().to_ascii_lowercase();
        paths[operation.path][method] = described.into_json(operation, about);
    }
    let line = json!({"type": "string", "minLength": 1});
    let mut components = json!({
        "headers": {
            "X-Mock-Request": {
                "description": "The request's number in the account's journal.",
                "required": true,
                "schema": {"type": "integer", "minimum": 1},
            },
            "X-Mock-Reason": {
                "description": "One line on what was wrong with this very request.",
                "required": true,
                "schema": line,
            },
        },
        "schemas": schemas.into_components(),
    });
    if let Some(key) = about.key {
        components["securitySchemes"] = json!({key.name(): key.scheme()});
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": about.title,
            "description": about.text,
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": components,
    })
}
