//! Revisions of the vendor's API: changes of `2026-10`.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{DETECTION, EMBED, EXTRACT, create_order, text};
use crate::support::{Receiver, TestResponse, TestServer, code, picture, raw};

/// Starts a server with an account of revision 2026-10, one minute before the sunset of the v2
/// watermark routes.
async fn start_before_sunset(key: &str) -> TestServer {
    let server = TestServer::start().await;
    let path = format!("/_mock/accounts/{key}");
    server
        .control(Method::PUT, &path, &json!({"revision": "2026-10"}))
        .await;
    let clock = json!({"account": key, "mode": "frozen", "now": "2026-10-08T23:59:00Z"});
    server.control(Method::PUT, "/_mock/clock", &clock).await;
    server
}

fn embed(key: &str) -> Value {
    json!({"idempotencyKey": key, "files": [{"fileName": "a.jpg", "watermarks": [{"text": "x"}]}]})
}

fn extract(key: &str) -> Value {
    json!({"idempotencyKey": key, "file": {"fileName": "a.jpg"}})
}

fn sunset_headers(response: &TestResponse) -> [&str; 3] {
    ["deprecation", "sunset", "link"].map(|name| response.header(name))
}

#[tokio::test]
async fn every_response_of_sunset_routes_has_deprecation_headers() {
    let server = start_before_sunset("live").await;
    for (path, good, successor) in [
        (EMBED, embed("a"), "wtr-embed"),
        (EXTRACT, extract("a"), "wtr-extract"),
    ] {
        let link = format!("</api/v3/orders/{successor}>; rel=\"successor-version\"");
        let expected = ["true", "Fri, 09 Oct 2026 00:00:00 GMT", &link];
        let response = server.post("live", path, &good).await;
        assert_eq!(
            (response.status, sunset_headers(&response)),
            (200, expected)
        );
        let bad = server.post("live", path, &json!({})).await;
        assert_eq!((bad.status, sunset_headers(&bad)), (400, expected));
        let march = server.post("another", path, &good).await;
        assert_eq!((march.status, sunset_headers(&march)), (200, ["", "", ""]));
    }
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let other_route = server.post("live", DETECTION, &body).await;
    assert_eq!(sunset_headers(&other_route), ["", "", ""]);
}

#[tokio::test]
async fn sunset_ends_routes_and_fails_pending_orders() {
    let server = start_before_sunset("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let pending = create_order(&server, "live", EMBED, &embed("pending")).await;
    let started = create_order(&server, "live", EXTRACT, &extract("started")).await;
    server
        .put(&text(&started, "/file/uploadUrl"), picture())
        .await;
    let v3 = create_order(&server, "live", "/api/v3/orders/wtr-embed", &embed("v3")).await;
    server.advance("live", "PT59.999S").await;
    assert_eq!(server.post("live", EMBED, &embed("late")).await.status, 200);

    assert_eq!(
        server.advance("live", "PT0.001S").await,
        [
            "order.sunset",
            "order.sunset",
            "webhook.deliver",
            "webhook.deliver"
        ],
        "of the two pending orders"
    );
    let response = server.post("live", EMBED, &embed("later")).await;
    let reason = "the v2 watermark API has ended by the account's clock: use v3";
    response.assert_refused(410, "WATERMARK_V2_API_SUNSET", reason);
    assert_eq!(response.header("deprecation"), "true");
    let invalid = server.post("live", EXTRACT, &json!({})).await;
    assert_eq!(invalid.status, 410, "checked before the body");
    let headers = [("content-type", "application/json")];
    let unauthorized = server.send(Method::POST, EMBED, &headers, "{}").await;
    assert_eq!(unauthorized.status, 401, "checked after the API key");

    let order = server.get_order("live", &text(&pending, "/orderId")).await;
    assert_eq!(order["status"], "failed");
    let message = "the v2 watermark API has ended before the order started";
    let errors = json!({"errorCode": "WATERMARK_V2_API_SUNSET", "errorMessage": message});
    assert_eq!(order["errors"], errors);
    let order = server.get_order("live", &text(&started, "/orderId")).await;
    assert_eq!(order["status"], "complete");
    let order = server.get_order("live", &text(&v3, "/orderId")).await;
    assert_eq!(order["status"], "pending");
    let events = receiver.messages(3).await.into_iter().map(|it| it.json());
    let codes: Vec<Value> = events
        .map(|event| event["data"]["errorCode"].clone())
        .collect();
    let sunset = json!("WATERMARK_V2_API_SUNSET");
    assert_eq!(codes, [Value::Null, sunset.clone(), sunset]);
}

#[tokio::test]
async fn sunset_without_revision_changes_nothing_until_revision_is_set() {
    let server = start_before_sunset("other").await;
    let clock = json!({"account": "live", "mode": "frozen", "now": "2026-10-08T23:59:00Z"});
    server.control(Method::PUT, "/_mock/clock", &clock).await;
    let pending = create_order(&server, "live", EMBED, &embed("a")).await;
    assert!(server.advance("live", "P1D").await.is_empty());
    create_order(&server, "live", EMBED, &embed("b")).await;
    let id = text(&pending, "/orderId");
    assert_eq!(server.get_order("live", &id).await["status"], "pending");

    let revision = json!({"revision": "2026-10"});
    server
        .control(Method::PUT, "/_mock/accounts/live", &revision)
        .await;
    server.drain("live").await;
    let order = server.get_order("live", &id).await;
    assert_eq!(
        order["status"], "failed",
        "the order fails once the revision is set"
    );
}

#[tokio::test]
async fn set_revision_then_disconnect_still_schedules_sunset() {
    let server = TestServer::start().await;
    let body = r#"{"revision":"2026-10"}"#;
    for round in 0..20 {
        let key = format!("k{round}");
        let clock = json!({"account": key, "mode": "frozen", "now": "2026-10-08T23:59:00Z"});
        server.control(Method::PUT, "/_mock/clock", &clock).await;
        create_order(&server, &key, EMBED, &embed("a")).await;
        let path = format!("/_mock/accounts/{key}");
        let length = body.len();
        let request =
            format!("PUT {path} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}");
        let mut stream = raw::connect(&server.origin).await;
        let sent = stream.write_all(request.as_bytes()).await;
        sent.expect("the request is sent");
        drop(stream);
        let settings = async || server.control(Method::GET, &path, &Value::Null).await;
        let mut reads = 0;
        while settings().await["revision"] != "2026-10" {
            reads += 1;
            assert!(reads < 1_000, "round {round}: the revision is not set");
        }
        // A second write ends after the first, because writes are serialised.
        create_order(&server, "another", EMBED, &embed(&key)).await;
        let executed = server.advance(&key, "PT1M").await;
        assert_eq!(executed, ["order.sunset"], "round {round}");
    }
}

#[tokio::test]
async fn create_in_october_revision_has_longer_upload_expiry_and_v3_signs_content_type() {
    let server = start_before_sunset("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let order = create_order(&server, "live", DETECTION, &body).await;
    let url = text(&order, "/file/uploadUrl");
    assert!(url.contains("X-Amz-Expires=3600&"), "{url}");
    assert!(url.contains("X-Amz-SignedHeaders=host&"), "{url}");

    let order = create_order(&server, "live", "/api/v3/orders/wtr-embed", &embed("a")).await;
    let url = text(&order, "/files/0/uploadUrl");
    assert!(url.contains("X-Amz-Expires=900&"), "{url}");
    assert!(
        url.contains("X-Amz-SignedHeaders=content-type%3Bhost&"),
        "{url}"
    );
    let put = async |kind: &str| {
        let headers = [("content-type", kind)];
        let response = server.send(Method::PUT, &url, &headers, picture()).await;
        response.status
    };
    assert_eq!(put("image/png").await, 403);
    assert_eq!(put("image/jpeg").await, 200);
}

#[tokio::test]
async fn server_wide_revision_applies_to_accounts() {
    let server = TestServer::with_config(|config| {
        config.orders.revision = stuntdouble::model::account::Revision::V2026_10;
    })
    .await;
    let response = server.post("live", EMBED, &embed("a")).await;
    assert_eq!(
        (response.status, response.text()),
        (410, code("WATERMARK_V2_API_SUNSET")),
        "today is after the sunset"
    );
}
