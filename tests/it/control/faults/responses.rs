//! Every fault on the answers of every front door, byte by byte.

use std::io::ErrorKind;

use serde_json::{Value, json};

use super::{ORDERS, creating, exchanged, hits, once, orders, picture_url, request, rule};
use crate::support::raw::RawResponse;
use crate::support::{TestResponse, TestServer, picture};

/// An operation and a request that means it.
type FaultCase = (&'static str, Vec<u8>);

/// One operation and more of each front door, and what is none.
async fn cases(server: &TestServer) -> Vec<FaultCase> {
    let body = json!({"idempotencyKey": "cases", "fileName": "a_ai.jpg"});
    let (_, upload) = server.create_detection("live", &body).await;
    let url = picture_url(server).await;
    let typed = "Content-Type: application/json\r\n";
    let asset = "/_s3/ai-image-detector-dev/uploads/x";
    vec![
        ("bizmori.listWebhooks", request("GET", ORDERS, "", b"")),
        ("bizmori.createAiDetection", creating("the same")),
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

/// What comes without a rule, the connection then being closed.
async fn plain(server: &TestServer, bytes: &[u8]) -> RawResponse {
    let line = bytes.windows(2).position(|two| two == b"\r\n");
    let (line, rest) = bytes.split_at(line.expect("a line") + 2);
    let closing = [line, b"Connection: close\r\n", rest].concat();
    exchanged(server, &closing).await
}

async fn broken(server: &TestServer, (operation, bytes): &FaultCase, then: Value) -> RawResponse {
    once(server, operation, then).await;
    let came = exchanged(server, bytes).await;
    assert!(hits(server).await.iter().all(|hits| *hits == 1));
    came
}

#[tokio::test]
async fn a_reset_is_an_rst_and_nothing_has_come() {
    let server = TestServer::start_frozen("live").await;
    for requested in cases(&server).await {
        let came = broken(&server, &requested, json!({"fault": "reset"})).await;
        assert_eq!(came.text(), "", "{}", requested.0);
        assert_eq!(
            came.error,
            Some(ErrorKind::ConnectionReset),
            "{}",
            requested.0
        );
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn an_empty_answer_is_an_end_without_a_byte() {
    let server = TestServer::start_frozen("live").await;
    for requested in cases(&server).await {
        let came = broken(&server, &requested, json!({"fault": "empty"})).await;
        assert_eq!(
            (came.text().as_str(), came.error),
            ("", None),
            "{}",
            requested.0
        );
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn garbage_is_no_http_and_then_the_end() {
    let server = TestServer::start_frozen("live").await;
    for requested in cases(&server).await {
        let came = broken(&server, &requested, json!({"fault": "garbage"})).await;
        assert!(!came.bytes.is_empty() && came.error.is_none(), "{came:?}");
        assert!(!came.text().contains("HTTP/"), "{}", came.text());
        assert!(!came.bytes[0].is_ascii_graphic(), "no method, no version");
    }
    server.assert_healthy("live").await;
}

#[tokio::test]
async fn a_truncated_answer_has_its_head_and_half_its_body() {
    let server = TestServer::start_frozen("live").await;
    for requested in cases(&server).await {
        let whole = plain(&server, &requested.1).await.response();
        let came = broken(&server, &requested, json!({"fault": "truncate"})).await;
        assert_eq!(came.error, None, "{}", requested.0);
        if whole.bytes.is_empty() {
            assert!(is_half_a_head(&came), "{}: {}", requested.0, came.text());
            continue;
        }
        let cut = came.response();
        let expected_count: usize = cut.header("content-length").parse().expect("a length");
        assert_eq!(
            (cut.status, expected_count),
            (whole.status, whole.bytes.len())
        );
        assert_eq!(cut.header("content-type"), whole.header("content-type"));
        let half = &whole.bytes[..expected_count / 2];
        if requested.0 == "bizmori.createAiDetection" || !requested.0.starts_with("bizmori") {
            assert_eq!(cut.bytes.len(), half.len(), "{}", requested.0);
        } else {
            assert!(cut.bytes == half, "{}", requested.0);
        }
    }
    server.assert_healthy("live").await;
}

fn is_half_a_head(came: &RawResponse) -> bool {
    let text = came.text();
    text.starts_with("HTTP/1.1 ") && !text.contains("\r\n\r\n") && came.error.is_none()
}

#[tokio::test]
async fn what_has_no_body_to_speak_of_is_cut_within_its_head() {
    let server = TestServer::start_frozen("live").await;
    let url = picture_url(&server).await;
    let preflight = "Origin: http://a\r\nAccess-Control-Request-Method: PUT\r\n";
    for requested in [
        ("storage.head", request("HEAD", &url, "", b"")),
        ("storage.options", request("OPTIONS", &url, preflight, b"")),
        ("bizmori.listWebhooks", request("HEAD", ORDERS, "", b"")),
    ] {
        let came = broken(&server, &requested, json!({"fault": "truncate"})).await;
        assert!(is_half_a_head(&came), "{}: {}", requested.0, came.text());
    }
    for respond in [
        json!({"status": 204}),
        json!({"status": 304}),
        json!({"status": 500}),
        json!({"status": 500, "body": "x"}),
        json!({"status": 200, "headers": {"x-long": "y".repeat(5_000)}, "body": 1}),
    ] {
        let requested = ("bizmori.listWebhooks", request("GET", ORDERS, "", b""));
        let then = json!({"fault": "truncate", "respond": respond});
        let came = broken(&server, &requested, then).await;
        assert!(is_half_a_head(&came), "{}", came.text());
    }
}

#[tokio::test]
async fn where_no_length_is_told_the_answer_never_ends() {
    let server = TestServer::start_frozen("live").await;
    server
        .create_detection("live", &json!({"idempotencyKey": "a", "fileName": "a.jpg"}))
        .await;
    let requested = (
        "bizmori.*",
        request("GET", "/api/v2/orders?limit=-1", "", b""),
    );
    let whole = plain(&server, &requested.1).await.text();
    assert!(whole.contains("transfer-encoding: chunked"), "{whole}");
    assert!(whole.ends_with("\r\n0\r\n\r\n"));
    let came = broken(&server, &requested, json!({"fault": "truncate"})).await;
    let text = came.text();
    assert_eq!(came.error, None);
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
async fn a_drip_brings_all_of_it_piece_by_piece() {
    let server = TestServer::start_frozen("live").await;
    for requested in cases(&server).await {
        let whole = plain(&server, &requested.1).await;
        let rate = (whole.bytes.len() * 2).max(400);
        let then = json!({"fault": "drip", "bytesPerSecond": rate});
        once(&server, requested.0, then).await;
        let came = plain(&server, &requested.1).await;
        assert!(
            came.pieces > 2 && came.error.is_none(),
            "{}: {came:?}",
            requested.0
        );
        let (came, whole) = (came.response(), whole.response());
        assert_eq!(came.status, whole.status);
        assert_eq!(came.bytes.len(), whole.bytes.len());
        let names = |response: &TestResponse| response.headers.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&came), names(&whole), "{}", requested.0);
    }
}

#[tokio::test]
async fn the_front_door_has_done_what_was_asked_and_its_answer_is_lost() {
    let server = TestServer::start_frozen("live").await;
    for (n, fault) in ["reset", "empty", "truncate", "garbage"].iter().enumerate() {
        let requested = ("bizmori.createAiDetection", creating(fault));
        broken(&server, &requested, json!({"fault": fault})).await;
        let there = orders(&server).await;
        assert_eq!(there.len(), n + 1, "{fault}");
        let again = plain(&server, &requested.1).await.response().json();
        assert_eq!(again["data"]["orderId"], there[0], "its client's retry");
        assert_eq!(orders(&server).await.len(), n + 1);
    }
}

#[tokio::test]
async fn with_an_answer_beside_it_the_front_door_is_not_asked_and_that_answer_breaks() {
    let server = TestServer::start_frozen("live").await;
    let respond = json!({"status": 503, "headers": {"Retry-After": "7"}, "body": "not today"});
    let requested = ("bizmori.createAiDetection", creating("a"));
    let then = json!({"respond": respond, "fault": "truncate"});
    let cut = broken(&server, &requested, then).await.response();
    assert_eq!((cut.status, cut.header("content-length")), (503, "9"));
    assert_eq!(
        (cut.text().as_str(), cut.header("retry-after")),
        ("not ", "7")
    );
    assert_eq!(cut.header("x-mock-reason"), "rule 1");
    for fault in ["reset", "empty", "garbage"] {
        let then = json!({"respond": {"status": 200}, "fault": fault});
        let came = broken(&server, &requested, then).await;
        assert!(!came.text().contains("HTTP/1.1"), "{fault}");
    }
    assert!(orders(&server).await.is_empty());
}

#[tokio::test]
async fn the_fault_and_the_answer_may_be_of_two_rules() {
    let server = TestServer::start_frozen("live").await;
    let requested = ("bizmori.createAiDetection", creating("a"));
    once(
        &server,
        requested.0,
        json!({"respond": {"status": 503}, "delayMs": 1}),
    )
    .await;
    let came = broken(&server, &requested, json!({"fault": "empty"})).await;
    assert_eq!((came.text().as_str(), came.error), ("", None));
    assert!(orders(&server).await.is_empty());
}

#[tokio::test]
async fn skip_and_times_say_which_answers_break() {
    let server = TestServer::start_frozen("live").await;
    let when = json!({"operation": "bizmori.listWebhooks"});
    let body =
        json!({"account": "live", "when": when, "skip": 1, "times": 2, "then": {"fault": "empty"}});
    rule(&server, &body).await;
    let read = request("GET", ORDERS, "Connection: close\r\n", b"");
    let mut came = Vec::new();
    for _ in 0..4 {
        came.push(exchanged(&server, &read).await.bytes.is_empty());
    }
    assert_eq!(came, [false, true, true, false]);
    assert_eq!(hits(&server).await, [2]);
    assert_eq!(server.get("other", ORDERS).await.status, 200);
}

#[tokio::test]
async fn the_control_plane_never_breaks() {
    let server = TestServer::start().await;
    rule(&server, &json!({"then": {"fault": "reset"}})).await;
    for path in ["/_mock/health", "/_mock/nothing", "/_mock/rules"] {
        let came = plain(&server, &request("GET", path, "", b"")).await;
        assert!(came.text().starts_with("HTTP/1.1 "), "{path}: {came:?}");
    }
    assert_eq!(hits(&server).await, [0]);
}
