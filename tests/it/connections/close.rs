//! `Connection: close` is sent whenever the server closes the connection after a response.

use reqwest::Method;
use tokio::io::AsyncWriteExt;

use super::{get_request, read_response, read_until_closed, send};
use crate::support::{TestServer, picture, raw};

const EXPECT: &str = "Expect: 100-continue\r\nContent-Length: 8388608\r\n";

/// Sends a request that expects `100 Continue` and reads until the connection closes.
async fn send_expecting_continue(server: &TestServer, line: &str, headers: &str) -> String {
    let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{EXPECT}{headers}\r\n");
    let mut stream = send(server, request.as_bytes()).await;
    String::from_utf8(read_until_closed(&mut stream).await).expect("text")
}

#[tokio::test]
async fn refuse_before_100_continue_sends_connection_close_on_every_api() {
    let server = TestServer::with_config(|config| {
        config.control.control_token = Some("token".to_owned());
    })
    .await;
    for (line, headers, status) in [
        ("PUT /_s3/bizmori/x", "", 403),
        ("PUT /_s3/bizmori/x", "Connection: keep-alive\r\n", 403),
        ("PUT /_s3/bizmori", "", 405),
        ("POST /_s3/bizmori/x", "", 405),
        ("POST /api/v2/orders/ai-detection", "", 401),
        ("POST /api/v3/orders/wtr-embed", "", 401),
        ("PUT /api/v2/nothing", "", 404),
        ("POST /nothing", "", 404),
        ("PUT /health", "", 405),
        ("POST /_mock/reset", "", 401),
        ("POST /_mock/reset", "Sec-Fetch-Site: cross-site\r\n", 403),
        (
            "POST /_mock/nothing",
            "Authorization: Bearer token\r\n",
            404,
        ),
        ("POST /api/v2/orders", "Host: other\r\n", 400),
    ] {
        let text = send_expecting_continue(&server, line, headers).await;
        let status_line = format!("HTTP/1.1 {status} ");
        assert!(text.starts_with(&status_line), "{line}: {text}");
        assert_eq!(
            text.matches("\r\nconnection: close\r\n").count(),
            1,
            "{line}: {text}"
        );
        assert_eq!(text.matches("HTTP/1.1").count(), 1, "{line}: {text}");
    }
}

#[tokio::test]
async fn respond_by_rule_before_100_continue_sends_connection_close() {
    let server = TestServer::start().await;
    let rule = serde_json::json!({
        "when": {"operation": "bizmori.createAiDetection"},
        "then": {"respond": {"status": 503}},
    });
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let text = send_expecting_continue(&server, "POST /api/v2/orders/ai-detection", "").await;
    assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    assert!(text.contains("\r\nconnection: close\r\n"), "{text}");
}

#[tokio::test]
async fn send_malformed_http_answers_400_with_connection_close() {
    let server = TestServer::start().await;
    for head in [
        "GET / HTTP/1.1\r\nno header\r\n\r\n",
        "GET /a b HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
    ] {
        let mut stream = send(&server, head.as_bytes()).await;
        let text = String::from_utf8(read_until_closed(&mut stream).await).expect("text");
        assert!(text.starts_with("HTTP/1.1 400 "), "{head}: {text}");
        assert!(text.contains("\r\nconnection: close\r\n"), "{head}: {text}");
    }
}

#[tokio::test]
async fn respond_after_reading_or_draining_body_keeps_connection_open() {
    let server = TestServer::start_frozen("live").await;
    let body = r#"{"idempotencyKey": "a", "fileName": "a.jpg"}"#;
    let length = body.len();
    for (line, headers) in [
        // Refused; the unread body is drained.
        ("PUT /_s3/bizmori/x", ""),
        ("POST /api/v2/orders/ai-detection", ""),
        ("POST /nothing", ""),
        // An unknown expectation does not delay the body.
        ("PUT /_s3/bizmori/x", "Expect: something-else\r\n"),
        (
            "POST /api/v2/orders/ai-detection",
            "Authorization: Bearer live\r\nContent-Type: application/json\r\n",
        ),
    ] {
        let request = format!(
            "{line} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n{headers}\r\n{body}"
        );
        let mut stream = send(&server, request.as_bytes()).await;
        let first = read_response(&mut stream).await;
        assert!(!first.contains("connection: close"), "{line}: {first}");
        stream
            .write_all(&get_request("/_mock/health"))
            .await
            .expect("an open connection");
        let second = read_response(&mut stream).await;
        assert!(second.starts_with("HTTP/1.1 200 "), "{line}: {second}");
    }
}

#[tokio::test]
async fn upload_after_100_continue_keeps_connection_open() {
    let server = TestServer::start_frozen("live").await;
    let order = serde_json::json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (_, url) = server.create_detection("live", &order).await;
    let target = url.trim_start_matches(server.origin.as_str());
    let host = server.origin.trim_start_matches("http://");
    let body = picture();
    let length = body.len();
    for (digest, status) in [
        ("", 200),
        ("Content-MD5: AAAAAAAAAAAAAAAAAAAAAA==\r\n", 400),
    ] {
        let head = format!(
            "PUT {target} HTTP/1.1\r\nHost: {host}\r\nExpect: 100-Continue\r\n{digest}\
             Content-Length: {length}\r\n\r\n"
        );
        let mut stream = raw::connect(&server.origin).await;
        stream
            .write_all(head.as_bytes())
            .await
            .expect("the server reads the request");
        let interim_response = read_response(&mut stream).await;
        assert!(
            interim_response.starts_with("HTTP/1.1 100 "),
            "{interim_response}"
        );
        stream
            .write_all(&body)
            .await
            .expect("the server reads the request");
        let response = read_response(&mut stream).await;
        let status_line = format!("HTTP/1.1 {status} ");
        assert!(response.starts_with(&status_line), "{response}");
        assert!(!response.contains("connection: close"), "{response}");
        stream
            .write_all(&get_request("/_mock/health"))
            .await
            .expect("an open connection");
        let next = read_response(&mut stream).await;
        assert!(next.starts_with("HTTP/1.1 200 "), "{next}");
    }
}

#[tokio::test]
async fn refuse_upload_after_100_continue_drains_body() {
    let server = TestServer::with_config(|config| config.storage.object_bytes_max = 100_000).await;
    server.freeze("live").await;
    let order = serde_json::json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (_, url) = server.create_detection("live", &order).await;
    let target = url.trim_start_matches(server.origin.as_str());
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n\
         Transfer-Encoding: chunked\r\n\r\n"
    );
    let mut stream = raw::connect(&server.origin).await;
    stream
        .write_all(head.as_bytes())
        .await
        .expect("the server reads the request");
    let interim_response = read_response(&mut stream).await;
    assert!(
        interim_response.starts_with("HTTP/1.1 100 "),
        "{interim_response}"
    );
    let piece = vec![b'x'; 1_000_000];
    for _ in 0..5 {
        stream
            .write_all(b"f4240\r\n")
            .await
            .expect("the server reads the request");
        stream
            .write_all(&piece)
            .await
            .expect("the server reads the request");
        stream
            .write_all(b"\r\n")
            .await
            .expect("the server reads the request");
    }
    stream
        .write_all(b"0\r\n\r\n")
        .await
        .expect("the server reads the request");
    let refused = read_response(&mut stream).await;
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
    assert!(refused.contains("EntityTooLarge"), "{refused}");
    assert!(!refused.contains("connection: close"), "{refused}");
}
