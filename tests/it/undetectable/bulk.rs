//! The pictures of a ZIP.

mod hostile;
mod items;
mod limits;
mod names;
mod refusals;
mod rules;
mod skipped;

use serde_json::{Value, json};

use super::{credits, error, frozen_with, post, query, start_frozen, upload};
use crate::support::{TestResponse, TestServer, ZipEntry, zip};

/// What is asked of a ZIP of `live`'s: the answer.
async fn queue_bulk(server: &TestServer, name: &str, zip: Vec<u8>) -> TestResponse {
    let path = upload(server, "live", name, zip).await;
    post(server, "/bulk-upload", &json!({"key": "live", "url": path})).await
}

/// A bulk of `live`'s of so many pictures: its id.
async fn bulk(server: &TestServer, name: &str, zip: Vec<u8>, expected_count: usize) -> String {
    let response = queue_bulk(server, name, zip).await;
    let id = response.json()["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", response.text()))
        .to_owned();
    let expected =
        format!(r#"{{"id":"{id}","status":"pending","expected_count":{expected_count}}}"#);
    assert_eq!((response.status, response.text()), (200, expected));
    id
}

async fn query_bulk(server: &TestServer, id: &str) -> TestResponse {
    let response = post(server, "/bulk-upload/query", &json!({"id": id})).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response
}

/// How a bulk stands, its id replaced.
async fn bulk_view(server: &TestServer, id: &str) -> String {
    query_bulk(server, id).await.text().replace(id, "{id}")
}

/// A bulk of those files that is done, so many of them judged.
async fn finish_bulk(server: &TestServer, entries: &[ZipEntry], expected_count: usize) -> Value {
    let id = bulk(server, "some.zip", zip(entries), expected_count).await;
    server.advance("live", "PT1S").await;
    query_bulk(server, &id).await.json()
}

/// A field of each of a bulk's items.
fn of_items(bulk: &Value, field: &str) -> Value {
    let items = bulk["items"].as_array().expect("items");
    items.iter().map(|item| item[field].clone()).collect()
}
