//! Orders and documents: listing them, and ending them through the control plane.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, TestResponse, TestServer, picture};

/// Ends an order by `action`: `complete`, `fail` or `expire`.
async fn end(server: &TestServer, id: &str, action: &str, body: Value) -> TestResponse {
    let path = format!("/_mock/orders/{id}/{action}");
    server
        .send(Method::POST, &path, &[], body.to_string())
        .await
}

/// Adds a rule that holds orders of `live`.
async fn hold_orders(server: &TestServer) {
    let rule = json!({"account": "live", "then": {"processing": "hold"}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
}

async fn create_detection(server: &TestServer) -> String {
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await
}

/// Creates a document of a picture called `4.jpg`.
async fn create_document(server: &TestServer, key: &str) {
    let headers = [("apikey", key)];
    let path = "/get-presigned-url?file_name=4.jpg";
    let presigned = server.send(Method::GET, path, &headers, "").await.json();
    let upload_url = presigned["presigned_url"].as_str().expect("a URL");
    server.put(upload_url, picture()).await;
    let body = json!({"key": key, "url": presigned["file_path"]}).to_string();
    let json = [("content-type", "application/json")];
    let response = server.send(Method::POST, "/detect", &json, body).await;
    assert_eq!(response.status, 200, "{}", response.text());
}

/// Returns status, code and message of an error.
fn error_of(response: &TestResponse) -> (u16, Value, Value) {
    let error = response.json()["error"].take();
    (
        response.status,
        error["code"].clone(),
        error["message"].clone(),
    )
}

#[tokio::test]
async fn complete_held_order_applies_outcome_and_delivers_webhook() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    hold_orders(&server).await;
    let id = create_detection(&server).await;
    let listing = server
        .control(Method::GET, "/_mock/orders?account=live", &json!({}))
        .await;
    let mut expected = json!({
        "id": id,
        "account": "live",
        "vendor": "bizmori",
        "type": "aiDetection",
        "status": "inProgress",
        "name": listing["orders"][0]["name"],
        "fileNames": ["a_ai.jpg"],
        "createdAt": "2026-03-12T10:00:00.000Z",
        "updatedAt": "2026-03-12T10:00:00.000Z",
        "expiresAt": "2026-03-19T10:00:00.000Z",
        "processing": "hold",
        "failure": null,
    });
    assert_eq!(listing, json!({"orders": [expected], "next": null}));
    let ended = end(&server, &id, "complete", json!({"probability": 0.62})).await;
    expected["status"] = json!("complete");
    expected["processing"] = Value::Null;
    assert_eq!((ended.status, ended.json()), (200, expected));
    let order = server.get("live", &format!("/api/v2/orders/{id}")).await;
    assert_eq!(order.json()["data"]["probability"], 0.62);
    assert_eq!(
        order.header("x-mock-outcome"),
        "probability 0.62 by control API"
    );
    let event = receiver.messages(1).await[0].json();
    assert_eq!(event["eventType"], "order.aiDetection.completed");
    let repeated = end(&server, &id, "complete", json!({})).await;
    let message = json!(format!("order {id} is complete"));
    assert_eq!(
        error_of(&repeated),
        (409, json!("order_already_ended"), message)
    );
}

#[tokio::test]
async fn complete_order_in_progress_applies_its_default_outcome() {
    let server = TestServer::start_frozen("live").await;
    let id = create_detection(&server).await;
    let ended = end(&server, &id, "complete", json!({})).await;
    assert_eq!(
        (ended.status, &ended.json()["status"]),
        (200, &json!("complete"))
    );
    assert_eq!(server.get_order("live", &id).await["probability"], 0.98);
    assert!(
        server.advance("live", "PT1H").await.is_empty(),
        "the processing job is removed"
    );
}

#[tokio::test]
async fn complete_pending_order_requires_its_files_and_fail_does_not() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, url) = server.create_detection("live", &body).await;
    let message = json!(format!(
        "order {id} is pending: 1 files are still to be uploaded"
    ));
    let early = end(&server, &id, "complete", json!({})).await;
    assert_eq!(error_of(&early), (409, json!("files_missing"), message));
    server.put(&url, picture()).await;
    assert_eq!(
        end(&server, &id, "complete", json!({})).await.json()["status"],
        "complete"
    );
    let body = json!({"idempotencyKey": "b", "fileName": "b.jpg"});
    let (id, _) = server.create_detection("live", &body).await;
    let failure_body = json!({"errorCode": "AI_DETECTION_TIMEOUT", "errorMessage": "too long"});
    let failed = end(&server, &id, "fail", failure_body).await.json();
    let failure = json!({"code": "AI_DETECTION_TIMEOUT", "message": "too long"});
    assert_eq!(
        (&failed["status"], &failed["failure"]),
        (&json!("failed"), &failure)
    );
    let order = server.get_order("live", &id).await;
    assert_eq!(order["errors"], "too long");
    let messages = receiver.messages(2).await;
    let kinds: Vec<_> = messages
        .iter()
        .map(|it| it.json()["eventType"].take())
        .collect();
    assert_eq!(
        kinds,
        ["order.aiDetection.completed", "order.aiDetection.failed"]
    );
}

#[tokio::test]
async fn fail_and_expire_order_in_any_status_ends_it() {
    let server = TestServer::start_frozen("live").await;
    let id = create_detection(&server).await;
    assert_eq!(
        end(&server, &id, "fail", json!({})).await.json()["status"],
        "failed"
    );
    assert_eq!(
        server.get_order("live", &id).await["errors"],
        "failed manually"
    );
    let expired = end(&server, &id, "expire", json!({})).await;
    assert_eq!(expired.json()["status"], "expired");
    let repeated = end(&server, &id, "expire", json!({})).await;
    assert_eq!(error_of(&repeated).1, json!("order_already_ended"));
    assert!(
        server.advance("live", "P30D").await.is_empty(),
        "no job remains"
    );
}

#[tokio::test]
async fn complete_order_with_unreachable_target_stays_in_progress() {
    let server = TestServer::start_frozen("live").await;
    let file = json!({"fileName": "a.jpg", "originalFileUrl": "http://files.test/a.jpg"});
    let target = json!({"fileKey": "a", "url": "http://127.0.0.1:1/a",
        "presignedUrlExpiresAt": "2026-03-12T11:00:00Z"});
    let body = json!({"idempotencyKey": "a", "files": [file],
        "mode": {"zeroCopy": true}, "outputTargets": [target]});
    let response = server.post("live", "/api/v2/orders/anti-ai", &body).await;
    let created = response.json();
    let id = created["data"]["orderId"].as_str().expect("an id");
    let completing = end(&server, id, "complete", json!({})).await;
    assert_eq!(
        (completing.status, &completing.json()["status"]),
        (200, &json!("inProgress"))
    );
    let retries = server.advance("live", "PT1M").await;
    assert_eq!(retries, ["order.process"; 3]);
}

#[tokio::test]
async fn complete_order_with_status_failed_fails_it() {
    let server = TestServer::start_frozen("live").await;
    let id = create_detection(&server).await;
    let body = json!({"status": "failed", "errorCode": "AI_DETECTION_TIMEOUT"});
    let failed = end(&server, &id, "complete", body).await.json();
    let failure = json!({"code": "AI_DETECTION_TIMEOUT", "message": "failed manually"});
    assert_eq!(
        (&failed["status"], &failed["failure"]),
        (&json!("failed"), &failure)
    );
}

#[tokio::test]
async fn complete_order_with_unsupported_outcome_is_refused() {
    let server = TestServer::start_frozen("live").await;
    let id = create_detection(&server).await;
    for (body, code) in [
        (json!({"watermarkText": "X"}), "outcome_not_applicable"),
        (json!({"finalResult": "Real"}), "outcome_not_applicable"),
        (json!({"probability": 2}), "bad_rule"),
        (json!({"chance": 1}), "bad_body"),
    ] {
        let response = end(&server, &id, "complete", body).await;
        assert_eq!((response.status, error_of(&response).1), (400, json!(code)));
    }
    assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
}

#[tokio::test]
async fn list_orders_by_account_or_vendor_answers_newest_last() {
    let server = TestServer::start().await;
    for (key, name) in [("one", "1.jpg"), ("two", "2.jpg"), ("one", "3.jpg")] {
        server
            .create_detection(key, &json!({"idempotencyKey": name, "fileName": name}))
            .await;
    }
    let names = async |query: &str| {
        let path = format!("/_mock/orders{query}");
        let listing = server.control(Method::GET, &path, &json!({})).await;
        let orders = listing["orders"].as_array().expect("a list").iter();
        orders
            .map(|it| it["fileNames"][0].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names("").await, ["1.jpg", "2.jpg", "3.jpg"]);
    assert_eq!(names("?limit=2").await, ["2.jpg", "3.jpg"]);
    assert_eq!(
        names("?account=one&vendor=bizmori").await,
        ["1.jpg", "3.jpg"]
    );
    assert_eq!(names("?vendor=undetectable").await, [""; 0]);
    create_document(&server, "one").await;
    assert_eq!(names("?vendor=undetectable").await, ["4.jpg"]);
    assert_eq!(names("?account=one").await, ["1.jpg", "3.jpg", "4.jpg"]);
    assert_eq!(names("?vendor=bizmori").await.len(), 3);
    assert_eq!(names("?account=three").await, [""; 0]);
    let listing = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    let accounts = listing["accounts"].as_array().expect("a list");
    assert_eq!(
        accounts.len(),
        2,
        "listing creates no account: {accounts:?}"
    );
}
