//! Checks every response of every test against the server's OpenAPI descriptions.
//!
//! Responses on a described path have to match the description. Responses of rules are exempt. For
//! the control plane, accepted request bodies and query parameters have to be described too, and a
//! path below `/_mock` that is not described has to answer an error for unknown routes.

use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use reqwest::Method;
use serde_json::{Value, json};

use super::TestResponse;

/// One operation of a description.
struct DescribedOperation {
    id: String,
    method: String,
    /// Segments of the path. `None` for a path parameter.
    path: Vec<Option<String>>,
    /// Names of the query parameters.
    query: Vec<String>,
    /// Schema of the request body. `None` if the body is not JSON.
    body: Option<Validator>,
    responses: Vec<DescribedResponse>,
}

/// A request that a test sent.
pub struct DescribedInput<'a> {
    pub method: &'a Method,
    /// Path with the query.
    pub path: &'a str,
    /// `None` if the body is unknown.
    pub body: Option<&'a [u8]>,
}

/// A response with one status and one media type. `media_type` is empty if there is no body.
struct DescribedResponse {
    status: u16,
    media_type: String,
    /// Schema of the body. `None` if the body is not JSON.
    body: Option<Validator>,
    /// Names and schemas of the required headers.
    headers: Vec<(String, Validator)>,
}

static OPERATIONS: LazyLock<Vec<DescribedOperation>> = LazyLock::new(|| {
    let mut operations: Vec<_> = [
        stuntdouble::api::bizmori::description(),
        stuntdouble::api::undetectable::description(),
        stuntdouble::api::control::description(),
    ]
    .iter()
    .flat_map(operations)
    .collect();
    // The most specific pattern comes first.
    operations.sort_by_key(|it| it.path.iter().filter(|segment| segment.is_none()).count());
    operations
});

/// Checks a request and its response against the descriptions.
///
/// # Errors
/// Returns the operation, the status, and each place that does not match.
pub fn check(input: &DescribedInput, response: &TestResponse) -> Result<(), String> {
    let (path, query) = input.path.split_once('?').unwrap_or((input.path, ""));
    if response.header("x-mock-reason").starts_with("rule ") {
        return Ok(());
    }
    // A path routes to its most specific pattern, also if that pattern lacks the method.
    let pattern = OPERATIONS
        .iter()
        .find(|it| it.is_at(path))
        .map(|it| &it.path);
    let is_requested =
        |it: &&DescribedOperation| it.method == input.method.as_str() && Some(&it.path) == pattern;
    let Some(operation) = OPERATIONS.iter().find(is_requested) else {
        return check_no_route(input.method, path, response);
    };
    if operation.id == "control.postToInbox" {
        // The test chooses the status that an inbox responds with.
        return Ok(());
    }
    let describe = |mismatch: String| {
        let status = response.status;
        let body = String::from_utf8_lossy(&response.bytes);
        format!("{}: {status}: {mismatch}\n{body}", operation.id)
    };
    if operation.id.starts_with("control.") && response.status < 300 {
        operation
            .check_request(query, input.body)
            .map_err(describe)?;
    }
    operation.check_response(response).map_err(describe)
}

/// Schema of BIZ MORI's webhooks.
static EVENT: LazyLock<Validator> = LazyLock::new(|| {
    let document = stuntdouble::api::bizmori::description();
    let pointer = "/webhooks/bizmori.orderEvent/post/requestBody/content/application~1json/schema";
    let schema = document.pointer(pointer).expect("a schema");
    validator(&document, schema)
});

/// Checks the body of a webhook against the description.
///
/// # Errors
/// Returns each place that does not match.
pub fn check_event(body: &Value) -> Result<(), String> {
    check_schema(&EVENT, body)
}

fn check_no_route(method: &Method, path: &str, response: &TestResponse) -> Result<(), String> {
    let is_dashboard = ["/_mock", "/_mock/"].contains(&path) || path.starts_with("/_mock/ui/");
    let is_control = path.starts_with("/_mock/") && !is_dashboard;
    if !is_control || method == Method::HEAD {
        return Ok(());
    }
    let body = serde_json::from_slice(&response.bytes).unwrap_or(Value::Null);
    let error = (response.status, body["error"]["code"].as_str());
    let errors_of_unknown_routes = [
        (400, Some("bad_host")),
        // The path of an account without its key.
        (400, Some("bad_key")),
        (401, Some("unauthorized")),
        (403, Some("cross_origin")),
        (404, Some("unknown_route")),
        (421, Some("unknown_host")),
    ];
    if errors_of_unknown_routes.contains(&error) {
        return Ok(());
    }
    Err(format!("{method} {path} is not described but is answered"))
}

impl DescribedOperation {
    fn check_request(&self, query: &str, body: Option<&[u8]>) -> Result<(), String> {
        for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
            if !self.query.iter().any(|known| *known == name) {
                return Err(format!("accepts ?{name}, which is not described"));
            }
        }
        let Some((schema, body)) = self.body.as_ref().zip(body) else {
            return Ok(());
        };
        let bytes = if body.is_empty() { b"{}" } else { body };
        let body = serde_json::from_slice(bytes)
            .map_err(|error| format!("accepts invalid JSON: {error}"))?;
        check_schema(schema, &body).map_err(|places| format!("accepts {body}\n{places}"))
    }

    fn check_response(&self, response: &TestResponse) -> Result<(), String> {
        let media_type = response.header("content-type");
        let with_status = self
            .responses
            .iter()
            .filter(|it| it.status == response.status);
        let Some(described) = with_status.clone().find(|it| it.media_type == media_type) else {
            let known: Vec<_> = with_status.map(|it| &it.media_type).collect();
            return Err(format!(
                "media type is {media_type:?}, but {known:?} are described"
            ));
        };
        for (name, schema) in &described.headers {
            let value = response.header(name);
            let number = serde_json::from_str(value).ok().filter(Value::is_number);
            let is_valid =
                schema.is_valid(&json!(value)) || number.is_some_and(|it| schema.is_valid(&it));
            if !is_valid {
                return Err(format!("header {name}: {value:?}"));
            }
        }
        if described.media_type.is_empty() && !response.bytes.is_empty() {
            return Err("has a body, but none is described".to_owned());
        }
        let Some(schema) = &described.body else {
            return Ok(());
        };
        let body =
            serde_json::from_slice(&response.bytes).map_err(|_| "body is not JSON".to_owned())?;
        check_schema(schema, &body)
    }
}

fn check_schema(schema: &Validator, body: &Value) -> Result<(), String> {
    let mut places = Vec::new();
    schema
        .iter_errors(body)
        .for_each(|error| collect_places(&error, &mut places));
    if places.is_empty() {
        Ok(())
    } else {
        Err(places.join("\n"))
    }
}

/// Adds each place that does not match, for alternatives those of every alternative.
fn collect_places(error: &ValidationError, places: &mut Vec<String>) {
    match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let errors = context.iter().flatten();
            errors.for_each(|error| collect_places(error, places));
        }
        _ => places.push(format!("{}: {error}", error.instance_path())),
    }
}

impl DescribedOperation {
    fn is_at(&self, path: &str) -> bool {
        let segments: Vec<&str> = path.split('/').collect();
        let matches = |(expected, actual): (&Option<String>, &&str)| {
            // A path parameter is not empty.
            let is_parameter = expected.is_none() && !actual.is_empty();
            is_parameter || expected.as_deref() == Some(actual)
        };
        segments.len() == self.path.len() && self.path.iter().zip(&segments).all(matches)
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("an object").iter()
}

fn operations(document: &Value) -> Vec<DescribedOperation> {
    let mut operations = Vec::new();
    for (path, methods) in object(&document["paths"]) {
        let segment = |text: &str| (!text.starts_with('{')).then(|| text.to_owned());
        let path: Vec<_> = path.split('/').map(segment).collect();
        for (method, operation) in object(methods) {
            let responses = object(&operation["responses"]);
            let parameters = operation["parameters"].as_array().into_iter().flatten();
            let in_query = parameters.filter(|it| it["in"] == "query");
            let name = |it: &Value| it["name"].as_str().expect("a name").to_owned();
            let body = operation.pointer("/requestBody/content/application~1json/schema");
            operations.push(DescribedOperation {
                query: in_query.map(name).collect(),
                body: body.map(|schema| validator(document, schema)),
                id: operation["operationId"].as_str().expect("an id").to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                responses: responses
                    .flat_map(|(status, response)| described_responses(document, status, response))
                    .collect(),
            });
        }
    }
    operations
}

fn validator(document: &Value, schema: &Value) -> Validator {
    let schema = json!({"allOf": [schema], "components": document["components"]});
    jsonschema::draft202012::new(&schema).expect("a schema")
}

fn described_responses(document: &Value, status: &str, response: &Value) -> Vec<DescribedResponse> {
    let headers = || {
        let resolved = object(&response["headers"]).map(|(name, header)| {
            let referenced = header["$ref"]
                .as_str()
                .and_then(|pointer| document.pointer(&pointer[1..]));
            (name, referenced.unwrap_or(header))
        });
        let required = resolved.filter(|(_, header)| header["required"] == true);
        required
            .map(|(name, header)| (name.clone(), validator(document, &header["schema"])))
            .collect()
    };
    let described = |media_type: &str, content: &Value| DescribedResponse {
        status: status.parse().expect("a status"),
        media_type: media_type.to_owned(),
        body: content
            .get("schema")
            .map(|schema| validator(document, schema)),
        headers: headers(),
    };
    if response["content"].is_null() {
        return vec![described("", &Value::Null)];
    }
    let content = object(&response["content"]);
    content
        .map(|(media_type, content)| described(media_type, content))
        .collect()
}
