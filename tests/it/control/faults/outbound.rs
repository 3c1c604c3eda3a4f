//! Faults on what is put where a client wants it, and on what is downloaded.

use std::io::ErrorKind;

use reqwest::Method;
use serde_json::{Value, json};

use super::listener::{RawListener, parts, told_bytes};
use super::{hits, once, rule};
use crate::support::{TestResponse, TestServer, fixture, picture};

const ANTI_AI: &str = "/api/v2/orders/anti-ai";
const PUT: &str = "zeroCopy.put";
const FETCH: &str = "file.fetch";
/// Of a try that breaks and of what follows it: the last is after 7 s.
const LADDER: &str = "PT7.3S";

/// Makes an order; its id.
async fn create_anti_ai(server: &TestServer, body: &Value) -> String {
    let response = server.post("live", ANTI_AI, body).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let id = response.json()["data"]["orderId"].take();
    id.as_str().expect("an id").to_owned()
}

/// An order in zero copy, of files of those names.
async fn zero_copy(server: &TestServer, key: &str, origin: &str, names: &[&str]) -> String {
    let file = |name: &&str| {
        let url = format!("http://files.test/{name}");
        json!({"fileName": name, "originalFileUrl": url})
    };
    let target = |name: &&str| json!({"fileKey": name, "url": format!("{origin}/{name}"), "presignedUrlExpiresAt": "2026-03-13T11:00:00Z"});
    let files: Vec<_> = names.iter().map(file).collect();
    let targets: Vec<_> = names.iter().map(target).collect();
    let body = json!({"idempotencyKey": key, "files": files, "mode": {"zeroCopy": true}, "outputTargets": targets});
    create_anti_ai(server, &body).await
}

/// The order's status and what is told of its failure.
async fn finish_order(server: &TestServer, id: &str) -> (Value, Value) {
    let mut order = server.get_order("live", id).await;
    (order["status"].take(), order["errors"].take())
}

#[tokio::test]
async fn each_fault_is_seen_by_the_target_and_the_next_try_is_whole() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    for fault in ["reset", "empty", "truncate", "garbage"] {
        once(&server, PUT, json!({"fault": fault})).await;
        let id = zero_copy(&server, fault, &listener.origin, &["a.jpg"]).await;
        server.advance("live", "PT0.3S").await;
        let broken = listener.next().await;
        assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
        assert_eq!(server.advance("live", "PT1S").await, ["order.process"]);
        let whole = listener.next().await;
        let (head, body) = parts(&whole).expect("a whole head");
        assert!(body.len() > 1_000 && body.len() == told_bytes(&head));
        let expected = (fault == "reset").then_some(ErrorKind::ConnectionReset);
        assert_eq!(broken.error, expected, "{fault}");
        match fault {
            "empty" => assert_eq!(broken.text(), ""),
            "garbage" => {
                assert!(!broken.bytes.is_empty() && !broken.text().contains("HTTP/"));
            }
            "truncate" => {
                let (head, cut) = parts(&broken).expect("a whole head");
                assert_eq!(told_bytes(&head), body.len());
                assert!(head.contains("\ncontent-type: image/jpeg\r"), "{head}");
                assert!(cut == &body[..body.len() / 2]);
            }
            _ => {
                let about = whole.bytes.len() / 2;
                assert!(
                    broken.bytes.len().abs_diff(about) < 2,
                    "{}",
                    broken.bytes.len()
                );
                assert!(broken.text().starts_with("PUT /a.jpg HTTP/1.1\r\n"));
            }
        }
        assert_eq!(
            finish_order(&server, &id).await,
            (json!("complete"), Value::Null)
        );
    }
}

#[tokio::test]
async fn a_put_that_always_breaks_fails_the_order_and_tells_why() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    let when = json!({"operation": PUT, "fileName": "b.*"});
    let body = json!({"name": "flaky", "when": when, "then": {"fault": "truncate"}});
    rule(&server, &body).await;
    let id = zero_copy(&server, "a", &listener.origin, &["a.jpg", "b.jpg"]).await;
    let ran = server.advance("live", LADDER).await;
    assert_eq!(ran, ["order.process"; 4]);
    let why = "outputTargets[1].url: rule 1 (flaky): the request was truncated";
    assert_eq!(
        finish_order(&server, &id).await,
        (json!("failed"), json!(why))
    );
    assert_eq!(hits(&server).await, [4], "the other file's is no match");
    for path in ["/a.jpg", "/b.jpg", "/b.jpg", "/b.jpg", "/b.jpg"] {
        let came = listener.next().await.text();
        assert!(
            came.starts_with(&format!("PUT {path} HTTP/1.1\r\n")),
            "{came}"
        );
    }
    listener.assert_quiet();
}

#[tokio::test]
async fn a_dripped_put_comes_whole_and_piece_by_piece() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    let then = json!({"fault": "drip", "bytesPerSecond": 20_000});
    once(&server, PUT, then).await;
    let id = zero_copy(&server, "a", &listener.origin, &["a.jpg"]).await;
    server.advance("live", "PT0.3S").await;
    let came = listener.next().await;
    let (head, body) = parts(&came).expect("a head");
    assert_eq!(body.len(), told_bytes(&head));
    assert!(came.pieces > 3, "{} of {}", came.pieces, body.len());
    assert_eq!(
        finish_order(&server, &id).await,
        (json!("complete"), Value::Null)
    );
}

#[tokio::test]
async fn a_rule_answers_in_the_targets_place() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    for (status, expected) in [
        (201, (json!("complete"), Value::Null)),
        (
            403,
            (json!("failed"), json!("outputTargets[0].url: answered 403")),
        ),
        (503, (json!("inProgress"), Value::Null)),
    ] {
        let then = json!({"respond": {"status": status}, "delayMs": 1});
        once(&server, PUT, then).await;
        let key = status.to_string();
        let id = zero_copy(&server, &key, &listener.origin, &["a.jpg"]).await;
        server.advance("live", "PT0.3S").await;
        listener.assert_quiet();
        assert_eq!(finish_order(&server, &id).await, expected);
    }
    assert_eq!(hits(&server).await, [1; 3]);
}

async fn fetching() -> TestServer {
    let server = TestServer::with_config(|config| config.orders.fetch = true).await;
    server.freeze("live").await;
    server
}

/// An order of a file of that name there, run: how it ended.
async fn fetched(server: &TestServer, key: &str, origin: &str) -> (Value, Value) {
    let file = json!({"fileName": "a.jpg", "originalFileUrl": format!("{origin}/a.jpg")});
    let id = create_anti_ai(server, &json!({"idempotencyKey": key, "files": [file]})).await;
    server.advance("live", "PT1S").await;
    finish_order(server, &id).await
}

/// An Undetectable document is asked for, of what is there.
async fn detect(server: &TestServer, url: &str) -> TestResponse {
    let body = json!({"key": "live", "url": url}).to_string();
    let headers = [("content-type", "application/json")];
    server.send(Method::POST, "/detect", &headers, body).await
}

#[tokio::test]
async fn each_fault_is_met_in_what_is_downloaded() {
    let server = fetching().await;
    let mut listener = RawListener::with_replies(picture()).await;
    for (n, (fault, says)) in [
        ("reset", "the connection was reset"),
        ("empty", "the connection was closed before the response"),
        ("truncate", "the response was truncated"),
        ("garbage", "the response was not HTTP"),
    ]
    .into_iter()
    .enumerate()
    {
        let when = json!({"operation": FETCH, "fileName": "a.jpg"});
        let body = json!({"name": "flaky", "when": when, "times": 2, "then": {"fault": fault}});
        rule(&server, &body).await;
        let line = format!("rule {} (flaky): {says}", n + 1);
        let expected = format!("files[0].originalFileUrl: {line}");
        let came = fetched(&server, fault, &listener.origin).await;
        assert_eq!(came, (json!("failed"), json!(expected)));
        let refused = detect(&server, &format!("{}/a.jpg", listener.origin)).await;
        let why = format!("url: {line}");
        assert_eq!(
            (refused.status, refused.header("x-mock-reason")),
            (500, &*why)
        );
        for _ in 0..2 {
            let request = listener.next().await.text();
            assert!(request.starts_with("GET /a.jpg HTTP/1.1\r\n"), "{request}");
        }
        let key = format!("after {fault}");
        let after = fetched(&server, &key, &listener.origin).await;
        assert_eq!(after, (json!("complete"), Value::Null));
        listener.next().await;
    }
    assert_eq!(hits(&server).await, [2; 4]);
}

#[tokio::test]
async fn a_file_that_drips_is_there_in_the_end() {
    let server = fetching().await;
    let listener = RawListener::with_replies(picture()).await;
    let then = json!({"fault": "drip", "bytesPerSecond": 200_000});
    once(&server, FETCH, then).await;
    let came = fetched(&server, "a", &listener.origin).await;
    assert_eq!(came, (json!("complete"), Value::Null));
    assert_eq!(hits(&server).await, [1]);
}

#[tokio::test]
async fn what_a_rule_answers_is_the_file() {
    let server = fetching().await;
    let svg = String::from_utf8(fixture("plain.svg")).expect("text");
    let headers = json!({"content-type": "image/svg+xml"});
    let then = json!({"respond": {"status": 200, "headers": headers, "body": svg}, "delayMs": 1});
    once(&server, FETCH, then).await;
    let response = detect(&server, "http://127.0.0.1:1/a_ai.svg").await;
    assert_eq!(response.status, 200, "{}", response.text());
    let then = json!({"respond": {"status": 404}});
    once(&server, FETCH, then).await;
    let refused = detect(&server, "http://127.0.0.1:1/a_ai.svg").await;
    let why = "url: http://127.0.0.1:1/a_ai.svg answered 404";
    assert_eq!(
        (refused.status, refused.header("x-mock-reason")),
        (500, why)
    );
    let then = json!({"respond": {"status": 200, "body": svg}, "fault": "reset"});
    once(&server, FETCH, then).await;
    let refused = detect(&server, "http://127.0.0.1:1/a_ai.svg").await;
    let why = "url: rule 3: the connection was reset";
    assert_eq!(
        (refused.status, refused.header("x-mock-reason")),
        (500, why)
    );
}
