//! Complete flows with each address that a client can use for the server. Every URL in a response begins
//! with that address and works unchanged.

mod addresses;
mod bizmori;
mod undetectable;

use std::net::{IpAddr, Ipv6Addr};

use reqwest::Method;
use serde_json::{Value, json};
use stuntdouble::settings::Config;

use crate::support::TestServer;
use addresses::{start_port_forward, start_tls_proxy, with_host_name};

/// Starts a server that also compares the signed host of presigned URLs.
async fn start_strict(set: impl FnOnce(&mut Config)) -> TestServer {
    TestServer::with_config(|config| {
        config.strict_host = true;
        set(config);
    })
    .await
}

async fn run_all_flows(client: &TestServer) {
    bizmori::run_flows(client).await;
    undetectable::run_flows(client).await;
}

#[tokio::test]
async fn urls_for_client_of_localhost_begin_with_localhost() {
    let server = start_strict(|_| {}).await;
    let client = TestServer::connect(&server.origin.replace("127.0.0.1", "localhost"));
    run_all_flows(&client).await;
}

#[tokio::test]
async fn urls_for_client_of_forwarded_port_begin_with_that_port() {
    let server = start_strict(|_| {}).await;
    let origin = start_port_forward(&server).await;
    assert_ne!(origin, server.origin);
    run_all_flows(&TestServer::connect(&origin)).await;
}

#[tokio::test]
async fn urls_for_client_of_service_name_begin_with_that_name() {
    let server = start_strict(|_| {}).await;
    run_all_flows(&with_host_name(&server, "stuntdouble")).await;
    run_all_flows(&with_host_name(&server, "image-mock_1.my-net.internal")).await;
}

#[tokio::test]
async fn urls_for_client_of_ipv6_address_begin_with_that_address() {
    let server = start_strict(|config| config.host = IpAddr::V6(Ipv6Addr::LOCALHOST)).await;
    assert!(
        server.origin.starts_with("http://[::1]:"),
        "{}",
        server.origin
    );
    run_all_flows(&server).await;
}

#[tokio::test]
async fn urls_for_client_of_tls_proxy_begin_with_its_https_address() {
    let server = start_strict(|config| config.trust_forwarded = true).await;
    let origin = start_tls_proxy(&server).await;
    assert!(origin.starts_with("https://"), "{origin}");
    run_all_flows(&TestServer::connect(&origin)).await;
}

#[tokio::test]
async fn urls_for_clients_of_two_names_begin_with_the_name_of_each_request() {
    let server = TestServer::start_frozen("live").await;
    let service = with_host_name(&server, "stuntdouble");
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, upload) = service.create_detection("live", &body).await;
    assert!(upload.starts_with(&service.origin), "{upload}");
    let path = format!("/api/v2/orders/{id}/refresh-urls");
    let refreshed = server.post("live", &path, &json!({})).await;
    assert_eq!(collect_urls(&server, &refreshed.json()).len(), 1);
}

/// Returns all URLs in a response, and asserts that they begin with the client's address.
fn collect_urls(client: &TestServer, response_body: &Value) -> Vec<String> {
    let mut found = Vec::new();
    add_urls(response_body, &mut found);
    for url in &found {
        let rest = url.strip_prefix(&client.origin);
        assert!(rest.is_some_and(|rest| rest.starts_with('/')), "{url}");
    }
    found
}

fn add_urls(value: &Value, collect_urls: &mut Vec<String>) {
    match value {
        Value::String(text) if text.starts_with("http") => collect_urls.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| add_urls(item, collect_urls)),
        Value::Object(fields) => fields
            .values()
            .for_each(|field| add_urls(field, collect_urls)),
        _ => {}
    }
}

/// Reads all URLs in a response and returns their number.
async fn read_all_urls(client: &TestServer, response_body: &Value) -> usize {
    let urls = collect_urls(client, response_body);
    for url in &urls {
        let response = client.send(Method::GET, url, &[], "").await;
        let text = String::from_utf8_lossy(&response.bytes);
        assert_eq!(response.status, 200, "{url}: {text}");
        assert!(!response.bytes.is_empty(), "{url}");
    }
    urls.len()
}
