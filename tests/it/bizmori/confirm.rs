//! Confirmation of uploads.

use serde_json::json;

use super::{CONFIRM_ANTI_AI, CONFIRM_DETECTION, DETECTION};
use crate::support::{TestServer, code, picture};

async fn confirm(
    server: &TestServer,
    key: &str,
    path: &str,
    idempotency_key: &str,
    id: &str,
) -> (u16, String) {
    let body = json!({"idempotencyKey": idempotency_key, "orderId": id});
    let response = server.post(key, path, &body).await;
    (response.status, response.text())
}

fn expected_error(status: u16, error_code: &str) -> (u16, String) {
    (status, code(error_code))
}

#[tokio::test]
async fn confirm_order_that_cannot_start_answers_error_code() {
    let server = TestServer::start_frozen("live").await;
    let confirm = async |key: &str, path: &str, idempotency_key: &str, id: &str| {
        confirm(&server, key, path, idempotency_key, id).await
    };
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let created = server.post("live", DETECTION, &body).await.json();
    let pending = created["data"]["orderId"].as_str().expect("an id");
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", "42").await,
        expected_error(404, "ORDER_NOT_FOUND")
    );
    assert_eq!(
        confirm("other", CONFIRM_DETECTION, "c", pending).await,
        expected_error(403, "ORDER_NOT_OWNER")
    );
    assert_eq!(
        confirm("live", CONFIRM_ANTI_AI, "c", pending).await,
        expected_error(400, "ORDER_TYPE_NOT_MATCH")
    );
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", pending).await,
        expected_error(400, "ORDER_FILE_NOT_UPLOADED")
    );
    server.advance("live", "P7D").await;
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", pending).await,
        expected_error(400, "ORDER_EXPIRED")
    );
}

#[tokio::test]
async fn confirm_again_with_same_key_answers_status_and_with_other_key_error() {
    let server = TestServer::start_frozen("live").await;
    let confirm = async |key: &str, path: &str, idempotency_key: &str, id: &str| {
        confirm(&server, key, path, idempotency_key, id).await
    };
    let id = server
        .confirm_detection(
            "live",
            &json!({"idempotencyKey": "b", "fileName": "b.jpg"}),
            picture(),
        )
        .await;
    let same_key = format!("confirm {id}");
    let status = |status: &str| {
        (
            200,
            format!(r#"{{"data":{{"orderId":"{id}","status":"{status}"}}}}"#),
        )
    };
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", &id).await,
        expected_error(400, "ORDER_ALREADY_CONFIRMED")
    );
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, &same_key, &id).await,
        status("inProgress")
    );
    assert_eq!(server.advance("live", "PT1S").await, ["order.process"]);
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, &same_key, &id).await,
        status("complete")
    );
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", &id).await,
        expected_error(400, "ORDER_ALREADY_COMPLETED")
    );
    assert_eq!(
        server.advance("live", "PT1S").await,
        Vec::<String>::new(),
        "no work was started again"
    );

    let body = json!({"idempotencyKey": "f", "fileName": "x_fail.jpg"});
    let failed = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", &failed).await,
        expected_error(400, "ORDER_ALREADY_FAILED")
    );
}
