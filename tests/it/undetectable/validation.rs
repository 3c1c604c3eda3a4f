//! Errors of the vendor's framework on every route: schemas, methods, `Accept`.

use reqwest::Method;
use serde_json::{Value, json};

use super::{post, start_frozen};
use crate::support::{TestResponse, TestServer};

const STR: (&str, &str) = ("str type expected", "type_error.str");
const BOOL: (&str, &str) = ("value could not be parsed to a boolean", "type_error.bool");
const UUID: (&str, &str) = ("value is not a valid uuid", "type_error.uuid");
const NONE: (&str, &str) = (
    "none is not an allowed value",
    "type_error.none.not_allowed",
);
const MISSING: (&str, &str) = ("field required", "value_error.missing");
const DICT: (&str, &str) = ("value is not a valid dict", "type_error.dict");
const IMAGE: (&str, &str) = (
    "value is not a valid enumeration member; permitted: 'Image'",
    "type_error.enum",
);
const MODEL: (&str, &str) = (
    r#"string does not match regex \"^(generic|sheerid|[^/\\s]+/[^/\\s]+)$\""#,
    "value_error.str.regex",
);

/// Asserts a 422 response with exactly one problem.
fn assert_problem(response: &TestResponse, loc: &[&str], (msg, kind): (&str, &str)) {
    let loc = serde_json::to_string(loc).expect("JSON");
    let ctx = match kind {
        "type_error.enum" => r#","ctx":{"enum_values":["Image"]}"#,
        "value_error.str.regex" => r#","ctx":{"pattern":"^(generic|sheerid|[^/\\s]+/[^/\\s]+)$"}"#,
        _ => "",
    };
    let expected = format!(r#"{{"detail":[{{"loc":{loc},"msg":"{msg}","type":"{kind}"{ctx}}}]}}"#);
    assert_eq!((response.status, response.text()), (422, expected));
    assert_eq!(response.header("content-type"), "application/json");
    assert_ne!(response.header("x-mock-reason"), "");
}

#[tokio::test]
async fn detect_with_field_of_another_type_answers_its_location() {
    let server = start_frozen().await;
    let list = json!([true]);
    let object = json!({"a": 1});
    let word = json!("perhaps");
    for (field, values, problem) in [
        ("key", &[&list, &object][..], STR),
        ("url", &[&list, &object], STR),
        (
            "generate_preview",
            &[&list, &object, &word, &json!(2)],
            BOOL,
        ),
        ("generate_analysis_details", &[&list, &json!(0.5)], BOOL),
        ("generate_heatmap", &[&list, &json!("")], BOOL),
        ("generate_heatmap_overlayed", &[&list, &word], BOOL),
        ("generate_heatmap_normalized", &[&list, &word], BOOL),
        (
            "document_type",
            &[&list, &word, &json!(1), &json!("image")],
            IMAGE,
        ),
        ("email", &[&list, &object], STR),
        ("model", &[&list, &object], STR),
        ("model", &[&word, &json!(true), &json!(5)], MODEL),
        ("id", &[&list, &word, &json!(7), &json!("")], UUID),
        ("include_content_moderation", &[&object, &word], BOOL),
        (
            "generate_unbiased_analysis_details",
            &[&object, &word],
            BOOL,
        ),
        ("proxy_host", &[&list], STR),
    ] {
        for value in values {
            let mut body = json!({"key": "live", "url": "u"});
            body[field] = (*value).clone();
            let response = post(&server, "/detect", &body).await;
            assert_problem(&response, &["body", field], problem);
        }
    }
    for value in [&list, &object] {
        let response = post(&server, "/query", &json!({"id": value})).await;
        assert_problem(&response, &["body", "id"], STR);
    }
}

#[tokio::test]
async fn null_is_accepted_only_for_optional_fields() {
    let server = start_frozen().await;
    let response = post(&server, "/query", &json!({"id": null})).await;
    assert_problem(&response, &["body", "id"], NONE);
    let response = post(&server, "/query", &json!({})).await;
    assert_problem(&response, &["body", "id"], MISSING);
    let response = post(&server, "/detect", &json!({"key": "live", "url": null})).await;
    assert_problem(&response, &["body", "url"], NONE);
    let response = post(&server, "/detect", &json!({"key": "live"})).await;
    assert_problem(&response, &["body", "url"], MISSING);
    let body = json!({
        "key": "live", "url": "uploads/u", "generate_preview": null, "generate_analysis_details": null,
        "generate_heatmap": null, "generate_heatmap_overlayed": null, "email": null,
        "generate_heatmap_normalized": null, "document_type": null, "model": null, "id": null,
        "include_content_moderation": null, "generate_unbiased_analysis_details": null,
        "proxy_host": null
    });
    let response = post(&server, "/detect", &body).await;
    assert_eq!(
        response.status,
        500,
        "accepted, but no such upload: {}",
        response.text()
    );
}

#[tokio::test]
async fn post_body_that_is_not_an_object_answers_its_problem_on_every_route() {
    let server = start_frozen().await;
    for operation in operations().filter(|operation| operation.method == Method::POST) {
        let path = fill_path(operation.path);
        for body in [json!([{"key": "live"}]), json!("x"), json!(5), json!(true)] {
            let response = post(&server, &path, &body).await;
            assert_problem(&response, &["body"], DICT);
        }
        let response = post(&server, &path, &Value::Null).await;
        assert_problem(&response, &["body"], MISSING);
        let json = [("content-type", "application/json")];
        let response = server.send(Method::POST, &path, &json, "{key}").await;
        assert_eq!(response.status, 422, "{path}");
        let problem = &response.json()["detail"][0];
        assert_eq!(problem["type"], "value_error.jsondecode");
        assert_eq!(problem["loc"], json!(["body", 1]));
    }
}

/// Operations of Undetectable AI's API.
fn operations() -> impl Iterator<Item = stuntdouble::http::Operation> {
    let all = stuntdouble::app::operations().into_iter();
    all.filter(|operation| operation.name.starts_with("undetectable."))
}

/// Fills the parameters of a route with `x`.
fn fill_path(route: &str) -> String {
    let parts = route.split('/');
    let filled = parts.map(|part| if part.starts_with('{') { "x" } else { part });
    filled.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn unsupported_method_answers_allowed_method_on_every_route() {
    let server = start_frozen().await;
    let methods = [
        Method::GET,
        Method::POST,
        Method::PUT,
        Method::PATCH,
        Method::DELETE,
        Method::OPTIONS,
    ];
    for operation in operations().filter(|operation| !operation.path.starts_with("/_s3/")) {
        let path = fill_path(operation.path);
        let allow = operation.method.as_str();
        for method in methods.iter().filter(|method| **method != operation.method) {
            let response = server.send(method.clone(), &path, &[], "").await;
            let reason = format!("{method} {path} is no route; {allow} {path} is one");
            let expected = (405, r#"{"detail":"Method Not Allowed"}"#.to_owned(), reason);
            assert_eq!(response.error_of(), expected);
            assert_eq!(response.header("allow"), allow);
        }
    }
}

#[tokio::test]
async fn head_is_supported_only_on_documentation_routes() {
    let server = start_frozen().await;
    for operation in operations().filter(|operation| operation.method == Method::GET) {
        let path = fill_path(operation.path).replace("/x", "/start.js");
        let response = server.send(Method::HEAD, &path, &[], "").await;
        let is_documentation = path.starts_with("/docs") || path == "/openapi.json";
        let allow = if is_documentation { "" } else { "GET" };
        let status = if is_documentation { 200 } else { 405 };
        assert_eq!(
            (
                response.status,
                response.header("allow"),
                response.bytes.len()
            ),
            (status, allow, 0),
            "{path}"
        );
        if !is_documentation {
            let reason = format!("HEAD {path} is no route; GET {path} is one");
            assert_eq!(response.header("x-mock-reason"), reason);
            assert_eq!(response.header("content-type"), "application/json");
        }
    }
}

#[tokio::test]
async fn accept_that_excludes_media_type_answers_not_acceptable_on_every_route() {
    let server = start_frozen().await;
    let send_accepting = async |server: &TestServer, method: &Method, path: &str, accept: &str| {
        let headers = [
            ("accept", accept),
            ("content-type", "application/json"),
            ("apikey", "live"),
        ];
        let body = if method == Method::POST { "{}" } else { "" };
        server.send(method.clone(), path, &headers, body).await
    };
    // The documentation page is HTML.
    for operation in operations().filter(|it| !it.name.starts_with("undetectable.docs")) {
        let path = fill_path(operation.path);
        let response = send_accepting(&server, &operation.method, &path, "text/html").await;
        let expected = (406, r#"{"detail":"Not Acceptable"}"#.to_owned());
        assert_eq!((response.status, response.text()), expected, "{path}");
        assert!(
            response
                .header("x-mock-reason")
                .starts_with("Accept: excludes ")
        );
        let response = send_accepting(&server, &operation.method, &path, "application/json").await;
        assert_ne!(response.status, 406, "{path}");
    }
}
