//! Answers against the descriptions that the server gives of itself.
//!
//! Whatever a test is about, an answer that it gets on a described path is one that the
//! description allows. What a rule answers is the rule's, and is not looked at. What the control
//! plane takes is described, too: no body that fits no description, and no parameter of a query
//! that none has. What is below `/_mock` and no operation is no route.

use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use reqwest::Method;
use serde_json::{Value, json};

use super::TestResponse;

/// One operation of the description.
struct DescribedOperation {
    id: String,
    method: String,
    /// What each segment of its path is; none where anything may stand.
    path: Vec<Option<String>>,
    /// The names in its query.
    query: Vec<String>,
    /// What it reads, where that is JSON.
    body: Option<Validator>,
    answers: Vec<ApiDescription>,
}

/// A request that was made.
pub struct DescribedInput<'a> {
    pub method: &'a Method,
    /// With the query.
    pub path: &'a str,
    /// None where it is not known.
    pub body: Option<&'a [u8]>,
}

/// What it may answer with one status, in one media type; none where there is no body.
struct ApiDescription {
    status: u16,
    media_type: String,
    /// None where the body is no JSON.
    body: Option<Validator>,
    /// Required headers: their names, and what their values are.
    headers: Vec<(String, Validator)>,
}

static OPERATIONS: LazyLock<Vec<DescribedOperation>> = LazyLock::new(|| {
    let vendors = operations(&stuntdouble::api::undetectable::description());
    let control = operations(&stuntdouble::api::control::description());
    vendors.into_iter().chain(control).collect()
});

/// What is wrong with a request and its answer on a described path: it is not as described.
///
/// # Errors
/// One line or several: the operation, the status, and where it is wrong.
pub fn check(input: &DescribedInput, response: &TestResponse) -> Result<(), String> {
    let (path, query) = input.path.split_once('?').unwrap_or((input.path, ""));
    if response.header("x-mock-reason").starts_with("rule ") {
        return Ok(());
    }
    let is_asked = |it: &&DescribedOperation| it.method == input.method.as_str() && it.is_at(path);
    let Some(operation) = OPERATIONS.iter().find(is_asked) else {
        return check_no_route(input.method, path, response);
    };
    if operation.id == "control.postToInbox" {
        // Any status that the box was told, and no more than that.
        return Ok(());
    }
    let describe = |what: String| {
        let (status, body) = (response.status, String::from_utf8_lossy(&response.bytes));
        format!("{}: {status}: {what}\n{body}", operation.id)
    };
    if operation.id.starts_with("control.") && response.status < 300 {
        operation.check_asked(query, input.body).map_err(describe)?;
    }
    operation.check_answer(response).map_err(describe)
}

fn check_no_route(method: &Method, path: &str, response: &TestResponse) -> Result<(), String> {
    let is_control = path == "/_mock" || path.starts_with("/_mock/");
    if !is_control || method == Method::HEAD {
        return Ok(());
    }
    let body = serde_json::from_slice(&response.bytes).unwrap_or(Value::Null);
    let message = (response.status, body["error"]["code"].as_str());
    let refusals = [
        (400, Some("bad_host")),
        (401, Some("unauthorized")),
        (403, Some("cross_origin")),
        (404, Some("unknown_route")),
        (421, Some("unknown_host")),
    ];
    if refusals.contains(&message) {
        return Ok(());
    }
    Err(format!("{method} {path} is not described, and answers"))
}

impl DescribedOperation {
    fn check_asked(&self, query: &str, body: Option<&[u8]>) -> Result<(), String> {
        for (name, _) in url::form_urlencoded::parse(query.as_bytes()) {
            if !self.query.iter().any(|known| *known == name) {
                return Err(format!("takes ?{name}, which is not described"));
            }
        }
        let Some((schema, body)) = self.body.as_ref().zip(body) else {
            return Ok(());
        };
        let body = if body.is_empty() { b"{}" } else { body };
        let body =
            serde_json::from_slice(body).map_err(|error| format!("takes what is {error}"))?;
        fits(schema, &body).map_err(|places| format!("takes {body}\n{places}"))
    }

    fn check_answer(&self, response: &TestResponse) -> Result<(), String> {
        let media_type = response.header("content-type");
        let of_status = self
            .answers
            .iter()
            .filter(|it| it.status == response.status);
        let Some(described) = of_status.clone().find(|it| it.media_type == media_type) else {
            let known: Vec<_> = of_status.map(|it| &it.media_type).collect();
            return Err(format!("is {media_type:?}, {known:?} are described"));
        };
        for (name, schema) in &described.headers {
            let value = response.header(name);
            let number = serde_json::from_str(value).ok().filter(Value::is_number);
            let fits =
                schema.is_valid(&json!(value)) || number.is_some_and(|it| schema.is_valid(&it));
            if !fits {
                return Err(format!("header {name}: {value:?}"));
            }
        }
        if described.media_type.is_empty() && !response.bytes.is_empty() {
            return Err("has a body".to_owned());
        }
        let Some(schema) = &described.body else {
            return Ok(());
        };
        let body = serde_json::from_slice(&response.bytes).map_err(|_| "no JSON".to_owned())?;
        fits(schema, &body)
    }
}

fn fits(schema: &Validator, body: &Value) -> Result<(), String> {
    let mut places = Vec::new();
    schema
        .iter_errors(body)
        .for_each(|error| tell(&error, &mut places));
    if places.is_empty() {
        Ok(())
    } else {
        Err(places.join("\n"))
    }
}

/// Tells where a body is wrong; where it may be one of several, why it is none of them.
fn tell(error: &ValidationError, places: &mut Vec<String>) {
    match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            let each = context.iter().flatten();
            each.for_each(|error| tell(error, places));
        }
        _ => places.push(format!("{}: {error}", error.instance_path())),
    }
}

impl DescribedOperation {
    fn is_at(&self, path: &str) -> bool {
        let segments: Vec<&str> = path.split('/').collect();
        let same = |(message, provided): (&Option<String>, &&str)| {
            message.as_ref().is_none_or(|message| message == provided)
        };
        segments.len() == self.path.len() && self.path.iter().zip(&segments).all(same)
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
        for (method, response_body) in object(methods) {
            let answers = object(&response_body["responses"]);
            let parameters = response_body["parameters"].as_array().into_iter().flatten();
            let of_query = parameters.filter(|it| it["in"] == "query");
            let name = |it: &Value| it["name"].as_str().expect("a name").to_owned();
            let body = response_body.pointer("/requestBody/content/application~1json/schema");
            operations.push(DescribedOperation {
                query: of_query.map(name).collect(),
                body: body.map(|schema| validator(document, schema)),
                id: response_body["operationId"]
                    .as_str()
                    .expect("an id")
                    .to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                answers: answers
                    .flat_map(|(status, response)| described(document, status, response))
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

fn described(document: &Value, status: &str, response: &Value) -> Vec<ApiDescription> {
    let headers = || {
        let resolved = object(&response["headers"]).map(|(name, header)| {
            let to = header["$ref"]
                .as_str()
                .and_then(|to| document.pointer(&to[1..]));
            (name, to.unwrap_or(header))
        });
        let required = resolved.filter(|(_, header)| header["required"] == true);
        required
            .map(|(name, header)| (name.clone(), validator(document, &header["schema"])))
            .collect()
    };
    let of = |media_type: &str, content: &Value| ApiDescription {
        status: status.parse().expect("a status"),
        media_type: media_type.to_owned(),
        body: content
            .get("schema")
            .map(|schema| validator(document, schema)),
        headers: headers(),
    };
    if response["content"].is_null() {
        return vec![of("", &Value::Null)];
    }
    let content = object(&response["content"]);
    content
        .map(|(media_type, content)| of(media_type, content))
        .collect()
}
