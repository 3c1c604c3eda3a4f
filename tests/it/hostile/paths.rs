//! Unknown paths, unsupported methods, invalid hosts.

use reqwest::Method;
use serde_json::json;

use super::{CONFIRM_DETECTION, DETECTION, WEBHOOKS};
use crate::support::{TestServer, raw};

#[tokio::test]
async fn unknown_route_or_method_answers_not_found() {
    let server = TestServer::start_frozen("live").await;
    for (method, path) in [
        (Method::GET, "/api"),
        (Method::GET, "/api/"),
        (Method::GET, "/api/v1/orders/1"),
        (Method::POST, "/api/v2/orders/ai-detection/"),
        (Method::POST, "/api/v2/orders/nothing"),
        (Method::PATCH, DETECTION),
        (Method::DELETE, DETECTION),
        (Method::OPTIONS, DETECTION),
        (Method::GET, CONFIRM_DETECTION),
        (Method::DELETE, "/api/v2/orders/1"),
        (Method::POST, "/api/v2/orders/webhooks/1"),
        (Method::PUT, "/api/v2/orders/1/download"),
        (Method::GET, "/api/v2/test-uploads/x"),
        (Method::GET, "/api/v2/orders/1/../2"),
        (Method::GET, "/api/v2/orders/%2e%2e/%2e%2e/secret"),
    ] {
        let response = server
            .call(method.clone(), "live", path, &json!({"a": 1}))
            .await;
        let code = if response.text().contains("ORDER_NOT_FOUND") {
            "ORDER_NOT_FOUND"
        } else {
            "RESOURCE_NOT_FOUND"
        };
        let reason = response.header("x-mock-reason").to_owned();
        let is_plain = reason.starts_with("no such route: ") || reason.ends_with(" not found");
        assert!(is_plain, "{method} {path}: {reason}");
        response.assert_refused(404, code, &reason);
    }
    let response = server
        .call(Method::PATCH, "live", DETECTION, &json!({}))
        .await;
    let reason = "no such route: PATCH /api/v2/orders/ai-detection";
    response.assert_refused(404, "RESOURCE_NOT_FOUND", reason);
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn invalid_id_in_path_or_body_answers_not_found() {
    let server = TestServer::start_frozen("live").await;
    let long = "9".repeat(8_000);
    for id in [
        "x",
        "%00",
        "%ff",
        "-1",
        "1%202",
        "%F0%9F%98%80",
        "'--",
        &long,
    ] {
        for path in [
            format!("/api/v2/orders/{id}"),
            format!("/api/v2/orders/{id}/download"),
        ] {
            let response = server.get("live", &path).await;
            let reason = response.header("x-mock-reason").to_owned();
            assert!(reason.starts_with("order "), "{path}: {reason}");
            response.assert_refused(404, "ORDER_NOT_FOUND", &reason);
        }
        let path = format!("{WEBHOOKS}/{id}");
        let body = json!({"url": "http://127.0.0.1:1/"});
        for response in [
            server.get("live", &path).await,
            server.get("live", &format!("{path}/events")).await,
            server.call(Method::PUT, "live", &path, &body).await,
            server.call(Method::DELETE, "live", &path, &json!({})).await,
        ] {
            let reason = response.header("x-mock-reason").to_owned();
            assert!(reason.starts_with("this key has no webhook "), "{reason}");
            response.assert_refused(404, "WEBHOOK_NOT_FOUND", &reason);
        }
        let path = format!("/api/v2/test-uploads/{id}");
        let response = server.send(Method::PUT, &path, &[], "bytes").await;
        response.assert_refused(403, "AUTH_FORBIDDEN", "invalid token");
        let confirm = json!({"idempotencyKey": "c", "orderId": id});
        let response = server.post("live", CONFIRM_DETECTION, &confirm).await;
        let reason = "orderId: order not found";
        response.assert_refused(404, "ORDER_NOT_FOUND", reason);
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn create_with_invalid_host_header_is_refused() {
    let server = TestServer::start_frozen("live").await;
    let body = r#"{"idempotencyKey":"a","fileName":"a.jpg"}"#;
    let headers = |host: &str| {
        format!(
            "{host}Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        )
    };
    let long = format!("Host: {}\r\n", "h".repeat(301));
    for (host, reason) in [
        ("Host:\r\n", "Host: \"\" is not a host"),
        ("Host: a b\r\n", "Host: \"a b\" is not a host"),
        ("Host: a/b\r\n", "Host: \"a/b\" is not a host"),
        ("Host: u:p@a\r\n", "Host: \"u:p@a\" is not a host"),
        (
            "Host: a\"><script>\r\n",
            "Host: \"a\\\"><script>\" is not a host",
        ),
        ("Host: a?b#c\r\n", "Host: \"a?b#c\" is not a host"),
        ("Host: \u{fc}\r\n", "Host: \"\\u{fc}\" is not a host"),
        (
            &long,
            &format!("Host: \"{}\" is not a host", "h".repeat(301)),
        ),
    ] {
        let response = raw::post(&server.origin, DETECTION, &headers(host), body.as_bytes()).await;
        response.assert_refused(400, "VALIDATION_FAILED", reason);
    }
    for host in [
        "Host: mock:8080\r\n",
        "Host: [::1]:80\r\n",
        "Host: A.example\r\n",
    ] {
        let response = raw::post(&server.origin, DETECTION, &headers(host), body.as_bytes()).await;
        assert_eq!(response.status, 200, "{host}: {}", response.text());
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn malformed_http_request_answers_400_or_431() {
    let server = TestServer::start_frozen("live").await;
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "a".repeat(1_000_000));
    for (bytes, status) in [
        ("nonsense\r\n\r\n", 400),
        ("GET / HTTP/9.9\r\n\r\n", 400),
        ("GET /api/v2/orders/1 HTTP/1.1\r\nno colon\r\n\r\n", 400),
        (
            "POST / HTTP/1.1\r\nContent-Length: -1\r\nHost: h\r\n\r\n",
            400,
        ),
        (&long, 431),
    ] {
        let response = raw::send(&server.origin, bytes.as_bytes()).await;
        assert_eq!(response.status, status, "{}", &bytes[..20.min(bytes.len())]);
    }
    server.assert_healthy("live").await;
}
