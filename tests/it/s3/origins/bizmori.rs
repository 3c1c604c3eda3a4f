//! BIZ MORI: uploads, rendered images, downloads, reports and webhooks.

use reqwest::Method;
use serde_json::{Value, json};

use super::{collect_urls, read_all_urls};
use crate::support::{Receiver, TestServer, picture};

const KEY: &str = "live";
const TEST_KEY: &str = "sk_test_1";

pub async fn run_flows(client: &TestServer) {
    client.freeze(KEY).await;
    run_detection(client).await;
    run_anti_ai(client).await;
    run_watermark(client).await;
    run_test_upload(client).await;
    client
        .control(Method::DELETE, "/_mock/accounts/live", &json!({}))
        .await;
}

async fn create_order(client: &TestServer, key: &str, path: &str, body: &Value) -> Value {
    let response = client.post(key, path, body).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// Uploads a picture to the one URL of a created order. Returns the order's id.
async fn upload_file(client: &TestServer, created: &Value) -> String {
    let uploads = collect_urls(client, created);
    assert_eq!(uploads.len(), 1, "{created}");
    let content_type = [("content-type", "image/jpeg")];
    let put = client
        .send(Method::PUT, &uploads[0], &content_type, picture())
        .await;
    assert_eq!(put.status, 200, "{}", put.text());
    created["data"]["orderId"]
        .as_str()
        .expect("an id")
        .to_owned()
}

/// Uploads the order's file, confirms the order and processes it. Returns the order's id.
async fn confirm_order(client: &TestServer, key: &str, path: &str, created: &Value) -> String {
    let id = upload_file(client, created).await;
    let confirm = json!({"idempotencyKey": format!("confirm {id}"), "orderId": id});
    create_order(client, key, path, &confirm).await;
    client.advance(key, "PT5S").await;
    id
}

/// Reads all URLs of an order response and returns their number.
async fn read_order(client: &TestServer, key: &str, path: &str) -> usize {
    let response = client.get(key, path).await;
    assert_eq!(response.status, 200, "{path}: {}", response.text());
    read_all_urls(client, &response.json()).await
}

async fn run_detection(client: &TestServer) {
    let path = "/api/v2/orders/ai-detection";
    let options =
        json!({"generateHeatmap": true, "generateOverlay": true, "generateThumbnail": true});
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": options});
    let pending = create_order(client, KEY, path, &body).await;
    let pending_id = pending["data"]["orderId"].as_str().expect("an id");
    let refresh = format!("/api/v2/orders/{pending_id}/refresh-urls");
    let refreshed = create_order(client, KEY, &refresh, &json!({})).await;
    assert_eq!(collect_urls(client, &refreshed).len(), 1, "{refreshed}");
    let id = confirm_order(client, KEY, &format!("{path}/confirm"), &pending).await;
    assert!(read_order(client, KEY, &format!("/api/v2/orders/{id}")).await >= 3);
    assert!(read_order(client, KEY, "/api/v2/orders").await >= 1);
    let reports = format!("/api/v3/orders/{id}/reports");
    let response = client
        .post(KEY, &reports, &json!({"locale": "en-US"}))
        .await;
    assert!(response.status < 300, "{}", response.text());
    client.advance(KEY, "PT1S").await;
    assert_eq!(
        read_order(client, KEY, &format!("{reports}/en-US")).await,
        1
    );
}

async fn run_anti_ai(client: &TestServer) {
    let receiver = Receiver::start().await;
    client.webhook(KEY, &receiver.url).await;
    let path = "/api/v2/orders/anti-ai";
    let body = json!({"idempotencyKey": "b", "files": [{"fileName": "a.jpg"}]});
    let pending = create_order(client, KEY, path, &body).await;
    let id = confirm_order(client, KEY, &format!("{path}/confirm"), &pending).await;
    assert!(read_order(client, KEY, &format!("/api/v2/orders/{id}/download")).await >= 1);
    assert!(read_order(client, KEY, &format!("/api/v3/orders/{id}/download")).await >= 1);
    let event = receiver.messages(1).await.remove(0).json();
    assert!(read_all_urls(client, &event).await >= 1, "{event}");
}

async fn run_watermark(client: &TestServer) {
    let file = json!({"fileName": "a.jpg", "watermarks": [{"text": "x"}]});
    let body = json!({"idempotencyKey": "c", "files": [file]});
    let pending = create_order(client, KEY, "/api/v3/orders/wtr-embed", &body).await;
    let id = upload_file(client, &pending).await;
    client.advance(KEY, "PT5S").await;
    read_order(client, KEY, &format!("/api/v3/orders/{id}")).await;
    assert!(read_order(client, KEY, &format!("/api/v3/orders/{id}/download")).await >= 1);
}

async fn run_test_upload(client: &TestServer) {
    client.freeze(TEST_KEY).await;
    let path = "/api/v2/orders/anti-ai";
    let body = json!({"idempotencyKey": "d", "files": [{"fileName": "a.jpg"}]});
    let pending = create_order(client, TEST_KEY, path, &body).await;
    let upload = collect_urls(client, &pending).remove(0);
    assert!(upload.contains("/api/v2/test-uploads/"), "{upload}");
    let id = confirm_order(client, TEST_KEY, &format!("{path}/confirm"), &pending).await;
    assert!(read_order(client, TEST_KEY, &format!("/api/v3/orders/{id}/download")).await >= 1);
    client
        .control(
            Method::DELETE,
            &format!("/_mock/accounts/{TEST_KEY}"),
            &json!({}),
        )
        .await;
}
