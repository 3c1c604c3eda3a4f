//! Every fault on responses of every API, byte by byte.

use std::io::ErrorKind;

use serde_json::{Value, json};

use super::{
    WEBHOOKS, add_rule, add_rule_once, create_request, exchange, hits, order_ids, picture_url,
    request,
};
use crate::support::raw::RawResponse;
use crate::support::{TestResponse, TestServer, picture};

/// A pattern of operations, and the bytes of a request that matches it.
type FaultCase = (&'static str, Vec<u8>);

/// Returns requests for operations of each API, and for paths that are no operation.
async fn fault_cases(server: &TestServer) -> Vec<FaultCase> {
    let body = json!({"idempotencyKey": "cases", "fileName": "a_ai.jpg"});
    let (_, upload) = server.create_detection("live", &body).await;
    let url = picture_url(server).await;
    let typed = "Content-Type: application/json\r\n";
    let asset = "/_s3/ai-image-detector-dev/uploads/x";
    vec![
        ("bizmori.listWebhooks", request("GET", WEBHOOKS, "", b"")),
        ("bizmori.createAiDetection", create_request("the same")),
        ("undetectable.health", request("GET", "/health", "", b"")),
        (
            "undetectable.detect",
            request("POST", "/detect", typed, b"{}"),
        ),
        ("storage.put", request("PUT", &upload, "", &picture())),
        ("storage.get", request("GET", &url, "", b"")),
        ("storage.head", request("HEAD", &url, "", b"")),
        ("*", request("GET", "/nothing", "", b"")),
        ("*", request("POST", "/health", "", b"x")),
        ("*", request("POST", "/api/v2/nothing", "", b"x")),
        ("*", request("POST", asset, "", b"x")),
    ]
}

/// Sends a request with `Connection: close` and reads the response.
async fn exchange_and_close(server: &TestServer, bytes: &[u8]) -> RawResponse {
    let line = bytes.windows(2).position(|two| two == b"\r\n");
    let (line, rest) = bytes.split_at(line.expect("a line") + 2);
    let closing = [line, b"Connection: close\r\n", rest].concat();
    exchange(server, &closing).await
}

/// Sends a request to which a new rule applies `then`. Asserts that every rule was applied once.
async fn exchange_with_fault(
    server: &TestServer,
    (operation, bytes): &FaultCase,
    then: Value,
) -> RawResponse {
    add_rule_once(server, operation, then).await;
    let received = exchange(server, bytes).await;
    assert!(hits(server).await.iter().all(|hits| *hits == 1));
    received
}

#[tokio::test]
async fn reset_sends_rst_and_no_byte() {
    let server = TestServer::start_frozen("live").await;
    for case in fault_cases(&server).await {
        let received = exchange_with_fault(&server, &case, json!({"fault": "reset"})).await;
        assert_eq!(received.text(), "", "{}", case.0);
        assert_eq!(
            received.error,
            Some(ErrorKind::ConnectionReset),
            "{}",
            case.0
        );
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn empty_closes_the_connection_without_a_byte() {
    let server = TestServer::start_frozen("live").await;
    for case in fault_cases(&server).await {
        let received = exchange_with_fault(&server, &case, json!({"fault": "empty"})).await;
        assert_eq!(
            (received.text().as_str(), received.error),
            ("", None),
            "{}",
            case.0
        );
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn garbage_sends_bytes_that_are_not_http_and_closes() {
    let server = TestServer::start_frozen("live").await;
    for case in fault_cases(&server).await {
        let received = exchange_with_fault(&server, &case, json!({"fault": "garbage"})).await;
        assert!(
            !received.bytes.is_empty() && received.error.is_none(),
            "{received:?}"
        );
        assert!(!received.text().contains("HTTP/"), "{}", received.text());
        assert!(
            !received.bytes[0].is_ascii_graphic(),
            "the first byte is not text"
        );
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn truncate_sends_head_and_half_of_the_body() {
    let server = TestServer::start_frozen("live").await;
    for case in fault_cases(&server).await {
        let whole = exchange_and_close(&server, &case.1).await.response();
        let received = exchange_with_fault(&server, &case, json!({"fault": "truncate"})).await;
        assert_eq!(received.error, None, "{}", case.0);
        if whole.bytes.is_empty() {
            assert!(
                is_partial_head(&received),
                "{}: {}",
                case.0,
                received.text()
            );
            continue;
        }
        let truncated = received.response();
        let length: usize = truncated
            .header("content-length")
            .parse()
            .expect("a length");
        assert_eq!(
            (truncated.status, length),
            (whole.status, whole.bytes.len())
        );
        assert_eq!(
            truncated.header("content-type"),
            whole.header("content-type")
        );
        let half = &whole.bytes[..length / 2];
        if case.0 == "bizmori.createAiDetection" || !case.0.starts_with("bizmori") {
            assert_eq!(truncated.bytes.len(), half.len(), "{}", case.0);
        } else {
            assert!(truncated.bytes == half, "{}", case.0);
        }
    }
    server.assert_healthy("live").await;
}

fn is_partial_head(received: &RawResponse) -> bool {
    let text = received.text();
    text.starts_with("HTTP/1.1 ") && !text.contains("\r\n\r\n") && received.error.is_none()
}

#[tokio::test]
async fn truncate_without_body_sends_part_of_the_head() {
    let server = TestServer::start_frozen("live").await;
    let url = picture_url(&server).await;
    let preflight = "Origin: http://a\r\nAccess-Control-Request-Method: PUT\r\n";
    for case in [
        ("storage.head", request("HEAD", &url, "", b"")),
        ("storage.options", request("OPTIONS", &url, preflight, b"")),
        ("bizmori.listWebhooks", request("HEAD", WEBHOOKS, "", b"")),
    ] {
        let received = exchange_with_fault(&server, &case, json!({"fault": "truncate"})).await;
        assert!(
            is_partial_head(&received),
            "{}: {}",
            case.0,
            received.text()
        );
    }
    for respond in [
        json!({"status": 204}),
        json!({"status": 304}),
        json!({"status": 500}),
        json!({"status": 500, "body": "x"}),
        json!({"status": 200, "headers": {"x-long": "y".repeat(5_000)}, "body": 1}),
    ] {
        let case = ("bizmori.listWebhooks", request("GET", WEBHOOKS, "", b""));
        let then = json!({"fault": "truncate", "respond": respond});
        let received = exchange_with_fault(&server, &case, then).await;
        assert!(is_partial_head(&received), "{}", received.text());
    }
}

#[tokio::test]
async fn truncate_chunked_response_sends_no_final_chunk() {
    let server = TestServer::start_frozen("live").await;
    server
        .create_detection("live", &json!({"idempotencyKey": "a", "fileName": "a.jpg"}))
        .await;
    let case = (
        "bizmori.*",
        request("GET", "/api/v2/orders?limit=-1", "", b""),
    );
    let whole = exchange_and_close(&server, &case.1).await.text();
    assert!(whole.contains("transfer-encoding: chunked"), "{whole}");
    assert!(whole.ends_with("\r\n0\r\n\r\n"));
    let received = exchange_with_fault(&server, &case, json!({"fault": "truncate"})).await;
    let text = received.text();
    assert_eq!(received.error, None);
    assert!(
        text.contains("\r\n\r\n") && text.contains(r#""orderId""#),
        "{text}"
    );
    assert!(
        !text.contains("\r\n0\r\n") && text.len() < whole.len(),
        "{text}"
    );
}

#[tokio::test]
async fn drip_on_response_sends_it_completely_in_pieces() {
    let server = TestServer::start_frozen("live").await;
    for case in fault_cases(&server).await {
        let whole = exchange_and_close(&server, &case.1).await;
        let rate = (whole.bytes.len() * 2).max(400);
        let then = json!({"fault": "drip", "bytesPerSecond": rate});
        add_rule_once(&server, case.0, then).await;
        let received = exchange_and_close(&server, &case.1).await;
        assert!(
            received.pieces > 2 && received.error.is_none(),
            "{}: {received:?}",
            case.0
        );
        let dripped = received.response();
        let expected = whole.response();
        assert_eq!(dripped.status, expected.status);
        assert_eq!(dripped.bytes.len(), expected.bytes.len());
        let names = |response: &TestResponse| response.headers.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&dripped), names(&expected), "{}", case.0);
    }
}

#[tokio::test]
async fn fault_on_create_response_still_creates_the_order() {
    let server = TestServer::start_frozen("live").await;
    for (n, fault) in ["reset", "empty", "truncate", "garbage"].iter().enumerate() {
        let case = ("bizmori.createAiDetection", create_request(fault));
        exchange_with_fault(&server, &case, json!({"fault": fault})).await;
        let ids = order_ids(&server).await;
        assert_eq!(ids.len(), n + 1, "{fault}");
        let retried = exchange_and_close(&server, &case.1).await.response().json();
        assert_eq!(
            retried["data"]["orderId"], ids[0],
            "the retry answers the same order"
        );
        assert_eq!(order_ids(&server).await.len(), n + 1);
    }
}

#[tokio::test]
async fn fault_with_respond_breaks_that_response_and_creates_no_order() {
    let server = TestServer::start_frozen("live").await;
    let respond = json!({"status": 503, "headers": {"Retry-After": "7"}, "body": "not today"});
    let case = ("bizmori.createAiDetection", create_request("a"));
    let then = json!({"respond": respond, "fault": "truncate"});
    let truncated = exchange_with_fault(&server, &case, then).await.response();
    assert_eq!(
        (truncated.status, truncated.header("content-length")),
        (503, "9")
    );
    assert_eq!(
        (truncated.text().as_str(), truncated.header("retry-after")),
        ("not ", "7")
    );
    assert_eq!(truncated.header("x-mock-reason"), "rule 1");
    for fault in ["reset", "empty", "garbage"] {
        let then = json!({"respond": {"status": 200}, "fault": fault});
        let received = exchange_with_fault(&server, &case, then).await;
        assert!(!received.text().contains("HTTP/1.1"), "{fault}");
    }
    assert!(order_ids(&server).await.is_empty());
}

#[tokio::test]
async fn fault_and_respond_of_two_rules_combine() {
    let server = TestServer::start_frozen("live").await;
    let case = ("bizmori.createAiDetection", create_request("a"));
    add_rule_once(
        &server,
        case.0,
        json!({"respond": {"status": 503}, "delayMs": 1}),
    )
    .await;
    let received = exchange_with_fault(&server, &case, json!({"fault": "empty"})).await;
    assert_eq!((received.text().as_str(), received.error), ("", None));
    assert!(order_ids(&server).await.is_empty());
}

#[tokio::test]
async fn fault_with_skip_and_times_breaks_those_responses() {
    let server = TestServer::start_frozen("live").await;
    let when = json!({"operation": "bizmori.listWebhooks"});
    let body =
        json!({"account": "live", "when": when, "skip": 1, "times": 2, "then": {"fault": "empty"}});
    add_rule(&server, &body).await;
    let read = request("GET", WEBHOOKS, "Connection: close\r\n", b"");
    let mut is_broken = Vec::new();
    for _ in 0..4 {
        is_broken.push(exchange(&server, &read).await.bytes.is_empty());
    }
    assert_eq!(is_broken, [false, true, true, false]);
    assert_eq!(hits(&server).await, [2]);
    assert_eq!(server.get("other", WEBHOOKS).await.status, 200);
}

#[tokio::test]
async fn fault_never_applies_to_the_control_plane() {
    let server = TestServer::start().await;
    add_rule(&server, &json!({"then": {"fault": "reset"}})).await;
    for path in ["/_mock/health", "/_mock/nothing", "/_mock/rules"] {
        let received = exchange_and_close(&server, &request("GET", path, "", b"")).await;
        assert!(
            received.text().starts_with("HTTP/1.1 "),
            "{path}: {received:?}"
        );
    }
    assert_eq!(hits(&server).await, [0]);
}
