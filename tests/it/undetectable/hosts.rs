//! The vendors' own host names lead to their front doors.

use serde_json::{Value, json};

use super::{error, frozen_with, start_frozen};
use crate::support::{TestResponse, TestServer, picture, raw};

const TRUTHSCAN: &str = "detect-image.truthscan.com";
const UNDETECTABLE: &str = "ai-image-detect.undetectable.ai";
const BIZMORI: &str = "api.bizmori.com";

async fn ask(server: &TestServer, head: &str, host: &str, body: &str) -> TestResponse {
    let length = body.len();
    let request = format!(
        "{head} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n\
         apikey: ts_live_0123456789abcdef\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    raw::send(&server.origin, request.as_bytes()).await
}

#[tokio::test]
async fn what_a_host_has_not_is_answered_as_its_vendor_does() {
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
        let response = ask(&server, head, host, "").await;
        let why = format!("no such route: {head}");
        assert_eq!(
            response.error_of(),
            (404, body.to_owned(), why),
            "{host} {head}"
        );
    }
    let response = ask(&server, "GET /_s3/", TRUTHSCAN, "").await;
    assert_eq!(response.header("content-type"), "application/xml");
    let response = ask(&server, "GET /_mock/nothing", BIZMORI, "").await;
    assert_eq!(response.json()["error"]["code"], "unknown_route");
}

#[tokio::test]
async fn the_host_a_proxy_was_called_by_counts_where_it_is_believed() {
    let ask = async |server: &TestServer| {
        let head = format!("GET /api/v2/x HTTP/1.1\r\nX-Forwarded-Host: {TRUTHSCAN}\r\n");
        let request = format!("{head}Host: 127.0.0.1\r\nConnection: close\r\n\r\n");
        raw::send(&server.origin, request.as_bytes()).await.text()
    };
    let server = frozen_with(|config| config.trust_forwarded = true).await;
    assert_eq!(ask(&server).await, r#"{"detail":"Not Found"}"#);
    let server = start_frozen().await;
    assert_eq!(ask(&server).await, r#"{"code":"RESOURCE_NOT_FOUND"}"#);
}

/// The whole way of a picture, called by that host; the URLs handed out begin so.
async fn whole_way(server: &TestServer, host: &str, origin: &str) {
    let key = "ts_live_0123456789abcdef";
    server.freeze(key).await;
    let place = ask(
        server,
        "GET /get-presigned-url?file_name=x_ai.jpg",
        host,
        "",
    )
    .await;
    let place = place.json();
    let url = place["presigned_url"].as_str().expect("a URL");
    let begins = format!("{origin}/_s3/ai-image-detector-prod/uploads/");
    assert!(url.starts_with(&begins), "{url}");
    put(server, host, url).await;
    let path = place["file_path"].as_str().expect("a path");
    let body = json!({"key": key, "url": format!("https://ai-image-detector-prod.nyc3.digitaloceanspaces.com/{path}"),
        "generate_preview": true});
    let id = ask(server, "POST /detect", host, &body.to_string())
        .await
        .json()["id"]
        .take();
    server.advance(key, "PT1S").await;
    let body = json!({"id": id}).to_string();
    let document = ask(server, "POST /query", host, &body).await.json();
    assert_eq!(document["status"], "done", "{document}");
    let preview = document["preview_url"].as_str().expect("a URL");
    assert!(preview.starts_with(&format!("{origin}/_s3/")), "{preview}");
    let credits = ask(server, "GET /check-user-credits", host, "")
        .await
        .json();
    let left = json!({"baseCredits": 9999, "boostCredits": 1000, "credits": 10999});
    assert_eq!(credits, left);
}

/// Puts a picture to the URL, of which only host and path count on the way.
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
async fn a_picture_goes_its_way_under_either_vendors_host() {
    for host in [TRUTHSCAN, UNDETECTABLE] {
        let server = frozen_with(|config| config.strict_host = true).await;
        whole_way(&server, host, &format!("http://{host}")).await;
    }
}

#[tokio::test]
async fn urls_begin_with_the_public_url_whatever_host_was_called() {
    let public = "http://mock.test:8080";
    let server = frozen_with(|config| config.public_url = Some(public.to_owned())).await;
    whole_way(&server, TRUTHSCAN, public).await;
}

#[tokio::test]
async fn a_key_counts_in_its_own_place_alone() {
    let server =
        TestServer::with_config(|config| config.mode = stuntdouble::settings::KeyMode::Strict)
            .await;
    let key = "ts_live_0123456789abcdef";
    let path = format!("/_mock/accounts/{key}");
    server
        .control(reqwest::Method::PUT, &path, &json!({}))
        .await;
    let message = "User verification failed";
    let in_header = ask(&server, "GET /check-user-credits", TRUTHSCAN, "").await;
    assert_eq!(in_header.status, 200);
    let no_body = ask(&server, "POST /detect", TRUTHSCAN, r#"{"url":"u"}"#).await;
    assert_eq!(
        no_body.error_of(),
        error(403, message, "key: missing or empty")
    );
    let unknown: Value = json!({"id": "x", "key": "nobody's"});
    let response = ask(&server, "POST /query", TRUTHSCAN, &unknown.to_string()).await;
    assert_eq!((response.status, response.text().as_str()), (200, "null"));
    let path = format!("/check-user-credits?apikey={key}&key={key}");
    let response = server.send(reqwest::Method::GET, &path, &[], "").await;
    assert_eq!(
        response.error_of(),
        error(403, message, "apikey: missing or empty")
    );
    let bearer = format!("Bearer {key}");
    let headers = [("authorization", bearer.as_str())];
    let response = server
        .send(reqwest::Method::GET, "/check-user-credits", &headers, "")
        .await;
    assert_eq!(
        response.error_of(),
        error(403, message, "apikey: missing or empty")
    );
}
