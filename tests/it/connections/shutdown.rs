//! Shutdown waits for requests in flight only, and for a limited time.

use reqwest::Method;
use serde_json::json;

use super::{get_request, read_response, read_until_closed, send};
use crate::support::{TestServer, raw};

/// Waits until `count` requests are in flight besides the request of this function.
async fn await_requests(server: &TestServer, count: usize) {
    let expected = format!("\nstuntdouble_http_requests_in_flight {}\n", count + 1);
    loop {
        let page = server.send(Method::GET, "/_mock/metrics", &[], "").await;
        if page.text().contains(&expected) {
            return;
        }
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn stop_closes_silent_idle_and_incomplete_connections_at_once() {
    let server = TestServer::start().await;
    let mut silent = raw::connect(&server.origin).await;
    let mut incomplete = send(&server, b"GET /_mock/health HTTP/1.1\r\nHost").await;
    let mut idle = send(&server, &get_request("/_mock/health")).await;
    read_response(&mut idle).await;
    assert!(server.shuts_down_cleanly().await, "no request is in flight");
    for stream in [&mut silent, &mut incomplete, &mut idle] {
        assert_eq!(read_until_closed(stream).await, b"");
    }
}

#[tokio::test]
async fn stop_ends_long_polls_with_current_results() {
    let server = TestServer::start().await;
    server.freeze("live").await;
    let post = |path: &str, body: &str| {
        let length = body.len();
        format!("POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n\r\n{body}")
            .into_bytes()
    };
    let polls = [
        (
            get_request("/_mock/inbox/a/messages?min=1&timeoutMs=600000"),
            "HTTP/1.1 408",
            r#"{"messages":[],"evicted":0}"#,
        ),
        (
            post(
                "/_mock/requests/verify",
                r#"{"count": 1, "timeoutMs": 600000}"#,
            ),
            "HTTP/1.1 422",
            r#"{"ok":false,"count":0,"nearMisses":[]}"#,
        ),
    ];
    let mut streams = Vec::new();
    for (request, status, body) in polls {
        streams.push((send(&server, &request).await, status, body));
    }
    await_requests(&server, 2).await;
    assert!(
        server.shuts_down_cleanly().await,
        "long polls end without being aborted"
    );
    for (stream, status, body) in &mut streams {
        let response = String::from_utf8(read_until_closed(stream).await).expect("text");
        assert!(response.starts_with(*status), "{response}");
        assert!(response.ends_with(*body), "{response}");
        assert!(response.contains("\r\nconnection: close\r\n"), "{response}");
    }
}

#[tokio::test]
async fn stop_aborts_a_request_that_does_not_end() {
    let server = TestServer::start().await;
    let rule = json!({"when": {"operation": "undetectable.checkUserCredits"}, "then": {"delayMs": 600_000}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let mut stuck = send(&server, &get_request("/check-user-credits")).await;
    await_requests(&server, 1).await;
    assert!(
        !server.shuts_down_cleanly().await,
        "the log says that a request was aborted"
    );
    assert_eq!(read_until_closed(&mut stuck).await, b"");
}
