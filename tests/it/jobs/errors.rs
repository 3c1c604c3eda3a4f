//! Errors of jobs: an order fails after ten, and a job that waits is in nobody's way.

use serde_json::json;

use super::{Database, advance, assert_failed_by_fault, new, on};
use crate::support::{Receiver, TestServer, picture};

const ERRORS_MAX: usize = 10;

#[tokio::test]
async fn processing_that_always_fails_fails_the_order_with_the_general_code() {
    let data = tempfile::tempdir().expect("a directory");
    let (server, receiver) = (on(data.path()).await, Receiver::start().await);
    server.freeze("live").await;
    server.webhook("live", &receiver.url).await;
    let id = server.confirm_detection("live", &new("a"), picture()).await;
    let mut database = Database::open(data.path()).await;
    let completes = "UPDATE ON orders WHEN new.status = 'complete'";
    database.refuse(completes).await;
    let mut refused = 0;
    loop {
        // The worker tries the job, too: fewer advances than errors may be needed.
        let response = advance(&server).await;
        if response.status == 200 {
            break;
        }
        assert_failed_by_fault(&response);
        refused += 1;
        assert!(refused < ERRORS_MAX, "the tenth error ends it");
    }
    assert!(refused > 0, "the first error does not end it");
    assert_eq!(server.get_order("live", &id).await["status"], "failed");
    let event = receiver.messages(1).await[0].json();
    let message = event["data"]["errorMessage"].as_str().expect("a text");
    assert_eq!(
        (&event["eventType"], &event["data"]["errorCode"]),
        (
            &json!("order.aiDetection.failed"),
            &json!("AI_DETECTION_FAILED")
        )
    );
    let begin = "processing failed 10 times because of an internal error: ";
    assert!(
        message.starts_with(begin) && message.ends_with("forged fault"),
        "{message}"
    );
    assert_eq!(server.advance("live", "PT1M").await, [""; 0]);
}

#[tokio::test]
async fn processing_that_fails_once_goes_on_when_the_fault_is_mended() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    server.freeze("live").await;
    let id = server.confirm_detection("live", &new("a"), picture()).await;
    let mut database = Database::open(data.path()).await;
    database.refuse("DELETE ON jobs").await;
    assert_failed_by_fault(&advance(&server).await);
    database.mend().await;
    // Nobody advances the frozen clock again: the worker comes back to it by itself.
    server.drain("live").await;
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
}

#[tokio::test]
async fn six_hundred_jobs_that_wait_after_an_error_keep_no_other_waiting() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    server.create_detection("live", &new("a")).await;
    server.stop().await;
    let mut database = Database::open(data.path()).await;
    database
        .execute(
            "INSERT INTO jobs (account_id, clock_id, kind, subject, due_at)
             WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers LIMIT 600)
             SELECT (SELECT id FROM accounts WHERE key = 'live'), 0, 'webhook.deliver', n, n
             FROM numbers",
        )
        .await;
    let forged = "DELETE ON jobs WHEN old.due_at <= 600";
    database.refuse(forged).await;
    let server = TestServer::with_config(|config| {
        config.data_dir = Some(data.path().to_owned());
        config.orders.processing_ms = 0;
    });
    let server = server.await;
    let id = server
        .confirm_detection("other", &new("b"), picture())
        .await;
    server.drain("other").await;
    assert_eq!(server.get_order("other", &id).await["status"], "complete");
    let waiting = "SELECT COUNT(*) FROM jobs WHERE due_at <= 600";
    assert_eq!(database.number(waiting).await, 600);
}
