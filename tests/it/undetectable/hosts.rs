//! Host names of the vendors, which select the API.

use serde_json::{Value, json};

use super::{expected_error, start_frozen, start_frozen_with};
use crate::support::{TestResponse, TestServer, picture, raw};

const TRUTHSCAN: &str = "detect-image.truthscan.com";
const UNDETECTABLE: &str = "ai-image-detect.undetectable.ai";
const BIZMORI: &str = "api.bizmori.com";

async fn send_to_host(server: &TestServer, head: &str, host: &str, body: &str) -> TestResponse {
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         apikey: ts_live_0123456789abcdef\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    raw::send(&server.origin, request.as_bytes()).await
}

#[tokio::test]
async fn unknown_route_at_vendor_host_answers_error_of_that_vendor() {
    let server = start_frozen().await;
    let detail = r#"{"detail":"Not Found"}"#;
    let code = r#"{"code":"RESOURCE_NOT_FOUND"}"#;
    for (host, head, body) in [
        (TRUTHSCAN, "GET /api/v2/x", detail),
        ("Detect-Image.TruthScan.com:8443", "GET /api/v2/x", detail),
        (UNDETECTABLE, "POST /api/v9/orders", detail),
        (UNDETECTABLE, "GET /nothing", detail),
        (BIZMORI, "GET /nothing", code),
        (BIZMORI, "GET /api/v2/x", code),
        ("localhost:8080", "GET /api/v2/x", code),
        ("localhost:8080", "GET /nothing", detail),
    ] {
        let response = send_to_host(&server, head, host, "").await;
        let reason = format!("{head} is no route");
        assert_eq!(
            response.error_of(),
            (404, body.to_owned(), reason),
            "{host} {head}"
        );
    }
    let response = send_to_host(&server, "GET /_s3/", TRUTHSCAN, "").await;
    assert_eq!(response.header("content-type"), "application/xml");
    let response = send_to_host(&server, "GET /_mock/nothing", BIZMORI, "").await;
    assert_eq!(response.json()["error"]["code"], "unknown_route");
}

#[tokio::test]
async fn forwarded_host_selects_api_only_if_trusted() {
    let request_forwarded = async |server: &TestServer| {
        let head = format!("GET /api/v2/x HTTP/1.1\r\nX-Forwarded-Host: {TRUTHSCAN}\r\n");
        let request = format!("{head}Host: 127.0.0.1\r\nConnection: close\r\n\r\n");
        raw::send(&server.origin, request.as_bytes()).await.text()
    };
    let server = start_frozen_with(|config| config.trust_forwarded = true).await;
    assert_eq!(
        request_forwarded(&server).await,
        r#"{"detail":"Not Found"}"#
    );
    let server = start_frozen().await;
    assert_eq!(
        request_forwarded(&server).await,
        r#"{"code":"RESOURCE_NOT_FOUND"}"#
    );
}

/// Runs a document from upload to result at a host. Asserts that URLs in responses begin with `origin`.
async fn run_document(server: &TestServer, host: &str, origin: &str) {
    let key = "ts_live_0123456789abcdef";
    server.freeze(key).await;
    let head = "GET /get-presigned-url?file_name=x_ai.jpg";
    let slot = send_to_host(server, head, host, "").await.json();
    let url = slot["presigned_url"].as_str().expect("a URL");
    let prefix = format!("{origin}/_s3/ai-image-detector-prod/uploads/");
    assert!(url.starts_with(&prefix), "{url}");
    put(server, host, url).await;
    let path = slot["file_path"].as_str().expect("a path");
    let body = json!({"key": key, "url": format!("https://ai-image-detector-prod.nyc3.digitaloceanspaces.com/{path}"),
        "generate_preview": true});
    let id = send_to_host(server, "POST /detect", host, &body.to_string())
        .await
        .json()["id"]
        .take();
    server.advance(key, "PT1S").await;
    let body = json!({"id": id}).to_string();
    let document = send_to_host(server, "POST /query", host, &body)
        .await
        .json();
    assert_eq!(document["status"], "done", "{document}");
    let preview = document["preview_url"].as_str().expect("a URL");
    assert!(preview.starts_with(&format!("{origin}/_s3/")), "{preview}");
    let credits = send_to_host(server, "GET /check-user-credits", host, "")
        .await
        .json();
    let expected = json!({"baseCredits": 9999, "boostCredits": 1000, "credits": 10999});
    assert_eq!(credits, expected);
}

/// Puts a picture to the path of the URL at `host`.
async fn put(server: &TestServer, host: &str, url: &str) {
    let path = url.splitn(4, '/').nth(3).expect("a path");
    let body = picture();
    let length = body.len();
    let mut request = format!(
        "PUT /{path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: image/jpeg\r\nx-amz-acl: private\r\n\
         Connection: close\r\nContent-Length: {length}\r\n\r\n"
    )
    .into_bytes();
    request.extend(body);
    let response = raw::send(&server.origin, &request).await;
    assert_eq!((response.status, response.text().as_str()), (200, ""));
}

#[tokio::test]
async fn document_at_each_vendor_host_completes_with_urls_of_that_host() {
    for host in [TRUTHSCAN, UNDETECTABLE] {
        let server = start_frozen_with(|config| config.strict_host = true).await;
        run_document(&server, host, &format!("http://{host}")).await;
    }
}

#[tokio::test]
async fn document_with_public_url_setting_has_urls_that_begin_with_it() {
    let public = "http://mock.test:8080";
    let server = start_frozen_with(|config| config.public_url = Some(public.to_owned())).await;
    run_document(&server, TRUTHSCAN, public).await;
}

#[tokio::test]
async fn api_key_is_accepted_only_where_the_route_expects_it() {
    let server =
        TestServer::with_config(|config| config.mode = stuntdouble::settings::KeyMode::Strict)
            .await;
    let key = "ts_live_0123456789abcdef";
    let path = format!("/_mock/accounts/{key}");
    server
        .control(reqwest::Method::PUT, &path, &json!({}))
        .await;
    let message = "User verification failed";
    let in_header = send_to_host(&server, "GET /check-user-credits", TRUTHSCAN, "").await;
    assert_eq!(in_header.status, 200);
    let no_body = send_to_host(&server, "POST /detect", TRUTHSCAN, r#"{"url":"u"}"#).await;
    assert_eq!(
        no_body.error_of(),
        expected_error(403, message, "key: missing or empty")
    );
    let unknown: Value = json!({"id": "x", "key": "nobody's"});
    let response = send_to_host(&server, "POST /query", TRUTHSCAN, &unknown.to_string()).await;
    assert_eq!((response.status, response.text().as_str()), (200, "null"));
    let path = format!("/check-user-credits?apikey={key}&key={key}");
    let response = server.send(reqwest::Method::GET, &path, &[], "").await;
    assert_eq!(
        response.error_of(),
        expected_error(403, message, "apikey: missing or empty")
    );
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    let response = server
        .send(reqwest::Method::GET, "/check-user-credits", &headers, "")
        .await;
    assert_eq!(
        response.error_of(),
        expected_error(403, message, "apikey: missing or empty")
    );
}
