//! CORS: pages of local hosts may call the API and read its responses. Pages of other hosts may not.

use reqwest::Method;
use serde_json::json;

use super::{DETECTION, create_order, text};
use crate::support::{TestResponse, TestServer, code, picture, raw};

const LOCAL: &str = "http://localhost:5173";
const FOREIGN: &str = "https://evil.com";
const EXPOSED: &str = "x-mock-request, x-mock-reason, x-mock-outcome";

fn foreign_origin_reason(origin: &str) -> String {
    format!(
        "Origin: pages of {origin} are not allowed; start the server with --allow-origin {origin} \
         (STUNTDOUBLE_ALLOW_ORIGIN)"
    )
}

async fn preflight(server: &TestServer, origin: &str, path: &str, method: &str) -> TestResponse {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", method),
        (
            "access-control-request-headers",
            "authorization,content-type",
        ),
        ("access-control-request-private-network", "true"),
    ];
    server.send(Method::OPTIONS, path, &headers, "").await
}

/// Sends a JSON request from a page of [`LOCAL`], unless `headers` have another origin.
async fn call(
    server: &TestServer,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> TestResponse {
    let json = ("content-type", "application/json");
    let all = [&[("origin", LOCAL), json][..], headers].concat();
    server.send(method, path, &all, body.to_owned()).await
}

fn assert_readable(response: &TestResponse, case: &str) {
    let cors = [
        "access-control-allow-origin",
        "access-control-expose-headers",
        "vary",
    ];
    let expected = [LOCAL, EXPOSED, "Origin"];
    assert_eq!(cors.map(|name| response.header(name)), expected, "{case}");
}

#[tokio::test]
async fn preflight_from_local_page_is_answered_on_every_path_of_the_api() {
    let server = TestServer::start().await;
    for (method, path) in [
        ("GET", "/api/v2/orders"),
        ("POST", DETECTION),
        ("PUT", "/api/v2/orders/webhooks/1"),
        ("DELETE", "/api/v2/orders/webhooks/1"),
        ("PUT", "/api/v2/test-uploads/token"),
        ("GET", "/api/v2/test-samples/token"),
        ("POST", "/api/v3/orders/1/reports"),
        ("GET", "/api/v3/nothing"),
        ("PATCH", "/api/v2"),
    ] {
        let response = preflight(&server, LOCAL, path, method).await;
        assert_eq!(
            (response.status, response.text()),
            (204, String::new()),
            "{path}"
        );
        for (name, value) in [
            ("access-control-allow-origin", LOCAL),
            ("access-control-allow-methods", "GET, POST, PUT, DELETE"),
            ("access-control-allow-headers", "authorization,content-type"),
            ("access-control-allow-private-network", "true"),
            ("vary", "Origin, Access-Control-Request-Headers"),
        ] {
            assert_eq!(response.header(name), value, "{path}");
        }
        assert!(response.header("x-mock-request").parse::<u64>().is_ok());
    }
}

#[tokio::test]
async fn verify_counts_preflights_by_the_name_in_the_journal() {
    let server = TestServer::start().await;
    preflight(&server, LOCAL, "/api/v2/orders", "GET").await;
    let body = json!({"when": {"operation": "preflight"}, "count": 1});
    let path = "/_mock/requests/verify";
    let verdict = server.control(Method::POST, path, &body).await;
    assert_eq!(verdict, json!({"ok": true, "count": 1}));
}

#[tokio::test]
async fn every_response_to_local_page_is_readable() {
    let server = TestServer::start_frozen("live").await;
    let live = ("authorization", "Bearer live");
    let body = r#"{"idempotencyKey":"a","fileName":"a_ai.jpg"}"#;
    let settings = json!({"requestsPerMinute": 1});
    server
        .control(Method::PUT, "/_mock/accounts/slow", &settings)
        .await;
    let slow = ("authorization", "Bearer slow");
    call(&server, Method::GET, "/api/v2/orders", &[slow], "").await;
    let when = json!({"method": "GET", "path": "/api/v2/orders/7"});
    let headers = json!({"Vary": "accept", "Access-Control-Allow-Origin": "http://other.test"});
    let rule = json!({"when": when, "then": {"respond": {"status": 503, "headers": headers}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    for (status, method, path, key, body) in [
        (200, Method::POST, DETECTION, &[live][..], body),
        (200, Method::GET, "/api/v2/orders", &[live], ""),
        (400, Method::POST, DETECTION, &[live], "{"),
        (401, Method::GET, "/api/v3/orders/1", &[], ""),
        (404, Method::GET, "/api/v3/orders/1", &[live], ""),
        (404, Method::GET, "/api/v2/nothing", &[live], ""),
        (404, Method::PATCH, DETECTION, &[live], ""),
        (404, Method::OPTIONS, DETECTION, &[live], ""),
        (429, Method::GET, "/api/v2/orders", &[slow], ""),
        (403, Method::PUT, "/api/v2/test-uploads/x", &[], "x"),
        (403, Method::GET, "/api/v2/test-samples/x", &[], ""),
    ] {
        let reply = call(&server, method, path, key, body).await;
        assert_eq!(reply.status, status, "{path}: {}", reply.text());
        assert_readable(&reply, path);
    }
    let response = call(&server, Method::GET, "/api/v2/orders/7", &[live], "").await;
    assert_eq!(response.status, 503);
    assert_eq!(response.header("access-control-allow-origin"), LOCAL);
    let vary: Vec<_> = response.headers.get_all("vary").iter().collect();
    assert_eq!(vary, ["accept", "Origin"]);
    let journal = server
        .control(
            Method::GET,
            "/_mock/requests?account=live&limit=1",
            &json!({}),
        )
        .await;
    let recorded = &journal["requests"][0]["responseHeaders"];
    assert_eq!(
        recorded["access-control-allow-origin"], LOCAL,
        "journal entry"
    );
}

#[tokio::test]
async fn upload_and_download_with_test_key_are_readable_by_local_page() {
    let key = "sk_test_1";
    let server = TestServer::start_frozen(key).await;
    let files = json!([{"fileName": "a.jpg", "watermarks": [{"text": "x"}]}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    let order = create_order(&server, key, "/api/v3/orders/wtr-embed", &body).await;
    let upload = text(&order, "/files/0/uploadUrl");
    let response = call(&server, Method::PUT, &upload, &[], "x").await;
    assert_eq!(response.status, 200);
    assert_readable(&response, "upload");
    server.advance(key, "PT5S").await;
    let path = format!("/api/v3/orders/{}/download", text(&order, "/orderId"));
    let download = server.get(key, &path).await.json();
    let sample = text(&download, "/data/archiveUrl");
    let response = call(&server, Method::GET, &sample, &[], "").await;
    assert_eq!(response.status, 200);
    assert_readable(&response, "sample");
}

#[tokio::test]
async fn request_from_foreign_page_is_refused_with_setting_in_reason() {
    let server = TestServer::start_frozen("live").await;
    for path in [DETECTION, "/api/v3/nothing", "/api/v2/test-uploads/x"] {
        let response = preflight(&server, FOREIGN, path, "POST").await;
        response.assert_refused(403, "AUTH_FORBIDDEN", &foreign_origin_reason(FOREIGN));
        let cors: Vec<_> = response
            .headers
            .keys()
            .map(reqwest::header::HeaderName::as_str)
            .filter(|it| it.starts_with("access-control-"))
            .collect();
        assert!(cors.is_empty(), "{cors:?}");
        assert_eq!(response.header("vary"), "Origin");
    }
    for origin in [
        FOREIGN,
        "null",
        "http://8.8.8.8",
        "http://localhost.evil.com",
    ] {
        let headers = [("authorization", "Bearer live"), ("origin", origin)];
        let response = server
            .send(Method::GET, "/api/v2/orders", &headers, "")
            .await;
        assert_eq!(response.status, 200, "no preflight: not from a browser");
        assert_eq!(response.header("access-control-allow-origin"), "");
        assert_eq!(response.header("access-control-expose-headers"), "");
        assert_eq!(
            response.header("x-mock-reason"),
            foreign_origin_reason(origin)
        );
        let missing = server
            .send(Method::GET, "/api/v2/orders/1", &headers, "")
            .await;
        assert_eq!(
            (missing.status, missing.text()),
            (404, code("ORDER_NOT_FOUND"))
        );
        let reason = format!("order 1 not found; {}", foreign_origin_reason(origin));
        assert_eq!(missing.header("x-mock-reason"), reason);
    }
}

#[tokio::test]
async fn request_without_origin_answers_vary_and_no_cors_header() {
    let server = TestServer::start().await;
    let response = server.get("live", "/api/v2/orders").await;
    assert_eq!(response.header("vary"), "Origin");
    assert_eq!(response.header("access-control-allow-origin"), "");
    assert_eq!(response.header("x-mock-reason"), "");
    let outside_api = server
        .send(Method::GET, "/health", &[("origin", LOCAL)], "")
        .await;
    assert_eq!(outside_api.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn preflight_from_configured_origin_is_allowed() {
    let origins = vec![FOREIGN.to_owned(), "null".to_owned()];
    let server = TestServer::with_config(|config| config.control.allow_origins = origins).await;
    for origin in [FOREIGN, "null", LOCAL] {
        let response = preflight(&server, origin, DETECTION, "POST").await;
        let allowed = response.header("access-control-allow-origin");
        assert_eq!((response.status, allowed), (204, origin));
    }
    let response = preflight(&server, "https://other.com", DETECTION, "POST").await;
    assert_eq!(response.status, 403);
}

#[tokio::test]
async fn preflights_count_neither_for_rules_nor_for_rate_limit() {
    let server = TestServer::start_frozen("live").await;
    let settings = json!({"requestsPerMinute": 1});
    server
        .control(Method::PUT, "/_mock/accounts/live", &settings)
        .await;
    let then = json!({"respond": {"status": 503}});
    let rule = json!({"when": {"path": "/api/*"}, "times": 1, "then": then});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    for _ in 0..3 {
        let response = preflight(&server, LOCAL, "/api/v2/orders", "GET").await;
        assert_eq!(response.status, 204);
    }
    assert_eq!(server.get("live", "/api/v2/orders").await.status, 503);
    assert_eq!(server.get("live", "/api/v2/orders").await.status, 200);
    let metrics = server
        .send(Method::GET, "/_mock/metrics", &[], "")
        .await
        .text();
    let preflights = r#"stuntdouble_http_requests_total{operation="preflight",status="204"} 3"#;
    assert!(metrics.lines().any(|line| line == preflights), "{metrics}");
}

#[tokio::test]
async fn page_of_local_origin_completes_an_order() {
    let server = TestServer::start_frozen("live").await;
    let live = ("authorization", "Bearer live");
    let body = r#"{"idempotencyKey":"a","fileName":"a_ai.jpg"}"#;
    let created = call(&server, Method::POST, DETECTION, &[live], body).await;
    let order = created.json()["data"].take();
    let url = text(&order, "/file/uploadUrl");
    let origin = [("origin", LOCAL)];
    let put = server.send(Method::PUT, &url, &origin, picture()).await;
    assert_eq!(put.status, 200);
    assert_eq!(put.header("access-control-allow-origin"), "*");
    let id = text(&order, "/orderId");
    server.confirm("live", &id).await;
    server.advance("live", "PT1S").await;
    let path = format!("/api/v2/orders/{id}");
    let read = call(&server, Method::GET, &path, &[live], "").await;
    assert_readable(&read, &path);
    assert!(
        read.header("x-mock-outcome")
            .starts_with("probability 0.98")
    );
}

/// Sends a request from a page of `origin` to `host`.
async fn call_from(server: &TestServer, host: &str, origin: &str) -> TestResponse {
    let body = r#"{"url":"http://127.0.0.1:1/"}"#;
    let length = body.len();
    let request = format!(
        "POST /api/v2/orders/webhooks HTTP/1.1\r\nHost: {host}\r\nOrigin: {origin}\r\n\
         Authorization: Bearer live\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    raw::send(&server.origin, request.as_bytes()).await
}

#[tokio::test]
async fn request_from_page_whose_own_host_resolves_to_server_is_refused() {
    let server = TestServer::start_frozen("live").await;
    for (host, origin) in [
        ("evil.com:8080", "http://evil.com:8080"),
        ("EVIL.com", "https://evil.com"),
    ] {
        let response = call_from(&server, host, origin).await;
        response.assert_refused(403, "AUTH_FORBIDDEN", &foreign_origin_reason(origin));
    }
    let listing = server.get("live", "/api/v2/orders/webhooks").await.json();
    assert_eq!(listing["data"]["pagination"]["total"], 0);
    for (host, origin) in [
        // The page's host is another one, so that a browser sends a preflight.
        ("localhost:8080", "http://evil.com:8080"),
        ("other.com", "http://evil.com:8080"),
        // IP addresses and reserved names cannot be rebound by DNS.
        ("8.8.8.8:8080", "http://8.8.8.8:8080"),
        ("localhost:8080", "http://localhost:8080"),
        ("mock.test", "http://mock.test"),
    ] {
        let response = call_from(&server, host, origin).await;
        assert_eq!(response.status, 200, "{origin} at {host}");
    }
}

#[tokio::test]
async fn request_from_configured_host_or_origin_is_answered() {
    let with_host =
        TestServer::with_config(|config| config.control.allow_hosts = vec!["evil.com".to_owned()]);
    let origins = vec!["http://evil.com".to_owned()];
    let with_origin = TestServer::with_config(|config| config.control.allow_origins = origins);
    for server in [with_host.await, with_origin.await] {
        let response = call_from(&server, "evil.com", "http://evil.com").await;
        assert_eq!(response.status, 200);
        let allowed = response.header("access-control-allow-origin");
        assert_eq!(allowed, "http://evil.com");
    }
}

#[tokio::test]
async fn preflight_from_public_bucket_of_vendor_is_refused() {
    let server = TestServer::start().await;
    for name in ["prod", "dev"] {
        let origin = format!("https://ai-image-detector-{name}.nyc3.digitaloceanspaces.com");
        let response = preflight(&server, &origin, DETECTION, "POST").await;
        response.assert_refused(403, "AUTH_FORBIDDEN", &foreign_origin_reason(&origin));
    }
    let response = preflight(&server, "https://api.bizmori.com", DETECTION, "POST").await;
    assert_eq!(response.status, 204);
}
