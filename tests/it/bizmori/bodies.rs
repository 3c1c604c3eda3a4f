//! JSON bodies, parsed as Express parses them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ANTI_AI, CONFIRM_DETECTION, DETECTION, EMBED, EXTRACT, text};
use crate::support::{TestResponse, TestServer, code, picture};

const BOM: &[u8] = b"\xef\xbb\xbf";

async fn send(server: &TestServer, method: Method, path: &str, body: Vec<u8>) -> TestResponse {
    let headers = [
        ("authorization", "Bearer live"),
        ("content-type", "application/json"),
    ];
    server.send(method, path, &headers, body).await
}

fn with_bom(body: &Value) -> Vec<u8> {
    [BOM, body.to_string().as_bytes()].concat()
}

#[tokio::test]
async fn post_with_byte_order_mark_is_accepted_on_every_route() {
    let server = TestServer::start_frozen("live").await;
    let watermarks = json!([{"text": "x"}]);
    let embed =
        json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg", "watermarks": watermarks}]});
    let extract = json!({"idempotencyKey": "a", "file": {"fileName": "a.jpg", "originalFile": {"fileName": "o.jpg"}}});
    let url = json!({"url": "http://127.0.0.1:1/"});
    let window = json!({"fromDate": "2026-03-12", "toDate": "2026-03-12"});
    let with_urls = json!({"idempotencyKey": "b", "files": [{"fileName": "a.jpg", "imageUrl": "http://files.test/a"}]});
    let detection = json!({"idempotencyKey": "c", "fileName": "a_ai.jpg"});
    let id = server.upload_detection("live", &detection, picture()).await;
    let confirm = json!({"idempotencyKey": "d", "orderId": id});
    for (method, path, body) in [
        (Method::POST, DETECTION, &detection),
        (Method::POST, CONFIRM_DETECTION, &confirm),
        (
            Method::POST,
            ANTI_AI,
            &json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}]}),
        ),
        (Method::POST, "/api/v2/orders/anti-ai/with-urls", &with_urls),
        (Method::POST, EMBED, &embed),
        (Method::POST, EXTRACT, &extract),
        (Method::POST, "/api/v3/orders/wtr-embed", &embed),
        (Method::POST, "/api/v3/orders/wtr-extract", &extract),
        (Method::POST, "/api/v2/orders/webhooks", &url),
        (Method::PUT, "/api/v2/orders/webhooks/1", &url),
        (
            Method::POST,
            "/api/v2/orders/webhooks/1/events/retry-failed",
            &window,
        ),
        (Method::POST, "/api/v2/orders/webhook", &url),
    ] {
        let response = send(&server, method, path, with_bom(body)).await;
        assert_eq!(response.status, 200, "{path}: {}", response.text());
    }
    server.advance("live", "PT1S").await;
    let reports = format!("/api/v3/orders/{id}/reports");
    let english = json!({"locale": "en-US"});
    let response = send(&server, Method::POST, &reports, with_bom(&english)).await;
    assert_eq!(text(&response.json(), "/data/locale"), "en-US");
    let response = send(&server, Method::POST, &reports, BOM.to_vec()).await;
    assert_eq!(
        text(&response.json(), "/data/locale"),
        "ko-KR",
        "the default of a request without a body"
    );
}

#[tokio::test]
async fn repeat_v3_create_with_byte_order_mark_answers_same_order() {
    let server = TestServer::start_frozen("live").await;
    let files = json!([{"fileName": "a.jpg", "watermarks": [{"text": "x"}]}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    let path = "/api/v3/orders/wtr-embed";
    let first = send(&server, Method::POST, path, body.to_string().into_bytes()).await;
    let repeated = send(&server, Method::POST, path, with_bom(&body)).await;
    assert_eq!((repeated.status, repeated.text()), (200, first.text()));
}

#[tokio::test]
async fn post_body_that_is_not_json_answers_validation_failed() {
    let server = TestServer::start_frozen("live").await;
    let json = r#"{"idempotencyKey":"a","fileName":"a.jpg"}"#;
    let trailing = r#"{"idempotencyKey":"a","fileName":"a.jpg",}"#;
    for body in [
        trailing.as_bytes().to_vec(),
        [BOM, trailing.as_bytes()].concat(),
        [BOM, BOM, json.as_bytes()].concat(),
        [b" ", BOM, json.as_bytes()].concat(),
        [json.as_bytes(), BOM].concat(),
        BOM[..2].to_vec(),
        BOM.to_vec(),
    ] {
        let response = send(&server, Method::POST, DETECTION, body.clone()).await;
        let refused = (400, code("VALIDATION_FAILED"));
        assert_eq!((response.status, response.text()), refused, "{body:?}");
    }
}
