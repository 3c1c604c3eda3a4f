//! Conditional uploads that a client repeats after the server stored an object and failed to record it.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::send_head;
use crate::support::{Database, Receiver, TestResponse, TestServer, picture, raw};

const IF_ABSENT: [(&str, &str); 1] = [("if-none-match", "*")];

/// Server whose database can be made to refuse writes.
struct FailingServer {
    server: TestServer,
    database: Database,
    _data_dir: tempfile::TempDir,
}

impl FailingServer {
    async fn start() -> Self {
        let data_dir = tempfile::tempdir().expect("a directory");
        let path = data_dir.path().to_owned();
        let server = TestServer::with_config(|config| config.data_dir = Some(path)).await;
        server.freeze("live").await;
        let database = Database::open(data_dir.path()).await;
        Self {
            server,
            database,
            _data_dir: data_dir,
        }
    }

    async fn put(&self, url: &str, headers: &[(&str, &str)], body: Vec<u8>) -> TestResponse {
        self.server.send(Method::PUT, url, headers, body).await
    }

    /// Sends a PUT that fails after its object is stored.
    async fn put_unrecorded(&mut self, url: &str, headers: &[(&str, &str)], body: Vec<u8>) {
        self.database.refuse_writes("UPDATE ON orders").await;
        let failed = self.put(url, headers, body).await;
        assert_eq!(failed.status, 500, "{}", failed.text());
        self.database.allow_writes().await;
    }

    /// Creates a watermark order of one file. Returns its id and upload URL.
    async fn create_watermark_order(&self) -> (String, String) {
        let file = json!({"fileName": "a.jpg", "watermarks": [{"text": "one"}]});
        let body = json!({"idempotencyKey": "w", "files": [file]});
        let path = "/api/v2/orders/wtr-embed";
        let created = self.server.post("live", path, &body).await.json();
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        let data = &created["data"];
        (text(&data["orderId"]), text(&data["files"][0]["uploadUrl"]))
    }
}

fn detection_body() -> Value {
    json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"})
}

#[tokio::test]
async fn repeat_put_if_none_match_after_failure_records_stored_object() {
    let mut failing = FailingServer::start().await;
    let (id, url) = failing
        .server
        .create_detection("live", &detection_body())
        .await;
    failing.put_unrecorded(&url, &IF_ABSENT, picture()).await;
    let repeated = failing.put(&url, &IF_ABSENT, picture()).await;
    assert_eq!(repeated.status, 412, "{}", repeated.text());
    failing.server.confirm("live", &id).await;
    failing.server.advance("live", "PT1S").await;
    assert_eq!(
        failing.server.get_order("live", &id).await["status"],
        "complete"
    );
}

#[tokio::test]
async fn repeat_put_if_match_after_failure_records_stored_object() {
    let mut failing = FailingServer::start().await;
    let (id, url) = failing
        .server
        .create_detection("live", &detection_body())
        .await;
    failing.put_unrecorded(&url, &[], b"first".to_vec()).await;
    let first_etag = "\"8b04d5e3775d298e78455efc5ca404d5\"";
    let replace = [("if-match", first_etag)];
    failing.put_unrecorded(&url, &replace, picture()).await;
    let repeated = failing.put(&url, &replace, picture()).await;
    assert_eq!(repeated.status, 412, "{}", repeated.text());
    failing.server.confirm("live", &id).await;
}

#[tokio::test]
async fn repeat_put_after_failure_starts_watermark_order_after_its_response() {
    let mut failing = FailingServer::start().await;
    let receiver = Receiver::start().await;
    failing.server.webhook("live", &receiver.url).await;
    let (id, url) = failing.create_watermark_order().await;
    failing.put_unrecorded(&url, &IF_ABSENT, picture()).await;
    assert_eq!(
        failing.server.get_order("live", &id).await["status"],
        "pending"
    );
    let repeated = failing.put(&url, &IF_ABSENT, picture()).await;
    assert_eq!(repeated.status, 412, "{}", repeated.text());
    let status = &failing.server.get_order("live", &id).await["status"];
    assert_eq!(status, "inProgress");
    assert_eq!(
        failing.server.advance("live", "PT1S").await,
        ["order.process", "webhook.deliver"]
    );
    assert_eq!(receiver.messages(1).await.len(), 1);
}

#[tokio::test]
async fn put_refused_after_its_body_records_object_stored_before() {
    let mut failing = FailingServer::start().await;
    let (id, url) = failing
        .server
        .create_detection("live", &detection_body())
        .await;
    let target = url.replace(&failing.server.origin, "");
    let headers = "If-None-Match: *\r\nExpect: 100-continue\r\nContent-Length: 1\r\n";
    let mut stream = send_head(&failing.server, "PUT", &target, headers).await;
    let mut interim_response = *b"HTTP/1.1 100 Continue\r\n\r\n";
    let interim = stream.read_exact(&mut interim_response).await;
    interim.expect("100 Continue");
    failing.put_unrecorded(&url, &IF_ABSENT, picture()).await;
    stream.write_all(b"x").await.expect("the body is sent");
    let refused = raw::read_response(stream).await;
    assert_eq!(refused.status, 412, "{}", refused.text());
    failing.server.confirm("live", &id).await;
}
