//! The vendor's API as of two dates: what `2026-10` changes.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{DETECTION, EMBED, EXTRACT, create_order, text};
use crate::support::{Receiver, TestResponse, TestServer, code, picture, raw};

/// An account of revision 2026-10, a minute before the v2 watermark routes end.
async fn before_sunset(key: &str) -> TestServer {
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

fn announces(response: &TestResponse) -> [&str; 3] {
    ["deprecation", "sunset", "link"].map(|name| response.header(name))
}

#[tokio::test]
async fn every_answer_of_the_routes_that_end_says_so() {
    let server = before_sunset("live").await;
    for (path, good, successor) in [
        (EMBED, embed("a"), "wtr-embed"),
        (EXTRACT, extract("a"), "wtr-extract"),
    ] {
        let link = format!("</api/v3/orders/{successor}>; rel=\"successor-version\"");
        let expected = ["true", "Fri, 09 Oct 2026 00:00:00 GMT", &link];
        let response = server.post("live", path, &good).await;
        assert_eq!((response.status, announces(&response)), (200, expected));
        let bad = server.post("live", path, &json!({})).await;
        assert_eq!((bad.status, announces(&bad)), (400, expected));
        let of_march = server.post("another", path, &good).await;
        assert_eq!((of_march.status, announces(&of_march)), (200, ["", "", ""]));
    }
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let other_route = server.post("live", DETECTION, &body).await;
    assert_eq!(announces(&other_route), ["", "", ""]);
}

#[tokio::test]
async fn at_the_sunset_the_routes_are_gone_and_pending_orders_fail() {
    let server = before_sunset("live").await;
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

    let ran = server.advance("live", "PT0.001S").await;
    let (sunset, deliver) = ("order.sunset", "webhook.deliver");
    assert_eq!(
        ran,
        [sunset, sunset, deliver, deliver],
        "of the two pending"
    );
    let response = server.post("live", EMBED, &embed("later")).await;
    let why = "the v2 watermark API has ended by the account's clock: use v3";
    response.assert_refused(410, "WATERMARK_V2_API_SUNSET", why);
    assert_eq!(response.header("deprecation"), "true");
    let invalid = server.post("live", EXTRACT, &json!({})).await;
    assert_eq!(invalid.status, 410, "before the body is looked at");
    let headers = [("content-type", "application/json")];
    let nobody = server.send(Method::POST, EMBED, &headers, "{}").await;
    assert_eq!(nobody.status, 401, "after the key is");

    let order = server.get_order("live", &text(&pending, "/orderId")).await;
    assert_eq!(order["status"], "failed");
    let message = "the v2 watermark API has ended before the order started";
    let errors = json!({"errorCode": "WATERMARK_V2_API_SUNSET", "errorMessage": message});
    assert_eq!(order["errors"], errors);
    let order = server.get_order("live", &text(&started, "/orderId")).await;
    assert_eq!(order["status"], "complete");
    let order = server.get_order("live", &text(&v3, "/orderId")).await;
    assert_eq!(order["status"], "pending");
    let failed = receiver.messages(3).await.into_iter().map(|it| it.json());
    let codes: Vec<Value> = failed
        .map(|event| event["data"]["errorCode"].clone())
        .collect();
    let sunset = json!("WATERMARK_V2_API_SUNSET");
    assert_eq!(codes, [Value::Null, sunset.clone(), sunset]);
}

#[tokio::test]
async fn without_the_revision_nothing_ends() {
    let server = before_sunset("other").await;
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
        "who changes over later has it at once"
    );
}

#[tokio::test]
async fn who_changes_over_and_hangs_up_has_the_sunset_all_the_same() {
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
        sent.expect("it is read");
        drop(stream);
        let settings = async || server.control(Method::GET, &path, &Value::Null).await;
        let mut looks = 0;
        while settings().await["revision"] != "2026-10" {
            looks += 1;
            assert!(looks < 1_000, "round {round}: it is never set");
        }
        // What is written next is written after what is under way.
        create_order(&server, "another", EMBED, &embed(&key)).await;
        let ran = server.advance(&key, "PT1M").await;
        assert_eq!(ran, ["order.sunset"], "round {round}");
    }
}

#[tokio::test]
async fn as_of_october_detections_have_an_hour_and_v3_uploads_a_type() {
    let server = before_sunset("live").await;
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
async fn the_revision_can_be_the_servers() {
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
