//! Undetectable AI: uploads, rendered images, ZIP files.

use reqwest::Method;
use serde_json::{Value, json};

use super::{collect_urls, read_all_urls};
use crate::support::{TestServer, ZipEntry, fixture, zip};

const KEY: &str = "documents";

pub async fn run_flows(client: &TestServer) {
    client.freeze(KEY).await;
    let url = upload_file(client, "x_ai.jpg", fixture("photo.jpg")).await;
    let body = json!({"key": KEY, "url": url, "generate_preview": true});
    let document = query_until_done(client, "/detect", "/query", &body).await;
    assert_eq!(document["status"], "done", "{document}");
    assert_eq!(read_all_urls(client, &document).await, 2, "{document}");
    let packed = zip(&[ZipEntry::stored("y_ai.jpg", &fixture("photo.jpg"))]);
    let url = upload_file(client, "some.zip", packed).await;
    let body = json!({"key": KEY, "url": url});
    let bulk = query_until_done(client, "/bulk-upload", "/bulk-upload/query", &body).await;
    assert_eq!(bulk["status"], "done", "{bulk}");
    let account = format!("/_mock/accounts/{KEY}");
    client.control(Method::DELETE, &account, &json!({})).await;
}

/// Uploads the bytes. Returns their URL as the vendor's SDK builds it.
async fn upload_file(client: &TestServer, name: &str, bytes: Vec<u8>) -> String {
    let path = format!("/get-presigned-url?file_name={name}");
    let response = client
        .send(Method::GET, &path, &[("apikey", KEY)], "")
        .await;
    let slot = response.json();
    let upload = collect_urls(client, &slot).remove(0);
    let headers = [("x-amz-acl", "private")];
    let put = client.send(Method::PUT, &upload, &headers, bytes).await;
    assert_eq!(put.status, 200, "{}", put.text());
    let path = slot["file_path"].as_str().expect("a path");
    format!("{}/{path}", client.origin)
}

/// Posts `body` to `path` and queries the result. Returns the response of the second query.
async fn query_until_done(client: &TestServer, path: &str, query: &str, body: &Value) -> Value {
    let content_type = [("content-type", "application/json")];
    let response = client
        .send(Method::POST, path, &content_type, body.to_string())
        .await;
    assert_eq!(response.status, 200, "{}", response.text());
    client.advance(KEY, "PT5S").await;
    let id = json!({"id": response.json()["id"]}).to_string();
    let first = client
        .send(Method::POST, query, &content_type, id.clone())
        .await;
    collect_urls(client, &first.json());
    client.advance(KEY, "PT5S").await;
    let second = client.send(Method::POST, query, &content_type, id).await;
    second.json()
}
