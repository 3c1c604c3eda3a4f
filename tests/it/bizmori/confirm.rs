//! Orders are confirmed, or not.

use serde_json::json;

use super::{CONFIRM_ANTI_AI, CONFIRM_DETECTION, DETECTION};
use crate::support::{TestServer, code, picture};

async fn confirm(
    server: &TestServer,
    key: &str,
    path: &str,
    with: &str,
    id: &str,
) -> (u16, String) {
    let body = json!({"idempotencyKey": with, "orderId": id});
    let response = server.post(key, path, &body).await;
    (response.status, response.text())
}

fn assert_confirm_refused(status: u16, word: &str) -> (u16, String) {
    (status, code(word))
}

#[tokio::test]
async fn an_order_that_is_not_there_not_ones_own_or_not_ready_is_not_confirmed() {
    let server = TestServer::start_frozen("live").await;
    let confirm = async |key: &str, path: &str, with: &str, id: &str| {
        confirm(&server, key, path, with, id).await
    };
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let pending = server.post("live", DETECTION, &body).await.json();
    let pending = pending["data"]["orderId"].as_str().expect("an id");
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", "42").await,
        assert_confirm_refused(404, "ORDER_NOT_FOUND")
    );
    assert_eq!(
        confirm("other", CONFIRM_DETECTION, "c", pending).await,
        assert_confirm_refused(403, "ORDER_NOT_OWNER")
    );
    assert_eq!(
        confirm("live", CONFIRM_ANTI_AI, "c", pending).await,
        assert_confirm_refused(400, "ORDER_TYPE_NOT_MATCH")
    );
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", pending).await,
        assert_confirm_refused(400, "ORDER_FILE_NOT_UPLOADED")
    );
    server.advance("live", "P7D").await;
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", pending).await,
        assert_confirm_refused(400, "ORDER_EXPIRED")
    );
}

#[tokio::test]
async fn an_order_is_confirmed_once_and_by_one_key() {
    let server = TestServer::start_frozen("live").await;
    let confirm = async |key: &str, path: &str, with: &str, id: &str| {
        confirm(&server, key, path, with, id).await
    };
    let id = server
        .confirm_detection(
            "live",
            &json!({"idempotencyKey": "b", "fileName": "b.jpg"}),
            picture(),
        )
        .await;
    let same = format!("confirm {id}");
    let status = |status: &str| {
        (
            200,
            format!(r#"{{"data":{{"orderId":"{id}","status":"{status}"}}}}"#),
        )
    };
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", &id).await,
        assert_confirm_refused(400, "ORDER_ALREADY_CONFIRMED")
    );
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, &same, &id).await,
        status("inProgress")
    );
    assert_eq!(server.advance("live", "PT1S").await, ["order.process"]);
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, &same, &id).await,
        status("complete")
    );
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", &id).await,
        assert_confirm_refused(400, "ORDER_ALREADY_COMPLETED")
    );
    assert_eq!(
        server.advance("live", "PT1S").await,
        Vec::<String>::new(),
        "nothing was restarted"
    );

    let failed = json!({"idempotencyKey": "f", "fileName": "x_fail.jpg"});
    let failed = server.confirm_detection("live", &failed, picture()).await;
    server.advance("live", "PT1S").await;
    assert_eq!(
        confirm("live", CONFIRM_DETECTION, "c", &failed).await,
        assert_confirm_refused(400, "ORDER_ALREADY_FAILED")
    );
}
