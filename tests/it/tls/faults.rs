//! Faults by TLS: a reset closes the socket, other faults end within TLS.

use std::io::ErrorKind;

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::{BIZMORI, TlsServer, get};
use crate::support::raw;
use crate::support::{Receiver, picture};

/// Creates a rule that applies to one request of `operation`.
async fn create_rule(secure: &TlsServer, operation: &str, then: Value) {
    let rule = json!({"when": {"operation": operation}, "times": 1, "then": then});
    let server = &secure.server;
    server.control(Method::POST, "/_mock/rules", &rule).await;
}

const FAULTS: [(&str, Option<ErrorKind>); 4] = [
    ("reset", Some(ErrorKind::ConnectionReset)),
    ("empty", None),
    ("truncate", None),
    ("garbage", None),
];

#[tokio::test]
async fn fault_by_tls_ends_response_as_without_tls() {
    let secure = TlsServer::start().await;
    let request = get("/api/v2/orders/webhooks", "");
    let close = get("/api/v2/orders/webhooks", "Connection: close\r\n");
    let whole = secure.exchange(&close).await.response();
    for (fault, end) in FAULTS {
        create_rule(&secure, "bizmori.listWebhooks", json!({"fault": fault})).await;
        let received = secure.exchange(&request).await;
        // Without a TLS close_notify, an orderly end would be an error.
        assert_eq!(received.error, end, "{fault}");
        match fault {
            "truncate" => {
                let half = &whole.bytes[..whole.bytes.len() / 2];
                assert_eq!(received.response().bytes, half);
            }
            "garbage" => {
                assert!(!received.bytes.is_empty() && !received.text().contains("HTTP/"));
            }
            _ => assert_eq!(received.text(), "", "{fault}"),
        }
    }
    let truncate = json!({"fault": "truncate"});
    create_rule(&secure, "bizmori.listWebhooks", truncate).await;
    let mut head_request = request;
    head_request.splice(..3, *b"HEAD");
    let received = secure.exchange(&head_request).await;
    assert!(!received.text().contains("\r\n\r\n"), "{}", received.text());
}

#[tokio::test]
async fn fault_by_tls_leaves_earlier_responses_of_connection_whole() {
    let secure = TlsServer::start().await;
    let client = secure.client_for(BIZMORI);
    client.freeze("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = client.confirm_detection("live", &body, picture()).await;
    client.advance("live", "PT1S").await;
    let url = client.get_order("live", &id).await["originalImageUrl"].take();
    let big = get(url.as_str().expect("a URL"), "");
    let picture = picture();
    for (fault, end) in FAULTS {
        create_rule(&secure, "undetectable.health", json!({"fault": fault})).await;
        let mut stream = secure.connect_to_bizmori().await;
        let requests = [&big[..], &big, &get("/health", ""), &big].concat();
        let written = stream.write_all(&requests).await;
        written.expect("the requests are sent");
        let mut start = vec![0; picture.len()];
        let read = stream.read_exact(&mut start).await;
        read.expect("most of the first response");
        let mut received = raw::read_to_end(&mut stream).await;
        received.bytes.splice(..0, start);
        let windows = received.bytes.windows(picture.len());
        let pictures = windows.filter(|part| *part == picture).count();
        assert_eq!((pictures, received.error), (2, end), "{fault}");
    }
}

#[tokio::test]
async fn fault_by_tls_does_not_lose_responses_waiting_to_be_read() {
    const COUNT: usize = 300;
    let secure = TlsServer::start().await;
    let client = secure.client_for(BIZMORI);
    client.freeze("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = client.confirm_detection("live", &body, picture()).await;
    client.advance("live", "PT1S").await;
    let url = client.get_order("live", &id).await["originalImageUrl"].take();
    create_rule(&secure, "undetectable.health", json!({"fault": "empty"})).await;
    let mut requests = get(url.as_str().expect("a URL"), "").repeat(COUNT);
    requests.extend(get("/health", ""));
    let (mut read, mut write) = tokio::io::split(secure.connect_to_bizmori().await);
    let writing = tokio::spawn(async move {
        let written = write.write_all(&requests).await;
        (written, write)
    });
    let mut first_byte = [0; 1];
    read.read_exact(&mut first_byte).await.expect("a byte");
    // The unread responses fill the socket buffers while the server runs.
    client.drain("live").await;
    let received = raw::read_to_end(&mut read).await;
    let (written, _write) = writing.await.expect("no panic");
    written.expect("the requests are sent");
    let status_line = b"HTTP/1.1 200 OK\r\n";
    let windows = received.bytes.windows(status_line.len());
    let responses = windows.filter(|part| part == status_line).count();
    // `first_byte` belongs to the first status line.
    assert_eq!((responses, received.error), (COUNT - 1, None));
    assert!(received.bytes.ends_with(&picture()));
}

#[tokio::test]
async fn drip_fault_by_tls_leaves_connection_usable() {
    let secure = TlsServer::start().await;
    let then = json!({"fault": "drip", "bytesPerSecond": 500});
    create_rule(&secure, "bizmori.listWebhooks", then).await;
    let request = get("/api/v2/orders/webhooks", "");
    let last = get("/_mock/ca.pem", "Connection: close\r\n");
    let received = secure.exchange(&[request, last].concat()).await;
    assert!(
        received.bytes.ends_with(secure.ca.as_bytes()),
        "{}",
        received.text()
    );
    assert!(received.pieces > 2, "{}", received.pieces);
    assert_eq!(received.error, None);
}

#[tokio::test]
async fn webhook_of_request_with_fault_by_tls_is_delivered() {
    for fault in ["reset", "empty", "truncate", "garbage", "drip"] {
        let secure = TlsServer::start().await;
        let client = secure.client_for(BIZMORI);
        let receiver = Receiver::start().await;
        client.freeze("live").await;
        client.webhook("live", &receiver.url).await;
        let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
        let id = client.upload_detection("live", &body, picture()).await;
        create_rule(&secure, "bizmori.confirm*", json!({"fault": fault})).await;
        let confirm = json!({"idempotencyKey": "c", "orderId": id}).to_string();
        let head = format!(
            "POST /api/v2/orders/ai-detection/confirm HTTP/1.1\r\nHost: {BIZMORI}\r\n\
             Authorization: Bearer live\r\nContent-Type: application/json\r\n\
             Connection: close\r\nContent-Length: {}\r\n\r\n{confirm}",
            confirm.len()
        );
        secure.exchange(head.as_bytes()).await;
        let executed = client.advance("live", "PT1S").await;
        assert_eq!(executed, ["order.process", "webhook.deliver"], "{fault}");
        let event: Value = receiver.messages(1).await[0].json();
        assert_eq!(event["data"]["orderId"], id, "{fault}");
    }
}
