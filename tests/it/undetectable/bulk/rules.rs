//! Rules on bulks, which apply to each image by its name.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    ZipEntry, create_bulk, finish_bulk, item_fields, post, query_bulk, queue_bulk, start_frozen,
};
use crate::support::{TestServer, fixture, picture, zip};

async fn create_rule(server: &TestServer, body: Value) -> Value {
    let created = server.control(Method::POST, "/_mock/rules", &body).await;
    created["id"].clone()
}

/// Returns the number of hits of each rule, oldest first.
async fn hits(server: &TestServer) -> Vec<Value> {
    let response = server
        .control(Method::GET, "/_mock/rules", &json!({}))
        .await;
    let rules = response["rules"].as_array().expect("rules");
    rules.iter().map(|rule| rule["hits"].clone()).collect()
}

fn four_entries() -> Vec<ZipEntry> {
    let names = ["a_human.jpg", "in/b.jpg", "in/c_fail.jpg", "out/d.jpg"];
    names.map(|name| ZipEntry::new(name, &picture())).to_vec()
}

#[tokio::test]
async fn rule_on_file_name_decides_images_of_that_name() {
    let server = start_frozen().await;
    let when = json!({"operation": "undetectable.bulkUpload", "fileName": "in/*"});
    let outcome = json!({"finalResult": "AI Edited"});
    let first = create_rule(&server, json!({"when": when, "then": {"outcome": outcome}})).await;
    let failed = json!({"status": "failed", "errorMessage": "by a rule"});
    let named = json!({"fileName": "d.*"});
    create_rule(&server, json!({"when": named, "then": {"outcome": failed}})).await;
    let response_body = finish_bulk(&server, &four_entries(), 4).await;
    assert_eq!(
        item_fields(&response_body, "result"),
        json!([2.0, 71.0, 71.0, null])
    );
    let labels = json!(["Real", "AI Edited", "AI Edited", null]);
    assert_eq!(item_fields(&response_body, "final_result"), labels);
    assert_eq!(
        item_fields(&response_body, "error"),
        json!([null, null, null, "by a rule"])
    );
    assert_eq!(response_body["result"], 48.0);
    assert_eq!(hits(&server).await, [2, 1]);
    let id = response_body["id"].as_str().expect("an id");
    let expected_outcome = format!(
        "a_human.jpg: result 2 by suffix _human; in/b.jpg: result 71 by rule {first}; in/c_fail.jpg: result 71 by rule {first}"
    );
    let outcome_header = query_bulk(&server, id).await;
    assert_eq!(outcome_header.header("x-mock-outcome"), expected_outcome);
}

#[tokio::test]
async fn rule_with_skip_and_times_counts_each_image() {
    let server = start_frozen().await;
    let outcome = json!({"probability": 0.62});
    create_rule(
        &server,
        json!({"skip": 1, "times": 2, "then": {"outcome": outcome}}),
    )
    .await;
    let pictures = |count: usize| {
        let entry = ZipEntry::new("x_ai.jpg", &picture());
        vec![entry; count]
    };
    let response_body = finish_bulk(&server, &pictures(2), 2).await;
    assert_eq!(item_fields(&response_body, "result"), json!([98.0, 62.0]));
    let response_body = finish_bulk(&server, &pictures(3), 3).await;
    assert_eq!(
        item_fields(&response_body, "result"),
        json!([62.0, 98.0, 98.0])
    );
    assert_eq!(hits(&server).await, [2]);
}

#[tokio::test]
async fn refused_bulk_uses_no_rule() {
    let server = start_frozen().await;
    let outcome = json!({"probability": 0.62});
    create_rule(&server, json!({"times": 2, "then": {"outcome": outcome}})).await;
    let settings = json!({"credits": 1});
    server
        .control(Method::PUT, "/_mock/accounts/live", &settings)
        .await;
    let entry = ZipEntry::new("x_ai.jpg", &fixture("plain.jpg"));
    let response = queue_bulk(&server, "a.zip", zip(&[entry.clone(), entry])).await;
    assert_eq!(response.status, 403);
    assert_eq!(hits(&server).await, [0]);
}

#[tokio::test]
async fn rules_on_bulk_operations_apply_to_their_requests() {
    let server = start_frozen().await;
    let id = create_bulk(&server, "a.zip", zip(&four_entries()), 4).await;
    for operation in ["undetectable.bulkUpload", "undetectable.queryBulkUpload"] {
        let respond = json!({"status": 503, "body": {"error": operation}});
        let when = json!({"operation": operation});
        let body = json!({"account": "live", "when": when, "then": {"respond": respond}});
        create_rule(&server, body).await;
    }
    let response = queue_bulk(&server, "a.zip", zip(&four_entries())).await;
    let expected = r#"{"error":"undetectable.bulkUpload"}"#;
    assert_eq!((response.status, response.text().as_str()), (503, expected));
    let response = post(&server, "/bulk-upload/query", &json!({"id": id})).await;
    let expected = r#"{"error":"undetectable.queryBulkUpload"}"#;
    assert_eq!((response.status, response.text().as_str()), (503, expected));
}
