//! Starts of jobs that did not end because the process was killed.

use serde_json::json;

use super::{Database, order_body, start_on};
use crate::support::{Process, Receiver, Reply, TestServer, picture};

const MESSAGE: &str = "processing was started 3 times without ending; the server was probably killed \
                       for lack of memory";
const AT_ONCE: [&str; 4] = ["--log", "error", "--processing-ms", "0"];

/// Creates an order whose output target does not respond. Returns the id.
async fn create_stalled_order(server: &TestServer, target: &Receiver) -> String {
    let body = json!({
        "idempotencyKey": "a",
        "files": [{"fileName": "a.jpg", "originalFileUrl": "http://files.test/a.jpg"}],
        "mode": {"zeroCopy": true},
        "outputTargets": [{"fileKey": "a.jpg", "url": target.url, "presignedUrlExpiresAt": "2100-01-01T00:00:00Z"}],
    });
    let response = server.post("live", "/api/v2/orders/anti-ai", &body).await;
    let response = response.json();
    response["data"]["orderId"]
        .as_str()
        .expect("an id")
        .to_owned()
}

#[tokio::test]
async fn kill_during_processing_three_times_fails_order_with_the_general_code() {
    let data = tempfile::tempdir().expect("a directory");
    let target = Receiver::with_replies([Reply::Silence; 4]).await;
    let receiver = Receiver::start().await;
    let mut process = Process::start(data.path(), &AT_ONCE);
    process.server.webhook("live", &receiver.url).await;
    let id = create_stalled_order(&process.server, &target).await;
    for starts in 1..=3 {
        target.messages(starts).await;
        let order = process.server.get_order("live", &id).await;
        assert_eq!(order["status"], "inProgress", "at start {starts}");
        process.kill();
        process = Process::start(data.path(), &AT_ONCE);
    }
    process.server.drain("live").await;
    target.messages(3).await;
    assert_eq!(
        process.server.get_order("live", &id).await["status"],
        "failed"
    );
    let event = receiver.messages(1).await[0].json();
    assert_eq!(
        (&event["data"]["errorCode"], &event["data"]["errorMessage"]),
        (&json!("PROCESSING_ERROR"), &json!(MESSAGE))
    );
}

#[tokio::test]
async fn terminate_during_processing_does_not_count_the_start() {
    let data = tempfile::tempdir().expect("a directory");
    let target = Receiver::with_replies([Reply::Silence]).await;
    let process = Process::start(data.path(), &AT_ONCE);
    create_stalled_order(&process.server, &target).await;
    target.messages(1).await;
    let mut database = Database::open(data.path()).await;
    let starts = "SELECT starts FROM jobs WHERE kind = 'order.process'";
    assert_eq!(database.number(starts).await, 1);
    process.terminate();
    assert_eq!(process.wait().code(), Some(0));
    assert_eq!(database.number(starts).await, 0);
}

#[tokio::test]
async fn process_with_error_does_not_count_the_start() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    server.freeze("live").await;
    server
        .confirm_detection("live", &order_body("a"), picture())
        .await;
    let mut database = Database::open(data.path()).await;
    database.refuse_writes("DELETE ON jobs").await;
    super::assert_forged_fault(&super::advance(&server).await);
    let starts = "SELECT starts FROM jobs WHERE kind = 'order.process'";
    assert_eq!(database.number(starts).await, 0);
}

/// Restarts the server with `starts` interrupted starts recorded for its jobs of `kind`.
async fn restart_with_starts(
    data: &std::path::Path,
    server: TestServer,
    kind: &str,
    starts: u32,
) -> TestServer {
    server.stop().await;
    let mut database = Database::open(data).await;
    let sql = format!("UPDATE jobs SET starts = {starts} WHERE kind = '{kind}'");
    database.execute(&sql).await;
    start_on(data).await
}

#[tokio::test]
async fn process_on_third_start_completes() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    server.freeze("live").await;
    let id = server
        .confirm_detection("live", &order_body("a"), picture())
        .await;
    let server = restart_with_starts(data.path(), server, "order.process", 2).await;
    assert_eq!(server.advance("live", "PT1S").await, ["order.process"]);
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
}

#[tokio::test]
async fn restart_with_interrupted_jobs_completes_all_of_them() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    let settings = json!({"processing": {"delayMs": 3_600_000}});
    let account = "/_mock/accounts/live";
    server
        .control(reqwest::Method::PUT, account, &settings)
        .await;
    let mut ids = Vec::new();
    for n in 0..20 {
        let body = order_body(&n.to_string());
        ids.push(server.confirm_detection("live", &body, picture()).await);
    }
    server.stop().await;
    let mut database = Database::open(data.path()).await;
    let make_due = "UPDATE jobs SET starts = 2, due_at = 0 WHERE kind = 'order.process'";
    database.execute(make_due).await;
    let server = start_on(data.path()).await;
    server.drain("live").await;
    for id in &ids {
        assert_eq!(server.get_order("live", id).await["status"], "complete");
    }
}

#[tokio::test]
async fn process_document_interrupted_three_times_fails() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    server.freeze("live").await;
    let headers = [("apikey", "live")];
    let path = "/get-presigned-url?file_name=a.jpg";
    let response = server.send(reqwest::Method::GET, path, &headers, "").await;
    let presigned = response.json();
    let url = presigned["presigned_url"].as_str().expect("a URL");
    server.put(url, picture()).await;
    let body = json!({"key": "live", "url": presigned["file_path"]});
    let id = server.post("live", "/detect", &body).await.json()["id"].clone();
    let server = restart_with_starts(data.path(), server, "order.process", 3).await;
    assert_eq!(server.advance("live", "PT1S").await, ["order.process"]);
    let response = server.post("live", "/query", &json!({"id": id})).await;
    let document = response.json();
    assert_eq!(
        (
            &document["status"],
            &document["result_details"]["error_message"]
        ),
        (&json!("failed"), &json!(MESSAGE))
    );
}

#[tokio::test]
async fn process_report_interrupted_three_times_fails() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    server.freeze("live").await;
    let id = server
        .confirm_detection("live", &order_body("a"), picture())
        .await;
    server.advance("live", "PT1S").await;
    let path = format!("/api/v3/orders/{id}/reports");
    let body = json!({"locale": "ko-KR"});
    assert_eq!(server.post("live", &path, &body).await.status, 202);
    let server = restart_with_starts(data.path(), server, "order.report", 3).await;
    assert_eq!(server.advance("live", "PT1S").await, ["order.report"]);
    let report = server.get("live", &format!("{path}/ko-KR")).await.json();
    assert_eq!(
        (
            &report["data"]["status"],
            &report["data"]["failure"]["code"]
        ),
        (&json!("failed"), &json!("PROCESSING_ERROR"))
    );
}
