//! Credits: counted where the account has a number of them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ANTI_AI, DETECTION, EMBED, create_order, text};
use crate::support::TestServer;

async fn give(server: &TestServer, key: &str, credits: u64) {
    let path = format!("/_mock/accounts/{key}");
    server
        .control(Method::PUT, &path, &json!({"credits": credits}))
        .await;
}

fn anti_ai(key: &str, files: usize) -> Value {
    let files = vec![json!({"fileName": "a.jpg"}); files];
    json!({"idempotencyKey": key, "files": files})
}

#[tokio::test]
async fn an_order_costs_a_credit_a_file_until_they_are_used_up() {
    let server = TestServer::start_frozen("live").await;
    give(&server, "live", 4).await;
    let first = create_order(&server, "live", ANTI_AI, &anti_ai("a", 2)).await;
    let again = create_order(&server, "live", ANTI_AI, &anti_ai("a", 2)).await;
    assert_eq!(text(&first, "/orderId"), text(&again, "/orderId"));
    let too_many = server.post("live", ANTI_AI, &anti_ai("b", 3)).await;
    let why = "2 credits are left, the order needs one per file";
    too_many.assert_refused(400, "USAGE_NOT_ENOUGH", why);
    create_order(&server, "live", ANTI_AI, &anti_ai("c", 1)).await;
    let marks = json!([{"text": "x"}, {"text": "y"}]);
    let body =
        json!({"idempotencyKey": "e", "files": [{"fileName": "a.jpg", "watermarks": marks}]});
    create_order(&server, "live", EMBED, &body).await;
    let body = json!({"idempotencyKey": "d", "fileName": "a.jpg"});
    let used_up = server.post("live", DETECTION, &body).await;
    used_up.assert_refused(429, "USAGE_LIMIT_EXCEEDED", "no credits are left");
    let headers = [("apikey", "live")];
    let left = server
        .send(Method::GET, "/check-user-credits", &headers, "")
        .await;
    assert_eq!(
        left.json()["credits"],
        0,
        "one key, one account, both vendors"
    );
    give(&server, "live", 5).await;
    assert_eq!(server.post("live", DETECTION, &body).await.status, 200);
}

#[tokio::test]
async fn without_a_number_and_with_a_test_key_nothing_is_counted() {
    let server = TestServer::start_frozen("live").await;
    give(&server, "sk_test_1", 0).await;
    for key in ["live", "sk_test_1"] {
        create_order(&server, key, ANTI_AI, &anti_ai("a", 100)).await;
    }
}
