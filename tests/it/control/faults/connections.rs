//! A fault affects its own request only. Earlier responses on the connection are complete.

use std::io::ErrorKind;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{WEBHOOKS, add_rule_once, exchange, hits, picture_url, request};
use crate::support::raw::{self, RawResponse};
use crate::support::{Receiver, TestServer, picture};

/// Returns the bodies of the complete responses, and the bytes after them.
fn split_responses(received: &RawResponse) -> (Vec<Vec<u8>>, &[u8]) {
    let mut rest = received.bytes.as_slice();
    let mut bodies = Vec::new();
    while let Some(head) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
        let text = String::from_utf8_lossy(&rest[..head]).to_lowercase();
        let mut lines = text.lines();
        let length = lines
            .find_map(|line| line.strip_prefix("content-length: "))
            .map(|length| length.parse::<usize>().expect("a number"));
        let Some(body) = length.and_then(|length| rest[head + 4..].get(..length)) else {
            break;
        };
        bodies.push(body.to_vec());
        rest = &rest[head + 4 + body.len()..];
    }
    (bodies, rest)
}

#[tokio::test]
async fn fault_on_a_connection_leaves_earlier_responses_complete() {
    let server = TestServer::start_frozen("live").await;
    let url = picture_url(&server).await;
    let picture = server.send(Method::GET, &url, &[], "").await.bytes;
    let big = request("GET", &url, "", b"");
    let health = request("GET", "/health", "", b"");
    for (fault, end) in [
        ("reset", Some(ErrorKind::ConnectionReset)),
        ("empty", None),
        ("truncate", None),
        ("garbage", None),
    ] {
        add_rule_once(&server, "undetectable.health", json!({"fault": fault})).await;
        let mut stream = raw::connect(&server.origin).await;
        let earlier = [&big[..], &big[..]].concat();
        stream
            .write_all(&earlier)
            .await
            .expect("the server reads the request");
        let mut first = vec![0; picture.len()];
        stream
            .read_exact(&mut first)
            .await
            .expect("the start of a response");
        let sent = [&health[..], &big[..]].concat();
        stream
            .write_all(&sent)
            .await
            .expect("the server reads the request");
        let mut received = raw::read_to_end(&mut stream).await;
        received.bytes.splice(..0, first);
        let (bodies, rest) = split_responses(&received);
        assert_eq!(bodies.len(), 2, "{fault}");
        assert!(bodies.iter().all(|body| *body == picture), "{fault}");
        assert_eq!(received.error, end, "{fault}");
        let text = String::from_utf8_lossy(rest);
        assert_eq!(text.starts_with("HTTP/1.1 "), fault == "truncate", "{text}");
        assert_eq!(
            rest.is_empty(),
            matches!(fault, "reset" | "empty"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn fault_on_pipelined_request_answers_the_requests_before_it() {
    let server = TestServer::start_frozen("live").await;
    add_rule_once(&server, "undetectable.health", json!({"fault": "empty"})).await;
    let list = request("GET", WEBHOOKS, "", b"");
    let health = request("GET", "/health", "", b"");
    let sent = [&list[..], &list, &health, &list].concat();
    let received = exchange(&server, &sent).await;
    let (bodies, rest) = split_responses(&received);
    assert_eq!((bodies.len(), rest), (2, &[][..]), "{}", received.text());
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn fault_after_unread_responses_delivers_all_of_them() {
    const COUNT: usize = 400;
    let server = TestServer::start_frozen("live").await;
    let url = picture_url(&server).await;
    let picture = server.send(Method::GET, &url, &[], "").await.bytes;
    add_rule_once(&server, "undetectable.health", json!({"fault": "empty"})).await;
    let mut sent = request("GET", &url, "", b"").repeat(COUNT);
    sent.extend(request("GET", "/health", "", b""));
    let (mut read, mut write) = raw::connect(&server.origin).await.into_split();
    let writing = tokio::spawn(async move {
        let written = write.write_all(&sent).await;
        (written, write)
    });
    let mut first = vec![0; picture.len()];
    read.read_exact(&mut first)
        .await
        .expect("the start of a response");
    // The unread rest is larger than the socket buffers.
    server.drain("live").await;
    let mut received = raw::read_to_end(&mut read).await;
    let (written, _write) = writing.await.expect("no panic");
    written.expect("the server reads the requests");
    received.bytes.splice(..0, first);
    let (bodies, rest) = split_responses(&received);
    assert_eq!((bodies.len(), rest.len(), received.error), (COUNT, 0, None));
    assert!(bodies.iter().all(|body| *body == picture));
}

#[tokio::test]
async fn drip_slows_only_its_own_response() {
    let server = TestServer::start_frozen("live").await;
    let url = picture_url(&server).await;
    let picture = server.send(Method::GET, &url, &[], "").await.bytes;
    let big = request("GET", &url, "Connection: close\r\n", b"");
    let then = json!({"fault": "drip", "bytesPerSecond": 500});
    for (operation, first) in [
        ("bizmori.listWebhooks", request("GET", WEBHOOKS, "", b"")),
        ("storage.head", request("HEAD", &url, "", b"")),
    ] {
        add_rule_once(&server, operation, then.clone()).await;
        let received = exchange(&server, &[&first[..], &big[..]].concat()).await;
        let text = String::from_utf8_lossy(&received.bytes);
        assert!(text.starts_with("HTTP/1.1 "), "{text}");
        assert!(
            received.bytes.ends_with(&picture),
            "the second response is not slowed down"
        );
        assert!(received.pieces > 2, "{}", received.pieces);
    }
    assert_eq!(hits(&server).await, [1, 1]);
}

#[tokio::test]
async fn hang_up_during_drip_ends_the_request() {
    let server = TestServer::start().await;
    add_rule_once(&server, "*", json!({"fault": "drip", "bytesPerSecond": 1})).await;
    let mut client = raw::connect(&server.origin).await;
    let health = request("GET", "/health", "", b"");
    client
        .write_all(&health)
        .await
        .expect("the server reads the request");
    assert_eq!(client.read_u8().await.expect("a byte"), b'H');
    drop(client);
    assert!(server.shuts_down_cleanly().await);
}

#[tokio::test]
async fn stop_during_drip_aborts_it() {
    let server = TestServer::start().await;
    add_rule_once(&server, "*", json!({"fault": "drip", "bytesPerSecond": 1})).await;
    let mut client = raw::connect(&server.origin).await;
    let health = request("GET", "/health", "", b"");
    client
        .write_all(&health)
        .await
        .expect("the server reads the request");
    assert_eq!(client.read_u8().await.expect("a byte"), b'H');
    // The complete response would take minutes.
    assert!(!server.shuts_down_cleanly().await);
}

#[tokio::test]
async fn fault_on_confirm_response_still_completes_the_order() {
    for fault in ["reset", "empty", "truncate", "garbage", "drip"] {
        let server = TestServer::start_frozen("live").await;
        let receiver = Receiver::start().await;
        server.webhook("live", &receiver.url).await;
        let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
        let id = server.upload_detection("live", &body, picture()).await;
        add_rule_once(&server, "bizmori.confirm*", json!({"fault": fault})).await;
        let confirm = json!({"idempotencyKey": "c", "orderId": id}).to_string();
        let path = "/api/v2/orders/ai-detection/confirm";
        let headers = "Content-Type: application/json\r\nConnection: close\r\n";
        exchange(&server, &request("POST", path, headers, confirm.as_bytes())).await;
        assert_eq!(hits(&server).await, [1], "{fault}");
        let kinds = server.advance("live", "PT1S").await;
        assert_eq!(kinds, ["order.process", "webhook.deliver"], "{fault}");
        assert_eq!(server.get_order("live", &id).await["status"], "complete");
        let event: Value = receiver.messages(1).await[0].json();
        assert_eq!(event["data"]["orderId"], id, "{fault}");
    }
}
