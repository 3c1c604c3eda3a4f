//! Errors of jobs: ten errors fail an order, and jobs that back off do not delay others.

use serde_json::json;

use super::{Database, advance, assert_forged_fault, order_body, start_on};
use crate::support::{Receiver, TestServer, picture};

const ERRORS_MAX: usize = 10;

#[tokio::test]
async fn process_order_with_ten_errors_fails_it_with_the_general_code() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    let receiver = Receiver::start().await;
    server.freeze("live").await;
    server.webhook("live", &receiver.url).await;
    let id = server
        .confirm_detection("live", &order_body("a"), picture())
        .await;
    let mut database = Database::open(data.path()).await;
    let completes = "UPDATE ON orders WHEN new.status = 'complete'";
    database.refuse_writes(completes).await;
    let mut errors = 0;
    loop {
        // The worker also tries the job, so fewer than ten advances may fail.
        let response = advance(&server).await;
        if response.status == 200 {
            break;
        }
        assert_forged_fault(&response);
        errors += 1;
        assert!(errors < ERRORS_MAX, "the tenth error fails the order");
    }
    assert!(errors > 0, "the first error does not fail the order");
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
async fn process_order_after_one_error_completes_once_fault_is_removed() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    server.freeze("live").await;
    let id = server
        .confirm_detection("live", &order_body("a"), picture())
        .await;
    let mut database = Database::open(data.path()).await;
    database.refuse_writes("DELETE ON jobs").await;
    assert_forged_fault(&advance(&server).await);
    database.allow_writes().await;
    // The frozen clock is not advanced again, so only the worker can retry the job.
    server.drain("live").await;
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
}

#[tokio::test]
async fn back_off_of_600_failing_jobs_does_not_delay_other_jobs() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    server.create_detection("live", &order_body("a")).await;
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
    let forged_jobs = "DELETE ON jobs WHEN old.due_at <= 600";
    database.refuse_writes(forged_jobs).await;
    let server = TestServer::with_config(|config| {
        config.data_dir = Some(data.path().to_owned());
        config.orders.processing_ms = 0;
    });
    let server = server.await;
    let id = server
        .confirm_detection("other", &order_body("b"), picture())
        .await;
    server.drain("other").await;
    assert_eq!(server.get_order("other", &id).await["status"], "complete");
    let pending = "SELECT COUNT(*) FROM jobs WHERE due_at <= 600";
    assert_eq!(database.number(pending).await, 600);
}
