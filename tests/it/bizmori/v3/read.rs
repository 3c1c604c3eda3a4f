//! Orders of both API versions, read by v3.

use serde_json::json;

use super::super::{ANTI_AI, EMBED as EMBED_V2, EXTRACT as EXTRACT_V2, signed_query};
use super::{complete_embed, complete_extract, create_order, text};
use crate::support::{TestServer, code, picture};

/// Response body for a completed order, with the fields that all tests have in common filled in.
fn order_body(
    kind: &str,
    id: &str,
    name: &str,
    thumbnail: &str,
    files: &str,
    result: &str,
) -> String {
    format!(
        r#"{{"data":{{"type":"{kind}","orderId":"{id}","orderName":"{name}","channel":"api","status":"complete","createdAt":"2026-03-12T10:00:00.000Z","updatedAt":"2026-03-12T10:00:00.300Z","expiresAt":"2026-03-19T10:00:00.000Z","retentionDays":7,"thumbnailImageUrl":{thumbnail},"processingDelayed":false,"errors":null,"inputFiles":[{files}],"result":{result}}}}}"#
    )
}

fn thumbnail(id: &str) -> String {
    let query = signed_query(3_600).replace("T100000Z", "T100005Z");
    format!(r#""{{origin}}/_s3/bizmori/results/{id}/thumbnail.jpg?{query}""#)
}

async fn read_order(server: &TestServer, id: &str) -> String {
    let response = server.get("live", &format!("/api/v3/orders/{id}")).await;
    assert_eq!(response.status, 200, "{}", response.text());
    server.redact(&response.text())
}

#[tokio::test]
async fn read_v3_embed_answers_an_output_for_each_text() {
    let server = TestServer::start_frozen("live").await;
    let id = complete_embed(&server, "live", &["one", "two"]).await;
    let output = |n: u8, text: &str| {
        format!(
            r#"{{"fileId":"100110{n}","fileName":"a.jpg","inputFileId":"1001","watermarkText":"{text}"}}"#
        )
    };
    let expected = order_body(
        "watermarkEmbed",
        &id,
        "a.jpg",
        &thumbnail(&id),
        r#"{"fileId":"1001","fileName":"a.jpg"}"#,
        &format!(
            r#"{{"outputFiles":[{},{}]}}"#,
            output(1, "one"),
            output(2, "two")
        ),
    );
    assert_eq!(read_order(&server, &id).await, expected);
}

#[tokio::test]
async fn read_v2_embed_answers_an_output_for_each_file() {
    let server = TestServer::start_frozen("live").await;
    let watermarks = json!([{"text": "one"}, {"text": "two"}]);
    let body =
        json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg", "watermarks": watermarks}]});
    let order = create_order(&server, "live", EMBED_V2, &body).await;
    let id = text(&order, "/orderId");
    let pending = server.get("live", &format!("/api/v3/orders/{id}")).await;
    let expected = format!(
        r#"{{"data":{{"type":"watermarkEmbed","orderId":"{id}","orderName":"wtr_embed_20260312100000.000","channel":"api","status":"pending","createdAt":"2026-03-12T10:00:00.000Z","updatedAt":"2026-03-12T10:00:00.000Z","expiresAt":"2026-03-19T10:00:00.000Z","retentionDays":7,"thumbnailImageUrl":null,"processingDelayed":false,"errors":null,"inputFiles":[{{"fileId":"1001","fileName":"a.jpg","uploadUrl":"{{origin}}/_s3/bizmori/wtr-embed/{id}/images/1/a.jpg?{}"}}],"result":null}}}}"#,
        signed_query(3_600)
    );
    assert_eq!(server.redact(&pending.text()), expected);
    server
        .put(&text(&order, "/files/0/uploadUrl"), picture())
        .await;
    server.advance("live", "PT5S").await;
    let expected = order_body(
        "watermarkEmbed",
        &id,
        "wtr_embed_20260312100000.000",
        &thumbnail(&id),
        r#"{"fileId":"1001","fileName":"a.jpg"}"#,
        r#"{"outputFiles":[{"fileId":"1001101","fileName":"a.jpg","inputFileId":"1001","watermarkText":"one\ntwo"}]}"#,
    );
    assert_eq!(read_order(&server, &id).await, expected);
}

#[tokio::test]
async fn read_extracts_of_both_versions_answers_same_fields() {
    let server = TestServer::start_frozen("live").await;
    let result = r#"{"detectionStatus":"detected","watermarkText":"MORI TEST WATERMARK","reportSupported":true,"reports":[]}"#;
    let id = complete_extract(&server, "live", "q_detected.jpg").await;
    let files = r#"{"fileId":"1001","fileName":"o.jpg","role":"original"},{"fileId":"1002","fileName":"q_detected.jpg","role":"query"}"#;
    let expected = order_body(
        "watermarkExtract",
        &id,
        "o.jpg",
        &thumbnail(&id),
        files,
        result,
    );
    assert_eq!(read_order(&server, &id).await, expected);

    server.freeze("live").await;
    let file = json!({"fileName": "q_undetected.jpg"});
    let body = json!({"idempotencyKey": "a", "file": file});
    let order = create_order(&server, "live", EXTRACT_V2, &body).await;
    server
        .put(&text(&order, "/file/uploadUrl"), picture())
        .await;
    server.advance("live", "PT5S").await;
    let id = text(&order, "/orderId");
    let files = r#"{"fileId":"2001","fileName":"q_undetected.jpg","role":"query"}"#;
    let result = r#"{"detectionStatus":"undetected","watermarkText":null,"reportSupported":false,"reports":[]}"#;
    let expected = order_body(
        "watermarkExtract",
        &id,
        "wtr_extract_2026-03-12",
        &thumbnail(&id),
        files,
        result,
    );
    assert_eq!(read_order(&server, &id).await, expected);
}

#[tokio::test]
async fn read_detection_and_anti_ai_order_answers_every_field() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT5S").await;
    let query = signed_query(3_600).replace("T100000Z", "T100005Z");
    let original = format!(r#""{{origin}}/_s3/bizmori/ai-detection/{id}/1/a_ai.jpg?{query}""#);
    let result = format!(
        r#"{{"verdict":"likely_ai","probability":0.98,"options":null,"originalImageUrl":{original},"heatmapUrl":null,"overlayUrl":null}}"#
    );
    let file = r#"{"fileId":"1001","fileName":"a_ai.jpg"}"#;
    let expected = order_body(
        "aiDetection",
        &id,
        "ai_detection_2026-03-12",
        "null",
        file,
        &result,
    );
    assert_eq!(read_order(&server, &id).await, expected);

    server.freeze("live").await;
    let files = json!([{"fileName": "b.png", "originalFileUrl": "http://files.test/b"}]);
    let order = create_order(
        &server,
        "live",
        ANTI_AI,
        &json!({"idempotencyKey": "a", "files": files}),
    )
    .await;
    server.advance("live", "PT5S").await;
    let id = text(&order, "/orderId");
    let result =
        r#"{"outputFiles":[{"fileId":"2001101","fileName":"b.png","inputFileId":"2001"}]}"#;
    let file = r#"{"fileId":"2001","fileName":"b.png"}"#;
    let expected = order_body(
        "antiAi",
        &id,
        "anti_ai_2026-03-12",
        &thumbnail(&id),
        file,
        result,
    );
    assert_eq!(read_order(&server, &id).await, expected);
}

#[tokio::test]
async fn read_slow_order_answers_processing_delayed_and_expired_order_no_result() {
    let server = TestServer::with_config(|config| config.orders.processing_ms = 120_000).await;
    server.freeze("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let order_field = async |field: &str| {
        let response = server.get("live", &format!("/api/v3/orders/{id}")).await;
        response.json()["data"][field].take()
    };
    server.advance("live", "PT60S").await;
    assert_eq!(order_field("processingDelayed").await, json!(false));
    server.advance("live", "PT0.001S").await;
    assert_eq!(order_field("processingDelayed").await, json!(true));
    server.advance("live", "PT1M").await;
    assert_eq!(order_field("processingDelayed").await, json!(false));
    server.advance("live", "P7D").await;
    assert_eq!(order_field("status").await, json!("expired"));
    assert_eq!(order_field("result").await, json!(null));
}

#[tokio::test]
async fn read_unknown_order_or_that_of_another_key_answers_error_code() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, _) = server.create_detection("live", &body).await;
    for (key, id, status, error_code) in [
        ("live", "abc", 400, "VALIDATION_FAILED"),
        ("live", "123456789012345678901", 400, "VALIDATION_FAILED"),
        ("live", "42", 404, "ORDER_NOT_FOUND"),
        ("other", id.as_str(), 404, "ORDER_NOT_FOUND"),
    ] {
        for path in ["", "/download", "/reports/en-US"] {
            let response = server.get(key, &format!("/api/v3/orders/{id}{path}")).await;
            let expected = (status, code(error_code));
            assert_eq!(
                (response.status, response.text()),
                expected,
                "{key} {id}{path}"
            );
        }
    }
}
