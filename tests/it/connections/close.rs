//! A response after which the server closes the connection says so.

use reqwest::Method;
use tokio::io::AsyncWriteExt;

use super::{closed, get, read_response, send};
use crate::support::{TestServer, picture, raw};

const EXPECT: &str = "Expect: 100-continue\r\nContent-Length: 8388608\r\n";

/// Sends a request that waits for `100 Continue`, and reads to the end of the connection.
async fn awaiting(server: &TestServer, line: &str, headers: &str) -> String {
    let request = format!("{line} HTTP/1.1\r\nHost: localhost\r\n{EXPECT}{headers}\r\n");
    let mut stream = send(server, request.as_bytes()).await;
    String::from_utf8(closed(&mut stream).await).expect("text")
}

#[tokio::test]
async fn refusal_in_place_of_100_continue_says_connection_close_on_every_api() {
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
        let text = awaiting(&server, line, headers).await;
        let begins = format!("HTTP/1.1 {status} ");
        assert!(text.starts_with(&begins), "{line}: {text}");
        assert_eq!(
            text.matches("\r\nconnection: close\r\n").count(),
            1,
            "{line}: {text}"
        );
        assert_eq!(text.matches("HTTP/1.1").count(), 1, "{line}: {text}");
    }
}

#[tokio::test]
async fn answer_of_a_rule_in_place_of_100_continue_says_connection_close() {
    let server = TestServer::start().await;
    let rule = serde_json::json!({
        "when": {"operation": "bizmori.createAiDetection"},
        "then": {"respond": {"status": 503}},
    });
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let text = awaiting(&server, "POST /api/v2/orders/ai-detection", "").await;
    assert!(text.starts_with("HTTP/1.1 503 "), "{text}");
    assert!(text.contains("\r\nconnection: close\r\n"), "{text}");
}

#[tokio::test]
async fn request_that_is_no_http_is_answered_with_connection_close() {
    let server = TestServer::start().await;
    for head in [
        "GET / HTTP/1.1\r\nno header\r\n\r\n",
        "GET /a b HTTP/1.1\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: h\r\nContent-Length: x\r\n\r\n",
    ] {
        let mut stream = send(&server, head.as_bytes()).await;
        let text = String::from_utf8(closed(&mut stream).await).expect("text");
        assert!(text.starts_with("HTTP/1.1 400 "), "{head}: {text}");
        assert!(text.contains("\r\nconnection: close\r\n"), "{head}: {text}");
    }
}

#[tokio::test]
async fn body_that_was_read_or_read_on_leaves_the_connection_open() {
    let server = TestServer::start_frozen("live").await;
    let body = r#"{"idempotencyKey": "a", "fileName": "a.jpg"}"#;
    let length = body.len();
    for (line, headers) in [
        // Refused, and what is left of the body is read on.
        ("PUT /_s3/bizmori/x", ""),
        ("POST /api/v2/orders/ai-detection", ""),
        ("POST /nothing", ""),
        // An expectation that nobody knows holds no body back.
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
        stream.write_all(&get("/_mock/health")).await.expect("open");
        let second = read_response(&mut stream).await;
        assert!(second.starts_with("HTTP/1.1 200 "), "{line}: {second}");
    }
}

#[tokio::test]
async fn upload_after_100_continue_leaves_the_connection_open() {
    let server = TestServer::start_frozen("live").await;
    let order = serde_json::json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (_, url) = server.create_detection("live", &order).await;
    let target = url.trim_start_matches(server.origin.as_str());
    let (host, body) = (server.origin.trim_start_matches("http://"), picture());
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
        stream.write_all(head.as_bytes()).await.expect("it is read");
        let go_on = read_response(&mut stream).await;
        assert!(go_on.starts_with("HTTP/1.1 100 "), "{go_on}");
        stream.write_all(&body).await.expect("it is read");
        let done = read_response(&mut stream).await;
        assert!(done.starts_with(&format!("HTTP/1.1 {status} ")), "{done}");
        assert!(!done.contains("connection: close"), "{done}");
        stream.write_all(&get("/_mock/health")).await.expect("open");
        let next = read_response(&mut stream).await;
        assert!(next.starts_with("HTTP/1.1 200 "), "{next}");
    }
}

#[tokio::test]
async fn upload_refused_after_100_continue_is_read_on() {
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
    stream.write_all(head.as_bytes()).await.expect("it is read");
    let go_on = read_response(&mut stream).await;
    assert!(go_on.starts_with("HTTP/1.1 100 "), "{go_on}");
    let piece = vec![b'x'; 1_000_000];
    for _ in 0..5 {
        stream.write_all(b"f4240\r\n").await.expect("it is read");
        stream.write_all(&piece).await.expect("it is read");
        stream.write_all(b"\r\n").await.expect("it is read");
    }
    stream.write_all(b"0\r\n\r\n").await.expect("it is read");
    let refused = read_response(&mut stream).await;
    assert!(refused.starts_with("HTTP/1.1 400 "), "{refused}");
    assert!(refused.contains("EntityTooLarge"), "{refused}");
    assert!(!refused.contains("connection: close"), "{refused}");
}
