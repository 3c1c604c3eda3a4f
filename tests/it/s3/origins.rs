//! Whole flows by whatever address a client has for the server: each URL that it is handed begins
//! with that address, and is called as it stands.

mod addresses;
mod bizmori;
mod undetectable;

use std::net::{IpAddr, Ipv6Addr};

use reqwest::Method;
use serde_json::{Value, json};
use stuntdouble::settings::Config;

use crate::support::{TestResponse, TestServer};
use addresses::{forwarded_port, named, proxied};

/// A server that judges URLs by the host they arrive with, too.
async fn strict(set: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with_config(|config| {
        config.strict_host = true;
        set(config);
    })
    .await
}

async fn all_flows(client: &TestServer) {
    bizmori::flows(client).await;
    undetectable::flows(client).await;
}

#[tokio::test]
async fn localhost_is_kept_in_every_url() {
    let server = strict(|_| {}).await;
    let client = TestServer::connect(&server.origin.replace("127.0.0.1", "localhost"));
    all_flows(&client).await;
}

#[tokio::test]
async fn so_is_a_port_that_is_mapped_to_another() {
    let server = strict(|_| {}).await;
    let origin = forwarded_port(&server).await;
    assert_ne!(origin, server.origin);
    all_flows(&TestServer::connect(&origin)).await;
}

#[tokio::test]
async fn so_is_the_name_of_a_service() {
    let server = strict(|_| {}).await;
    all_flows(&named(&server, "stuntdouble")).await;
    all_flows(&named(&server, "image-mock_1.my-net.internal")).await;
}

#[tokio::test]
async fn so_is_an_ipv6_address() {
    let server = strict(|config| config.host = IpAddr::V6(Ipv6Addr::LOCALHOST)).await;
    assert!(
        server.origin.starts_with("http://[::1]:"),
        "{}",
        server.origin
    );
    all_flows(&server).await;
}

#[tokio::test]
async fn so_is_the_address_of_a_proxy_that_ends_tls() {
    let server = strict(|config| config.trust_forwarded = true).await;
    let origin = proxied(&server).await;
    assert!(origin.starts_with("https://"), "{origin}");
    all_flows(&TestServer::connect(&origin)).await;
}

#[tokio::test]
async fn who_asks_by_two_names_is_answered_by_each() {
    let server = TestServer::start_frozen("live").await;
    let service = named(&server, "stuntdouble");
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, upload) = service.create_detection("live", &body).await;
    assert!(upload.starts_with(&service.origin), "{upload}");
    let path = format!("/api/v2/orders/{id}/refresh-urls");
    let refreshed = server.post("live", &path, &json!({})).await;
    assert_eq!(urls(&server, &refreshed.json()).len(), 1);
}

/// All URLs in an answer, which begin as the client's address does.
fn urls(client: &TestServer, response_body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    gather(response_body, &mut found);
    for url in &found {
        let rest = url.strip_prefix(&client.origin);
        assert!(rest.is_some_and(|rest| rest.starts_with('/')), "{url}");
    }
    found
}

fn gather(response_body: &Value, into: &mut Vec<String>) {
    match response_body {
        Value::String(text) if text.starts_with("http") => into.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| gather(item, into)),
        Value::Object(fields) => fields.values().for_each(|field| gather(field, into)),
        _ => {}
    }
}

/// Reads all URLs in an answer; so many there are.
async fn read_all(client: &TestServer, response_body: &Value) -> usize {
    let urls = urls(client, response_body);
    for url in &urls {
        let response = client.send(Method::GET, url, &[], "").await;
        assert_eq!(response.status, 200, "{url}: {}", lossy(&response));
        assert!(!response.bytes.is_empty(), "{url}");
    }
    urls.len()
}

fn lossy(response: &TestResponse) -> String {
    String::from_utf8_lossy(&response.bytes).into_owned()
}
