//! Requests without exactly one valid `Host` header (RFC 9112 §3.2).

use reqwest::Method;
use serde_json::json;

use crate::support::{TestResponse, TestServer, raw};

async fn send(server: &TestServer, path: &str, version: &str, hosts: &str) -> TestResponse {
    let request = format!(
        "GET {path} HTTP/{version}\r\n{hosts}Authorization: Bearer live\r\nConnection: close\r\n\r\n"
    );
    raw::send(&server.origin, request.as_bytes()).await
}

/// Asserts a 400 whose body has the form of the path's API.
fn assert_bad_host(path: &str, response: &TestResponse, message: &str) {
    assert_eq!(response.status, 400, "{path} {message}");
    assert_eq!(response.header("x-mock-reason"), message, "{path}");
    assert!(response.header("x-mock-request").parse::<u64>().is_ok());
    let text = response.text();
    match path {
        "/_mock/health" => {
            let hint = "send one Host header: a host, and its port if that is not the default";
            let error = json!({"error": {"code": "bad_host", "message": message, "hint": hint}});
            assert_eq!(response.json(), error);
        }
        "/_s3/bizmori/a" => {
            assert_eq!(response.header("content-type"), "application/xml");
            let prefix = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>InvalidRequest\
                         </Code><Message>Invalid Request</Message><Key>a</Key><RequestId>";
            assert!(text.starts_with(prefix), "{text}");
        }
        "/api/v2/orders/1" => assert_eq!(text, r#"{"code":"VALIDATION_FAILED"}"#),
        _ => assert_eq!(text, r#"{"error":"Invalid host header"}"#),
    }
}

#[tokio::test]
async fn call_without_one_valid_host_answers_400_on_every_api() {
    let server = TestServer::start().await;
    let missing = "Host: missing, which HTTP/1.1 requires";
    for path in [
        "/_mock/health",
        "/_s3/bizmori/a",
        "/api/v2/orders/1",
        "/health",
        "/nothing",
    ] {
        for (version, hosts, message) in [
            ("1.1", "", missing),
            (
                "1.1",
                "Host: a\r\nHost: a\r\n",
                "Host: expected once, got 2 times",
            ),
            (
                "1.1",
                "Host: a\r\nhost: b\r\nHOST: c\r\n",
                "Host: expected once, got 3 times",
            ),
            ("1.1", "Host:\r\n", "Host: \"\" is not a host"),
            ("1.1", "Host: a, b\r\n", "Host: \"a, b\" is not a host"),
            ("1.1", "Host: a:x\r\n", "Host: \"a:x\" is not a host"),
            ("1.1", "Host: ::1\r\n", "Host: \"::1\" is not a host"),
            (
                "1.0",
                "Host: a\r\nHost: a\r\n",
                "Host: expected once, got 2 times",
            ),
            ("1.0", "Host: a/b\r\n", "Host: \"a/b\" is not a host"),
        ] {
            assert_bad_host(path, &send(&server, path, version, hosts).await, message);
        }
        let target = format!("http://localhost{path}");
        assert_bad_host(path, &send(&server, &target, "1.1", "").await, missing);
        let http_1_0 = send(&server, path, "1.0", "").await;
        assert_ne!(http_1_0.status, 400, "{path}: {}", http_1_0.text());
        let valid = send(&server, path, "1.1", "Host: [::1]:80\r\n").await;
        assert_eq!(valid.status, http_1_0.status, "{path}");
    }
}

#[tokio::test]
async fn call_without_host_is_listed_in_the_journal() {
    let server = TestServer::start().await;
    send(&server, "/api/v2/orders/1?a=b", "1.1", "").await;
    send(&server, "/_mock/health", "1.1", "").await;
    let listing = server
        .send(Method::GET, "/_mock/requests", &[], "")
        .await
        .json();
    let requests = listing["requests"].as_array().expect("requests");
    assert_eq!(requests.len(), 1, "{requests:?}");
    let request = &requests[0];
    assert_eq!(request["operation"], "bad_host");
    assert_eq!(request["method"], "GET");
    assert_eq!(request["path"], "/api/v2/orders/1");
    assert_eq!(request["query"], "a=b");
    assert_eq!(request["status"], 400);
    let body = json!({"code": "VALIDATION_FAILED"});
    assert_eq!(request["responseBody"], body);
    let verify = json!({"when": {"operation": "bad_host"}, "count": 1});
    server
        .control(Method::POST, "/_mock/requests/verify", &verify)
        .await;
}
