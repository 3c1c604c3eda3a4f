//! Undetectable AI: the upload, the pictures drawn, a ZIP's.

use reqwest::Method;
use serde_json::{Value, json};

use super::{read_all, urls};
use crate::support::{TestServer, ZipEntry, fixture, zip};

const KEY: &str = "documents";

pub async fn flows(client: &TestServer) {
    client.freeze(KEY).await;
    let url = uploaded(client, "x_ai.jpg", fixture("photo.jpg")).await;
    let body = json!({"key": KEY, "url": url, "generate_preview": true});
    let document = query_until_done(client, "/detect", "/query", &body).await;
    assert_eq!(document["status"], "done", "{document}");
    assert_eq!(read_all(client, &document).await, 2, "{document}");
    let packed = zip(&[ZipEntry::stored("y_ai.jpg", &fixture("photo.jpg"))]);
    let url = uploaded(client, "some.zip", packed).await;
    let body = json!({"key": KEY, "url": url});
    let bulk = query_until_done(client, "/bulk-upload", "/bulk-upload/query", &body).await;
    assert_eq!(bulk["status"], "done", "{bulk}");
    let account = format!("/_mock/accounts/{KEY}");
    client.control(Method::DELETE, &account, &json!({})).await;
}

/// Puts the bytes where the server says; their URL, as the vendor's SDK builds it.
async fn uploaded(client: &TestServer, name: &str, bytes: Vec<u8>) -> String {
    let path = format!("/get-presigned-url?file_name={name}");
    let slot = client
        .send(Method::GET, &path, &[("apikey", KEY)], "")
        .await;
    let slot = slot.json();
    let upload = urls(client, &slot).remove(0);
    let headers = [("x-amz-acl", "private")];
    let put = client.send(Method::PUT, &upload, &headers, bytes).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let path = slot["file_path"].as_str().expect("a path");
    format!("{}/{path}", client.origin)
}

async fn query_until_done(client: &TestServer, ask: &str, query: &str, body: &Value) -> Value {
    let typed = [("content-type", "application/json")];
    let response = client
        .send(Method::POST, ask, &typed, body.to_string())
        .await;
    assert_eq!(response.status, 200, "{}", response.text());
    client.advance(KEY, "PT5S").await;
    let id = json!({"id": response.json()["id"]}).to_string();
    let first = client.send(Method::POST, query, &typed, id.clone()).await;
    urls(client, &first.json());
    client.advance(KEY, "PT5S").await;
    client.send(Method::POST, query, &typed, id).await.json()
}
