//! The whole way of an order by the vendors' own hosts. The clients know nothing of a mock: the URLs
//! they are given lead on by https, under the host they called.

use reqwest::Method;
use serde_json::{Value, json};

use super::{BIZMORI, Secure, TRUTHSCAN, UNDETECTABLE};
use crate::support::{Receiver, TestServer, picture};

/// The texts of JSON that are URLs of the server's.
fn urls(response: &Value, into: &mut Vec<String>) {
    match response {
        Value::String(text) if text.contains("/_s3/") => into.push(text.clone()),
        Value::Array(all) => all.iter().for_each(|it| urls(it, into)),
        Value::Object(all) => all.values().for_each(|it| urls(it, into)),
        _ => {}
    }
}

/// Every URL in it begins so and can be read; there are so many.
async fn assert_leads_on(client: &TestServer, response: &Value, count: usize) {
    let mut found = Vec::new();
    urls(response, &mut found);
    assert_eq!(found.len(), count, "{response}");
    for url in found {
        let begins = format!("{}/_s3/", client.origin);
        assert!(url.starts_with(&begins), "{url}");
        let got = client.send(Method::GET, &url, &[], "").await;
        assert_eq!(got.status, 200, "{url}: {}", got.text());
    }
}

#[tokio::test]
async fn an_order_goes_its_way_by_the_vendors_host() {
    let secure = Secure::start().await;
    let client = secure.called(BIZMORI);
    let receiver = Receiver::start().await;
    client.freeze("live").await;
    client.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options":
        {"generateHeatmap": true}});
    let (id, upload) = client.create_detection("live", &body).await;
    let begins = "https://api.bizmori.com/_s3/bizmori/";
    assert!(upload.starts_with(begins), "{upload}");
    client.put(&upload, picture()).await;
    client.confirm("live", &id).await;
    let ran = client.advance("live", "PT1S").await;
    assert_eq!(ran, ["order.process", "webhook.deliver"]);
    let order = client.get_order("live", &id).await;
    assert_eq!(order["probability"], 0.98);
    assert_leads_on(&client, &order, 2).await;
    let response_body: Value = receiver.messages(1).await[0].json();
    assert_eq!(response_body["data"]["orderId"], id);
    assert_leads_on(&client, &response_body, 1).await;
    client.assert_healthy("live").await;
    // The same order, to a client that calls in clear.
    let order = secure.stunt.get_order("live", &id).await;
    assert_leads_on(&secure.stunt, &order, 2).await;
}

#[tokio::test]
async fn a_document_goes_its_way_by_either_host() {
    let secure = Secure::start().await;
    for host in [UNDETECTABLE, TRUTHSCAN] {
        let client = secure.called(host);
        client.freeze(host).await;
        let key = [("apikey", host)];
        let path = "/get-presigned-url?file_name=a_ai.jpg";
        let place = client.send(Method::GET, path, &key, "").await.json();
        let text = |field: &str| place[field].as_str().expect("a text").to_owned();
        let begins = format!("https://{host}/_s3/ai-image-detector-prod/uploads/");
        assert!(text("presigned_url").starts_with(&begins), "{place}");
        client.put(&text("presigned_url"), picture()).await;
        let url = format!("https://{host}/{}", text("file_path"));
        let body = json!({"key": host, "url": url, "generate_preview": true});
        let json = [("content-type", "application/json")];
        let response = client
            .send(Method::POST, "/detect", &json, body.to_string())
            .await;
        client.advance(host, "PT5S").await;
        let request = json!({"id": response.json()["id"]}).to_string();
        // The first answer that says done says pending of the rest.
        client
            .send(Method::POST, "/query", &json, request.clone())
            .await;
        let found = client.send(Method::POST, "/query", &json, request).await;
        let found = found.json();
        assert_eq!(found["status"], "done", "{found}");
        assert_leads_on(&client, &found, 2).await;
    }
}

#[tokio::test]
async fn the_origin_that_is_set_or_forwarded_counts_by_tls_too() {
    let secure = Secure::start_with(|config| {
        config.public_url = Some("http://mock.example.test:8080".to_owned());
    })
    .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (_, upload) = secure.called(BIZMORI).create_detection("live", &body).await;
    let begins = "http://mock.example.test:8080/_s3/";
    assert!(upload.starts_with(begins), "{upload}");
}

#[tokio::test]
async fn a_port_in_the_host_stays_and_strict_hosts_are_taken() {
    let secure = Secure::start_with(|config| config.strict_host = true).await;
    let origin = format!("https://localhost:{}", secure.address.port());
    let ca = reqwest::Certificate::from_pem(secure.ca.as_bytes()).expect("a certificate");
    let client = TestServer::connect_with(&origin, |client| client.tls_certs_only([ca]));
    client.freeze("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let id = client.confirm_detection("live", &body, picture()).await;
    client.advance("live", "PT1S").await;
    let order = client.get_order("live", &id).await;
    assert_leads_on(&client, &order, 1).await;
}
