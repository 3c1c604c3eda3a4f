//! Rules that settle what comes of orders.

use reqwest::Method;
use serde_json::{Value, json};

use super::{hits, rule};
use crate::support::{Receiver, TestServer, fixture, picture};

fn create_order(key: &str, name: &str) -> Value {
    json!({"idempotencyKey": key, "fileName": name})
}

/// An AI detection of `key`'s that is over: probability, status code, status, plan.
async fn detected(
    server: &TestServer,
    key: &str,
    body: &Value,
    bytes: Vec<u8>,
) -> (Value, Value, Value, String) {
    let id = server.confirm_detection(key, body, bytes).await;
    server.advance(key, "PT1S").await;
    let response = server.get(key, &format!("/api/v2/orders/{id}")).await;
    let response_body = response.json()["data"].take();
    (
        response_body["probability"].clone(),
        response_body["statusCode"].clone(),
        response_body["status"].clone(),
        response.header("x-mock-outcome").to_owned(),
    )
}

#[tokio::test]
async fn a_detections_probability_outranks_its_name_and_its_bytes() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"when": {"operation": "bizmori.createAiDetection", "fileName": "*_x*"}, "then": {"outcome": {"probability": 0.62}}});
    let id = rule(&server, &body).await;
    let decision = (
        json!(0.62),
        json!("uncertain_ai"),
        json!("complete"),
        format!("probability 0.62 by rule {id}"),
    );
    for (name, bytes) in [
        ("a_x_human.jpg", picture()),
        ("a_x_fail.jpg", picture()),
        ("a_x.jpg", fixture("photo.jpg")),
        ("a_x.png", fixture("not-a-picture.jpg")),
    ] {
        let found = detected(&server, "live", &create_order(name, name), bytes).await;
        assert_eq!(found, decision, "{name}");
    }
    let other = detected(
        &server,
        "live",
        &create_order("o", "a_human.jpg"),
        picture(),
    )
    .await;
    assert_eq!(other.3, "probability 0.02 by suffix _human");
    assert_eq!(hits(&server).await, [4]);
    let body = json!({"then": {"outcome": {"probability": 0.49}}});
    let id = rule(&server, &body).await;
    let found = detected(&server, "live", &create_order("low", "a_ai.jpg"), picture()).await;
    let plan = format!("probability 0.49 by rule {id}");
    let expected = (
        json!(0.49),
        json!("uncertain_real"),
        json!("complete"),
        plan,
    );
    assert_eq!(found, expected);
}

#[tokio::test]
async fn an_order_fails_as_told_and_its_webhook_says_so() {
    let (server, receiver) = (
        TestServer::start_frozen("live").await,
        Receiver::start().await,
    );
    server.webhook("live", &receiver.url).await;
    let outcome = json!({"status": "failed", "errorCode": "AI_DETECTION_TIMEOUT"});
    let body = json!({"account": "live", "times": 1, "then": {"outcome": outcome}});
    rule(&server, &body).await;
    let outcome =
        json!({"status": "failed", "errorCode": "PROCESSING_ERROR", "errorMessage": "as told"});
    let body = json!({"when": {"operation": "bizmori.createAntiAi", "fileName": "two.*"}, "then": {"outcome": outcome}});
    rule(&server, &body).await;

    let first = server
        .confirm_detection("live", &create_order("1", "a_ai.jpg"), picture())
        .await;
    server.advance("live", "PT1S").await;
    let response_body = server.get_order("live", &first).await;
    assert_eq!(
        (&response_body["status"], &response_body["errors"]),
        (&json!("failed"), &json!("failed by rule 1"))
    );
    let second = detected(&server, "live", &create_order("2", "a_ai.jpg"), picture()).await;
    assert_eq!(second.2, "complete");

    let files =
        json!({"idempotencyKey": "3", "files": [{"fileName": "one.jpg"}, {"fileName": "two.jpg"}]});
    let created = server
        .post("live", "/api/v2/orders/anti-ai", &files)
        .await
        .json();
    for file in created["data"]["files"].as_array().expect("files") {
        server
            .put(file["uploadUrl"].as_str().expect("a URL"), picture())
            .await;
    }
    let id = created["data"]["orderId"].as_str().expect("an id");
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    server
        .post("live", "/api/v2/orders/anti-ai/confirm", &confirm)
        .await;
    server.advance("live", "PT1S").await;
    let response_body = server.get_order("live", id).await;
    assert_eq!(
        (&response_body["status"], &response_body["errors"]),
        (&json!("failed"), &json!("as told"))
    );
    assert_eq!(hits(&server).await, [1, 1]);
    let codes: Vec<_> = receiver
        .messages(3)
        .await
        .iter()
        .map(|message| {
            let event = message.json();
            (
                event["data"]["errorCode"].clone(),
                event["data"]["errorMessage"].clone(),
            )
        })
        .collect();
    assert_eq!(
        codes,
        [
            (json!("AI_DETECTION_TIMEOUT"), json!("failed by rule 1")),
            (Value::Null, Value::Null),
            (json!("PROCESSING_ERROR"), json!("as told")),
        ]
    );
}

#[tokio::test]
async fn a_test_keys_order_is_ruled_too() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    let body = json!({"account": key, "times": 1, "then": {"outcome": {"probability": 0.5}}});
    rule(&server, &body).await;
    let outcome = json!({"status": "failed", "errorCode": "PROCESSING_ERROR"});
    rule(
        &server,
        &json!({"account": key, "then": {"outcome": outcome}}),
    )
    .await;
    let mut messages = Vec::new();
    for n in ["1", "2"] {
        let id = server
            .confirm_detection(key, &create_order(n, "a_human.jpg"), picture())
            .await;
        server.advance(key, "PT5S").await;
        let order = server.get_order(key, &id).await;
        messages.push((order["status"].clone(), order["probability"].clone()));
    }
    assert_eq!(
        messages,
        [
            (json!("complete"), json!(0.5)),
            (json!("failed"), Value::Null)
        ]
    );
}

#[tokio::test]
async fn an_order_made_before_its_rule_or_made_again_is_not_ruled_and_does_not_count() {
    let server = TestServer::start_frozen("live").await;
    let before = server
        .confirm_detection("live", &create_order("1", "a_ai.jpg"), picture())
        .await;
    let body = json!({"skip": 1, "times": 1, "then": {"outcome": {"probability": 0.1}}});
    rule(&server, &body).await;
    for _ in 0..3 {
        assert_eq!(
            server
                .create_detection("live", &create_order("1", "a_ai.jpg"))
                .await
                .0,
            before
        );
    }
    let refused = server
        .post("live", "/api/v2/orders/ai-detection", &json!({}))
        .await;
    assert_eq!(refused.status, 400);
    server.advance("live", "PT1S").await;
    assert_eq!(server.get_order("live", &before).await["probability"], 0.98);
    let mut bodies = Vec::new();
    for key in ["2", "3", "4"] {
        bodies.push(
            detected(&server, "live", &create_order(key, "a_ai.jpg"), picture())
                .await
                .0,
        );
    }
    assert_eq!(bodies, [0.98, 0.1, 0.98]);
    assert_eq!(hits(&server).await, [1]);
}

#[tokio::test]
async fn what_was_settled_outlives_its_rule_and_a_restart() {
    let data = tempfile::tempdir().expect("a directory");
    let on = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = on().await;
    server.freeze("live").await;
    rule(
        &server,
        &json!({"account": "live", "then": {"outcome": {"probability": 0.25}}}),
    )
    .await;
    let id = server
        .confirm_detection("live", &create_order("1", "a_ai.jpg"), picture())
        .await;
    server
        .control(Method::DELETE, "/_mock/rules", &json!({}))
        .await;
    server.stop().await;
    let server = on().await;
    server.advance("live", "PT1S").await;
    let response = server.get("live", &format!("/api/v2/orders/{id}")).await;
    assert_eq!(
        response.header("x-mock-outcome"),
        "probability 0.25 by rule 1"
    );
}

/// A document of `live`'s, once it is done or failed: what is told of it, and its plan.
async fn document(server: &TestServer, name: &str) -> (Value, String) {
    let place = format!("/get-presigned-url?file_name={name}");
    let place = server
        .send(Method::GET, &place, &[("apikey", "live")], "")
        .await
        .json();
    server
        .put(place["presigned_url"].as_str().expect("a URL"), picture())
        .await;
    let path = place["file_path"].as_str().expect("a path");
    let body = json!({"key": "live", "url": format!("{}/{path}", server.origin)});
    let created = server.post("live", "/detect", &body).await.json();
    server.advance("live", "PT1S").await;
    let response = server
        .post("live", "/query", &json!({"id": created["id"]}))
        .await;
    (
        response.json(),
        response.header("x-mock-outcome").to_owned(),
    )
}

#[tokio::test]
async fn a_documents_result_is_as_told() {
    let server = TestServer::with_config(|config| config.undetectable.bypass_ocr = true).await;
    server.freeze("live").await;
    for (outcome, expected, plan) in [
        (
            json!({"probability": 0.62}),
            json!([62.0, 3, "AI Generated", 62.0, 62.0]),
            "result 62",
        ),
        (
            json!({"probability": 0.12}),
            json!([12.0, 3, "Real", 12.0, 88.0]),
            "result 12",
        ),
        (
            json!({"finalResult": "AI Edited"}),
            json!([71.0, 3, "AI Edited", 71.0, 71.0]),
            "result 71",
        ),
        (
            json!({"finalResult": "AI Generated"}),
            json!([98.0, 3, "AI Generated", 98.0, 98.0]),
            "result 98",
        ),
        (
            json!({"finalResult": "Real"}),
            json!([2.0, 3, "Real", 2.0, 98.0]),
            "result 2",
        ),
        (
            json!({"finalResult": "Digitally Edited", "probability": 0.1}),
            json!([10.0, 3, "Digitally Edited", 10.0, 90.0]),
            "result 10",
        ),
        (
            json!({"finalResult": "Grok"}),
            json!([0.0, 2, "Grok", 99.0, 99.0]),
            "result 0",
        ),
    ] {
        let body = json!({"when": {"operation": "undetectable.detect"}, "times": 1, "then": {"outcome": outcome}});
        let id = rule(&server, &body).await;
        let (response_body, summary) = document(&server, "a_fail.jpg").await;
        let details = &response_body["result_details"];
        let found = json!([
            response_body["result"],
            details["detection_step"],
            details["final_result"],
            details["confidence"],
            details["final_label_confidence"],
        ]);
        assert_eq!(found, expected, "{outcome}");
        assert_eq!(summary, format!("{plan} by rule {id}"));
    }
}

#[tokio::test]
async fn a_document_fails_as_told() {
    let server = TestServer::start_frozen("live").await;
    let outcome = json!({"status": "failed", "errorMessage": "no luck"});
    let body =
        json!({"account": "live", "when": {"fileName": "a_*"}, "then": {"outcome": outcome}});
    rule(&server, &body).await;
    let (response_body, plan) = document(&server, "a_ai.jpg").await;
    let details = json!({"is_valid": false, "error_message": "no luck"});
    assert_eq!(
        response_body,
        json!({"id": response_body["id"], "status": "failed", "result": null, "result_details": details})
    );
    assert_eq!(plan, "");
    let (response_body, _) = document(&server, "b_ai.jpg").await;
    assert_eq!(response_body["status"], "done");
}

#[tokio::test]
async fn an_outcome_is_for_the_orders_that_can_come_to_it_and_lets_others_pass() {
    let server = TestServer::start_frozen("live").await;
    rule(
        &server,
        &json!({"then": {"outcome": {"finalResult": "AI Edited"}}}),
    )
    .await;
    rule(
        &server,
        &json!({"account": "other", "then": {"outcome": {"probability": 0.3}}}),
    )
    .await;
    rule(
        &server,
        &json!({"account": "live", "then": {"outcome": {"probability": 0.4}}}),
    )
    .await;
    let found = detected(&server, "live", &create_order("1", "a_ai.jpg"), picture()).await;
    assert_eq!(found.3, "probability 0.4 by rule 3");
    assert_eq!(document(&server, "a_ai.jpg").await.1, "result 71 by rule 1");
    let files = json!({"idempotencyKey": "b", "files": [{"fileName": "b.jpg"}]});
    let response = server.post("live", "/api/v2/orders/anti-ai", &files).await;
    assert_eq!(response.status, 200);
    assert_eq!(hits(&server).await, [1, 0, 1]);
}

#[tokio::test]
async fn an_order_that_is_refused_uses_up_no_rule() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"times": 1, "then": {"outcome": {"probability": 0.62}}});
    rule(&server, &body).await;
    let credits = async |credits: u64| {
        let body = json!({"credits": credits});
        let path = "/_mock/accounts/live";
        server.control(Method::PUT, path, &body).await;
    };
    credits(0).await;
    let path = "/api/v2/orders/ai-detection";
    let refused = server.post("live", path, &create_order("a", "a.jpg")).await;
    assert_eq!(refused.status, 429);
    assert_eq!(hits(&server).await, [0]);
    credits(1).await;
    let found = detected(&server, "live", &create_order("a", "a.jpg"), picture()).await;
    assert_eq!(found.0, json!(0.62));
    assert_eq!(hits(&server).await, [1]);
}
