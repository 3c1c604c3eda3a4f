//! Timeouts of stalled connections. A connection with a request in flight is not stalled.

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use super::{GUARD, await_connections, get_request, read_response, read_until_closed, send};
use crate::support::{TestServer, picture, raw};

/// Timeout under test, in milliseconds. Other timeouts have their defaults.
const TIMEOUT_MS: u32 = 200;

/// Returns the path and query of a URL of the server.
fn path_of(server: &TestServer, url: &str) -> String {
    url.strip_prefix(&server.origin)
        .expect("a URL of the server")
        .to_owned()
}

/// Returns the head of a PUT to the upload URL of a new order.
async fn put_head(server: &TestServer, length: usize) -> Vec<u8> {
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (_, url) = server.create_detection("live", &body).await;
    let path = path_of(server, &url);
    let host = server.origin.trim_start_matches("http://");
    format!("PUT {path} HTTP/1.1\r\nHost: {host}\r\nContent-Length: {length}\r\n\r\n").into_bytes()
}

#[tokio::test]
async fn stall_in_request_head_closes_connection_without_response() {
    let server =
        TestServer::with_config(|config| config.connections.header_timeout_ms = TIMEOUT_MS).await;
    for bytes in ["", "G", "GET /_mock/health HTTP/1.1\r\nHost: h\r\n"] {
        let mut stream = send(&server, bytes.as_bytes()).await;
        assert_eq!(read_until_closed(&mut stream).await, b"", "{bytes:?}");
    }
}

#[tokio::test]
async fn stall_in_second_head_closes_connection() {
    let server =
        TestServer::with_config(|config| config.connections.header_timeout_ms = TIMEOUT_MS).await;
    let mut stream = send(&server, &get_request("/_mock/health")).await;
    assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200"));
    stream
        .write_all(b"GET /")
        .await
        .expect("the server reads the request");
    assert_eq!(read_until_closed(&mut stream).await, b"");
}

#[tokio::test]
async fn stay_idle_after_response_closes_connection() {
    let server =
        TestServer::with_config(|config| config.connections.idle_timeout_ms = TIMEOUT_MS).await;
    let mut stream = send(&server, &get_request("/_mock/health")).await;
    let read = read_until_closed(&mut stream).await;
    let text = String::from_utf8(read).expect("text");
    assert!(
        text.starts_with("HTTP/1.1 200") && text.ends_with('}'),
        "{text}"
    );
}

#[tokio::test]
async fn stall_in_upload_answers_request_timeout() {
    let server =
        TestServer::with_config(|config| config.connections.body_timeout_ms = TIMEOUT_MS).await;
    let bytes = picture();
    for sent in [0, bytes.len() / 2] {
        let mut request = put_head(&server, bytes.len()).await;
        request.extend_from_slice(&bytes[..sent]);
        let mut stream = send(&server, &request).await;
        let response = String::from_utf8(read_until_closed(&mut stream).await).expect("text");
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
    // The order still accepts its file.
    let retry_head = put_head(&server, bytes.len()).await;
    let mut stream = send(&server, &[retry_head, bytes].concat()).await;
    assert!(read_response(&mut stream).await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn stall_in_json_body_answers_error_of_that_api() {
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
        let response = String::from_utf8(read_until_closed(&mut stream).await).expect("text");
        assert!(response.starts_with("HTTP/1.1 400 "), "{response}");
        assert!(response.ends_with(&format!("\r\n\r\n{body}")), "{response}");
        let reason = format!("\r\nx-mock-reason: {stall}\r\n");
        assert!(response.contains(&reason), "{response}");
    }
}

/// Uploads a large object and returns a GET request for it.
async fn put_large_object(server: &TestServer) -> Vec<u8> {
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
async fn leave_response_unread_closes_connection() {
    let server =
        TestServer::with_config(|config| config.connections.write_timeout_ms = TIMEOUT_MS).await;
    let request = put_large_object(&server).await;
    // A client that sends more requests without reading is stalled, too.
    let unread = send(&server, &request).await;
    let pipelined = send(&server, &request.repeat(3)).await;
    let mut half_closed = send(&server, &request).await;
    half_closed
        .shutdown()
        .await
        .expect("the client closes its side");
    await_connections(&server, 1).await;
    for mut stream in [unread, pipelined] {
        let read = read_until_closed(&mut stream).await.len();
        assert!((1..32 * 1024 * 1024).contains(&read), "{read} bytes");
    }
}

/// Waits until a new connection is closed by the idle timeout.
async fn wait_for_idle_timeout(server: &TestServer) {
    let mut idle = send(server, &get_request("/_mock/health")).await;
    read_until_closed(&mut idle).await;
}

async fn read_response_in_time(mut stream: TcpStream) -> String {
    let result = tokio::time::timeout(GUARD, read_response(&mut stream)).await;
    result.expect("a response")
}

#[tokio::test]
async fn long_poll_beyond_every_timeout_is_answered() {
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
        &get_request("/_mock/inbox/a/messages?min=1&timeoutMs=600000"),
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
        wait_for_idle_timeout(&server).await;
    }
    for request in [
        "POST /_mock/inbox/a HTTP/1.1\r\nHost: h\r\nConnection: close\r\nContent-Length: 1\r\n\r\n1",
        "DELETE /api/v2/orders/webhooks/1 HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n",
    ] {
        raw::read_response(send(&server, request.as_bytes()).await).await;
    }
    for stream in [messages, verify, delayed] {
        let response = read_response_in_time(stream).await;
        assert!(response.starts_with("HTTP/1.1 200"), "{response}");
    }
}

#[tokio::test]
async fn drip_slower_than_write_timeout_arrives_complete() {
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
    let response = server.get("live", "/api/v2/orders/1").await;
    assert_eq!((response.status, response.text()), (200, "x".to_owned()));
}
