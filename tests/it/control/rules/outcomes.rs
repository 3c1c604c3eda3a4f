//! Rules that force the outcome of orders.

use reqwest::Method;
use serde_json::{Value, json};

use super::{add_rule, hits};
use crate::support::{Receiver, TestServer, fixture, picture};

fn order_body(key: &str, name: &str) -> Value {
    json!({"idempotencyKey": key, "fileName": name})
}

/// Completes an AI detection. Returns probability, status code, status and `X-Mock-Outcome`.
async fn run_detection(
    server: &TestServer,
    key: &str,
    body: &Value,
    bytes: Vec<u8>,
) -> (Value, Value, Value, String) {
    let id = server.confirm_detection(key, body, bytes).await;
    server.advance(key, "PT1S").await;
    let response = server.get(key, &format!("/api/v2/orders/{id}")).await;
    let order = response.json()["data"].take();
    (
        order["probability"].clone(),
        order["statusCode"].clone(),
        order["status"].clone(),
        response.header("x-mock-outcome").to_owned(),
    )
}

#[tokio::test]
async fn force_probability_overrides_file_name_and_content() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"when": {"operation": "bizmori.createAiDetection", "fileName": "*_x*"}, "then": {"outcome": {"probability": 0.62}}});
    let id = add_rule(&server, &body).await;
    let forced = (
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
        let found = run_detection(&server, "live", &order_body(name, name), bytes).await;
        assert_eq!(found, forced, "{name}");
    }
    let other = run_detection(&server, "live", &order_body("o", "a_human.jpg"), picture()).await;
    assert_eq!(other.3, "probability 0.02 by suffix _human");
    assert_eq!(hits(&server).await, [4]);
    let body = json!({"then": {"outcome": {"probability": 0.49}}});
    let id = add_rule(&server, &body).await;
    let found = run_detection(&server, "live", &order_body("low", "a_ai.jpg"), picture()).await;
    let outcome_header = format!("probability 0.49 by rule {id}");
    let expected = (
        json!(0.49),
        json!("uncertain_real"),
        json!("complete"),
        outcome_header,
    );
    assert_eq!(found, expected);
}

#[tokio::test]
async fn force_failure_sets_errors_and_webhook_codes() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let outcome = json!({"status": "failed", "errorCode": "AI_DETECTION_TIMEOUT"});
    let body = json!({"account": "live", "times": 1, "then": {"outcome": outcome}});
    add_rule(&server, &body).await;
    let outcome = json!({"status": "failed", "errorCode": "PROCESSING_ERROR", "errorMessage": "forced message"});
    let body = json!({"when": {"operation": "bizmori.createAntiAi", "fileName": "two.*"}, "then": {"outcome": outcome}});
    add_rule(&server, &body).await;

    let first = server
        .confirm_detection("live", &order_body("1", "a_ai.jpg"), picture())
        .await;
    server.advance("live", "PT1S").await;
    let order = server.get_order("live", &first).await;
    assert_eq!(
        (&order["status"], &order["errors"]),
        (&json!("failed"), &json!("failed by rule 1"))
    );
    let second = run_detection(&server, "live", &order_body("2", "a_ai.jpg"), picture()).await;
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
    let order = server.get_order("live", id).await;
    assert_eq!(
        (&order["status"], &order["errors"]),
        (&json!("failed"), &json!("forced message"))
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
            (json!("PROCESSING_ERROR"), json!("forced message")),
        ]
    );
}

#[tokio::test]
async fn force_outcome_applies_to_orders_of_test_keys() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    let body = json!({"account": key, "times": 1, "then": {"outcome": {"probability": 0.5}}});
    add_rule(&server, &body).await;
    let outcome = json!({"status": "failed", "errorCode": "PROCESSING_ERROR"});
    add_rule(
        &server,
        &json!({"account": key, "then": {"outcome": outcome}}),
    )
    .await;
    let mut orders = Vec::new();
    for n in ["1", "2"] {
        let id = server
            .confirm_detection(key, &order_body(n, "a_human.jpg"), picture())
            .await;
        server.advance(key, "PT5S").await;
        let order = server.get_order(key, &id).await;
        orders.push((order["status"].clone(), order["probability"].clone()));
    }
    assert_eq!(
        orders,
        [
            (json!("complete"), json!(0.5)),
            (json!("failed"), Value::Null)
        ]
    );
}

#[tokio::test]
async fn force_outcome_ignores_earlier_and_repeated_creates() {
    let server = TestServer::start_frozen("live").await;
    let before = server
        .confirm_detection("live", &order_body("1", "a_ai.jpg"), picture())
        .await;
    let body = json!({"skip": 1, "times": 1, "then": {"outcome": {"probability": 0.1}}});
    add_rule(&server, &body).await;
    for _ in 0..3 {
        assert_eq!(
            server
                .create_detection("live", &order_body("1", "a_ai.jpg"))
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
    let mut probabilities = Vec::new();
    for key in ["2", "3", "4"] {
        probabilities.push(
            run_detection(&server, "live", &order_body(key, "a_ai.jpg"), picture())
                .await
                .0,
        );
    }
    assert_eq!(probabilities, [0.98, 0.1, 0.98]);
    assert_eq!(hits(&server).await, [1]);
}

#[tokio::test]
async fn delete_rule_and_restart_preserves_forced_outcome() {
    let data = tempfile::tempdir().expect("a directory");
    let start = || TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned()));
    let server = start().await;
    server.freeze("live").await;
    add_rule(
        &server,
        &json!({"account": "live", "then": {"outcome": {"probability": 0.25}}}),
    )
    .await;
    let id = server
        .confirm_detection("live", &order_body("1", "a_ai.jpg"), picture())
        .await;
    server
        .control(Method::DELETE, "/_mock/rules", &json!({}))
        .await;
    server.stop().await;
    let server = start().await;
    server.advance("live", "PT1S").await;
    let response = server.get("live", &format!("/api/v2/orders/{id}")).await;
    assert_eq!(
        response.header("x-mock-outcome"),
        "probability 0.25 by rule 1"
    );
}

/// Runs a document of `live`. Returns its query response and `X-Mock-Outcome`.
async fn run_document(server: &TestServer, name: &str) -> (Value, String) {
    let presign = format!("/get-presigned-url?file_name={name}");
    let presigned = server
        .send(Method::GET, &presign, &[("apikey", "live")], "")
        .await
        .json();
    let upload_url = presigned["presigned_url"].as_str().expect("a URL");
    server.put(upload_url, picture()).await;
    let path = presigned["file_path"].as_str().expect("a path");
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
async fn force_document_result_sets_score_and_label() {
    let server = TestServer::with_config(|config| config.undetectable.bypass_ocr = true).await;
    server.freeze("live").await;
    for (outcome, expected, outcome_header) in [
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
        let id = add_rule(&server, &body).await;
        let (view, summary) = run_document(&server, "a_fail.jpg").await;
        let details = &view["result_details"];
        let found = json!([
            view["result"],
            details["detection_step"],
            details["final_result"],
            details["confidence"],
            details["final_label_confidence"],
        ]);
        assert_eq!(found, expected, "{outcome}");
        assert_eq!(summary, format!("{outcome_header} by rule {id}"));
    }
}

#[tokio::test]
async fn force_document_failure_answers_failed_with_message() {
    let server = TestServer::start_frozen("live").await;
    let outcome = json!({"status": "failed", "errorMessage": "no luck"});
    let body =
        json!({"account": "live", "when": {"fileName": "a_*"}, "then": {"outcome": outcome}});
    add_rule(&server, &body).await;
    let (view, outcome_header) = run_document(&server, "a_ai.jpg").await;
    let details = json!({"is_valid": false, "error_message": "no luck"});
    assert_eq!(
        view,
        json!({"id": view["id"], "status": "failed", "result": null, "result_details": details})
    );
    assert_eq!(outcome_header, "");
    let (view, _) = run_document(&server, "b_ai.jpg").await;
    assert_eq!(view["status"], "done");
}

#[tokio::test]
async fn force_outcome_applies_to_orders_that_support_it_only() {
    let server = TestServer::start_frozen("live").await;
    add_rule(
        &server,
        &json!({"then": {"outcome": {"finalResult": "AI Edited"}}}),
    )
    .await;
    add_rule(
        &server,
        &json!({"account": "other", "then": {"outcome": {"probability": 0.3}}}),
    )
    .await;
    add_rule(
        &server,
        &json!({"account": "live", "then": {"outcome": {"probability": 0.4}}}),
    )
    .await;
    let found = run_detection(&server, "live", &order_body("1", "a_ai.jpg"), picture()).await;
    assert_eq!(found.3, "probability 0.4 by rule 3");
    assert_eq!(
        run_document(&server, "a_ai.jpg").await.1,
        "result 71 by rule 1"
    );
    let files = json!({"idempotencyKey": "b", "files": [{"fileName": "b.jpg"}]});
    let response = server.post("live", "/api/v2/orders/anti-ai", &files).await;
    assert_eq!(response.status, 200);
    assert_eq!(hits(&server).await, [1, 0, 1]);
}

#[tokio::test]
async fn refuse_create_does_not_count_for_a_rule() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"times": 1, "then": {"outcome": {"probability": 0.62}}});
    add_rule(&server, &body).await;
    let set_credits = async |credits: u64| {
        let body = json!({"credits": credits});
        let path = "/_mock/accounts/live";
        server.control(Method::PUT, path, &body).await;
    };
    set_credits(0).await;
    let path = "/api/v2/orders/ai-detection";
    let refused = server.post("live", path, &order_body("a", "a.jpg")).await;
    assert_eq!(refused.status, 429);
    assert_eq!(hits(&server).await, [0]);
    set_credits(1).await;
    let found = run_detection(&server, "live", &order_body("a", "a.jpg"), picture()).await;
    assert_eq!(found.0, json!(0.62));
    assert_eq!(hits(&server).await, [1]);
}
