//! CORS: pages of local hosts may call the API and read its responses, pages of the internet may not.

use reqwest::Method;
use serde_json::json;

use super::{DETECTION, create_order, text};
use crate::support::{TestResponse, TestServer, code, picture, raw};

const LOCAL: &str = "http://localhost:5173";
const FOREIGN: &str = "https://evil.com";
const EXPOSED: &str = "x-mock-request, x-mock-reason, x-mock-outcome";

fn error_of(origin: &str) -> String {
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

/// A call of a page of [`LOCAL`], unless another origin is among the headers.
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

fn assert_readable(response: &TestResponse, what: &str) {
    let cors = [
        "access-control-allow-origin",
        "access-control-expose-headers",
        "vary",
    ];
    let expected = [LOCAL, EXPOSED, "Origin"];
    assert_eq!(cors.map(|name| response.header(name)), expected, "{what}");
}

#[tokio::test]
async fn preflight_of_a_local_page_is_answered_on_every_path_of_the_api() {
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
async fn every_answer_to_a_local_page_can_be_read() {
    let server = TestServer::start_frozen("live").await;
    let live = ("authorization", "Bearer live");
    let new = r#"{"idempotencyKey":"a","fileName":"a_ai.jpg"}"#;
    let pro = json!({"requestsPerMinute": 1});
    server
        .control(Method::PUT, "/_mock/accounts/slow", &pro)
        .await;
    let slow = ("authorization", "Bearer slow");
    call(&server, Method::GET, "/api/v2/orders", &[slow], "").await;
    let when = json!({"method": "GET", "path": "/api/v2/orders/7"});
    let headers = json!({"Vary": "accept", "Access-Control-Allow-Origin": "http://other.test"});
    let rule = json!({"when": when, "then": {"respond": {"status": 503, "headers": headers}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    for (status, method, path, key, body) in [
        (200, Method::POST, DETECTION, &[live][..], new),
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
    let listed = server
        .control(
            Method::GET,
            "/_mock/requests?account=live&limit=1",
            &json!({}),
        )
        .await;
    let stored = &listed["requests"][0]["responseHeaders"];
    assert_eq!(
        stored["access-control-allow-origin"], LOCAL,
        "the journal has it"
    );
}

#[tokio::test]
async fn uploads_and_samples_of_test_keys_can_be_made_and_read_by_pages() {
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
async fn pages_of_the_internet_are_refused_with_the_setting_as_the_reason() {
    let server = TestServer::start_frozen("live").await;
    for path in [DETECTION, "/api/v3/nothing", "/api/v2/test-uploads/x"] {
        let response = preflight(&server, FOREIGN, path, "POST").await;
        response.assert_refused(403, "AUTH_FORBIDDEN", &error_of(FOREIGN));
        let cors = response
            .headers
            .keys()
            .map(reqwest::header::HeaderName::as_str);
        let cors: Vec<_> = cors
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
        assert_eq!(response.status, 200, "who is not a browser is answered");
        assert_eq!(response.header("access-control-allow-origin"), "");
        assert_eq!(response.header("access-control-expose-headers"), "");
        assert_eq!(response.header("x-mock-reason"), error_of(origin));
        let missing = server
            .send(Method::GET, "/api/v2/orders/1", &headers, "")
            .await;
        assert_eq!(
            (missing.status, missing.text()),
            (404, code("ORDER_NOT_FOUND"))
        );
        let why = format!("order 1 not found; {}", error_of(origin));
        assert_eq!(missing.header("x-mock-reason"), why);
    }
}

#[tokio::test]
async fn request_without_an_origin_gets_vary_alone() {
    let server = TestServer::start().await;
    let response = server.get("live", "/api/v2/orders").await;
    assert_eq!(response.header("vary"), "Origin");
    assert_eq!(response.header("access-control-allow-origin"), "");
    assert_eq!(response.header("x-mock-reason"), "");
    let elsewhere = server
        .send(Method::GET, "/health", &[("origin", LOCAL)], "")
        .await;
    assert_eq!(elsewhere.header("access-control-allow-origin"), "");
}

#[tokio::test]
async fn origins_of_the_setting_are_allowed() {
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
async fn preflights_use_up_no_rule_and_no_call_of_a_plan() {
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
    let counted = r#"stuntdouble_http_requests_total{operation="preflight",status="204"} 3"#;
    assert!(metrics.lines().any(|line| line == counted), "{metrics}");
}

#[tokio::test]
async fn page_of_another_local_origin_takes_an_order_to_its_end() {
    let server = TestServer::start_frozen("live").await;
    let live = ("authorization", "Bearer live");
    let new = r#"{"idempotencyKey":"a","fileName":"a_ai.jpg"}"#;
    let created = call(&server, Method::POST, DETECTION, &[live], new).await;
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

/// A request of a page of `origin` to the host `called`.
async fn call_from(stunt: &TestServer, called: &str, origin: &str) -> TestResponse {
    let body = r#"{"url":"http://127.0.0.1:1/"}"#;
    let length = body.len();
    let request = format!(
        "POST /api/v2/orders/webhooks HTTP/1.1\r\nHost: {called}\r\nOrigin: {origin}\r\n\
         Authorization: Bearer live\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    );
    raw::send(&stunt.origin, request.as_bytes()).await
}

#[tokio::test]
async fn call_of_a_page_whose_own_host_leads_to_the_server_is_refused() {
    let stunt = TestServer::start_frozen("live").await;
    for (called, origin) in [
        ("evil.com:8080", "http://evil.com:8080"),
        ("EVIL.com", "https://evil.com"),
    ] {
        let answer = call_from(&stunt, called, origin).await;
        answer.assert_refused(403, "AUTH_FORBIDDEN", &error_of(origin));
    }
    let listed = stunt.get("live", "/api/v2/orders/webhooks").await.json();
    assert_eq!(listed["data"]["pagination"]["total"], 0);
    for (called, origin) in [
        // Not the page's own host: the browser sends a preflight.
        ("localhost:8080", "http://evil.com:8080"),
        ("other.com", "http://evil.com:8080"),
        // No name server makes these lead elsewhere.
        ("8.8.8.8:8080", "http://8.8.8.8:8080"),
        ("localhost:8080", "http://localhost:8080"),
        ("mock.test", "http://mock.test"),
    ] {
        let answer = call_from(&stunt, called, origin).await;
        assert_eq!(answer.status, 200, "{origin} at {called}");
    }
}

#[tokio::test]
async fn call_of_a_page_of_a_host_or_origin_of_the_settings_is_answered() {
    let by_host =
        TestServer::with_config(|config| config.control.allow_hosts = vec!["evil.com".to_owned()]);
    let origins = vec!["http://evil.com".to_owned()];
    let by_origin = TestServer::with_config(|config| config.control.allow_origins = origins);
    for stunt in [by_host.await, by_origin.await] {
        let answer = call_from(&stunt, "evil.com", "http://evil.com").await;
        assert_eq!(answer.status, 200);
        let allowed = answer.header("access-control-allow-origin");
        assert_eq!(allowed, "http://evil.com");
    }
}

#[tokio::test]
async fn pages_of_the_vendors_public_buckets_are_refused() {
    let stunt = TestServer::start().await;
    for name in ["prod", "dev"] {
        let origin = format!("https://ai-image-detector-{name}.nyc3.digitaloceanspaces.com");
        let answer = preflight(&stunt, &origin, DETECTION, "POST").await;
        answer.assert_refused(403, "AUTH_FORBIDDEN", &error_of(&origin));
    }
    let answer = preflight(&stunt, "https://api.bizmori.com", DETECTION, "POST").await;
    assert_eq!(answer.status, 204);
}
