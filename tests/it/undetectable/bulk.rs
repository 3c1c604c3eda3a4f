//! Bulks: the images of a ZIP file.

mod errors;
mod hostile;
mod items;
mod limits;
mod names;
mod rules;
mod skipped_entries;

use serde_json::{Value, json};

use super::{credits, expected_error, post, query, start_frozen, start_frozen_with, upload};
use crate::support::{TestResponse, TestServer, ZipEntry, zip};

/// Uploads a ZIP file of `live` and requests a bulk. Returns the response.
async fn queue_bulk(server: &TestServer, name: &str, zip: Vec<u8>) -> TestResponse {
    let path = upload(server, "live", name, zip).await;
    post(server, "/bulk-upload", &json!({"key": "live", "url": path})).await
}

/// Creates a bulk of `live` with `expected_count` images. Returns its id.
async fn create_bulk(
    server: &TestServer,
    name: &str,
    zip: Vec<u8>,
    expected_count: usize,
) -> String {
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

/// Returns the text of a bulk, with its id replaced.
async fn bulk_view(server: &TestServer, id: &str) -> String {
    query_bulk(server, id).await.text().replace(id, "{id}")
}

/// Creates a bulk of these entries, of which `expected_count` are processed, and completes it.
async fn finish_bulk(server: &TestServer, entries: &[ZipEntry], expected_count: usize) -> Value {
    let id = create_bulk(server, "some.zip", zip(entries), expected_count).await;
    server.advance("live", "PT1S").await;
    query_bulk(server, &id).await.json()
}

/// Returns one field of each item of a bulk.
fn item_fields(bulk: &Value, field: &str) -> Value {
    let items = bulk["items"].as_array().expect("items");
    items.iter().map(|item| item[field].clone()).collect()
}
