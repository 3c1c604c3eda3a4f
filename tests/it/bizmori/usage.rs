//! Credits, which are counted if the account has a number of them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ANTI_AI, DETECTION, EMBED, create_order, text};
use crate::support::TestServer;

async fn set_credits(server: &TestServer, key: &str, credits: u64) {
    let path = format!("/_mock/accounts/{key}");
    server
        .control(Method::PUT, &path, &json!({"credits": credits}))
        .await;
}

fn anti_ai_body(key: &str, files: usize) -> Value {
    let files = vec![json!({"fileName": "a.jpg"}); files];
    json!({"idempotencyKey": key, "files": files})
}

#[tokio::test]
async fn create_uses_one_credit_per_file_until_none_are_left() {
    let server = TestServer::start_frozen("live").await;
    set_credits(&server, "live", 4).await;
    let first = create_order(&server, "live", ANTI_AI, &anti_ai_body("a", 2)).await;
    let repeated = create_order(&server, "live", ANTI_AI, &anti_ai_body("a", 2)).await;
    assert_eq!(text(&first, "/orderId"), text(&repeated, "/orderId"));
    let too_many = server.post("live", ANTI_AI, &anti_ai_body("b", 3)).await;
    let reason = "2 credits are left, and it costs one a file";
    too_many.assert_refused(400, "USAGE_NOT_ENOUGH", reason);
    create_order(&server, "live", ANTI_AI, &anti_ai_body("c", 1)).await;
    let watermarks = json!([{"text": "x"}, {"text": "y"}]);
    let body =
        json!({"idempotencyKey": "e", "files": [{"fileName": "a.jpg", "watermarks": watermarks}]});
    create_order(&server, "live", EMBED, &body).await;
    let body = json!({"idempotencyKey": "d", "fileName": "a.jpg"});
    let used_up = server.post("live", DETECTION, &body).await;
    used_up.assert_refused(429, "USAGE_LIMIT_EXCEEDED", "no credits are left");
    let headers = [("apikey", "live")];
    let undetectable = server
        .send(Method::GET, "/check-user-credits", &headers, "")
        .await;
    assert_eq!(
        undetectable.json()["credits"],
        0,
        "both vendors use the account's credits"
    );
    set_credits(&server, "live", 5).await;
    assert_eq!(server.post("live", DETECTION, &body).await.status, 200);
}

#[tokio::test]
async fn create_without_credit_limit_or_with_test_key_uses_no_credits() {
    let server = TestServer::start_frozen("live").await;
    set_credits(&server, "sk_test_1", 0).await;
    for key in ["live", "sk_test_1"] {
        create_order(&server, key, ANTI_AI, &anti_ai_body("a", 100)).await;
    }
}
