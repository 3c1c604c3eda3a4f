//! Conditional uploads that are tried again after the server failed between putting an object in place
//! and recording it.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::{Database, Receiver, TestResponse, TestServer, picture, raw};

const ONCE: [(&str, &str); 1] = [("if-none-match", "*")];

struct Failing {
    stunt: TestServer,
    database: Database,
    _data: tempfile::TempDir,
}

impl Failing {
    async fn start() -> Self {
        let data = tempfile::tempdir().expect("a directory");
        let dir = data.path().to_owned();
        let stunt = TestServer::with_config(|config| config.data_dir = Some(dir)).await;
        stunt.freeze("live").await;
        let database = Database::open(data.path()).await;
        Self {
            stunt,
            database,
            _data: data,
        }
    }

    async fn put(&self, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> TestResponse {
        self.stunt.send(Method::PUT, url, headers, body).await
    }

    /// Has a PUT fail after its object is in place.
    async fn put_unrecorded(&mut self, url: &str, headers: &[(&str, &str)], body: Vec<u8>) {
        self.database.refuse_writes("UPDATE ON orders").await;
        let failed = self.put(url, headers, body).await;
        assert_eq!(failed.status, 500, "{}", failed.text());
        self.database.allow_writes().await;
    }

    /// Creates a watermark order of one file. Returns its id and upload URL.
    async fn watermark(&self) -> (String, String) {
        let file = json!({"fileName": "a.jpg", "watermarks": [{"text": "one"}]});
        let body = json!({"idempotencyKey": "w", "files": [file]});
        let path = "/api/v2/orders/wtr-embed";
        let made = self.stunt.post("live", path, &body).await.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let data = &made["data"];
        (text(&data["orderId"]), text(&data["files"][0]["uploadUrl"]))
    }
}

fn new() -> Value {
    json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"})
}

#[tokio::test]
async fn put_if_none_match_any_again_after_a_fault_records_the_object_that_is_there() {
    let mut failing = Failing::start().await;
    let (id, url) = failing.stunt.create_detection("live", &new()).await;
    failing.put_unrecorded(&url, &ONCE, picture()).await;
    let again = failing.put(&url, &ONCE, picture()).await;
    assert_eq!(again.status, 412, "{}", again.text());
    failing.stunt.confirm("live", &id).await;
    failing.stunt.advance("live", "PT1S").await;
    assert_eq!(
        failing.stunt.get_order("live", &id).await["status"],
        "complete"
    );
}

#[tokio::test]
async fn put_if_match_again_after_a_fault_records_the_object_that_is_there() {
    let mut failing = Failing::start().await;
    let (id, url) = failing.stunt.create_detection("live", &new()).await;
    failing.put_unrecorded(&url, &[], b"first".to_vec()).await;
    let first = "\"8b04d5e3775d298e78455efc5ca404d5\"";
    let replace = [("if-match", first)];
    failing.put_unrecorded(&url, &replace, picture()).await;
    let again = failing.put(&url, &replace, picture()).await;
    assert_eq!(again.status, 412, "{}", again.text());
    failing.stunt.confirm("live", &id).await;
}

#[tokio::test]
async fn put_again_after_a_fault_starts_a_watermark_order_once_its_response_is_written() {
    let mut failing = Failing::start().await;
    let receiver = Receiver::start().await;
    failing.stunt.webhook("live", &receiver.url).await;
    let (id, url) = failing.watermark().await;
    failing.put_unrecorded(&url, &ONCE, picture()).await;
    assert_eq!(
        failing.stunt.get_order("live", &id).await["status"],
        "pending"
    );
    let again = failing.put(&url, &ONCE, picture()).await;
    assert_eq!(again.status, 412, "{}", again.text());
    let status = &failing.stunt.get_order("live", &id).await["status"];
    assert_eq!(status, "inProgress");
    assert_eq!(
        failing.stunt.advance("live", "PT1S").await,
        ["order.process", "webhook.deliver"]
    );
    assert_eq!(receiver.messages(1).await.len(), 1);
}

#[tokio::test]
async fn put_refused_after_its_body_records_the_object_that_came_first() {
    let mut failing = Failing::start().await;
    let (id, url) = failing.stunt.create_detection("live", &new()).await;
    let origin = failing.stunt.origin.clone();
    let (target, host) = (
        url.trim_start_matches(origin.as_str()),
        origin.trim_start_matches("http://"),
    );
    let head = format!(
        "PUT {target} HTTP/1.1\r\nHost: {host}\r\nIf-None-Match: *\r\nExpect: 100-continue\r\n\
         Connection: close\r\nContent-Length: 1\r\n\r\n"
    );
    let mut stream = raw::connect(&origin).await;
    stream.write_all(head.as_bytes()).await.expect("it is read");
    let mut proceed = *b"HTTP/1.1 100 Continue\r\n\r\n";
    stream.read_exact(&mut proceed).await.expect("100 Continue");
    failing.put_unrecorded(&url, &ONCE, picture()).await;
    stream.write_all(b"x").await.expect("it is read");
    let refused = raw::read_response(stream).await;
    assert_eq!(refused.status, 412, "{}", refused.text());
    failing.stunt.confirm("live", &id).await;
}
