//! Fields of the wrong type, and fields that are not there.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ANTI_AI, CONFIRM_ANTI_AI, CONFIRM_DETECTION, DETECTION, WEBHOOKS};
use crate::support::TestServer;

const INVALID: &str = "VALIDATION_FAILED";
const KEY_INVALID: &str = "VALIDATION_IDEMPOTENCY_KEY_INVALID";

/// What a field may be besides what it should be.
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
    fn wrong(self) -> Vec<Value> {
        let fits = |value: &Value| match self {
            Self::Text => value.is_string(),
            Self::TextOrNull => value.is_string() || value.is_null(),
            Self::ObjectOrNull => value.is_object() || value.is_null(),
            Self::Object => value.is_object(),
            Self::List => value.is_array(),
            Self::Flag => value.is_boolean(),
            Self::FlagOrNull => value.is_boolean() || value.is_null(),
        };
        let mut all = vec![
            Value::Null,
            json!(true),
            json!(0),
            json!(-1.5),
            json!(u64::MAX),
            json!("text"),
            json!([]),
            json!({}),
        ];
        all.retain(|value| !fits(value));
        all
    }
}

/// A route, a body it takes, and its fields: where they are, what they are, how they are named
/// and what is answered where one is wrong.
struct FieldRoute {
    method: Method,
    path: String,
    good: Value,
    fields: Vec<(&'static str, Shape, &'static str, &'static str)>,
    required: Vec<(&'static str, &'static str, &'static str)>,
}

fn detection_route() -> FieldRoute {
    let options =
        json!({"generateHeatmap": true, "generateOverlay": true, "generateThumbnail": false});
    FieldRoute {
        method: Method::POST,
        path: DETECTION.to_owned(),
        good: json!({"idempotencyKey": "k", "orderName": "n", "fileName": "a.jpg", "options": options}),
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
        good: json!({"idempotencyKey": "k", "orderName": "n", "files": [{"fileName": "a.jpg"}, {"fileName": "b.png", "originalFileUrl": null}], "options": {"strength": "low"}, "mode": {"zeroCopy": false}}),
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
    let of = |path: &str, id: &str| FieldRoute {
        method: Method::POST,
        path: path.to_owned(),
        good: json!({"idempotencyKey": "k", "orderId": id}),
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
        of(CONFIRM_DETECTION, detection),
        of(CONFIRM_ANTI_AI, anti_ai),
    ]
}

fn webhook_routes(id: &str) -> [FieldRoute; 2] {
    let of = |method: Method, path: String| FieldRoute {
        method,
        path,
        good: json!({"name": "n", "url": "http://127.0.0.1:1/", "isTest": true}),
        fields: vec![
            ("/name", Shape::TextOrNull, "name", INVALID),
            ("/url", Shape::Text, "url", INVALID),
            ("/isTest", Shape::FlagOrNull, "isTest", INVALID),
        ],
        required: vec![("", "url", INVALID)],
    };
    [
        of(Method::POST, WEBHOOKS.to_owned()),
        of(Method::PUT, format!("{WEBHOOKS}/{id}")),
    ]
}

async fn refuses_what_is_wrong(server: &TestServer, route: &FieldRoute) {
    for (pointer, shape, named, code) in &route.fields {
        for wrong in shape.wrong() {
            let mut body = route.good.clone();
            *body.pointer_mut(pointer).expect("a field of the body") = wrong;
            let reply = server
                .call(route.method.clone(), "live", &route.path, &body)
                .await;
            let why = reply.header("x-mock-reason").to_owned();
            assert!(
                why.starts_with(&format!("{named}: ")),
                "{body}: {} {why}",
                reply.text()
            );
            reply.assert_refused(400, code, &why);
        }
    }
    for (parent, field, code) in &route.required {
        let mut body = route.good.clone();
        let parent = body.pointer_mut(parent).and_then(Value::as_object_mut);
        parent.expect("an object").remove(*field);
        let reply = server
            .call(route.method.clone(), "live", &route.path, &body)
            .await;
        let why = reply.header("x-mock-reason").to_owned();
        assert!(
            why.contains("missing") && why.contains(field),
            "{body}: {} {why}",
            reply.text()
        );
        reply.assert_refused(400, code, &why);
    }
    let response = server
        .call(route.method.clone(), "live", &route.path, &route.good)
        .await;
    assert_eq!(response.status, 200, "{}: {}", route.path, response.text());
}

#[tokio::test]
async fn every_field_of_every_body_is_judged_by_name() {
    let server = TestServer::start_frozen("live").await;
    let (webhook, _) = server.webhook("live", "http://127.0.0.1:1/").await;
    let detection = json!({"idempotencyKey": "d", "fileName": "a_ai.jpg"});
    let detection = server
        .upload_detection("live", &detection, crate::support::picture())
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
        refuses_what_is_wrong(&server, route).await;
    }
    assert_eq!(
        server.advance("live", "PT1S").await,
        ["order.process", "order.process"],
        "the two that were confirmed, once"
    );
    for id in [detection.as_str(), anti_ai] {
        assert_eq!(server.get_order("live", id).await["status"], "complete");
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn a_strength_is_one_of_three_words() {
    let server = TestServer::start_frozen("live").await;
    for (strength, why) in [
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
        assert!(message.starts_with(why), "{message}");
        response.assert_refused(400, "VALIDATION_FAILED", &message);
    }
    server.assert_healthy("live").await;
}
