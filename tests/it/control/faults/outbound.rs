//! Faults on zero copy PUTs to output targets, and on fetches of inputs.

use std::io::ErrorKind;

use reqwest::Method;
use serde_json::{Value, json};

use super::listener::{RawListener, content_length, split_head};
use super::{add_rule, add_rule_once, hits};
use crate::support::{TestResponse, TestServer, fixture, picture};

const ANTI_AI: &str = "/api/v2/orders/anti-ai";
const PUT: &str = "zeroCopy.put";
const FETCH: &str = "file.fetch";
/// Time from the confirm to the last retry, 7 s after the first attempt.
const RETRY_SCHEDULE: &str = "PT7.3S";

/// Creates an order. Returns its id.
async fn create_anti_ai(server: &TestServer, body: &Value) -> String {
    let response = server.post("live", ANTI_AI, body).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let id = response.json()["data"]["orderId"].take();
    id.as_str().expect("an id").to_owned()
}

/// Creates a zero copy order of files with `names`, with targets at `origin`. Returns its id.
async fn create_zero_copy(server: &TestServer, key: &str, origin: &str, names: &[&str]) -> String {
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

/// Returns the status and the errors of an order.
async fn status_and_errors(server: &TestServer, id: &str) -> (Value, Value) {
    let mut order = server.get_order("live", id).await;
    (order["status"].take(), order["errors"].take())
}

#[tokio::test]
async fn fault_on_output_put_reaches_the_target_and_the_retry_is_complete() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    for fault in ["reset", "empty", "truncate", "garbage"] {
        add_rule_once(&server, PUT, json!({"fault": fault})).await;
        let id = create_zero_copy(&server, fault, &listener.origin, &["a.jpg"]).await;
        server.advance("live", "PT0.3S").await;
        let broken = listener.next().await;
        assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
        assert_eq!(server.advance("live", "PT1S").await, ["order.process"]);
        let whole = listener.next().await;
        let (head, body) = split_head(&whole).expect("a complete head");
        assert!(body.len() > 1_000 && body.len() == content_length(&head));
        let expected = (fault == "reset").then_some(ErrorKind::ConnectionReset);
        assert_eq!(broken.error, expected, "{fault}");
        match fault {
            "empty" => assert_eq!(broken.text(), ""),
            "garbage" => {
                assert!(!broken.bytes.is_empty() && !broken.text().contains("HTTP/"));
            }
            "truncate" => {
                let (head, truncated) = split_head(&broken).expect("a complete head");
                assert_eq!(content_length(&head), body.len());
                assert!(head.contains("\ncontent-type: image/jpeg\r"), "{head}");
                assert!(truncated == &body[..body.len() / 2]);
            }
            _ => {
                let half = whole.bytes.len() / 2;
                assert!(
                    broken.bytes.len().abs_diff(half) < 2,
                    "{}",
                    broken.bytes.len()
                );
                assert!(broken.text().starts_with("PUT /a.jpg HTTP/1.1\r\n"));
            }
        }
        assert_eq!(
            status_and_errors(&server, &id).await,
            (json!("complete"), Value::Null)
        );
    }
}

#[tokio::test]
async fn fault_on_every_output_put_fails_the_order_with_the_reason() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    let when = json!({"operation": PUT, "fileName": "b.*"});
    let body = json!({"name": "flaky", "when": when, "then": {"fault": "truncate"}});
    add_rule(&server, &body).await;
    let id = create_zero_copy(&server, "a", &listener.origin, &["a.jpg", "b.jpg"]).await;
    let kinds = server.advance("live", RETRY_SCHEDULE).await;
    assert_eq!(kinds, ["order.process"; 4]);
    let errors = "outputTargets[1].url: rule 1 (flaky): the request was cut half way";
    assert_eq!(
        status_and_errors(&server, &id).await,
        (json!("failed"), json!(errors))
    );
    assert_eq!(
        hits(&server).await,
        [4],
        "the rule does not match the other file"
    );
    for path in ["/a.jpg", "/b.jpg", "/b.jpg", "/b.jpg", "/b.jpg"] {
        let request = listener.next().await.text();
        let request_line = format!("PUT {path} HTTP/1.1\r\n");
        assert!(request.starts_with(&request_line), "{request}");
    }
    listener.assert_quiet();
}

#[tokio::test]
async fn drip_on_output_put_sends_it_completely_in_pieces() {
    let server = TestServer::start_frozen("live").await;
    let mut listener = RawListener::start().await;
    let then = json!({"fault": "drip", "bytesPerSecond": 20_000});
    add_rule_once(&server, PUT, then).await;
    let id = create_zero_copy(&server, "a", &listener.origin, &["a.jpg"]).await;
    server.advance("live", "PT0.3S").await;
    let received = listener.next().await;
    let (head, body) = split_head(&received).expect("a head");
    assert_eq!(body.len(), content_length(&head));
    assert!(received.pieces > 3, "{} of {}", received.pieces, body.len());
    assert_eq!(
        status_and_errors(&server, &id).await,
        (json!("complete"), Value::Null)
    );
}

#[tokio::test]
async fn respond_by_rule_replaces_the_target() {
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
        add_rule_once(&server, PUT, then).await;
        let key = status.to_string();
        let id = create_zero_copy(&server, &key, &listener.origin, &["a.jpg"]).await;
        server.advance("live", "PT0.3S").await;
        listener.assert_quiet();
        assert_eq!(status_and_errors(&server, &id).await, expected);
    }
    assert_eq!(hits(&server).await, [1; 3]);
}

async fn start_with_fetch() -> TestServer {
    let server = TestServer::with_config(|config| config.orders.fetch = true).await;
    server.freeze("live").await;
    server
}

/// Runs an order whose input is fetched from `origin`. Returns its status and errors.
async fn run_fetching_order(server: &TestServer, key: &str, origin: &str) -> (Value, Value) {
    let file = json!({"fileName": "a.jpg", "originalFileUrl": format!("{origin}/a.jpg")});
    let id = create_anti_ai(server, &json!({"idempotencyKey": key, "files": [file]})).await;
    server.advance("live", "PT1S").await;
    status_and_errors(server, &id).await
}

/// Requests the detection of the file at `url`.
async fn detect(server: &TestServer, url: &str) -> TestResponse {
    let body = json!({"key": "live", "url": url}).to_string();
    let headers = [("content-type", "application/json")];
    server.send(Method::POST, "/detect", &headers, body).await
}

#[tokio::test]
async fn fault_on_input_fetch_fails_order_and_document() {
    let server = start_with_fetch().await;
    let mut listener = RawListener::start_with_body(picture()).await;
    for (n, (fault, message)) in [
        ("reset", "the connection was reset"),
        ("empty", "the connection was closed before the answer"),
        ("truncate", "the answer was cut half way"),
        ("garbage", "what was answered is no HTTP"),
    ]
    .into_iter()
    .enumerate()
    {
        let when = json!({"operation": FETCH, "fileName": "a.jpg"});
        let body = json!({"name": "flaky", "when": when, "times": 2, "then": {"fault": fault}});
        add_rule(&server, &body).await;
        let line = format!("rule {} (flaky): {message}", n + 1);
        let expected = format!("files[0].originalFileUrl: {line}");
        let actual = run_fetching_order(&server, fault, &listener.origin).await;
        assert_eq!(actual, (json!("failed"), json!(expected)));
        let refused = detect(&server, &format!("{}/a.jpg", listener.origin)).await;
        let reason = format!("url: {line}");
        assert_eq!(
            (refused.status, refused.header("x-mock-reason")),
            (500, &*reason)
        );
        for _ in 0..2 {
            let request = listener.next().await.text();
            assert!(request.starts_with("GET /a.jpg HTTP/1.1\r\n"), "{request}");
        }
        let key = format!("after {fault}");
        let after = run_fetching_order(&server, &key, &listener.origin).await;
        assert_eq!(after, (json!("complete"), Value::Null));
        listener.next().await;
    }
    assert_eq!(hits(&server).await, [2; 4]);
}

#[tokio::test]
async fn drip_on_input_fetch_completes_the_order() {
    let server = start_with_fetch().await;
    let listener = RawListener::start_with_body(picture()).await;
    let then = json!({"fault": "drip", "bytesPerSecond": 200_000});
    add_rule_once(&server, FETCH, then).await;
    let actual = run_fetching_order(&server, "a", &listener.origin).await;
    assert_eq!(actual, (json!("complete"), Value::Null));
    assert_eq!(hits(&server).await, [1]);
}

#[tokio::test]
async fn respond_by_rule_to_input_fetch_supplies_the_file() {
    let server = start_with_fetch().await;
    let svg = String::from_utf8(fixture("plain.svg")).expect("text");
    let headers = json!({"content-type": "image/svg+xml"});
    let then = json!({"respond": {"status": 200, "headers": headers, "body": svg}, "delayMs": 1});
    add_rule_once(&server, FETCH, then).await;
    let response = detect(&server, "http://127.0.0.1:1/a_ai.svg").await;
    assert_eq!(response.status, 200, "{}", response.text());
    let then = json!({"respond": {"status": 404}});
    add_rule_once(&server, FETCH, then).await;
    let refused = detect(&server, "http://127.0.0.1:1/a_ai.svg").await;
    let reason = "url: http://127.0.0.1:1/a_ai.svg answered 404";
    assert_eq!(
        (refused.status, refused.header("x-mock-reason")),
        (500, reason)
    );
    let then = json!({"respond": {"status": 200, "body": svg}, "fault": "reset"});
    add_rule_once(&server, FETCH, then).await;
    let refused = detect(&server, "http://127.0.0.1:1/a_ai.svg").await;
    let reason = "url: rule 3: the connection was reset";
    assert_eq!(
        (refused.status, refused.header("x-mock-reason")),
        (500, reason)
    );
}
