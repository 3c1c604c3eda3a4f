//! A fault is that request's alone: what came before on its connection came whole, and what waits
//! for the answer waits no longer than that.

use std::io::ErrorKind;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{ORDERS, exchanged, hits, once, picture_url, request};
use crate::support::raw::{self, RawResponse};
use crate::support::{Receiver, TestServer, picture};

/// The bodies of the whole answers that came one after the other, and what came after them.
fn whole_answers(came: &RawResponse) -> (Vec<Vec<u8>>, &[u8]) {
    let (mut rest, mut bodies) = (came.bytes.as_slice(), Vec::new());
    while let Some(head) = rest.windows(4).position(|four| four == b"\r\n\r\n") {
        let text = String::from_utf8_lossy(&rest[..head]).to_lowercase();
        let mut lines = text.lines();
        let length = lines.find_map(|line| line.strip_prefix("content-length: "));
        let length = length.map(|length| length.parse::<usize>().expect("a number"));
        let body = length.and_then(|length| rest[head + 4..].get(..length));
        let Some(body) = body else {
            break;
        };
        bodies.push(body.to_vec());
        rest = &rest[head + 4 + body.len()..];
    }
    (bodies, rest)
}

#[tokio::test]
async fn what_was_answered_before_came_whole() {
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
        once(&server, "undetectable.health", json!({"fault": fault})).await;
        let mut stream = raw::connect(&server.origin).await;
        let earlier = [&big[..], &big[..]].concat();
        stream.write_all(&earlier).await.expect("it is read");
        let mut first = vec![0; picture.len()];
        stream.read_exact(&mut first).await.expect("most of one");
        let sent = [&health[..], &big[..]].concat();
        stream.write_all(&sent).await.expect("it is read");
        let mut came = raw::read_to_end(&mut stream).await;
        came.bytes.splice(..0, first);
        let (bodies, rest) = whole_answers(&came);
        assert_eq!(bodies.len(), 2, "{fault}");
        assert!(bodies.iter().all(|body| *body == picture), "{fault}");
        assert_eq!(came.error, end, "{fault}");
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
async fn requests_sent_ahead_are_answered_up_to_the_one_that_breaks() {
    let server = TestServer::start_frozen("live").await;
    once(&server, "undetectable.health", json!({"fault": "empty"})).await;
    let list = request("GET", ORDERS, "", b"");
    let health = request("GET", "/health", "", b"");
    let sent = [&list[..], &list, &health, &list].concat();
    let came = exchanged(&server, &sent).await;
    let (bodies, rest) = whole_answers(&came);
    assert_eq!((bodies.len(), rest), (2, &[][..]), "{}", came.text());
    assert_eq!(bodies[0], bodies[1]);
}

#[tokio::test]
async fn answers_that_wait_to_be_read_are_not_lost() {
    const COUNT: usize = 400;
    let server = TestServer::start_frozen("live").await;
    let url = picture_url(&server).await;
    let picture = server.send(Method::GET, &url, &[], "").await.bytes;
    once(&server, "undetectable.health", json!({"fault": "empty"})).await;
    let mut sent = request("GET", &url, "", b"").repeat(COUNT);
    sent.extend(request("GET", "/health", "", b""));
    let (mut read, mut write) = raw::connect(&server.origin).await.into_split();
    let writing = tokio::spawn(async move {
        let written = write.write_all(&sent).await;
        (written, write)
    });
    let mut first = vec![0; picture.len()];
    read.read_exact(&mut first).await.expect("most of one");
    // More than sockets hold is left unread while the server has its turn.
    server.drain("live").await;
    let mut came = raw::read_to_end(&mut read).await;
    let (written, _write) = writing.await.expect("no panic");
    written.expect("it was read");
    came.bytes.splice(..0, first);
    let (bodies, rest) = whole_answers(&came);
    assert_eq!((bodies.len(), rest.len(), came.error), (COUNT, 0, None));
    assert!(bodies.iter().all(|body| *body == picture));
}

#[tokio::test]
async fn after_a_drip_its_connection_is_as_ever() {
    let server = TestServer::start_frozen("live").await;
    let url = picture_url(&server).await;
    let picture = server.send(Method::GET, &url, &[], "").await.bytes;
    let big = request("GET", &url, "Connection: close\r\n", b"");
    let then = json!({"fault": "drip", "bytesPerSecond": 500});
    for (operation, first) in [
        ("bizmori.listWebhooks", request("GET", ORDERS, "", b"")),
        ("storage.head", request("HEAD", &url, "", b"")),
    ] {
        once(&server, operation, then.clone()).await;
        let came = exchanged(&server, &[&first[..], &big[..]].concat()).await;
        let text = String::from_utf8_lossy(&came.bytes);
        assert!(text.starts_with("HTTP/1.1 "), "{text}");
        assert!(
            came.bytes.ends_with(&picture),
            "at full speed, or this takes a minute"
        );
        assert!(came.pieces > 2, "{}", came.pieces);
    }
    assert_eq!(hits(&server).await, [1, 1]);
}

#[tokio::test]
async fn a_drip_ends_when_its_client_goes() {
    let server = TestServer::start().await;
    once(&server, "*", json!({"fault": "drip", "bytesPerSecond": 1})).await;
    let mut client = raw::connect(&server.origin).await;
    let health = request("GET", "/health", "", b"");
    client.write_all(&health).await.expect("it is read");
    assert_eq!(client.read_u8().await.expect("a byte"), b'H');
    drop(client);
    assert!(server.shuts_down_cleanly().await);
}

#[tokio::test]
async fn a_drip_does_not_hold_the_server() {
    let server = TestServer::start().await;
    once(&server, "*", json!({"fault": "drip", "bytesPerSecond": 1})).await;
    let mut client = raw::connect(&server.origin).await;
    let health = request("GET", "/health", "", b"");
    client.write_all(&health).await.expect("it is read");
    assert_eq!(client.read_u8().await.expect("a byte"), b'H');
    // All of it would take minutes.
    assert!(!server.shuts_down_cleanly().await);
}

#[tokio::test]
async fn an_order_whose_confirm_was_answered_so_goes_on() {
    for fault in ["reset", "empty", "truncate", "garbage", "drip"] {
        let server = TestServer::start_frozen("live").await;
        let receiver = Receiver::start().await;
        server.webhook("live", &receiver.url).await;
        let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
        let id = server.upload_detection("live", &body, picture()).await;
        once(&server, "bizmori.confirm*", json!({"fault": fault})).await;
        let confirm = json!({"idempotencyKey": "c", "orderId": id}).to_string();
        let path = "/api/v2/orders/ai-detection/confirm";
        let headers = "Content-Type: application/json\r\nConnection: close\r\n";
        exchanged(&server, &request("POST", path, headers, confirm.as_bytes())).await;
        assert_eq!(hits(&server).await, [1], "{fault}");
        let ran = server.advance("live", "PT1S").await;
        assert_eq!(ran, ["order.process", "webhook.deliver"], "{fault}");
        assert_eq!(server.get_order("live", &id).await["status"], "complete");
        let response_body: Value = receiver.messages(1).await[0].json();
        assert_eq!(response_body["data"]["orderId"], id, "{fault}");
    }
}
