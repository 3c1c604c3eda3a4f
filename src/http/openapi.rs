//! OpenAPI 3.1 documents. An operation is described where it is routed, from the types of its
//! responses and the readers of its input.
//!
//! Schemas are JSON Schema 2020-12. An object in a response has no properties but those of its schema.
//! An object in a request may have others, which are ignored, unless its schema forbids them.

mod api_document;
mod api_info;
mod schemas;

use std::collections::BTreeMap;

use axum::http::Method;
use schemars::JsonSchema;
use serde_json::{Map, Value, json};

use super::requires_same_origin;
use crate::model::rule::ResultKind;
use crate::services::fixtures::FixtureBuilder;
pub use api_document::ApiDocument;
pub use api_info::{ApiInfo, SecurityScheme, Webhook};
pub use schemas::SchemaRegistry;

/// Fills in the documentation of an operation.
pub type Describe = for<'s> fn(OperationDoc<'s>) -> OperationDoc<'s>;

/// One method and path of an API.
#[derive(Debug, Clone)]
pub struct Operation {
    /// Unique name, such as `bizmori.createAiDetection`.
    pub name: &'static str,
    pub method: Method,
    /// Path in axum's notation, such as `/api/v2/orders/{orderId}`.
    pub path: &'static str,
    /// Kind of result of the orders that the operation creates. `None` if it creates no orders.
    pub result_kind: Option<ResultKind>,
    /// Builds such an order from a fixture. `None` if fixtures cannot have orders of this operation.
    pub fixture_builder: Option<FixtureBuilder>,
    /// Fills in the documentation. `None` if the operation is left out of the OpenAPI document.
    pub describe: Option<Describe>,
}

/// A field of a request body, or a query parameter.
#[derive(Debug, Clone, PartialEq)]
pub struct Param {
    pub name: &'static str,
    pub required: bool,
    pub schema: Value,
}

/// Builder for the OpenAPI description of one operation.
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
    /// Schemas by media type. Empty if the response has no body.
    content: Map<String, Value>,
    /// Header objects by name.
    headers: Map<String, Value>,
}

impl<'s> OperationDoc<'s> {
    fn new(schemas: &'s mut SchemaRegistry, operation: &Operation) -> Self {
        let method = &operation.method;
        let path = operation.path;
        let path_parameter = |segment: &str| {
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
            parameters: path.split('/').filter_map(path_parameter).collect(),
            body: None,
            responses: BTreeMap::new(),
        }
    }

    /// Sets the title, and a description in Markdown.
    #[must_use]
    pub fn summary(self, summary: &'static str, text: &'static str) -> Self {
        Self {
            summary,
            text,
            ..self
        }
    }

    /// Adds the requirement of the API's key.
    #[must_use]
    pub fn security(self) -> Self {
        Self {
            has_security: true,
            ..self
        }
    }

    /// Adds query parameters.
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

    /// Sets a required JSON body with these fields.
    #[must_use]
    pub fn body_fields(mut self, inputs: Vec<Param>) -> Self {
        let mut schema = json!({"type": "object", "properties": {}});
        let required: Vec<&str> = inputs
            .iter()
            .filter(|input| input.required)
            .map(|input| input.name)
            .collect();
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

    /// Sets a JSON body with the schema of `T`. If the body is not `required`, no body means an empty
    /// object.
    #[must_use]
    pub fn json_body<T: JsonSchema>(mut self, required: bool) -> Self {
        let content = json!({"application/json": {"schema": self.schemas.request_schema::<T>()}});
        self.body = Some(json!({"required": required, "content": content}));
        self
    }

    /// Sets a required body of any media type.
    #[must_use]
    pub fn binary_body(mut self) -> Self {
        self.body = Some(json!({"required": true, "content": {"*/*": {}}}));
        self
    }

    /// Requires that the body matches at least one of the schemas in `any_of`.
    ///
    /// # Panics
    /// Panics if the operation has no body, which is a programming error.
    #[must_use]
    pub fn body_any_of(mut self, any_of: &Value) -> Self {
        let body = self.body.as_mut().expect("a body");
        body["content"]["application/json"]["schema"]["anyOf"] = any_of.clone();
        self
    }

    /// Adds a description in Markdown to the parameter or body field `name`.
    ///
    /// # Panics
    /// Panics if there is no input of that name, which is a programming error.
    #[must_use]
    pub fn describe_param(mut self, name: &str, text: &str) -> Self {
        let parameter = self
            .parameters
            .iter_mut()
            .find(|parameter| parameter["name"] == name);
        let field = self.body.as_mut().and_then(|body| {
            let schema = &mut body["content"]["application/json"]["schema"];
            schema["properties"].get_mut(name)
        });
        let input = parameter.or(field).expect("an input of that name");
        input["description"] = json!(text);
        self
    }

    /// Adds a response with a JSON body that has the schema of `T`.
    #[must_use]
    pub fn response<T: JsonSchema>(self, status: u16, text: &str) -> Self {
        let schema = self.schemas.response_schema::<T>();
        self.response_schema(status, text, &schema)
    }

    /// Adds a response with a JSON body that has `schema`.
    #[must_use]
    pub fn response_schema(self, status: u16, text: &str, schema: &Value) -> Self {
        self.response_as(status, text, "application/json", &json!({"schema": schema}))
    }

    /// Adds a response with a binary body of one of these media types.
    #[must_use]
    pub fn binary_response(self, status: u16, text: &str, media_types: &[&str]) -> Self {
        media_types.iter().fold(self, |doc, media_type| {
            doc.response_as(status, text, media_type, &json!({}))
        })
    }

    /// Adds a response without a body.
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

    /// Adds the header `name` to the response of `status`. `schema` describes the header's value.
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

    /// Adds the optional header `name` to every response added so far.
    #[must_use]
    pub fn with_header_on_all(mut self, name: &str, text: &str) -> Self {
        let header = json!({"description": text, "required": false, "schema": {"type": "string"}});
        for response in self.responses.values_mut() {
            response.headers.insert(name.to_owned(), header.clone());
        }
        self
    }

    /// `true` if requests of web pages of another origin are refused.
    #[must_use]
    pub const fn requires_same_origin(&self) -> bool {
        self.requires_same_origin
    }

    /// `true` if the operation reads a body.
    #[must_use]
    pub const fn has_body(&self) -> bool {
        self.body.is_some()
    }

    /// `true` if the operation reads query parameters or a body.
    #[must_use]
    pub fn has_input(&self) -> bool {
        let is_query = |parameter: &Value| parameter["in"] == "query";
        self.has_body() || self.parameters.iter().any(is_query)
    }

    /// Returns the response schema of `T`: a reference to a component if `T` is a named type.
    pub fn schema<T: JsonSchema>(&mut self) -> Value {
        self.schemas.response_schema::<T>()
    }

    /// Returns the OpenAPI operation object.
    fn into_json(self, operation: &Operation, api: &ApiInfo) -> Value {
        let mut object = json!({
            "operationId": operation.name,
            "summary": self.summary,
            "description": self.text,
            "responses": {},
        });
        if let Some(key) = api.key.filter(|_| self.has_security) {
            object["security"] = key.requirement();
        }
        if !self.parameters.is_empty() {
            object["parameters"] = json!(self.parameters);
        }
        if let Some(body) = self.body {
            object["requestBody"] = body;
        }
        for (status, response) in self.responses {
            object["responses"][status.to_string()] = response.into_json(status);
        }
        object
    }
}

impl ResponseDoc {
    fn into_json(mut self, status: u16) -> Value {
        let mut add_reference = |name: &str| {
            let reference = format!("#/components/headers/{name}");
            self.headers
                .insert(name.to_owned(), json!({"$ref": reference}));
        };
        add_reference("X-Mock-Request");
        if status >= 400 {
            add_reference("X-Mock-Reason");
        }
        let mut object = json!({"description": self.text, "headers": self.headers});
        if !self.content.is_empty() {
            object["content"] = self.content.into();
        }
        object
    }
}

/// Returns the OpenAPI document of an API, with those `operations` that have documentation.
#[must_use]
pub fn document(api: &ApiInfo, operations: &[Operation]) -> Value {
    let mut schemas = SchemaRegistry::default();
    let mut paths = json!({});
    for operation in operations {
        let Some(describe) = operation.describe else {
            continue;
        };
        let doc = describe(OperationDoc::new(&mut schemas, operation));
        let method = operation.method.as_str().to_ascii_lowercase();
        paths[operation.path][method] = doc.into_json(operation, api);
    }
    let webhooks: Map<String, Value> = api
        .webhooks
        .iter()
        .map(|webhook| (webhook.name.to_owned(), webhook.to_json(&mut schemas)))
        .collect();
    let reason_schema = json!({"type": "string", "minLength": 1});
    let mut components = json!({
        "headers": {
            "X-Mock-Request": {
                "description": "Number of the request in the account's journal.",
                "required": true,
                "schema": {"type": "integer", "minimum": 1},
            },
            "X-Mock-Reason": {
                "description": "Reason why this request failed, in one line.",
                "required": true,
                "schema": reason_schema,
            },
        },
        "schemas": schemas.into_components(),
    });
    if let Some(key) = api.key {
        components["securitySchemes"] = json!({key.name(): key.scheme()});
    }
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {
            "title": api.title,
            "description": api.text,
            "version": env!("CARGO_PKG_VERSION"),
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": components,
    });
    if !webhooks.is_empty() {
        document["webhooks"] = webhooks.into();
    }
    document
}
