//! Credits, and refunds for SVG files that cannot be converted.

use reqwest::Method;
use serde_json::json;

use super::{credits, detect, get, post, query, start_frozen, upload};
use crate::support::{TestServer, ZipEntry, fixture, picture, zip};

/// Returns an SVG file that is truncated and then padded to the minimum file size.
fn truncated_svg() -> Vec<u8> {
    let whole = fixture("plain.svg");
    let svg = [&whole[..whole.len() / 2], &[b' '; 1_024]].concat();
    assert!(svg.len() > 1_024);
    svg
}

async fn credits_left(server: &TestServer) -> u64 {
    let response = get(server, "live", "/check-user-credits").await;
    response.json()["credits"].as_u64().expect("a number")
}

#[tokio::test]
async fn detect_svg_that_cannot_be_converted_refunds_its_credit_once() {
    let server = start_frozen().await;
    let id = detect(&server, "a.svg", truncated_svg(), json!({})).await;
    assert_eq!(credits_left(&server).await, 10_999);
    server.advance("live", "PT1S").await;
    let document = query(&server, &id).await.json();
    assert_eq!(document["status"], "failed", "{document}");
    assert_eq!(credits_left(&server).await, 11_000);
    server.advance("live", "P8D").await;
    let all_credits = r#"{"baseCredits":10000,"boostCredits":1000,"credits":11000}"#;
    assert_eq!(credits(&server, "live").await, all_credits, "refunded once");
}

#[tokio::test]
async fn detect_file_that_is_converted_or_fails_otherwise_costs_a_credit() {
    let server = start_frozen().await;
    for (name, bytes) in [
        ("a.svg", fixture("illustrator.svg")),
        ("a_fail.svg", truncated_svg()),
        ("a_ai.svg", truncated_svg()),
        ("a.jpg", fixture("truncated.jpg")),
        ("a_fail.jpg", picture()),
    ] {
        let before = credits_left(&server).await;
        detect(&server, name, bytes, json!({})).await;
        server.advance("live", "PT1S").await;
        assert_eq!(credits_left(&server).await, before - 1, "{name}");
    }
    let outcome = json!({"status": "failed", "errorCode": "AI_DETECTION_INVALID_IMAGE"});
    let rule = json!({"account": "live", "then": {"outcome": outcome}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let before = credits_left(&server).await;
    let id = detect(&server, "b.svg", truncated_svg(), json!({})).await;
    server.advance("live", "PT1S").await;
    assert_eq!(query(&server, &id).await.json()["status"], "failed");
    assert_eq!(credits_left(&server).await, before - 1, "failed by a rule");
}

#[tokio::test]
async fn bulk_refunds_a_credit_for_each_svg_that_cannot_be_converted() {
    let server = start_frozen().await;
    let entries = [
        ZipEntry::new("a.svg", &truncated_svg()),
        ZipEntry::new("b_ai.jpg", &picture()),
        ZipEntry::new("c.SVG", &[b'x'; 2_000]),
        ZipEntry::new("d.svg", &fixture("illustrator.svg")),
        ZipEntry::new("e_fail.svg", &truncated_svg()),
        ZipEntry::new("f_ai.svg", &truncated_svg()),
        ZipEntry::new("g.jpg", &fixture("truncated.jpg")),
    ];
    let path = upload(&server, "live", "some.zip", zip(&entries)).await;
    let response = post(
        &server,
        "/bulk-upload",
        &json!({"key": "live", "url": path}),
    )
    .await;
    assert_eq!(response.json()["expected_count"], 7, "{}", response.text());
    assert_eq!(credits_left(&server).await, 10_993);
    server.advance("live", "PT1S").await;
    let body = json!({"id": response.json()["id"]});
    let bulk = post(&server, "/bulk-upload/query", &body).await.json();
    let items = bulk["items"].as_array().expect("items");
    let failed: Vec<bool> = items.iter().map(|item| !item["error"].is_null()).collect();
    assert_eq!(failed, [true, false, true, false, true, false, true]);
    assert_eq!(credits_left(&server).await, 10_995);
}

#[tokio::test]
async fn bulk_after_refund_can_use_refunded_credit() {
    let server = start_frozen().await;
    let settings = json!({"credits": 1});
    server
        .control(Method::PUT, "/_mock/accounts/live", &settings)
        .await;
    let path = upload(
        &server,
        "live",
        "a.zip",
        zip(&[ZipEntry::new("a.svg", &truncated_svg())]),
    )
    .await;
    let body = json!({"key": "live", "url": path});
    for _ in 0..2 {
        assert_eq!(post(&server, "/bulk-upload", &body).await.status, 200);
        let refused = post(&server, "/bulk-upload", &body).await;
        assert_eq!(refused.json(), json!({"error": "Not enough credits"}));
        server.advance("live", "PT1S").await;
    }
    assert_eq!(credits_left(&server).await, 1);
}
