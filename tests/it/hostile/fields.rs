//! Fields of a wrong type, and missing fields.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ANTI_AI, CONFIRM_ANTI_AI, CONFIRM_DETECTION, DETECTION, WEBHOOKS};
use crate::support::TestServer;

const INVALID: &str = "VALIDATION_FAILED";
const KEY_INVALID: &str = "VALIDATION_IDEMPOTENCY_KEY_INVALID";

/// Type that a field must have.
#[derive(Clone, Copy)]
enum Shape {
    Text,
    TextOrNull,
    ObjectOrNull,
    Object,
    List,
    Flag,
    FlagOrNull,
}

impl Shape {
    fn values_of_other_types(self) -> Vec<Value> {
        let is_allowed = |value: &Value| match self {
            Self::Text => value.is_string(),
            Self::TextOrNull => value.is_string() || value.is_null(),
            Self::ObjectOrNull => value.is_object() || value.is_null(),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
            Self::Flag => value.is_boolean(),
            Self::FlagOrNull => value.is_boolean() || value.is_null(),
        };
        let mut values = vec![
            Value::Null,
            json!(true),
            json!(0),
            json!(-1.5),
            json!(u64::MAX),
            json!("text"),
            json!([]),
            json!({}),
        ];
        values.retain(|value| !is_allowed(value));
        values
    }
}

/// A route and a valid body. `fields` are JSON pointer, type, name in the reason and error code.
/// `required` are JSON pointer of the parent, name and error code.
struct FieldRoute {
    method: Method,
    path: String,
    valid: Value,
    fields: Vec<(&'static str, Shape, &'static str, &'static str)>,
    required: Vec<(&'static str, &'static str, &'static str)>,
}

fn detection_route() -> FieldRoute {
    let options =
        json!({"generateHeatmap": true, "generateOverlay": true, "generateThumbnail": false});
    FieldRoute {
        method: Method::POST,
        path: DETECTION.to_owned(),
        valid: json!({"idempotencyKey": "k", "orderName": "n", "fileName": "a.jpg", "options": options}),
        fields: vec![
            (
                "/idempotencyKey",
                Shape::Text,
                "idempotencyKey",
                KEY_INVALID,
            ),
            ("/orderName", Shape::TextOrNull, "orderName", INVALID),
            ("/fileName", Shape::Text, "fileName", INVALID),
            ("/options", Shape::ObjectOrNull, "options", INVALID),
            (
                "/options/generateHeatmap",
                Shape::Flag,
                "options.generateHeatmap",
                INVALID,
            ),
            (
                "/options/generateOverlay",
                Shape::Flag,
                "options.generateOverlay",
                INVALID,
            ),
            (
                "/options/generateThumbnail",
                Shape::Flag,
                "options.generateThumbnail",
                INVALID,
            ),
        ],
        required: vec![
            ("", "idempotencyKey", KEY_INVALID),
            ("", "fileName", INVALID),
        ],
    }
}

fn anti_ai_route() -> FieldRoute {
    FieldRoute {
        method: Method::POST,
        path: ANTI_AI.to_owned(),
        valid: json!({"idempotencyKey": "k", "orderName": "n", "files": [{"fileName": "a.jpg"}, {"fileName": "b.png", "originalFileUrl": null}], "options": {"strength": "low"}, "mode": {"zeroCopy": false}}),
        fields: vec![
            (
                "/idempotencyKey",
                Shape::Text,
                "idempotencyKey",
                KEY_INVALID,
            ),
            ("/orderName", Shape::TextOrNull, "orderName", INVALID),
            ("/files", Shape::List, "files", INVALID),
            ("/files/0", Shape::Object, "files[0]", INVALID),
            (
                "/files/1/fileName",
                Shape::Text,
                "files[1].fileName",
                INVALID,
            ),
            (
                "/files/1/originalFileUrl",
                Shape::TextOrNull,
                "files[1].originalFileUrl",
                INVALID,
            ),
            ("/options", Shape::ObjectOrNull, "options", INVALID),
            (
                "/options/strength",
                Shape::TextOrNull,
                "options.strength",
                INVALID,
            ),
            ("/mode", Shape::ObjectOrNull, "mode", INVALID),
            (
                "/mode/zeroCopy",
                Shape::FlagOrNull,
                "mode.zeroCopy",
                INVALID,
            ),
        ],
        required: vec![
            ("", "idempotencyKey", KEY_INVALID),
            ("", "files", INVALID),
            ("/files/1", "fileName", INVALID),
        ],
    }
}

fn confirm_routes(detection: &str, anti_ai: &str) -> [FieldRoute; 2] {
    let route = |path: &str, id: &str| FieldRoute {
        method: Method::POST,
        path: path.to_owned(),
        valid: json!({"idempotencyKey": "k", "orderId": id}),
        fields: vec![
            (
                "/idempotencyKey",
                Shape::Text,
                "idempotencyKey",
                KEY_INVALID,
            ),
            ("/orderId", Shape::Text, "orderId", INVALID),
        ],
        required: vec![
            ("", "idempotencyKey", KEY_INVALID),
            ("", "orderId", INVALID),
        ],
    };
    [
        route(CONFIRM_DETECTION, detection),
        route(CONFIRM_ANTI_AI, anti_ai),
    ]
}

fn webhook_routes(id: &str) -> [FieldRoute; 2] {
    let route = |method: Method, path: String| FieldRoute {
        method,
        path,
        valid: json!({"name": "n", "url": "http://127.0.0.1:1/", "isTest": true}),
        fields: vec![
            ("/name", Shape::TextOrNull, "name", INVALID),
            ("/url", Shape::Text, "url", INVALID),
            ("/isTest", Shape::FlagOrNull, "isTest", INVALID),
        ],
        required: vec![("", "url", INVALID)],
    };
    [
        route(Method::POST, WEBHOOKS.to_owned()),
        route(Method::PUT, format!("{WEBHOOKS}/{id}")),
    ]
}

async fn assert_invalid_fields_refused(server: &TestServer, route: &FieldRoute) {
    for (pointer, shape, name, code) in &route.fields {
        for value in shape.values_of_other_types() {
            let mut body = route.valid.clone();
            *body.pointer_mut(pointer).expect("a field of the body") = value;
            let reply = server
                .call(route.method.clone(), "live", &route.path, &body)
                .await;
            let reason = reply.header("x-mock-reason").to_owned();
            assert!(
                reason.starts_with(&format!("{name}: ")),
                "{body}: {} {reason}",
                reply.text()
            );
            reply.assert_refused(400, code, &reason);
        }
    }
    for (parent, field, code) in &route.required {
        let mut body = route.valid.clone();
        let parent = body.pointer_mut(parent).and_then(Value::as_object_mut);
        parent.expect("an object").remove(*field);
        let reply = server
            .call(route.method.clone(), "live", &route.path, &body)
            .await;
        let reason = reply.header("x-mock-reason").to_owned();
        assert!(
            reason.contains("missing") && reason.contains(field),
            "{body}: {} {reason}",
            reply.text()
        );
        reply.assert_refused(400, code, &reason);
    }
    let response = server
        .call(route.method.clone(), "live", &route.path, &route.valid)
        .await;
    assert_eq!(response.status, 200, "{}: {}", route.path, response.text());
}

#[tokio::test]
async fn post_with_wrong_type_or_missing_field_answers_reason_with_its_name() {
    let server = TestServer::start_frozen("live").await;
    let (webhook, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    let detection_body = json!({"idempotencyKey": "d", "fileName": "a_ai.jpg"});
    let detection = server
        .upload_detection("live", &detection_body, crate::support::picture())
        .await;
    let files = json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}]});
    let created = server.post("live", ANTI_AI, &files).await.json();
    let upload = created["data"]["files"][0]["uploadUrl"].as_str();
    server
        .put(upload.expect("a URL"), crate::support::picture())
        .await;
    let anti_ai = created["data"]["orderId"].as_str().expect("an id");
    for route in [detection_route(), anti_ai_route()]
        .iter()
        .chain(&confirm_routes(&detection, anti_ai))
        .chain(&webhook_routes(&webhook))
    {
        assert_invalid_fields_refused(&server, route).await;
    }
    assert_eq!(
        server.advance("live", "PT1S").await,
        ["order.process", "order.process"],
        "the two confirmed orders, once each"
    );
    for id in [detection.as_str(), anti_ai] {
        assert_eq!(server.get_order("live", id).await["status"], "complete");
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn create_anti_ai_with_unknown_strength_answers_allowed_values() {
    let server = TestServer::start_frozen("live").await;
    for (strength, reason) in [
        (
            json!("medium"),
            "options.strength: unknown variant `medium`, expected one of `low`, `standard`, `high`",
        ),
        (
            json!({"high": null}),
            "options.strength: invalid type: map, expected a string",
        ),
    ] {
        let body = json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}], "options": {"strength": strength}});
        let response = server.post("live", ANTI_AI, &body).await;
        let message = response.header("x-mock-reason").to_owned();
        assert!(message.starts_with(reason), "{message}");
        response.assert_refused(400, "VALIDATION_FAILED", &message);
    }
    server.assert_healthy("live").await;
}
