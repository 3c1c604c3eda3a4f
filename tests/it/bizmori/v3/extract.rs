//! Extractions of v3 without a result, and results in each API version.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::EXTRACT as EXTRACT_V2;
use super::{EXTRACT, create_order, text};
use crate::support::{Receiver, TestServer, picture};

/// Request body of an extraction from the file `name`.
fn extract_body(key: &str, name: &str) -> Value {
    json!({"idempotencyKey": key, "file": {"fileName": name, "originalFile": {"fileName": "o.jpg"}}})
}

/// Creates an extraction, uploads `query` and advances the clock, which must be frozen, until the
/// order is complete. Returns its id.
async fn complete_extract(server: &TestServer, key: &str, name: &str, query: Vec<u8>) -> String {
    let order = create_order(server, key, EXTRACT, &extract_body(name, name)).await;
    server
        .put(&text(&order, "/files/0/uploadUrl"), picture())
        .await;
    server.put(&text(&order, "/files/1/uploadUrl"), query).await;
    server.advance(key, "PT5S").await;
    text(&order, "/orderId")
}

/// Returns the status, the result and the mock outcome of an order by v3.
async fn result(server: &TestServer, key: &str, id: &str) -> (Value, Value, String) {
    let response = server.get(key, &format!("/api/v3/orders/{id}")).await;
    let outcome = response.header("x-mock-outcome").to_owned();
    let data = response.json()["data"].take();
    (data["status"].clone(), data["result"].clone(), outcome)
}

fn without_result(status: &str) -> Value {
    json!({"detectionStatus": status, "watermarkText": null, "reportSupported": false, "reports": []})
}

#[tokio::test]
async fn extract_from_invalid_file_completes_as_unsupported_and_refunds_credits() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let settings = json!({"credits": 10});
    server
        .control(Method::PUT, "/_mock/accounts/live", &settings)
        .await;
    let id = complete_extract(&server, "live", "q.jpg", b"not an image".to_vec()).await;
    let (status, found, outcome) = result(&server, "live", &id).await;
    assert_eq!(
        (status, found),
        (json!("complete"), without_result("unsupported"))
    );
    assert!(
        outcome.starts_with("watermark unsupported by content: q.jpg: "),
        "{outcome}"
    );
    let event = receiver.messages(1).await.remove(0).json();
    let data = &event["data"];
    assert_eq!(
        (
            &event["eventType"],
            &data["status"],
            &data["statusCode"],
            &data["watermarkFound"]
        ),
        (
            &json!("order.watermarkExtract.completed"),
            &json!("complete"),
            &json!("undetected"),
            &json!(false)
        )
    );
    assert!(
        data.get("watermarkInfo").is_none() && data.get("errorCode").is_none(),
        "{data}"
    );
    // An extraction costs two credits. Five more succeed only if the first was refunded.
    for n in 0..5 {
        let name = format!("{n}_undetected.jpg");
        complete_extract(&server, "live", &name, picture()).await;
    }
    let body = extract_body("more", "q.jpg");
    let refused = server.post("live", EXTRACT, &body).await;
    refused.assert_refused(429, "USAGE_LIMIT_EXCEEDED", "no credits are left");
}

#[tokio::test]
async fn extract_by_v2_from_invalid_file_fails() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "file": {"fileName": "q.jpg"}});
    let order = create_order(&server, "live", EXTRACT_V2, &body).await;
    server
        .put(&text(&order, "/file/uploadUrl"), b"not an image".to_vec())
        .await;
    server.advance("live", "PT5S").await;
    let id = text(&order, "/orderId");
    let (status, found, _) = result(&server, "live", &id).await;
    assert_eq!((status, found), (json!("failed"), json!(null)));
}

#[tokio::test]
async fn extract_with_result_suffix_completes_with_that_result_in_v3_only() {
    let server = TestServer::start().await;
    for key in ["live", "sk_test_1"] {
        server.freeze(key).await;
        for status in ["inconclusive", "unsupported", "error"] {
            let name = format!("q_{}.jpg", status.to_uppercase());
            let id = complete_extract(&server, key, &name, picture()).await;
            let outcome = format!("watermark {status} by suffix _{status}");
            let expected = (json!("complete"), without_result(status), outcome);
            assert_eq!(result(&server, key, &id).await, expected, "{key}");
        }
    }
    let body = json!({"idempotencyKey": "a", "file": {"fileName": "q_inconclusive.jpg"}});
    let order = create_order(&server, "live", EXTRACT_V2, &body).await;
    server
        .put(&text(&order, "/file/uploadUrl"), picture())
        .await;
    server.advance("live", "PT5S").await;
    let v2 = server.get_order("live", &text(&order, "/orderId")).await;
    assert_eq!(
        (&v2["status"], &v2["statusCode"]),
        (&json!("complete"), &json!("undetected")),
        "v2 does not have this suffix"
    );
}

#[tokio::test]
async fn rule_with_detection_status_applies_to_extract_of_v3_only() {
    let server = TestServer::start_frozen("live").await;
    let then = |status: &str| json!({"outcome": {"detectionStatus": status}});
    for status in ["inconclusive", "unsupported", "error"] {
        let rule = json!({"account": "live", "then": then(status)});
        let created = server.control(Method::POST, "/_mock/rules", &rule).await;
        assert_eq!(created["then"], then(status));
        let id = complete_extract(&server, "live", &format!("{status}.jpg"), picture()).await;
        let outcome = format!("watermark {status} by rule {}", created["id"]);
        let expected = (json!("complete"), without_result(status), outcome);
        assert_eq!(result(&server, "live", &id).await, expected);
        server
            .control(Method::DELETE, "/_mock/rules", &json!({}))
            .await;
    }
    for (operation, status) in [
        ("bizmori.createWatermarkExtract", "error"),
        ("bizmori.createAiDetection", "error"),
        ("bizmori.createWatermarkExtractV3", "detected"),
    ] {
        let rule = json!({"when": {"operation": operation}, "then": then(status)}).to_string();
        let refused = server.send(Method::POST, "/_mock/rules", &[], rule).await;
        assert_eq!(
            refused.status,
            400,
            "{operation} {status}: {}",
            refused.text()
        );
    }
}

#[tokio::test]
async fn manual_completion_as_inconclusive_answers_that_result() {
    let server = TestServer::start_frozen("live").await;
    let body = extract_body("a", "q.jpg");
    let order = create_order(&server, "live", EXTRACT, &body).await;
    for pointer in ["/files/0/uploadUrl", "/files/1/uploadUrl"] {
        server.put(&text(&order, pointer), picture()).await;
    }
    let id = text(&order, "/orderId");
    let path = format!("/_mock/orders/{id}/complete");
    let outcome = json!({"detectionStatus": "inconclusive"});
    server.control(Method::POST, &path, &outcome).await;
    let (_, actual, _) = result(&server, "live", &id).await;
    assert_eq!(actual, without_result("inconclusive"));
}

#[tokio::test]
async fn repeat_create_of_extract_answers_current_status_and_result() {
    let server = TestServer::start_frozen("live").await;
    for (name, status, watermark_text, has_report) in [
        (
            "a_detected.jpg",
            "detected",
            json!("MORI TEST WATERMARK"),
            true,
        ),
        ("a_undetected.jpg", "not_detected", json!(null), true),
        ("a_error.jpg", "error", json!(null), false),
    ] {
        let first = create_order(&server, "live", EXTRACT, &extract_body(name, name)).await;
        assert_eq!(
            (&first["status"], &first["result"]),
            (&json!("pending"), &json!(null))
        );
        let id = complete_extract(&server, "live", name, picture()).await;
        let body = extract_body(name, name);
        let repeated = server.post("live", EXTRACT, &body).await;
        let result = format!(
            r#""result":{{"detectionStatus":"{status}","reportSupported":{has_report},"watermarkText":{watermark_text}}},"reports":[]}}}}"#
        );
        assert!(repeated.text().ends_with(&result), "{}", repeated.text());
        let data = repeated.json()["data"].take();
        assert_eq!(
            (&data["orderId"], &data["status"]),
            (&json!(id), &json!("complete"))
        );
        assert_eq!(data["files"][1]["uploadUrl"], json!(null));
        server.freeze("live").await;
    }
}

#[tokio::test]
async fn v2_answers_only_common_fields_of_watermark_orders_of_v3() {
    let server = TestServer::start_frozen("live").await;
    let id = complete_extract(&server, "live", "q_detected.jpg", picture()).await;
    let embed_id = super::complete_embed(&server, "live", &["one"]).await;
    let keys = |order: &Value| -> Vec<String> {
        order
            .as_object()
            .expect("an object")
            .keys()
            .cloned()
            .collect()
    };
    let common = [
        "channel",
        "createdAt",
        "errors",
        "fileCount",
        "orderId",
        "orderName",
        "status",
        "thumbnailImageUrl",
        "type",
        "updatedAt",
    ];
    let listing = server.get("live", "/api/v2/orders").await.json();
    let listed = listing["data"]["orders"].as_array().expect("a list");
    for order in [
        server.get_order("live", &id).await,
        server.get_order("live", &embed_id).await,
    ]
    .iter()
    .chain(listed)
    {
        assert_eq!(keys(order), common, "{order}");
    }
}
