//! A webhook never leaves before the answer of the request that caused it has been written.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::support::{Receiver, TestServer, picture};

const ROUNDS: usize = 60;
/// A test key's orders need no work, so that nothing but the answer is waited for.
const KEY: &str = "sk_test_1";

/// What can be read of the connection without waiting.
fn there(stream: &TcpStream) -> String {
    let mut bytes = [0; 4096];
    match stream.peek(&mut bytes) {
        Ok(length) => String::from_utf8_lossy(&bytes[..length]).into_owned(),
        Err(error) if error.kind() == ErrorKind::WouldBlock => String::new(),
        Err(error) => panic!("{error}"),
    }
}

/// A connection to the server that does not wait, and a receiver that looks, whenever a webhook
/// comes, at what can be read of it.
async fn watched(server: &TestServer) -> (Arc<TcpStream>, Receiver, Arc<Mutex<Vec<String>>>) {
    let address = server.origin.trim_start_matches("http://");
    let client = Arc::new(TcpStream::connect(address).expect("a connection"));
    client.set_nonblocking(true).expect("a setting");
    let observed: Arc<Mutex<Vec<String>>> = Arc::default();
    let receiver = {
        let (client, observed) = (Arc::clone(&client), Arc::clone(&observed));
        let notice = move || observed.lock().expect("no panic").push(there(&client));
        Receiver::with_callback(notice).await
    };
    server.webhook(KEY, &receiver.url).await;
    (client, receiver, observed)
}

/// Sends a POST by that connection, and what was there of its answer when the webhook came.
async fn answer_at_webhook(
    (client, receiver, observed): &(Arc<TcpStream>, Receiver, Arc<Mutex<Vec<String>>>),
    round: usize,
    path: &str,
    body: &str,
) -> String {
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n{body}"
    );
    (&**client)
        .write_all(request.as_bytes())
        .expect("it is read");
    receiver.messages(round + 1).await;
    let observed = observed.lock().expect("no panic").pop();
    let observed = observed.expect("what was there");
    let mut answer = vec![0; observed.len()];
    (&**client).read_exact(&mut answer).expect("it is there");
    observed
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_a_webhook_comes_the_confirms_answer_is_there_to_be_read() {
    let server = TestServer::with_config(|config| config.orders.test_processing_ms = 0).await;
    let watched = watched(&server).await;
    for round in 0..ROUNDS {
        let body = json!({"idempotencyKey": round.to_string(), "fileName": "a_ai.jpg"});
        let id = server.upload_detection(KEY, &body, picture()).await;
        let confirm = json!({"idempotencyKey": "c", "orderId": id}).to_string();
        let path = "/api/v2/orders/ai-detection/confirm";
        let observed = answer_at_webhook(&watched, round, path, &confirm).await;
        let body = format!(r#"{{"data":{{"orderId":"{id}","status":"inProgress"}}}}"#);
        assert!(
            observed.starts_with("HTTP/1.1 200 OK\r\n") && observed.ends_with(&body),
            "round {round}: {observed:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn and_so_is_that_of_who_brings_an_order_to_its_end_by_hand() {
    let server = TestServer::start().await;
    let watched = watched(&server).await;
    for round in 0..ROUNDS {
        let body = json!({"idempotencyKey": round.to_string(), "fileName": "a_ai.jpg"});
        let id = server.upload_detection(KEY, &body, picture()).await;
        let (how, status) = [("complete", "complete"), ("fail", "failed")][round % 2];
        let path = format!("/_mock/orders/{id}/{how}");
        let observed = answer_at_webhook(&watched, round, &path, "{}").await;
        let status = format!(r#""status":"{status}""#);
        assert!(
            observed.starts_with("HTTP/1.1 200 OK\r\n") && observed.contains(&status),
            "round {round}: {observed:?}"
        );
    }
}
