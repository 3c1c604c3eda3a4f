//! Rules, for bulks: to each picture by its own name.

use reqwest::Method;
use serde_json::{Value, json};

use super::{ZipEntry, bulk, finish_bulk, of_items, post, query_bulk, queue_bulk, start_frozen};
use crate::support::{TestServer, fixture, picture, zip};

async fn rule(server: &TestServer, body: Value) -> Value {
    let created = server.control(Method::POST, "/_mock/rules", &body).await;
    created["id"].clone()
}

/// How often each rule was applied, oldest first.
async fn hits(server: &TestServer) -> Vec<Value> {
    let rules = server
        .control(Method::GET, "/_mock/rules", &json!({}))
        .await;
    let rules = rules["rules"].as_array().expect("rules");
    rules.iter().map(|rule| rule["hits"].clone()).collect()
}

fn some() -> Vec<ZipEntry> {
    let names = ["a_human.jpg", "in/b.jpg", "in/c_fail.jpg", "out/d.jpg"];
    names.map(|name| ZipEntry::new(name, &picture())).to_vec()
}

#[tokio::test]
async fn a_rule_settles_the_pictures_of_its_name_whatever_they_are() {
    let server = start_frozen().await;
    let when = json!({"operation": "undetectable.bulkUpload", "fileName": "in/*"});
    let outcome = json!({"finalResult": "AI Edited"});
    let first = rule(&server, json!({"when": when, "then": {"outcome": outcome}})).await;
    let failed = json!({"status": "failed", "errorMessage": "as told"});
    let named = json!({"fileName": "d.*"});
    rule(&server, json!({"when": named, "then": {"outcome": failed}})).await;
    let response_body = finish_bulk(&server, &some(), 4).await;
    assert_eq!(
        of_items(&response_body, "result"),
        json!([2.0, 71.0, 71.0, null])
    );
    let labels = json!(["Real", "AI Edited", "AI Edited", null]);
    assert_eq!(of_items(&response_body, "final_result"), labels);
    assert_eq!(
        of_items(&response_body, "error"),
        json!([null, null, null, "as told"])
    );
    assert_eq!(response_body["result"], 48.0);
    assert_eq!(hits(&server).await, [2, 1]);
    let id = response_body["id"].as_str().expect("an id");
    let plan = format!(
        "a_human.jpg: result 2 by suffix _human; in/b.jpg: result 71 by rule {first}; in/c_fail.jpg: result 71 by rule {first}"
    );
    assert_eq!(query_bulk(&server, id).await.header("x-mock-outcome"), plan);
}

#[tokio::test]
async fn a_rule_counts_each_picture() {
    let server = start_frozen().await;
    let outcome = json!({"probability": 0.62});
    rule(
        &server,
        json!({"skip": 1, "times": 2, "then": {"outcome": outcome}}),
    )
    .await;
    let pictures = |count: usize| {
        let entry = ZipEntry::new("x_ai.jpg", &picture());
        vec![entry; count]
    };
    let response_body = finish_bulk(&server, &pictures(2), 2).await;
    assert_eq!(of_items(&response_body, "result"), json!([98.0, 62.0]));
    let response_body = finish_bulk(&server, &pictures(3), 3).await;
    assert_eq!(
        of_items(&response_body, "result"),
        json!([62.0, 98.0, 98.0])
    );
    assert_eq!(hits(&server).await, [2]);
}

#[tokio::test]
async fn a_bulk_that_is_not_made_uses_no_rule_up() {
    let server = start_frozen().await;
    let outcome = json!({"probability": 0.62});
    rule(&server, json!({"times": 2, "then": {"outcome": outcome}})).await;
    let set = json!({"credits": 1});
    server
        .control(Method::PUT, "/_mock/accounts/live", &set)
        .await;
    let entry = ZipEntry::new("x_ai.jpg", &fixture("plain.jpg"));
    let response = queue_bulk(&server, "a.zip", zip(&[entry.clone(), entry])).await;
    assert_eq!(response.status, 403);
    assert_eq!(hits(&server).await, [0]);
}

#[tokio::test]
async fn requests_of_bulks_are_ruled_as_any() {
    let server = start_frozen().await;
    let id = bulk(&server, "a.zip", zip(&some()), 4).await;
    for operation in ["undetectable.bulkUpload", "undetectable.queryBulkUpload"] {
        let respond = json!({"status": 503, "body": {"error": operation}});
        let when = json!({"operation": operation});
        let body = json!({"account": "live", "when": when, "then": {"respond": respond}});
        rule(&server, body).await;
    }
    let response = queue_bulk(&server, "a.zip", zip(&some())).await;
    let expected = r#"{"error":"undetectable.bulkUpload"}"#;
    assert_eq!((response.status, response.text().as_str()), (503, expected));
    let response = post(&server, "/bulk-upload/query", &json!({"id": id})).await;
    let expected = r#"{"error":"undetectable.queryBulkUpload"}"#;
    assert_eq!((response.status, response.text().as_str()), (503, expected));
}
