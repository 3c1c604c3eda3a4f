//! Creation of watermark orders by v3.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::signed_query;
use super::{EMBED, EXTRACT, create_order, text};
use crate::support::{Receiver, TestServer, code, picture};

#[tokio::test]
async fn create_embed_answers_an_output_for_each_watermark() {
    let server = TestServer::start_frozen("live").await;
    let files = json!([
        {"fileName": "a.tif", "watermarks": [{"text": "one"}, {"text": "two"}]},
        {"fileName": "b.pdf", "originalFileUrl": "http://files.test/b", "watermarks": [{"text": "three"}]}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    let response = server.post("live", EMBED, &body).await;
    let id = text(&response.json(), "/data/orderId");
    let output = |file: &str, index: u8, text: &str, status: &str, kind: &str| {
        format!(
            r#"{{"fileId":"{file}10{}","inputFileId":"{file}","outputIndex":{index},"watermarkText":"{text}","status":"{status}","mediaKind":"{kind}"}}"#,
            index + 1
        )
    };
    let expected = format!(
        r#"{{"data":{{"orderId":"{id}","status":"pending","processingDelayed":false,"expiresAt":"2026-03-19T10:00:00.000Z","files":[{{"fileId":"1001","uploadUrl":"{{origin}}/_s3/bizmori/wtr-embed/{id}/images/1/a.tif?{}"}},{{"fileId":"1002","uploadUrl":null}}],"outputs":[{},{},{}],"result":null,"reports":[]}}}}"#,
        signed_query(900),
        output("1001", 0, "one", "pending", "image"),
        output("1001", 1, "two", "pending", "image"),
        output("1002", 0, "three", "queued", "pdf")
    );
    assert_eq!(
        (response.status, server.redact(&response.text())),
        (200, expected)
    );
}

#[tokio::test]
async fn create_extract_lists_original_first_and_starts_after_last_upload() {
    let server = TestServer::start_frozen("live").await;
    let file = json!({"fileName": "q.jpg", "originalFile": {"fileName": "o.jpg"}});
    let body = json!({"idempotencyKey": "a", "file": file});
    let response = server.post("live", EXTRACT, &body).await;
    let data = response.json()["data"].take();
    let id = text(&data, "/orderId");
    let new_file = |n: u16, role: &str, name: &str| {
        format!(
            r#"{{"fileId":"{n}","uploadUrl":"{{origin}}/_s3/bizmori/wtr-extract/{id}/{role}/{name}?{}"}}"#,
            signed_query(900)
        )
    };
    let expected = format!(
        r#"{{"data":{{"orderId":"{id}","status":"pending","processingDelayed":false,"expiresAt":"2026-03-19T10:00:00.000Z","files":[{},{}],"outputs":[],"result":null,"reports":[]}}}}"#,
        new_file(1_001, "original", "o.jpg"),
        new_file(1_002, "watermarked", "q.jpg")
    );
    assert_eq!(
        (response.status, server.redact(&response.text())),
        (200, expected)
    );
    server
        .put(&text(&data, "/files/1/uploadUrl"), picture())
        .await;
    assert!(server.advance("live", "PT1S").await.is_empty());
    server
        .put(&text(&data, "/files/0/uploadUrl"), picture())
        .await;
    assert_eq!(server.advance("live", "PT1S").await, ["order.process"]);
}

#[tokio::test]
async fn repeat_create_with_same_json_answers_same_order_and_with_other_json_conflict() {
    let server = TestServer::start_frozen("live").await;
    let files = json!([{"fileName": "a.jpg", "watermarks": [{"text": "one"}]}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    let first = server.post("live", EMBED, &body).await;
    let reordered = r#"{ "files": [{"watermarks": [{"text": "one"}], "fileName": "a.jpg"}],
        "idempotencyKey": "a" }"#;
    let headers = [
        ("authorization", "Bearer live"),
        ("content-type", "application/json"),
    ];
    let repeated = server.send(Method::POST, EMBED, &headers, reordered).await;
    assert_eq!(repeated.text(), first.text(), "equal JSON in another order");
    let mut other = body.clone();
    other["files"][0]["watermarks"][0]["text"] = json!("two");
    let response = server.post("live", EMBED, &other).await;
    let id = text(&first.json(), "/data/orderId");
    let reason = format!("idempotencyKey: order {id} was made with another body");
    response.assert_refused(409, "WATERMARK_V2_CONFLICT", &reason);
    let extract = json!({"idempotencyKey": "a", "file": {"fileName": "a.jpg", "originalFile": {"fileName": "o.jpg"}}});
    let order = create_order(&server, "live", EXTRACT, &extract).await;
    assert_ne!(text(&order, "/orderId"), id, "keys belong to one route");
}

#[tokio::test]
async fn embed_without_upload_within_twelve_hours_fails_as_upload_expired() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let files = json!([{"fileName": "a.jpg", "watermarks": [{"text": "one"}]}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    let order = create_order(&server, "live", EMBED, &body).await;
    let id = text(&order, "/orderId");
    assert!(server.advance("live", "PT11H59M59.999S").await.is_empty());
    assert_eq!(
        server.advance("live", "PT0.001S").await,
        ["order.expireUploads", "webhook.deliver"]
    );
    let event = receiver.messages(1).await.remove(0).json();
    assert_eq!(
        (&event["eventType"], &event["data"]["errorCode"]),
        (
            &json!("order.watermarkEmbed.failed"),
            &json!("UPLOAD_EXPIRED")
        )
    );
    let response = server.get("live", &format!("/api/v3/orders/{id}")).await;
    let detail = response.json()["data"].take();
    assert_eq!(
        (&detail["status"], &detail["errors"]),
        (
            &json!("failed"),
            &json!({"errorCode": "UPLOAD_EXPIRED", "errorMessage": "files were not uploaded within 12 hours"})
        )
    );
    assert_eq!(
        detail["inputFiles"],
        json!([{"fileId": "1001", "fileName": "a.jpg"}])
    );

    let body = json!({"idempotencyKey": "b", "files": [{"fileName": "a.jpg", "watermarks": [{"text": "x"}]}]});
    let order = create_order(&server, "live", EMBED, &body).await;
    server
        .put(&text(&order, "/files/0/uploadUrl"), picture())
        .await;
    let executed = server.advance("live", "PT13H").await;
    assert_eq!(executed, ["order.process", "webhook.deliver"]);
    let completed = server.get_order("live", &text(&order, "/orderId")).await;
    assert_eq!(completed["status"], "complete");
}

#[tokio::test]
async fn create_extract_with_invalid_file_or_original_answers_validation_failed() {
    let server = TestServer::start_frozen("live").await;
    for (file, reason) in [
        (
            json!({"fileName": "a.jpg"}),
            "file: missing field `originalFile`",
        ),
        (
            json!({"fileName": "a.jpg", "originalFile": null}),
            "file.originalFile",
        ),
        (
            json!({"originalFile": {"fileName": "a.jpg"}}),
            "file: missing field `fileName`",
        ),
        (
            json!({"fileName": "a.gif", "originalFile": {"fileName": "a.jpg"}}),
            "file.fileName: extension .gif is not supported",
        ),
        (
            json!({"fileName": "a.jpg", "originalFile": {"fileName": "a"}}),
            "file.originalFile.fileName: \"a\" has no extension",
        ),
    ] {
        let body: Value = json!({"idempotencyKey": "a", "file": file});
        let response = server.post("live", EXTRACT, &body).await;
        assert_eq!(
            (response.status, response.text()),
            (400, code("VALIDATION_FAILED")),
            "{file}"
        );
        let message = response.header("x-mock-reason");
        assert!(message.starts_with(reason), "{message}");
    }
}

#[tokio::test]
async fn repeat_create_of_failed_or_expired_order_answers_no_upload_urls() {
    let server = TestServer::start_frozen("live").await;
    let files = json!([{"fileName": "a.jpg", "watermarks": [{"text": "one"}]}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    create_order(&server, "live", EMBED, &body).await;
    for (by, status) in [("PT12H", "failed"), ("P7D", "expired")] {
        server.advance("live", by).await;
        let repeated = create_order(&server, "live", EMBED, &body).await;
        let file = json!({"fileId": "1001", "uploadUrl": null});
        assert_eq!(
            (&repeated["status"], &repeated["files"][0]),
            (&json!(status), &file)
        );
    }
}

#[tokio::test]
async fn repeat_create_of_embed_answers_current_status_of_each_output() {
    let server = TestServer::start_frozen("live").await;
    let files = json!([{"fileName": "a.jpg", "watermarks": [{"text": "one"}, {"text": "two"}]},
        {"fileName": "b.jpg", "watermarks": [{"text": "three"}]}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    let first = create_order(&server, "live", EMBED, &body).await;
    let assert_statuses = async |order: &str, statuses: [&str; 3]| {
        let repeated = create_order(&server, "live", EMBED, &body).await;
        assert_eq!(
            (&repeated["status"], &repeated["result"]),
            (&json!(order), &json!(null))
        );
        let outputs = repeated["outputs"].as_array().expect("a list").iter();
        let (actual_ids, actual_statuses): (Vec<_>, Vec<_>) = outputs
            .map(|output| (output["fileId"].clone(), output["status"].clone()))
            .unzip();
        assert_eq!(actual_statuses, statuses);
        assert_eq!(actual_ids, ["1001101", "1001102", "1002101"]);
    };
    assert_statuses("pending", ["pending"; 3]).await;
    server
        .put(&text(&first, "/files/0/uploadUrl"), picture())
        .await;
    assert_statuses("pending", ["queued", "queued", "pending"]).await;
    server
        .put(&text(&first, "/files/1/uploadUrl"), picture())
        .await;
    assert_statuses("inProgress", ["processing"; 3]).await;
    server.advance("live", "PT1S").await;
    assert_statuses("complete", ["completed"; 3]).await;
    server.advance("live", "P8D").await;
    assert_statuses("expired", ["completed"; 3]).await;
}

#[tokio::test]
async fn repeat_create_with_other_body_and_test_key_answers_first_order() {
    let server = TestServer::start_frozen("sk_test_1").await;
    let embed = |text: &str| {
        let files = json!([{"fileName": "a.jpg", "watermarks": [{"text": text}]}]);
        json!({"idempotencyKey": "a", "files": files})
    };
    let first_embed = server.post("sk_test_1", EMBED, &embed("one")).await;
    let second_embed = server.post("sk_test_1", EMBED, &embed("two")).await;
    let actual = (second_embed.status, second_embed.text());
    assert_eq!(actual, (200, first_embed.text()));
    let extract = |name: &str| {
        let file = json!({"fileName": name, "originalFile": {"fileName": "o.jpg"}});
        json!({"idempotencyKey": "a", "file": file})
    };
    let first_extract = server.post("sk_test_1", EXTRACT, &extract("q.jpg")).await;
    let second_extract = server.post("sk_test_1", EXTRACT, &extract("x.jpg")).await;
    let actual = (second_extract.status, second_extract.text());
    assert_eq!(actual, (200, first_extract.text()));
}

#[tokio::test]
async fn failed_order_in_v3_has_error_object_in_both_revisions() {
    let server = TestServer::start().await;
    for (key, revision, v2) in [
        (
            "a",
            "2026-03",
            json!("f_fail.jpg: forced failure (file name suffix _fail)"),
        ),
        (
            "b",
            "2026-10",
            json!({"errorCode": "AI_DETECTION_FAILED", "errorMessage": "f_fail.jpg: forced failure (file name suffix _fail)"}),
        ),
    ] {
        let settings = json!({"revision": revision});
        let account = format!("/_mock/accounts/{key}");
        server.control(Method::PUT, &account, &settings).await;
        server.freeze(key).await;
        let body = json!({"idempotencyKey": "a", "fileName": "f_fail.jpg"});
        let id = server.confirm_detection(key, &body, picture()).await;
        server.advance(key, "PT1S").await;
        assert_eq!(server.get_order(key, &id).await["errors"], v2);
        let v3 = server
            .get(key, &format!("/api/v3/orders/{id}"))
            .await
            .json();
        let error = json!({"errorCode": "AI_DETECTION_FAILED", "errorMessage": "f_fail.jpg: forced failure (file name suffix _fail)"});
        assert_eq!(v3["data"]["errors"], error, "{revision}");
    }
}

#[tokio::test]
async fn order_created_by_v3_is_named_after_its_first_file() {
    let server = TestServer::start_frozen("live").await;
    let files = json!([{"fileName": "été.png", "watermarks": [{"text": "x"}]},
        {"fileName": "b.jpg", "watermarks": [{"text": "x"}]}]);
    let embed = json!({"idempotencyKey": "a", "files": files});
    let extract = json!({"idempotencyKey": "a", "file": {"fileName": "q.jpg", "originalFile": {"fileName": "o.jpg"}}});
    for (path, body, name) in [(EMBED, embed, "été.png"), (EXTRACT, extract, "o.jpg")] {
        let order = create_order(&server, "live", path, &body).await;
        let id = text(&order, "/orderId");
        let detail = server
            .get("live", &format!("/api/v3/orders/{id}"))
            .await
            .json();
        assert_eq!(detail["data"]["orderName"], name);
        assert_eq!(server.get_order("live", &id).await["orderName"], name);
    }
}
