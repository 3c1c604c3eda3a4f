//! Orders of BIZ MORI.

use reqwest::Method;
use serde_json::{Value, json};

use super::{output, parts, show, stored_file};
use crate::support::{Receiver, Reply, TestServer, picture};

/// Creates an order of `live` and uploads a picture as each file. Returns its id.
async fn upload_all(server: &TestServer, path: &str, body: &Value) -> String {
    let created = server.post("live", path, body).await;
    assert_eq!(created.status, 200, "{}", created.text());
    let order = created.json()["data"].take();
    for file in order["files"].as_array().expect("files") {
        let url = file["uploadUrl"].as_str().expect("a URL");
        server.put(url, picture()).await;
    }
    order["orderId"].as_str().expect("an id").to_owned()
}

/// Loads a rule about `live`.
async fn add_rule(server: &TestServer, then: Value) {
    let rule = json!({"account": "live", "then": then});
    server.control(Method::POST, "/_mock/rules", &rule).await;
}

#[tokio::test]
async fn detection_has_its_whole_body() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500), Reply::Status(200)]).await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let options =
        json!({"generateHeatmap": true, "generateOverlay": true, "generateThumbnail": true});
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": options});
    let id = server.confirm_detection("live", &body, picture()).await;
    let started = show(&server, &id).await;
    let at = "2026-03-12T10:00:00.300Z";
    assert_eq!(started["next"], json!({"at": at, "kind": "order.process"}));
    assert_eq!(started["outcome"], Value::Null);
    server.advance("live", "PT0.5S").await;
    let reports = format!("/api/v3/orders/{id}/reports");
    server
        .post("live", &reports, &json!({"locale": "en-US"}))
        .await;
    let mut order = show(&server, &id).await;
    let next = json!({"at": "2026-03-12T10:00:00.800Z", "kind": "order.report"});
    assert_eq!(order["next"], next);
    let mut deliveries = order["deliveries"].take();
    let delivery = &mut deliveries[0];
    assert_eq!(
        (&delivery["orderId"], &delivery["webhookId"].to_string()),
        (&json!(id), &webhook)
    );
    assert_eq!(
        (&delivery["status"], &delivery["attempt"]),
        (&json!(500), &json!(1))
    );
    let numbers: Vec<u64> = serde_json::from_value(order["requests"].clone()).expect("numbers");
    let mut paths = Vec::new();
    for number in numbers {
        let path = format!("/_mock/requests/live/{number}");
        let request = server.control(Method::GET, &path, &json!({})).await;
        paths.push(request["operation"].clone());
    }
    let operations = [
        "bizmori.createAiDetection",
        "storage.put",
        "bizmori.confirmAiDetection",
        "bizmori.createReport",
    ];
    assert_eq!(paths, operations);
    server.advance("live", "PT0.3S").await;
    let actual = parts(&server, &id).await;
    let png = "image/png";
    let expected = json!({
        "api": "v2",
        "outcome": {
            "kind": "detection",
            "probability": 0.98,
            "label": "ai",
            "generator": null,
            "by": "suffix _ai",
        },
        "files": [stored_file("a_ai.jpg")],
        "outputs": [
            output("thumbnail.jpg", "thumbnail", Some(0), "image/jpeg"),
            output("heatmap.png", "heatmap", Some(0), png),
            output("overlay.png", "overlay", Some(0), png),
            output("report-en-US.pdf", "report", None, "application/pdf"),
        ],
        "history": [
            ["12T10:00:00.000", "pending", "bizmori.createAiDetection"],
            ["12T10:00:00.000", "inProgress", "bizmori.confirmAiDetection"],
            ["12T10:00:00.300", "complete", "order.process"],
        ],
    });
    assert_eq!(actual, expected);
    let row = server
        .control(Method::GET, "/_mock/orders?account=live", &json!({}))
        .await;
    let order = show(&server, &id).await;
    for (field, value) in row["orders"][0].as_object().expect("a row") {
        assert_eq!(order[field], *value, "{field}");
    }
    // The retry comes a second after the first attempt.
    let retry = json!({"at": "2026-03-12T10:00:01.300Z", "kind": "webhook.deliver"});
    assert_eq!(order["next"], retry);
    server.advance("live", "PT1S").await;
    let order = show(&server, &id).await;
    let attempts = order["deliveries"].as_array().expect("deliveries");
    let statuses: Vec<&Value> = attempts.iter().map(|attempt| &attempt["status"]).collect();
    assert_eq!(statuses, [500, 200]);
    let expiry = json!({"at": "2026-03-19T10:00:00.000Z", "kind": "order.expire"});
    assert_eq!(order["next"], expiry);
}

#[tokio::test]
async fn anti_ai_of_several_files_has_outputs_and_archive() {
    let server = TestServer::start_frozen("live").await;
    let files = json!([{"fileName": "one.jpg"}, {"fileName": "two.jpg"}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    let path = "/api/v2/orders/anti-ai";
    let id = upload_all(&server, path, &body).await;
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let path = "/api/v2/orders/anti-ai/confirm";
    server.post("live", path, &confirm).await;
    server.advance("live", "PT1S").await;
    let actual = parts(&server, &id).await;
    let expected = json!({
        "api": "v2",
        "outcome": {"kind": "outputs"},
        "files": [stored_file("one.jpg"), stored_file("two.jpg")],
        "outputs": [
            output("one.jpg", "output", Some(0), "image/jpeg"),
            output("two.jpg", "output", Some(1), "image/jpeg"),
            output("thumbnail.jpg", "thumbnail", Some(0), "image/jpeg"),
            output("archive.zip", "archive", None, "application/zip"),
        ],
        "history": [
            ["12T10:00:00.000", "pending", "bizmori.createAntiAi"],
            ["12T10:00:00.000", "inProgress", "bizmori.confirmAntiAi"],
            ["12T10:00:00.300", "complete", "order.process"],
        ],
    });
    assert_eq!(actual, expected);
}

#[tokio::test]
async fn watermark_orders_have_outputs_and_texts() {
    let server = TestServer::start_frozen("live").await;
    let watermarks = json!([{"text": "first"}, {"text": "second"}]);
    let files = json!([{"fileName": "a.jpg", "watermarks": watermarks}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    let id = upload_all(&server, "/api/v3/orders/wtr-embed", &body).await;
    server.advance("live", "PT5S").await;
    let actual = parts(&server, &id).await;
    let mut file = stored_file("a.jpg");
    file["watermarks"] = json!(["first", "second"]);
    let expected = json!({
        "api": "v3",
        "outcome": {"kind": "outputs"},
        "files": [file],
        "outputs": [
            output("a.jpg", "output", Some(0), "image/jpeg"),
            output("a.jpg", "output", Some(0), "image/jpeg"),
            output("thumbnail.jpg", "thumbnail", Some(0), "image/jpeg"),
            output("archive.zip", "archive", None, "application/zip"),
        ],
        "history": [
            ["12T10:00:00.000", "pending", "bizmori.createWatermarkEmbedV3"],
            ["12T10:00:00.000", "inProgress", "storage.put"],
            ["12T10:00:00.300", "complete", "order.process"],
        ],
    });
    assert_eq!(actual, expected);
    let file = json!({"fileName": "b_inconclusive.jpg", "originalFile": {"fileName": "o.jpg"}});
    let body = json!({"idempotencyKey": "b", "file": file});
    let id = upload_all(&server, "/api/v3/orders/wtr-extract", &body).await;
    server.advance("live", "PT5S").await;
    let actual = parts(&server, &id).await;
    let outcome = json!({
        "kind": "extraction",
        "status": "inconclusive",
        "texts": [],
        "by": "suffix _inconclusive",
    });
    assert_eq!(actual["outcome"], outcome);
    let thumbnail = output("thumbnail.jpg", "thumbnail", Some(1), "image/jpeg");
    assert_eq!(actual["outputs"], json!([thumbnail]));
    let files = json!([stored_file("o.jpg"), stored_file("b_inconclusive.jpg")]);
    assert_eq!(actual["files"], files);
}

#[tokio::test]
async fn pending_failed_and_expired_orders_have_their_state() {
    let server = TestServer::start_frozen("live").await;
    let body = |key: &str| json!({"idempotencyKey": key, "fileName": "a.jpg"});
    let (id, _) = server.create_detection("live", &body("a")).await;
    let mut file = stored_file("a.jpg");
    for absent in ["bytes", "width", "height", "blob"] {
        file[absent] = Value::Null;
    }
    let mut expected = json!({
        "api": "v2",
        "outcome": null,
        "files": [file],
        "outputs": [],
        "history": [["12T10:00:00.000", "pending", "bizmori.createAiDetection"]],
    });
    let push = |order: &mut Value, change: Value| {
        order["history"]
            .as_array_mut()
            .expect("a history")
            .push(change);
    };
    assert_eq!(parts(&server, &id).await, expected);
    let fail = format!("/_mock/orders/{id}/fail");
    let failure = json!({"errorCode": "AI_DETECTION_TIMEOUT", "errorMessage": "too slow"});
    server.control(Method::POST, &fail, &failure).await;
    expected["outcome"] = json!({
        "kind": "failure",
        "errorCode": "AI_DETECTION_TIMEOUT",
        "errorMessage": "too slow",
        "by": null,
    });
    push(
        &mut expected,
        json!(["12T10:00:00.000", "failed", "control.failOrder"]),
    );
    assert_eq!(parts(&server, &id).await, expected);
    let expire = format!("/_mock/orders/{id}/expire");
    server.control(Method::POST, &expire, &json!({})).await;
    expected["outcome"] = Value::Null;
    push(
        &mut expected,
        json!(["12T10:00:00.000", "expired", "control.expireOrder"]),
    );
    assert_eq!(parts(&server, &id).await, expected);

    let id = server
        .confirm_detection("live", &body("b"), picture())
        .await;
    server.advance("live", "P8D").await;
    let order = parts(&server, &id).await;
    assert_eq!(order["files"][0]["blob"], Value::Null);
    assert_eq!(order["files"][0]["bytes"], json!(picture().len()));
    assert_eq!(order["outcome"]["kind"], "detection");
    assert_eq!(
        order["history"][3],
        json!(["19T10:00:00.000", "expired", "order.expire"])
    );
    assert_eq!(show(&server, &id).await["next"], Value::Null);
}

#[tokio::test]
async fn held_order_has_no_job_to_process_it_and_completion_names_its_operation() {
    let server = TestServer::start_frozen("live").await;
    add_rule(&server, json!({"processing": "hold"})).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let order = show(&server, &id).await;
    assert_eq!(order["processing"], "hold");
    let expiry = json!({"at": "2026-03-19T10:00:00.000Z", "kind": "order.expire"});
    assert_eq!(order["next"], expiry);
    let complete = format!("/_mock/orders/{id}/complete");
    let outcome = json!({"probability": 0.62});
    server.control(Method::POST, &complete, &outcome).await;
    let order = parts(&server, &id).await;
    let outcome = json!({
        "kind": "detection",
        "probability": 0.62,
        "label": "ai",
        "generator": null,
        "by": "control API",
    });
    assert_eq!(order["outcome"], outcome);
    let completed = json!(["12T10:00:00.000", "complete", "control.completeOrder"]);
    assert_eq!(order["history"][2], completed);
}

#[tokio::test]
async fn order_failed_by_a_rule_names_the_rule() {
    let server = TestServer::start_frozen("live").await;
    let failed = json!({"status": "failed", "errorCode": "AI_DETECTION_TIMEOUT"});
    add_rule(&server, json!({"outcome": failed})).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let expected = json!({
        "kind": "failure",
        "errorCode": "AI_DETECTION_TIMEOUT",
        "errorMessage": "failed by rule 1",
        "by": "rule 1",
    });
    assert_eq!(parts(&server, &id).await["outcome"], expected);
}
