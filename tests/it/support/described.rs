//! Answers against the description that the server gives of itself.
//!
//! Whatever a test is about, an answer that it gets on a described path is one that the
//! description allows. What a rule answers is the rule's, and is not looked at.

use std::sync::LazyLock;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{ValidationError, Validator};
use reqwest::Method;
use serde_json::{Value, json};

use super::Answer;

/// One operation of the description.
struct Operation {
    id: String,
    method: String,
    /// What each segment of its path is; none where anything may stand.
    path: Vec<Option<String>>,
    answers: Vec<Described>,
}

/// What it may answer with one status, in one media type.
struct Described {
    status: u16,
    media_type: String,
    /// None where the body is no JSON.
    body: Option<Validator>,
    /// Required headers: their names, and what their values are.
    headers: Vec<(String, Validator)>,
}

static OPERATIONS: LazyLock<Vec<Operation>> =
    LazyLock::new(|| operations(&stuntdouble::undetectable::description()));

/// What is wrong with an answer on a described path: it is not as described.
///
/// # Errors
/// One line or several: the operation, the status, and where the answer is wrong.
pub fn check(method: &Method, path: &str, answer: &Answer) -> Result<(), String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    if answer.header("x-mock-why").starts_with("rule ") {
        return Ok(());
    }
    let is_asked = |it: &&Operation| it.method == method.as_str() && it.is_at(path);
    let Some(operation) = OPERATIONS.iter().find(is_asked) else {
        return Ok(());
    };
    let status = answer.status;
    let wrong = |what: String| {
        let body = String::from_utf8_lossy(&answer.bytes);
        Err(format!("{}: {status}: {what}\n{body}", operation.id))
    };
    let media_type = answer.header("content-type");
    let of_status = operation.answers.iter().filter(|it| it.status == status);
    let Some(described) = of_status.clone().find(|it| it.media_type == media_type) else {
        let known: Vec<_> = of_status.map(|it| &it.media_type).collect();
        return wrong(format!("is {media_type:?}, {known:?} are described"));
    };
    for (name, schema) in &described.headers {
        let value = answer.header(name);
        let number = serde_json::from_str(value).ok().filter(Value::is_number);
        let fits = schema.is_valid(&json!(value)) || number.is_some_and(|it| schema.is_valid(&it));
        if !fits {
            return wrong(format!("header {name}: {value:?}"));
        }
    }
    let Some(schema) = &described.body else {
        return Ok(());
    };
    let Ok(body) = serde_json::from_slice(&answer.bytes) else {
        return wrong("no JSON".to_owned());
    };
    let mut places = Vec::new();
    schema
        .iter_errors(&body)
        .for_each(|error| tell(&error, &mut places));
    if places.is_empty() {
        Ok(())
    } else {
        wrong(places.join("\n"))
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

impl Operation {
    fn is_at(&self, path: &str) -> bool {
        let segments: Vec<&str> = path.split('/').collect();
        let same = |(told, given): (&Option<String>, &&str)| {
            told.as_ref().is_none_or(|told| told == given)
        };
        segments.len() == self.path.len() && self.path.iter().zip(&segments).all(same)
    }
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().expect("an object").iter()
}

fn operations(document: &Value) -> Vec<Operation> {
    let mut operations = Vec::new();
    for (path, methods) in object(&document["paths"]) {
        let segment = |text: &str| (!text.starts_with('{')).then(|| text.to_owned());
        let path: Vec<_> = path.split('/').map(segment).collect();
        for (method, told) in object(methods) {
            let answers = object(&told["responses"]);
            operations.push(Operation {
                id: told["operationId"].as_str().expect("an id").to_owned(),
                method: method.to_uppercase(),
                path: path.clone(),
                answers: answers
                    .flat_map(|(status, answer)| described(document, status, answer))
                    .collect(),
            });
        }
    }
    operations
}

fn described(document: &Value, status: &str, answer: &Value) -> Vec<Described> {
    let validator = |schema: &Value| {
        let schema = json!({"allOf": [schema], "components": document["components"]});
        jsonschema::draft202012::new(&schema).expect("a schema")
    };
    let headers = || {
        let resolved = object(&answer["headers"]).map(|(name, header)| {
            let to = header["$ref"]
                .as_str()
                .and_then(|to| document.pointer(&to[1..]));
            (name, to.unwrap_or(header))
        });
        let required = resolved.filter(|(_, header)| header["required"] == true);
        required
            .map(|(name, header)| (name.clone(), validator(&header["schema"])))
            .collect()
    };
    object(&answer["content"])
        .map(|(media_type, content)| Described {
            status: status.parse().expect("a status"),
            media_type: media_type.clone(),
            body: content.get("schema").map(validator),
            headers: headers(),
        })
        .collect()
}
