//! Starts that did not end: the process was killed while a job ran.

use serde_json::json;

use super::{Database, new, on};
use crate::support::{Process, Receiver, Reply, TestServer, picture};

const MESSAGE: &str = "processing was started 3 times without ending; the server was probably killed \
                       for lack of memory";
const AT_ONCE: [&str; 4] = ["--log", "error", "--processing-ms", "0"];

/// Orders whose output is put to a target that does not respond: its id.
async fn stalled(server: &TestServer, target: &Receiver) -> String {
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
async fn order_whose_processing_is_killed_three_times_fails_with_the_general_code() {
    let data = tempfile::tempdir().expect("a directory");
    let target = Receiver::with_replies([Reply::Silence; 4]).await;
    let receiver = Receiver::start().await;
    let mut process = Process::start(data.path(), &AT_ONCE);
    process.stunt.webhook("live", &receiver.url).await;
    let id = stalled(&process.stunt, &target).await;
    for starts in 1..=3 {
        target.messages(starts).await;
        let order = process.stunt.get_order("live", &id).await;
        assert_eq!(order["status"], "inProgress", "at start {starts}");
        process.kill();
        process = Process::start(data.path(), &AT_ONCE);
    }
    process.stunt.drain("live").await;
    target.messages(3).await;
    assert_eq!(
        process.stunt.get_order("live", &id).await["status"],
        "failed"
    );
    let event = receiver.messages(1).await[0].json();
    assert_eq!(
        (&event["data"]["errorCode"], &event["data"]["errorMessage"]),
        (&json!("PROCESSING_ERROR"), &json!(MESSAGE))
    );
}

#[tokio::test]
async fn start_that_a_graceful_stop_leaves_undone_is_not_counted() {
    let data = tempfile::tempdir().expect("a directory");
    let target = Receiver::with_replies([Reply::Silence]).await;
    let process = Process::start(data.path(), &AT_ONCE);
    stalled(&process.stunt, &target).await;
    target.messages(1).await;
    let mut database = Database::open(data.path()).await;
    let starts = "SELECT starts FROM jobs WHERE kind = 'order.process'";
    assert_eq!(database.number(starts).await, 1);
    process.terminate();
    assert_eq!(process.ended().code(), Some(0));
    assert_eq!(database.number(starts).await, 0);
}

#[tokio::test]
async fn start_that_ends_with_an_error_is_not_counted() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    server.freeze("live").await;
    server.confirm_detection("live", &new("a"), picture()).await;
    let mut database = Database::open(data.path()).await;
    database.refuse("DELETE ON jobs").await;
    super::assert_failed_by_fault(&super::advance(&server).await);
    let starts = "SELECT starts FROM jobs WHERE kind = 'order.process'";
    assert_eq!(database.number(starts).await, 0);
}

/// Stops the server and has its jobs of that kind look as if they had been cut off so often.
async fn cut_off(
    data: &std::path::Path,
    server: TestServer,
    kind: &str,
    starts: u32,
) -> TestServer {
    server.stop().await;
    let mut database = Database::open(data).await;
    let sql = format!("UPDATE jobs SET starts = {starts} WHERE kind = '{kind}'");
    database.execute(&sql).await;
    on(data).await
}

#[tokio::test]
async fn third_start_may_still_end_well() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    server.freeze("live").await;
    let id = server.confirm_detection("live", &new("a"), picture()).await;
    let server = cut_off(data.path(), server, "order.process", 2).await;
    assert_eq!(server.advance("live", "PT1S").await, ["order.process"]);
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
}

#[tokio::test]
async fn jobs_that_were_cut_off_all_run_again_one_by_one() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    let set = json!({"processing": {"delayMs": 3_600_000}});
    let account = "/_mock/accounts/live";
    server.control(reqwest::Method::PUT, account, &set).await;
    let mut ids = Vec::new();
    for n in 0..20 {
        let body = new(&n.to_string());
        ids.push(server.confirm_detection("live", &body, picture()).await);
    }
    server.stop().await;
    let mut database = Database::open(data.path()).await;
    let due = "UPDATE jobs SET starts = 2, due_at = 0 WHERE kind = 'order.process'";
    database.execute(due).await;
    let server = on(data.path()).await;
    server.drain("live").await;
    for id in &ids {
        assert_eq!(server.get_order("live", id).await["status"], "complete");
    }
}

#[tokio::test]
async fn document_that_was_cut_off_three_times_fails() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    server.freeze("live").await;
    let headers = [("apikey", "live")];
    let place = "/get-presigned-url?file_name=a.jpg";
    let place = server.send(reqwest::Method::GET, place, &headers, "").await;
    let place = place.json();
    let url = place["presigned_url"].as_str().expect("a URL");
    server.put(url, picture()).await;
    let body = json!({"key": "live", "url": place["file_path"]});
    let id = server.post("live", "/detect", &body).await.json()["id"].clone();
    let server = cut_off(data.path(), server, "order.process", 3).await;
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
async fn report_that_was_cut_off_three_times_fails() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    server.freeze("live").await;
    let id = server.confirm_detection("live", &new("a"), picture()).await;
    server.advance("live", "PT1S").await;
    let path = format!("/api/v3/orders/{id}/reports");
    let body = json!({"locale": "ko-KR"});
    assert_eq!(server.post("live", &path, &body).await.status, 202);
    let server = cut_off(data.path(), server, "order.report", 3).await;
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
