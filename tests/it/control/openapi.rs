//! The OpenAPI description of the control plane.

use std::collections::BTreeSet;

use reqwest::Method;
use reqwest::header::{HeaderMap, HeaderValue};
use serde_json::{Value, json};
use stuntdouble::api::control::{description, routes};

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
async fn get_description_answers_it_unchanged() {
    let server = TestServer::start().await;
    let response = server
        .send(Method::GET, "/_mock/openapi.json", &[], "")
        .await;
    assert_eq!(response.header("content-type"), "application/json");
    assert_eq!(response.json(), description());
    let document = response.json();
    assert_eq!(document["openapi"], "3.1.0");
    assert_eq!(document["info"]["version"], env!("CARGO_PKG_VERSION"));
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
