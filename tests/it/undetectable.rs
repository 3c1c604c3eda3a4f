//! The Undetectable AI API: uploads, documents, bulks, credits, errors and its OpenAPI description.

mod analyses;
mod assets;
mod billing;
mod bulk;
mod codes;
mod documents;
mod formats;
mod heatmaps;
mod hosts;
mod inputs;
mod json_bodies;
mod metadata;
mod openapi;
mod outcomes;
mod pictures;
mod profile;
mod refusals;
mod scores;
mod strict;
mod trailing_slashes;
mod uploads;
mod url_inputs;
mod validation;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer};

/// Starts a server and freezes the clock of `live`.
async fn start_frozen() -> TestServer {
    frozen_with(|_| {}).await
}

async fn frozen_with(set: impl FnOnce(&mut stuntdouble::settings::Config)) -> TestServer {
    let server = TestServer::with_config(set).await;
    server.freeze("live").await;
    server
}

async fn post(server: &TestServer, path: &str, body: &Value) -> TestResponse {
    let headers = [("content-type", "application/json")];
    server
        .send(Method::POST, path, &headers, body.to_string())
        .await
}

async fn get(server: &TestServer, key: &str, path: &str) -> TestResponse {
    server.send(Method::GET, path, &[("apikey", key)], "").await
}

/// Requests a presigned URL for a file. Returns the response's body.
async fn presign(server: &TestServer, key: &str, name: &str) -> Value {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let response = get(server, key, &format!("/get-presigned-url?file_name={name}")).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// Uploads a file. Returns its path.
async fn upload(server: &TestServer, key: &str, name: &str, bytes: Vec<u8>) -> String {
    let presigned = presign(server, key, name).await;
    let url = presigned["presigned_url"].as_str().expect("a URL");
    server.put(url, bytes).await;
    presigned["file_path"].as_str().expect("a path").to_owned()
}

/// Uploads a file of `live` and requests its detection with the fields of `body`. Returns the
/// document's id.
async fn detect(server: &TestServer, name: &str, bytes: Vec<u8>, mut body: Value) -> String {
    let path = upload(server, "live", name, bytes).await;
    body["key"] = json!("live");
    body["url"] = json!(format!("{}/{path}", server.origin));
    let response = post(server, "/detect", &body).await;
    let id = response.json()["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{}", response.text()))
        .to_owned();
    let expected = format!(r#"{{"id":"{id}","status":"pending"}}"#);
    assert_eq!((response.status, response.text()), (200, expected));
    id
}

async fn query(server: &TestServer, id: &str) -> TestResponse {
    let response = post(server, "/query", &json!({"id": id})).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response
}

/// Returns the body of a query, with the id, the origin and signatures replaced.
async fn document_view(server: &TestServer, id: &str) -> String {
    let text = query(server, id).await.text();
    server.redact(&text).replace(id, "{id}")
}

/// Detects a file of `live` and returns the document, from the second query on after its end.
async fn finish_document(server: &TestServer, name: &str, bytes: Vec<u8>, body: Value) -> Value {
    let id = detect(server, name, bytes, body).await;
    server.advance("live", "PT1S").await;
    query(server, &id).await;
    query(server, &id).await.json()
}

/// Returns the expected [`TestResponse::error_of`] for an error of a handler.
fn error(status: u16, message: &str, reason: &str) -> (u16, String, String) {
    (
        status,
        format!(r#"{{"error":"{message}"}}"#),
        reason.to_owned(),
    )
}

async fn credits(server: &TestServer, key: &str) -> String {
    get(server, key, "/check-user-credits").await.text()
}

/// Returns the redacted URL of a document's asset, signed at `second` seconds past 10:00.
fn link(name: &str, second: u8) -> String {
    format!(
        "{{origin}}/_s3/ai-image-detector-prod/results/{{id}}/{name}?X-Amz-Algorithm=AWS4-HMAC-SHA256&\
         X-Amz-Credential=STUNTDOUBLEACCESSKEY%2F20260312%2Fus-east-1%2Fs3%2Faws4_request&\
         X-Amz-Date=20260312T1000{second:02}Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=*"
    )
}
