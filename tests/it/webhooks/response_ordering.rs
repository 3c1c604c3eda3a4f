//! A webhook is sent only after the response of the request that caused it has been written.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::support::{Receiver, TestServer, picture};

const ROUNDS: usize = 60;
/// API key whose orders need no processing, so that only the response delays a webhook.
const KEY: &str = "sk_test_1";

/// Returns the bytes that can be read from the connection without waiting.
fn peek_available(stream: &TcpStream) -> String {
    let mut bytes = [0; 4096];
    match stream.peek(&mut bytes) {
        Ok(length) => String::from_utf8_lossy(&bytes[..length]).into_owned(),
        Err(error) if error.kind() == ErrorKind::WouldBlock => String::new(),
        Err(error) => panic!("{error}"),
    }
}

/// Connection of a client, the receiver of its webhooks, and the bytes that the client could read at the
/// time of each webhook.
type ObservedClient = (Arc<TcpStream>, Receiver, Arc<Mutex<Vec<String>>>);

/// Connects to the server and registers a receiver that records the readable bytes at each webhook.
async fn observe_client(server: &TestServer) -> ObservedClient {
    let address = server.origin.trim_start_matches("http://");
    let client = Arc::new(TcpStream::connect(address).expect("a connection"));
    client.set_nonblocking(true).expect("a setting");
    let observed: Arc<Mutex<Vec<String>>> = Arc::default();
    let receiver = {
        let client = Arc::clone(&client);
        let observed = Arc::clone(&observed);
        let notice = move || {
            observed
                .lock()
                .expect("no panic")
                .push(peek_available(&client));
        };
        Receiver::with_callback(notice).await
    };
    server.webhook(KEY, &receiver.url).await;
    (client, receiver, observed)
}

/// Sends a POST and returns the part of its response that was readable when the webhook arrived.
async fn response_at_webhook(
    (client, receiver, observed): &ObservedClient,
    round: usize,
    path: &str,
    body: &str,
) -> String {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    let written = (&**client).write_all(request.as_bytes());
    written.expect("the request is sent");
    receiver.messages(round + 1).await;
    let response = observed
        .lock()
        .expect("no panic")
        .pop()
        .expect("one webhook");
    let mut consumed = vec![0; response.len()];
    let read = (&**client).read_exact(&mut consumed);
    read.expect("the bytes are readable");
    response
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn webhook_of_confirm_arrives_after_its_response() {
    let server = TestServer::with_config(|config| config.orders.test_processing_ms = 0).await;
    let client = observe_client(&server).await;
    for round in 0..ROUNDS {
        let body = json!({"idempotencyKey": round.to_string(), "fileName": "a_ai.jpg"});
        let id = server.upload_detection(KEY, &body, picture()).await;
        let confirm = json!({"idempotencyKey": "c", "orderId": id}).to_string();
        let path = "/api/v2/orders/ai-detection/confirm";
        let observed = response_at_webhook(&client, round, path, &confirm).await;
        let body = format!(r#"{{"data":{{"orderId":"{id}","status":"inProgress"}}}}"#);
        assert!(
            observed.starts_with("HTTP/1.1 200 OK\r\n") && observed.ends_with(&body),
            "round {round}: {observed:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn webhook_of_manual_outcome_arrives_after_its_response() {
    let server = TestServer::start().await;
    let client = observe_client(&server).await;
    for round in 0..ROUNDS {
        let body = json!({"idempotencyKey": round.to_string(), "fileName": "a_ai.jpg"});
        let id = server.upload_detection(KEY, &body, picture()).await;
        let (action, status) = [("complete", "complete"), ("fail", "failed")][round % 2];
        let path = format!("/_mock/orders/{id}/{action}");
        let observed = response_at_webhook(&client, round, &path, "{}").await;
        let status = format!(r#""status":"{status}""#);
        assert!(
            observed.starts_with("HTTP/1.1 200 OK\r\n") && observed.contains(&status),
            "round {round}: {observed:?}"
        );
    }
}
