//! The OpenAPI description, and the page that shows it.

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use stuntdouble::api::undetectable::{ErrorCode, description, routes};

use crate::support::openapi::{DescribedInput, check};
use crate::support::{TestResponse, TestServer};

/// Operations of the description itself, which it does not contain.
const UNDESCRIBED: [&str; 3] = [
    "undetectable.docs",
    "undetectable.docsFile",
    "undetectable.openapi",
];

/// Returns path, method and description of each operation.
fn operations(description: &Value) -> Vec<(String, String, Value)> {
    let paths = description["paths"].as_object().expect("paths");
    let methods = paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods");
        methods.iter().map(move |(method, operation)| {
            (path.clone(), method.to_uppercase(), operation.clone())
        })
    });
    methods.collect()
}

#[test]
fn description_has_every_operation_with_id_summary_and_response() {
    let described: BTreeSet<_> = operations(&description())
        .into_iter()
        .map(|(path, method, operation)| {
            let id = operation["operationId"].as_str().expect("an id").to_owned();
            let summary = operation["summary"].as_str().expect("a summary");
            assert!(!summary.is_empty(), "{id} has no summary");
            assert!(
                operation["responses"].get("200").is_some(),
                "{id} has no response 200"
            );
            (id, method, path)
        })
        .collect();
    let expected: BTreeSet<_> = routes(None)
        .operations()
        .into_iter()
        .filter(|operation| !UNDESCRIBED.contains(&operation.name))
        .map(|it| {
            (
                it.name.to_owned(),
                it.method.to_string(),
                it.path.to_owned(),
            )
        })
        .collect();
    assert_eq!(described, expected);
}

#[test]
fn description_references_every_component_and_no_other() {
    fn add_references(value: &Value, references: &mut BTreeSet<String>) {
        match value {
            Value::Object(object) => {
                let reference = object.get("$ref").and_then(Value::as_str);
                references.extend(reference.map(str::to_owned));
                object
                    .values()
                    .for_each(|value| add_references(value, references));
            }
            Value::Array(array) => array
                .iter()
                .for_each(|value| add_references(value, references)),
            _ => {}
        }
    }
    let description = description();
    let mut references = BTreeSet::new();
    add_references(&description, &mut references);
    let components = ["headers", "schemas"].into_iter().flat_map(|kind| {
        let of_kind = description["components"][kind]
            .as_object()
            .expect("components");
        of_kind
            .keys()
            .map(move |name| format!("#/components/{kind}/{name}"))
    });
    assert_eq!(references, components.collect());
}

#[test]
fn description_has_every_error_message_with_its_status() {
    let mut lines = BTreeSet::new();
    for (_, _, operation) in operations(&description()) {
        let responses = operation["responses"].as_object().expect("responses");
        for (status, response) in responses {
            let schema = &response["content"]["application/json"]["schema"];
            let messages = |schema: &Value| {
                let messages = schema["properties"]["error"]["enum"].as_array();
                messages.cloned().unwrap_or_default()
            };
            let other_forms = schema["anyOf"].as_array().into_iter().flatten();
            for message in other_forms.chain([schema]).flat_map(messages) {
                let message = message.as_str().expect("a message").to_owned();
                lines.insert((status.clone(), message));
            }
        }
    }
    let all =
        ErrorCode::ALL.map(|code| (code.status().as_str().to_owned(), code.message().to_owned()));
    assert_eq!(lines, all.into());
}

#[test]
fn description_has_constraints_and_defaults_of_requests() {
    let description = description();
    let schema = |path: &str| {
        let body = &description["paths"][path]["post"]["requestBody"];
        body["content"]["application/json"]["schema"].clone()
    };
    let detect = schema("/detect");
    assert_eq!(detect["required"], json!(["key", "url"]));
    let models = json!({"type": "string", "pattern": r"^(generic|sheerid|[^/\s]+/[^/\s]+)$"});
    assert_eq!(detect["properties"]["model"], models);
    assert_eq!(detect["properties"]["generate_heatmap"]["default"], true);
    assert_eq!(schema("/query")["required"], json!(["id"]));
    let mut parameters = description["paths"]["/get-presigned-url"]["get"]["parameters"].clone();
    assert!(parameters[1]["description"].take().is_string());
    let expiration = json!({
        "name": "expiration", "in": "query", "required": false, "description": null,
        "schema": {"type": "integer", "minimum": 1, "maximum": 604_800, "default": 3_600},
    });
    assert_eq!(parameters[1], expiration);
}

#[tokio::test]
async fn get_openapi_json_answers_description() {
    let server = TestServer::start().await;
    let response = server.send(Method::GET, "/openapi.json", &[], "").await;
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.json(), description());
    assert_eq!(response.json()["openapi"], "3.1.0");
    assert_eq!(response.json()["servers"], json!([{"url": "/"}]));
    let version = response.json()["info"]["version"].take();
    assert_eq!(version, env!("CARGO_PKG_VERSION"));
}

#[tokio::test]
async fn docs_page_loads_only_files_of_this_server() {
    let server = TestServer::start().await;
    let response = server.send(Method::GET, "/docs", &[], "").await;
    assert_eq!(response.header("content-type"), "text/html; charset=utf-8");
    let policy = response.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    assert!(!policy.contains("http"), "{policy}");
    assert_eq!(response.header("x-content-type-options"), "nosniff");
    let page = response.text();
    let quoted: Vec<&str> = page.split('"').skip(1).step_by(2).collect();
    let paths: Vec<&str> = quoted
        .into_iter()
        .filter(|it| it.starts_with('/'))
        .collect();
    let expected = [
        "/docs/swagger-ui.css",
        "/openapi.json",
        "/docs/swagger-ui-bundle.js",
        "/docs/start.js",
    ];
    assert_eq!(paths, expected);
    assert!(!page.contains("//"), "{page}");
    for path in paths {
        let response = server.send(Method::GET, path, &[], "").await;
        assert_eq!(
            (response.status, response.header("content-encoding")),
            (200, "")
        );
        if path.starts_with("/docs/") {
            assert_eq!(
                response.header("x-content-type-options"),
                "nosniff",
                "{path}"
            );
        }
        let media_type = response.header("content-type").to_owned();
        let expected = if path.contains("css") { "css" } else { "j" };
        assert!(media_type.contains(expected), "{path}: {media_type}");
    }
}

#[tokio::test]
async fn get_docs_file_with_gzip_accepted_answers_it_compressed() {
    let server = TestServer::start().await;
    let path = "/docs/swagger-ui-bundle.js";
    let plain = server.send(Method::GET, path, &[], "").await;
    let gzip = [("accept-encoding", "gzip, br")];
    let compressed = server.send(Method::GET, path, &gzip, "").await;
    assert_eq!(compressed.header("content-encoding"), "gzip");
    assert_eq!(compressed.header("vary"), "accept-encoding");
    assert_eq!(compressed.header("x-content-type-options"), "nosniff");
    assert!(compressed.bytes.len() < 500_000 && plain.bytes.len() > 1_000_000);
    assert_eq!(compressed.bytes[..2], [0x1f, 0x8b]);
    let outside = server
        .send(Method::GET, "/docs/../openapi.js", &[], "")
        .await;
    assert_eq!(outside.text(), r#"{"detail":"Not Found"}"#);
}

/// Builds a response to `POST /query`.
fn query_response(status: u16, body: &Value) -> TestResponse {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-mock-request", HeaderValue::from(7));
    if status >= 400 {
        headers.insert("x-mock-reason", HeaderValue::from_static("7"));
    }
    TestResponse {
        status,
        headers,
        bytes: body.to_string().into_bytes(),
    }
}

/// Returns the deviation of a response from the description, or an empty string.
fn deviation(response: &TestResponse) -> String {
    let input = DescribedInput {
        method: &Method::POST,
        path: "/query?x=1",
        body: None,
    };
    check(&input, response).err().unwrap_or_default()
}

fn pending_document() -> Value {
    json!({"id": "a", "status": "pending", "result": null, "result_details": {"is_valid": null}})
}

#[test]
fn check_of_response_as_described_finds_no_deviation() {
    let mut failed = pending_document();
    failed["status"] = json!("failed");
    failed["result_details"] = json!({"is_valid": false, "error_message": "torn"});
    let mut analyzing = pending_document();
    analyzing["status"] = json!("analyzing");
    analyzing["result_details"]["is_valid"] = json!(true);
    for body in [Value::Null, pending_document(), analyzing, failed] {
        assert_eq!(deviation(&query_response(200, &body)), "");
    }
    let internal = json!({"error": "Internal server error"});
    assert_eq!(deviation(&query_response(500, &internal)), "");
}

#[test]
fn check_of_response_unlike_description_names_operation_status_and_place() {
    let with = |name: &str, value: Value| {
        let mut body = pending_document();
        body[name] = value;
        deviation(&query_response(200, &body))
    };
    for line in [
        with("status", json!("done")),
        with("status", json!("archived")),
        with("result", json!(5)),
        with("result_details", json!({})),
        with("result_details", json!({"is_valid": true})),
        with("result_details", json!({"is_valid": null, "more": 1})),
        with("more", Value::Null),
    ] {
        assert!(line.starts_with("undetectable.query: 200: "), "{line}");
    }
    let wrong_type = with("id", json!(7));
    assert!(wrong_type.contains("/id: 7 is not"), "{wrong_type}");
    let missing_fields = deviation(&query_response(200, &json!({"id": "a"})));
    assert!(
        missing_fields.starts_with("undetectable.query: 200: "),
        "{missing_fields}"
    );
    let wrong_status = deviation(&query_response(201, &Value::Null));
    assert!(
        wrong_status.contains("201: media type is \"application/json\", but [] are described"),
        "{wrong_status}"
    );
    let unknown_message = json!({"error": "Unsupported image type"});
    let wrong_message = deviation(&query_response(400, &unknown_message));
    assert!(
        wrong_message.starts_with("undetectable.query: 400: /error: "),
        "{wrong_message}"
    );

    let mut response = query_response(200, &Value::Null);
    response
        .headers
        .insert("content-type", HeaderValue::from_static("text/plain"));
    assert!(deviation(&response).contains("200: media type is \"text/plain\""));
    response = query_response(200, &Value::Null);
    response.headers.remove("x-mock-request");
    assert!(deviation(&response).contains("200: header X-Mock-Request"));
    response = query_response(500, &json!({"error": "Internal server error"}));
    response.headers.remove("x-mock-reason");
    assert!(deviation(&response).contains("500: header X-Mock-Reason"));
}
