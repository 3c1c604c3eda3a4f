//! A webhook never leaves before the answer of the request that caused it has been written.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::support::{Receiver, Stunt, picture};

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

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn when_a_webhook_comes_the_confirms_answer_is_there_to_be_read() {
    let stunt = Stunt::with(|config| config.orders.test_processing_ms = 0).await;
    let address = stunt.origin.trim_start_matches("http://");
    let client = Arc::new(TcpStream::connect(address).expect("a connection"));
    client.set_nonblocking(true).expect("a setting");
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let receiver = {
        let (client, seen) = (Arc::clone(&client), Arc::clone(&seen));
        let notice = move || seen.lock().expect("no panic").push(there(&client));
        Receiver::noticing(notice).await
    };
    stunt.webhook(KEY, &receiver.url).await;
    for round in 0..ROUNDS {
        let body = json!({"idempotencyKey": round.to_string(), "fileName": "a_ai.jpg"});
        let id = stunt.detection(KEY, &body, picture()).await;
        let confirm = json!({"idempotencyKey": "c", "orderId": id}).to_string();
        let request = format!(
            "POST /api/v2/orders/ai-detection/confirm HTTP/1.1\r\nHost: h\r\nAuthorization: Bearer {KEY}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{confirm}",
            confirm.len()
        );
        (&*client)
            .write_all(request.as_bytes())
            .expect("it is read");
        receiver.messages(round + 1).await;
        let seen = seen
            .lock()
            .expect("no panic")
            .pop()
            .expect("what was there");
        assert!(
            seen.starts_with("HTTP/1.1 200 OK\r\n")
                && seen.ends_with(&format!(
                    r#"{{"data":{{"orderId":"{id}","status":"inProgress"}}}}"#
                )),
            "round {round}: {seen:?}"
        );
        let mut answer = vec![0; seen.len()];
        (&*client).read_exact(&mut answer).expect("it is there");
    }
}
