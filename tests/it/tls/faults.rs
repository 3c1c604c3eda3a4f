//! Faults by TLS: what is said within it breaks as it does in clear, and a reset is the socket's.

use std::io::ErrorKind;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{BIZMORI, Secure, get};
use crate::support::raw;
use crate::support::{Receiver, picture};

/// Has such calls come to that, once.
async fn once(secure: &Secure, operation: &str, then: Value) {
    let rule = json!({"when": {"operation": operation}, "times": 1, "then": then});
    let server = &secure.stunt;
    server.control(Method::POST, "/_mock/rules", &rule).await;
}

const FAULTS: [(&str, Option<ErrorKind>); 4] = [
    ("reset", Some(ErrorKind::ConnectionReset)),
    ("empty", None),
    ("truncate", None),
    ("garbage", None),
];

#[tokio::test]
async fn an_answer_breaks_as_it_does_in_clear() {
    let secure = Secure::start().await;
    let request = get("/api/v2/orders/webhooks", "");
    let close = get("/api/v2/orders/webhooks", "Connection: close\r\n");
    let whole = secure.exchanged(&close).await.response();
    for (fault, end) in FAULTS {
        once(&secure, "bizmori.listWebhooks", json!({"fault": fault})).await;
        let came = secure.exchanged(&request).await;
        // An orderly end: TLS says that it ends, or it would be an error.
        assert_eq!(came.error, end, "{fault}");
        match fault {
            "truncate" => {
                let half = &whole.bytes[..whole.bytes.len() / 2];
                assert_eq!(came.response().bytes, half);
            }
            "garbage" => {
                assert!(!came.bytes.is_empty() && !came.text().contains("HTTP/"));
            }
            _ => assert_eq!(came.text(), "", "{fault}"),
        }
    }
    let truncate = json!({"fault": "truncate"});
    once(&secure, "bizmori.listWebhooks", truncate).await;
    let mut request = request;
    request.splice(..3, *b"HEAD");
    let came = secure.exchanged(&request).await;
    assert!(!came.text().contains("\r\n\r\n"), "{}", came.text());
}

#[tokio::test]
async fn what_was_answered_before_on_the_connection_came_whole() {
    let secure = Secure::start().await;
    let client = secure.called(BIZMORI);
    client.freeze("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = client.confirm_detection("live", &body, picture()).await;
    client.advance("live", "PT1S").await;
    let url = client.get_order("live", &id).await["originalImageUrl"].take();
    let big = get(url.as_str().expect("a URL"), "");
    let picture = picture();
    for (fault, end) in FAULTS {
        once(&secure, "undetectable.health", json!({"fault": fault})).await;
        let mut stream = secure.connected().await;
        let sent = [&big[..], &big, &get("/health", ""), &big].concat();
        stream.write_all(&sent).await.expect("it is read");
        let mut first = vec![0; picture.len()];
        stream.read_exact(&mut first).await.expect("most of one");
        let mut came = raw::read_to_end(&mut stream).await;
        came.bytes.splice(..0, first);
        let whole = came.bytes.windows(picture.len());
        let whole = whole.filter(|part| *part == picture).count();
        assert_eq!((whole, came.error), (2, end), "{fault}");
    }
}

#[tokio::test]
async fn answers_that_wait_to_be_read_are_not_lost() {
    const COUNT: usize = 300;
    let secure = Secure::start().await;
    let client = secure.called(BIZMORI);
    client.freeze("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = client.confirm_detection("live", &body, picture()).await;
    client.advance("live", "PT1S").await;
    let url = client.get_order("live", &id).await["originalImageUrl"].take();
    once(&secure, "undetectable.health", json!({"fault": "empty"})).await;
    let mut sent = get(url.as_str().expect("a URL"), "").repeat(COUNT);
    sent.extend(get("/health", ""));
    let (mut read, mut write) = tokio::io::split(secure.connected().await);
    let writing = tokio::spawn(async move {
        let written = write.write_all(&sent).await;
        (written, write)
    });
    let mut first = [0; 1];
    read.read_exact(&mut first).await.expect("a byte");
    // More than sockets hold is left unread while the server has its turn.
    client.drain("live").await;
    let came = raw::read_to_end(&mut read).await;
    let (written, _write) = writing.await.expect("no panic");
    written.expect("it was read");
    let begins = b"HTTP/1.1 200 OK\r\n";
    let answers = came.bytes.windows(begins.len());
    let answers = answers.filter(|part| part == begins).count();
    // The first one's first byte was read before.
    assert_eq!((answers, came.error), (COUNT - 1, None));
    assert!(came.bytes.ends_with(&picture()));
}

#[tokio::test]
async fn after_a_drip_the_connection_is_as_ever() {
    let secure = Secure::start().await;
    let then = json!({"fault": "drip", "bytesPerSecond": 500});
    once(&secure, "bizmori.listWebhooks", then).await;
    let request = get("/api/v2/orders/webhooks", "");
    let last = get("/_mock/ca.pem", "Connection: close\r\n");
    let came = secure.exchanged(&[request, last].concat()).await;
    assert!(
        came.bytes.ends_with(secure.ca.as_bytes()),
        "{}",
        came.text()
    );
    assert!(came.pieces > 2, "{}", came.pieces);
    assert_eq!(came.error, None);
}

#[tokio::test]
async fn the_webhook_of_an_answer_that_broke_goes_out() {
    for fault in ["reset", "empty", "truncate", "garbage", "drip"] {
        let secure = Secure::start().await;
        let client = secure.called(BIZMORI);
        let receiver = Receiver::start().await;
        client.freeze("live").await;
        client.webhook("live", &receiver.url).await;
        let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
        let id = client.upload_detection("live", &body, picture()).await;
        once(&secure, "bizmori.confirm*", json!({"fault": fault})).await;
        let confirm = json!({"idempotencyKey": "c", "orderId": id}).to_string();
        let head = format!(
            "POST /api/v2/orders/ai-detection/confirm HTTP/1.1\r\nHost: {BIZMORI}\r\n\
             Authorization: Bearer live\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{confirm}",
            confirm.len()
        );
        secure.exchanged(head.as_bytes()).await;
        let ran = client.advance("live", "PT1S").await;
        assert_eq!(ran, ["order.process", "webhook.deliver"], "{fault}");
        let response_body: Value = receiver.messages(1).await[0].json();
        assert_eq!(response_body["data"]["orderId"], id, "{fault}");
    }
}
