//! The OpenAPI description of the control plane.

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use stuntdouble::api::control::{description, routes};
use stuntdouble::api::{bizmori, undetectable};

use crate::support::openapi::{DescribedInput, check};
use crate::support::{TestResponse, TestServer};

#[test]
fn description_lists_exactly_the_operations_with_texts() {
    let description = description();
    let mut described = BTreeSet::new();
    for (path, methods) in description["paths"].as_object().expect("paths") {
        for (method, operation) in methods.as_object().expect("methods") {
            let text = |field: &str| operation[field].as_str().expect("a text").to_owned();
            let id = text("operationId");
            assert!(!text("summary").is_empty(), "{id} has no summary");
            assert!(!text("description").is_empty(), "{id} has no description");
            let responses = operation["responses"].as_object().expect("responses");
            assert!(
                responses.keys().any(|it| it.starts_with('2')),
                "{id} has no successful response"
            );
            for parameter in operation["parameters"].as_array().into_iter().flatten() {
                let name = &parameter["name"];
                let has_description = parameter["description"].is_string();
                assert!(has_description, "{id}: parameter {name} has no description");
            }
            described.insert((id, method.to_uppercase(), path.clone()));
        }
    }
    let operations = routes(None).operations().into_iter();
    // Pages for browsers are no part of the API.
    let operations = operations.filter(|it| !it.name.starts_with("control.getDashboard"));
    let expected = operations.map(|it| {
        (
            it.name.to_owned(),
            it.method.to_string(),
            it.path.to_owned(),
        )
    });
    assert_eq!(described, expected.collect());
}

#[tokio::test]
async fn get_document_of_each_api_answers_its_description() {
    let server = TestServer::start().await;
    for (name, description) in [
        ("bizmori", bizmori::description()),
        ("undetectable", undetectable::description()),
        ("control", description()),
    ] {
        let path = format!("/_mock/openapi/{name}.json");
        let response = server.send(Method::GET, &path, &[], "").await;
        assert_eq!(response.header("content-type"), "application/json");
        let document = response.json();
        assert_eq!(document, description, "{name}");
        assert_eq!(document["openapi"], "3.1.0");
        assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
    }
}

#[tokio::test]
async fn get_unknown_document_answers_valid_names() {
    let server = TestServer::start().await;
    let valid = "valid names: bizmori.json, undetectable.json, control.json";
    for (file, hint) in [
        ("x", valid.to_owned()),
        ("bizmori", format!("{valid}; did you mean bizmori.json?")),
    ] {
        let path = format!("/_mock/openapi/{file}");
        let response = server.send(Method::GET, &path, &[], "").await;
        let message = format!("no route GET {path}");
        let error = json!({"code": "unknown_route", "message": message, "hint": hint});
        assert_eq!(response.status, 404);
        assert_eq!(response.json(), json!({"error": error}));
    }
}

#[tokio::test]
async fn docs_page_lists_all_documents_and_loads_only_files_of_this_server() {
    let server = TestServer::start().await;
    let response = server.send(Method::GET, "/_mock/docs", &[], "").await;
    assert_eq!(response.header("content-type"), "text/html; charset=utf-8");
    let policy = response.header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'; "), "{policy}");
    let page = response.text();
    assert!(
        !page.contains("//") && !page.contains("id=\"token\""),
        "{page}"
    );
    let quoted = page.split('"').skip(1).step_by(2);
    let paths: Vec<&str> = quoted.filter(|it| it.starts_with('/')).collect();
    let expected = [
        "/_mock/docs/swagger-ui.css",
        "/_mock/openapi/bizmori.json",
        "/_mock/openapi/undetectable.json",
        "/_mock/openapi/control.json",
        "/_mock/openapi/bizmori.json",
        "/_mock/docs/swagger-ui-bundle.js",
        "/_mock/docs/start.js",
    ];
    assert_eq!(paths, expected);
    for path in paths {
        let response = server.send(Method::GET, path, &[], "").await;
        assert_eq!(response.status, 200, "{path}");
    }
}

#[test]
fn description_of_request_bodies_matches_the_parser() {
    let description = description();
    let input_of = |path: &str, method: &str| {
        let body = &description["paths"][path][method]["requestBody"];
        let schema = &body["content"]["application/json"]["schema"];
        (body["required"].clone(), schema.clone())
    };
    let (required, clock) = input_of("/_mock/clock", "put");
    assert_eq!(required, true);
    assert_eq!(clock["additionalProperties"], false);
    assert_eq!(clock["required"], json!(["mode"]));
    let (required, settings) = input_of("/_mock/accounts/{key}", "put");
    assert_eq!(required, false);
    assert_eq!(settings["additionalProperties"], false);
    assert_eq!(settings["required"], Value::Null);
    let plan = settings["properties"]["plan"].to_string();
    for name in ["unlimited", "free", "pro", "enterprise"] {
        assert!(plan.contains(&format!("\"{name}\"")), "{name}: {plan}");
    }
    let (_, rule) = input_of("/_mock/rules", "post");
    assert_eq!(rule["required"], json!(["then"]));
    let respond = &rule["properties"]["then"]["properties"]["respond"];
    assert!(respond.to_string().contains(r#""status""#), "{respond}");
}

/// Checks a PUT and its response. Returns the mismatch, empty if there is none.
fn mismatch(path: &str, body: &Value, status: u16, response: &Value) -> String {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    headers.insert("x-mock-request", HeaderValue::from(7));
    if status >= 400 {
        headers.insert("x-mock-reason", HeaderValue::from_static("7"));
    }
    let response = TestResponse {
        status,
        headers,
        bytes: response.to_string().into_bytes(),
    };
    let body = body.to_string();
    let input = DescribedInput {
        method: &Method::PUT,
        path,
        body: Some(body.as_bytes()),
    };
    check(&input, &response).err().unwrap_or_default()
}

#[test]
fn check_of_mismatch_names_its_place() {
    let clock = json!({"now": "2026-03-12T10:00:00.000Z", "mode": "frozen", "offsetMs": 0,
        "isDefault": true, "next": null});
    let error = |code: &str| json!({"error": {"code": code, "message": "a", "hint": "b"}});
    let frozen = json!({"mode": "frozen"});
    let path = "/_mock/clock";
    assert_eq!(mismatch(path, &frozen, 200, &clock), "");
    assert_eq!(
        mismatch(path, &json!({"mode": 1}), 400, &error("bad_body")),
        ""
    );
    let unknown_route = mismatch("/_mock/nothing", &frozen, 404, &error("unknown_route"));
    assert_eq!(unknown_route, "");
    for (path, body, status, response, expected) in [
        (path, json!({"mode": "gone"}), 200, clock.clone(), "/mode: "),
        (
            path,
            json!({"mode": "frozen", "x": 1}),
            200,
            clock.clone(),
            "'x' was unexpected",
        ),
        (
            "/_mock/clock?x=1",
            frozen.clone(),
            200,
            clock.clone(),
            "accepts ?x",
        ),
        (
            path,
            frozen.clone(),
            201,
            clock.clone(),
            "201: media type is ",
        ),
        (path, frozen.clone(), 200, json!({"now": "x"}), "required"),
        (path, frozen.clone(), 400, error("other"), "/error/code: "),
        ("/_mock/nothing", frozen, 200, clock, "is not described"),
    ] {
        let line = mismatch(path, &body, status, &response);
        assert!(line.contains(expected), "{expected}: {line}");
    }
}
