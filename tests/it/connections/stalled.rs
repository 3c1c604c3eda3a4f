//! Each kind of stalled connection is closed. One whose request is being answered is not stalled.

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{GUARD, await_connections, closed, get, read_response, send};
use crate::support::{TestServer, picture, raw};

/// Milliseconds of the timeout that a test is about. The others are as by default.
const TIMEOUT_MS: u32 = 200;

/// The path and query of a URL.
fn path_of(server: &TestServer, url: &str) -> String {
    url.strip_prefix(&server.origin)
        .expect("one of ours")
        .to_owned()
}

/// The head of a PUT to the upload URL of a new order.
async fn put_head(server: &TestServer, length: usize) -> Vec<u8> {
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (_, url) = server.create_detection("live", &body).await;
    let (path, host) = (
        path_of(server, &url),
        server.origin.trim_start_matches("http://"),
    );
    format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn connection_that_sends_no_whole_head_is_closed_without_a_response() {
    let server =
        TestServer::with_config(|config| config.connections.header_timeout_ms = TIMEOUT_MS).await;
    for bytes in ["", "G", "GET /_mock/health HTTP/1.1\r\nHost: h\r\n"] {
        let mut stream = send(&server, bytes.as_bytes()).await;
        assert_eq!(closed(&mut stream).await, b"", "{bytes:?}");
    }
}

#[tokio::test]
async fn head_that_comes_after_another_request_has_the_same_timeout() {
    let server =
        TestServer::with_config(|config| config.connections.header_timeout_ms = TIMEOUT_MS).await;
    let mut stream = send(&server, &get("/_mock/health")).await;
    assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200"));
    stream.write_all(b"GET /").await.expect("it is taken");
    assert_eq!(closed(&mut stream).await, b"");
}

#[tokio::test]
async fn idle_connection_is_closed_after_its_response() {
    let server =
        TestServer::with_config(|config| config.connections.idle_timeout_ms = TIMEOUT_MS).await;
    let mut stream = send(&server, &get("/_mock/health")).await;
    let read = closed(&mut stream).await;
    let text = String::from_utf8(read).expect("text");
    assert!(
        text.starts_with("HTTP/1.1 200") && text.ends_with('}'),
        "{text}"
    );
}

#[tokio::test]
async fn upload_that_stalls_answers_request_timeout() {
    let server =
        TestServer::with_config(|config| config.connections.body_timeout_ms = TIMEOUT_MS).await;
    let bytes = picture();
    for sent in [0, bytes.len() / 2] {
        let mut request = put_head(&server, bytes.len()).await;
        request.extend_from_slice(&bytes[..sent]);
        let mut stream = send(&server, &request).await;
        let response = String::from_utf8(closed(&mut stream).await).expect("text");
        assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
        for expected in [
            "\r\nconnection: close\r\n".to_owned(),
            format!(
                "\r\nx-mock-reason: body: no byte of the body was received for 200 ms \
                 (--body-timeout-ms) after {sent} bytes\r\n"
            ),
            "<Code>RequestTimeout</Code><Message>Your socket connection to the server was not \
             read from or written to within the timeout period. Idle connections will be \
             closed.</Message>"
                .to_owned(),
        ] {
            assert!(response.contains(&expected), "{expected} in {response}");
        }
    }
    // The order still waits for its file.
    let bytes_again = put_head(&server, bytes.len()).await;
    let mut stream = send(&server, &[bytes_again, bytes].concat()).await;
    assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn json_body_that_stalls_is_refused_in_the_words_of_its_api() {
    let server =
        TestServer::with_config(|config| config.connections.body_timeout_ms = TIMEOUT_MS).await;
    let stall = "no byte of the body was received for 200 ms (--body-timeout-ms)";
    for (path, body) in [
        (
            "/api/v2/orders/ai-detection",
            r#"{"code":"VALIDATION_FAILED"}"#.to_owned(),
        ),
        (
            "/detect",
            r#"{"error":"Request body could not be read"}"#.to_owned(),
        ),
        (
            "/_mock/reset",
            format!(
                r#"{{"error":{{"code":"bad_body","message":"{stall}","hint":"send one JSON object"}}}}"#
            ),
        ),
    ] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer live\r\n\
             Content-Type: application/json\r\nContent-Length: 9\r\n\r\n{{"
        );
        let mut stream = send(&server, head.as_bytes()).await;
        let response = String::from_utf8(closed(&mut stream).await).expect("text");
        assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
        assert!(response.ends_with(&format!("\r\n\r\n{body}")), "{response}");
        let why = format!("\r\nx-mock-reason: {stall}\r\n");
        assert!(response.contains(&why), "{response}");
    }
}

/// Puts a large object, and returns a GET of it.
async fn large_object(server: &TestServer) -> Vec<u8> {
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let mut bytes = picture();
    bytes.resize(32 * 1024 * 1024, 0);
    let id = server.upload_detection("live", &body, bytes).await;
    server.freeze("live").await;
    server.confirm("live", &id).await;
    server.advance("live", "PT1S").await;
    let order = server.get_order("live", &id).await;
    let url = order["originalImageUrl"].as_str().expect("a URL");
    let host = server.origin.trim_start_matches("http://");
    let path = path_of(server, url);
    format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn connection_that_does_not_read_its_response_is_closed() {
    let server =
        TestServer::with_config(|config| config.connections.write_timeout_ms = TIMEOUT_MS).await;
    let request = large_object(&server).await;
    // A client that asks on and on without reading stalls the same way.
    let unread = send(&server, &request).await;
    let pipelined = send(&server, &request.repeat(3)).await;
    let mut half_closed = send(&server, &request).await;
    half_closed.shutdown().await.expect("an end");
    await_connections(&server, 1).await;
    for mut stream in [unread, pipelined] {
        let read = closed(&mut stream).await.len();
        assert!((1..32 * 1024 * 1024).contains(&read), "{read} bytes");
    }
}

/// Waits until a connection that was idle from now on has been closed.
async fn pass_the_idle_timeout(server: &TestServer) {
    let mut idle = send(server, &get("/_mock/health")).await;
    closed(&mut idle).await;
}

async fn read_status(mut stream: TcpStream) -> String {
    let read = tokio::time::timeout(GUARD, read_response(&mut stream)).await;
    read.expect("a response")
}

#[tokio::test]
async fn long_polls_that_outlast_every_timeout_are_answered() {
    let server = TestServer::with_config(|config| {
        let connections = &mut config.connections;
        connections.idle_timeout_ms = TIMEOUT_MS;
        connections.write_timeout_ms = TIMEOUT_MS;
    })
    .await;
    let rule = json!({"when": {"operation": "bizmori.listWebhooks"}, "then": {"delayMs": 2_000}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let messages = send(
        &server,
        &get("/_mock/inbox/a/messages?min=1&timeoutMs=600000"),
    )
    .await;
    let verify = r#"{"when": {"method": "DELETE"}, "count": {"min": 1}, "timeoutMs": 600000}"#;
    let length = verify.len();
    let verify = format!(
        "POST /_mock/requests/verify HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{verify}"
    );
    let verify = send(&server, verify.as_bytes()).await;
    let delayed = "GET /api/v2/orders/webhooks HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer live\r\n\r\n";
    let delayed = send(&server, delayed.as_bytes()).await;
    for _ in 0..8 {
        pass_the_idle_timeout(&server).await;
    }
    for request in [
        "POST /_mock/inbox/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1",
        "DELETE /api/v2/orders/webhooks/1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    ] {
        raw::read_response(send(&server, request.as_bytes()).await).await;
    }
    for stream in [messages, verify, delayed] {
        let response = read_status(stream).await;
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    }
}

#[tokio::test]
async fn drip_slower_than_the_write_timeout_arrives_whole() {
    let server =
        TestServer::with_config(|config| config.connections.write_timeout_ms = TIMEOUT_MS).await;
    let rule = json!({
        "when": {"operation": "bizmori.getOrder"},
        "then": {"respond": {"status": 200, "body": "x"}, "fault": "drip", "bytesPerSecond": 200},
    });
    let response = server
        .send(Method::POST, "/_mock/rules", &[], rule.to_string())
        .await;
    assert_eq!(response.status, 201, "{}", response.text());
    let reply = server.get("live", "/api/v2/orders/1").await;
    assert_eq!((reply.status, reply.text()), (200, "x".to_owned()));
}
