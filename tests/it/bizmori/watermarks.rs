//! Watermark orders of v2.

use reqwest::Method;
use serde_json::{Value, json};

use super::{CONFIRM_ANTI_AI, EMBED, EXTRACT, create_order, download_outputs, signed_query, text};
use crate::support::{Receiver, TestServer, code, fixture, picture};

#[tokio::test]
async fn embed_answers_its_files_and_starts_after_last_upload() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "files": [
        {"fileName": "a.JPG", "watermarks": [{"text": "one"}, {"text": "둘"}]},
        {"fileName": "b.pdf", "watermarks": [{"text": "three"}]},
    ]});
    let response = server.post("live", EMBED, &body).await;
    let data = response.json()["data"].take();
    let id = text(&data, "/orderId");
    let file = |n: usize, key: &str, name: &str, format: &str, kind: &str| {
        format!(
            r#"{{"fileId":{},"fileName":"{name}","uploadUrl":"{{origin}}/_s3/bizmori/{key}?{}","fileKey":"{key}","fileFormat":"{format}","fileType":"{kind}"}}"#,
            1_000 + n,
            signed_query(3_600)
        )
    };
    let picture_key = format!("wtr-embed/{id}/images/1/a.JPG");
    let document_key = format!("wtr-embed/{id}/documents/2/b.pdf");
    let expected = format!(
        r#"{{"data":{{"orderName":"wtr_embed_20260312100000.000","orderId":"{id}","status":"pending","files":[{},{}]}}}}"#,
        file(1, &picture_key, "a.JPG", "JPG", "IMG"),
        file(2, &document_key, "b.pdf", "PDF", "DOCUMENT")
    );
    assert_eq!(
        (response.status, server.redact(&response.text())),
        (200, expected)
    );

    server
        .put(&text(&data, "/files/0/uploadUrl"), picture())
        .await;
    assert_eq!(server.get_order("live", &id).await["status"], "pending");
    let last = text(&data, "/files/1/uploadUrl");
    server.put(&last, fixture("table.pdf")).await;
    let detail = server.get("live", &format!("/api/v2/orders/{id}")).await;
    let order_body = |thumbnail: &str, status: &str, updated: &str| {
        format!(
            r#"{{"data":{{"type":"watermarkEmbed","orderId":"{id}","channel":"api","thumbnailImageUrl":{thumbnail},"status":"{status}","orderName":"wtr_embed_20260312100000.000","fileCount":2,"createdAt":"2026-03-12T10:00:00.000Z","updatedAt":"2026-03-12T10:00:00{updated}Z","errors":null,"watermarks":["one","둘","three"]}}}}"#
        )
    };
    assert_eq!(detail.text(), order_body("null", "inProgress", ".000"));
    assert_eq!(server.advance("live", "PT0.3S").await, ["order.process"]);
    let detail = server.get("live", &format!("/api/v2/orders/{id}")).await;
    let thumbnail = format!(
        r#""{{origin}}/_s3/bizmori/results/{id}/thumbnail.jpg?{}""#,
        signed_query(3_600)
    );
    let expected = order_body(&thumbnail, "complete", ".300");
    assert_eq!(server.redact(&detail.text()), expected);
    let zip = download_outputs(&server, "live", &id).await;
    assert!(zip.starts_with(b"PK\x03\x04"), "a ZIP of two outputs");
}

#[tokio::test]
async fn extract_answers_its_file_and_original_and_starts_after_last_upload() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "file": {"fileName": "a_detected.webp",
        "includeOriginal": true, "originalFile": {"fileName": "o.bmp"}}});
    let response = server.post("live", EXTRACT, &body).await;
    let data = response.json()["data"].take();
    let id = text(&data, "/orderId");
    let fields = |n: usize, role: &str, name: &str, format: &str| {
        let key = format!("wtr-extract/{id}/{role}/{name}");
        format!(
            r#""fileId":{},"fileName":"{name}","uploadUrl":"{{origin}}/_s3/bizmori/{key}?{}","fileKey":"{key}","fileFormat":"{format}","fileType":"IMG","role":"{role}","sequence":1"#,
            1_000 + n,
            signed_query(3_600)
        )
    };
    let expected = format!(
        r#"{{"data":{{"orderName":"wtr_extract_2026-03-12","orderId":"{id}","file":{{{},"originalFile":{{{}}}}}}}}}"#,
        fields(1, "watermarked", "a_detected.webp", "WEBP"),
        fields(2, "original", "o.bmp", "BMP")
    );
    assert_eq!(
        (response.status, server.redact(&response.text())),
        (200, expected)
    );
    let detail = |status: &str, result: &str, thumbnail: &str, updated: &str| {
        format!(
            r#"{{"data":{{"type":"watermarkExtract","orderId":"{id}","channel":"api","thumbnailImageUrl":{thumbnail},"status":"{status}","orderName":"wtr_extract_2026-03-12","fileCount":1,"createdAt":"2026-03-12T10:00:00.000Z","updatedAt":"2026-03-12T10:00:00{updated}Z","errors":null,{result}}}}}"#
        )
    };
    let path = format!("/api/v2/orders/{id}");
    let pending = server.get("live", &path).await;
    let no_result = r#""statusCode":null,"watermarkText":null"#;
    assert_eq!(pending.text(), detail("pending", no_result, "null", ".000"));
    server
        .put(&text(&data, "/file/uploadUrl"), fixture("plain.webp"))
        .await;
    assert!(server.advance("live", "PT0S").await.is_empty());
    let original = text(&data, "/file/originalFile/uploadUrl");
    server.put(&original, fixture("plain.bmp")).await;
    assert_eq!(server.advance("live", "PT1S").await, ["order.process"]);
    let complete = server.get("live", &path).await;
    let result = r#""statusCode":"detected","watermarkText":"MORI TEST WATERMARK""#;
    let thumbnail = format!(
        r#""{{origin}}/_s3/bizmori/results/{id}/thumbnail.jpg?{}""#,
        signed_query(3_600).replace("100000Z", "100001Z")
    );
    assert_eq!(
        server.redact(&complete.text()),
        detail("complete", result, &thumbnail, ".300")
    );
    assert_eq!(
        complete.header("x-mock-outcome"),
        "watermark detected by suffix _detected"
    );
}

/// Creates an extraction order and uploads its file. Returns the order's id.
async fn upload_extraction(server: &TestServer, key: &str, name: &str, bytes: Vec<u8>) -> String {
    let body = json!({"idempotencyKey": name, "file": {"fileName": name}});
    let data = create_order(server, key, EXTRACT, &body).await;
    server.put(&text(&data, "/file/uploadUrl"), bytes).await;
    text(&data, "/orderId")
}

#[tokio::test]
async fn events_of_watermark_orders_have_results() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let event_data = async |n: usize, id: &str, kind: &str| {
        server.advance("live", "PT1S").await;
        let message = receiver.messages(n).await.remove(n - 1);
        let event = message.json();
        assert_eq!(event["data"]["orderId"], id);
        assert_eq!(event["eventType"], kind);
        let body = String::from_utf8(message.body).expect("UTF-8");
        let has_time = body.contains(r#"edAt":"2026-03-12T10:00:"#);
        assert!(has_time, "{body}");
        event["data"].clone()
    };
    let detected_id = upload_extraction(&server, "live", "a_detected.jpg", picture()).await;
    let detected = event_data(1, &detected_id, "order.watermarkExtract.completed").await;
    assert_eq!(detected["statusCode"], "detected");
    assert_eq!(detected["watermarkFound"], true);
    let info = json!({"text": "MORI TEST WATERMARK"});
    assert_eq!(detected["watermarkInfo"], info);
    let undetected_id = upload_extraction(&server, "live", "a.jpg", picture()).await;
    let undetected = event_data(2, &undetected_id, "order.watermarkExtract.completed").await;
    assert_eq!(undetected["statusCode"], "undetected");
    assert_eq!(undetected["watermarkFound"], false);
    assert_eq!(undetected.get("watermarkInfo"), None);
    let failed_id = upload_extraction(&server, "live", "a_fail.jpg", picture()).await;
    let failed = event_data(3, &failed_id, "order.watermarkExtract.failed").await;
    assert_eq!(failed["errorCode"], "PROCESSING_ERROR");
    let body = json!({"idempotencyKey": "e", "files": [{"fileName": "e.png", "watermarks": [{"text": "x"}]}]});
    let order = create_order(&server, "live", EMBED, &body).await;
    let upload_url = text(&order, "/files/0/uploadUrl");
    server.put(&upload_url, fixture("plain.png")).await;
    let embed_id = text(&order, "/orderId");
    let embedded = event_data(4, &embed_id, "order.watermarkEmbed.completed").await;
    assert_eq!(embedded["fileCount"], 1);
    let output = super::fetch(&server, &text(&embedded, "/downloadUrl")).await;
    assert!(output.starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn confirm_or_download_watermark_order_too_early_answers_error() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "e", "files": [{"fileName": "e.png", "watermarks": [{"text": "x"}]}]});
    let order = create_order(&server, "live", EMBED, &body).await;
    let confirm = json!({"idempotencyKey": "c", "orderId": order["orderId"]});
    let response = server.post("live", CONFIRM_ANTI_AI, &confirm).await;
    assert_eq!(
        (response.status, response.text()),
        (400, code("ORDER_TYPE_NOT_MATCH"))
    );
    let path = format!("/api/v2/orders/{}/download", text(&order, "/orderId"));
    let response = server.get("live", &path).await;
    assert_eq!(response.text(), code("ORDER_NOT_COMPLETED"));
    let id = upload_extraction(&server, "live", "a.jpg", picture()).await;
    let path = format!("/api/v2/orders/{id}/download");
    let response = server.get("live", &path).await;
    assert_eq!(response.text(), code("ORDER_TYPE_CANT_DOWNLOAD"));
}

#[tokio::test]
async fn extract_with_test_key_answers_result_by_file_name_and_stores_nothing() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    for (name, expected) in [
        ("a_detected.jpg", json!("MORI TEST WATERMARK")),
        ("a_UNDETECTED.pdf", Value::Null),
        ("a.png", Value::Null),
    ] {
        let id = upload_extraction(&server, key, name, b"anything".to_vec()).await;
        assert!(server.advance(key, "PT4.999S").await.is_empty());
        assert_eq!(server.advance(key, "PT0.001S").await, ["order.process"]);
        let order = server.get_order(key, &id).await;
        assert_eq!(
            (&order["watermarkText"], &order["thumbnailImageUrl"]),
            (&expected, &Value::Null),
            "{name}"
        );
    }
    let id = upload_extraction(&server, key, "a_fail.jpg", vec![0]).await;
    server.advance(key, "PT5S").await;
    assert_eq!(server.get_order(key, &id).await["status"], "failed");
}

#[tokio::test]
async fn embed_in_unsupported_file_fails_with_error_code() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let cases = [
        (
            "a.jpg",
            b"no picture".to_vec(),
            "WATERMARK_FILE_FORMAT_UNSUPPORTED",
        ),
        (
            "b.jpg",
            fixture("plain.png"),
            "WATERMARK_FILE_FORMAT_UNSUPPORTED",
        ),
        (
            "c.jpg",
            fixture("truncated.jpg"),
            "WATERMARK_FILE_CORRUPTED",
        ),
        ("d.png", Vec::new(), "WATERMARK_FILE_SIZE_UNSUPPORTED"),
        (
            "e.png",
            fixture("bomb.png"),
            "WATERMARK_IMAGE_DIMENSIONS_UNSUPPORTED",
        ),
        ("f.pdf", picture(), "WATERMARK_FILE_FORMAT_UNSUPPORTED"),
    ];
    for (n, (name, bytes, code)) in cases.into_iter().enumerate() {
        let body = json!({"idempotencyKey": name, "files": [{"fileName": name, "watermarks": [{"text": "x"}]}]});
        let order = create_order(&server, "live", EMBED, &body).await;
        let url = text(&order, "/files/0/uploadUrl");
        let length = bytes.len().to_string();
        let headers = [("content-length", length.as_str())];
        let put = server.send(Method::PUT, &url, &headers, bytes).await;
        assert_eq!(put.status, 200, "{name}");
        server.advance("live", "PT1S").await;
        let event = receiver.messages(n + 1).await.remove(n).json();
        assert_eq!(event["data"]["errorCode"], code, "{name}: {event}");
        let order = server.get_order("live", &text(&order, "/orderId")).await;
        assert_eq!(order["errors"], event["data"]["errorMessage"], "{name}");
        assert!(text(&order, "/errors").starts_with(&format!("{name}: ")));
    }
}
