//! Complete flows at the vendors' own hosts by HTTPS. URLs in responses have the requested host.

use reqwest::Method;
use serde_json::{Value, json};

use super::{BIZMORI, TRUTHSCAN, TlsServer, UNDETECTABLE};
use crate::support::{Receiver, TestServer, picture};

/// Adds all storage URLs in a JSON value to `urls`.
fn add_storage_urls(value: &Value, urls: &mut Vec<String>) {
    match value {
        Value::String(text) if text.contains("/_s3/") => urls.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|it| add_storage_urls(it, urls)),
        Value::Object(all) => all.values().for_each(|it| add_storage_urls(it, urls)),
        _ => {}
    }
}

/// Asserts that a response has `count` storage URLs, which begin with the client's origin and can be
/// read.
async fn assert_storage_urls(client: &TestServer, response: &Value, count: usize) {
    let mut urls = Vec::new();
    add_storage_urls(response, &mut urls);
    assert_eq!(urls.len(), count, "{response}");
    for url in urls {
        let prefix = format!("{}/_s3/", client.origin);
        assert!(url.starts_with(&prefix), "{url}");
        let object = client.send(Method::GET, &url, &[], "").await;
        assert_eq!(object.status, 200, "{url}: {}", object.text());
    }
}

#[tokio::test]
async fn order_at_host_of_bizmori_completes_with_urls_of_that_host() {
    let secure = TlsServer::start().await;
    let client = secure.client_for(BIZMORI);
    let receiver = Receiver::start().await;
    client.freeze("live").await;
    client.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options":
        {"generateHeatmap": true}});
    let (id, upload) = client.create_detection("live", &body).await;
    let prefix = "https://api.bizmori.com/_s3/bizmori/";
    assert!(upload.starts_with(prefix), "{upload}");
    client.put(&upload, picture()).await;
    client.confirm("live", &id).await;
    let executed = client.advance("live", "PT1S").await;
    assert_eq!(executed, ["order.process", "webhook.deliver"]);
    let order = client.get_order("live", &id).await;
    assert_eq!(order["probability"], 0.98);
    assert_storage_urls(&client, &order, 2).await;
    let event: Value = receiver.messages(1).await[0].json();
    assert_eq!(event["data"]["orderId"], id);
    assert_storage_urls(&client, &event, 1).await;
    client.assert_healthy("live").await;
    // A client of the plain address gets URLs of that address for the same order.
    let order = secure.server.get_order("live", &id).await;
    assert_storage_urls(&secure.server, &order, 2).await;
}

#[tokio::test]
async fn document_at_each_host_of_undetectable_completes_with_urls_of_that_host() {
    let secure = TlsServer::start().await;
    for host in [UNDETECTABLE, TRUTHSCAN] {
        let client = secure.client_for(host);
        client.freeze(host).await;
        let key = [("apikey", host)];
        let path = "/get-presigned-url?file_name=a_ai.jpg";
        let slot = client.send(Method::GET, path, &key, "").await.json();
        let text = |field: &str| slot[field].as_str().expect("a text").to_owned();
        let prefix = format!("https://{host}/_s3/ai-image-detector-prod/uploads/");
        assert!(text("presigned_url").starts_with(&prefix), "{slot}");
        client.put(&text("presigned_url"), picture()).await;
        let url = format!("https://{host}/{}", text("file_path"));
        let body = json!({"key": host, "url": url, "generate_preview": true});
        let json = [("content-type", "application/json")];
        let response = client
            .send(Method::POST, "/detect", &json, body.to_string())
            .await;
        client.advance(host, "PT5S").await;
        let request = json!({"id": response.json()["id"]}).to_string();
        // In the first response that says done, heatmap and analysis are pending.
        client
            .send(Method::POST, "/query", &json, request.clone())
            .await;
        let second = client.send(Method::POST, "/query", &json, request).await;
        let document = second.json();
        assert_eq!(document["status"], "done", "{document}");
        assert_storage_urls(&client, &document, 2).await;
    }
}

#[tokio::test]
async fn public_url_setting_is_origin_of_urls_by_tls() {
    let secure = TlsServer::start_with(|config| {
        config.public_url = Some("http://mock.example.test:8080".to_owned());
    })
    .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (_, upload) = secure
        .client_for(BIZMORI)
        .create_detection("live", &body)
        .await;
    let prefix = "http://mock.example.test:8080/_s3/";
    assert!(upload.starts_with(prefix), "{upload}");
}

#[tokio::test]
async fn order_at_host_with_port_and_strict_host_completes() {
    let secure = TlsServer::start_with(|config| config.strict_host = true).await;
    let origin = format!("https://localhost:{}", secure.address.port());
    let ca = reqwest::Certificate::from_pem(secure.ca.as_bytes()).expect("a certificate");
    let client = TestServer::connect_with(&origin, |client| client.tls_certs_only([ca]));
    client.freeze("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let id = client.confirm_detection("live", &body, picture()).await;
    client.advance("live", "PT1S").await;
    let order = client.get_order("live", &id).await;
    assert_storage_urls(&client, &order, 1).await;
}
