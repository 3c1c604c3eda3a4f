//! API of Undetectable AI: uploads, documents, bulks, credits, errors and the OpenAPI description.

mod analyses;
mod assets;
mod billing;
mod bulk;
mod codes;
mod documents;
mod errors;
mod file_checks;
mod formats;
mod heatmaps;
mod hosts;
mod inputs;
mod json_bodies;
mod metadata;
mod openapi;
mod outcomes;

mod profile;
mod scores;
mod strict_uploads;
mod trailing_slashes;
mod uploads;
mod url_inputs;
mod validation;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer};

/// Starts a server on which the clock of the account `live` is frozen.
async fn start_frozen() -> TestServer {
    start_frozen_with(|_| {}).await
}

async fn start_frozen_with(set: impl FnOnce(&mut stuntdouble::settings::Config)) -> TestServer {
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

/// Requests an upload URL for a file of this name. Returns the response.
async fn presign(server: &TestServer, key: &str, name: &str) -> Value {
    let name: String = url::form_urlencoded::byte_serialize(name.as_bytes()).collect();
    let response = get(server, key, &format!("/get-presigned-url?file_name={name}")).await;
    assert_eq!(response.status, 200, "{}", response.text());
    response.json()
}

/// Uploads a file and returns its path.
async fn upload(server: &TestServer, key: &str, name: &str, bytes: Vec<u8>) -> String {
    let slot = presign(server, key, name).await;
    let url = slot["presigned_url"].as_str().expect("a URL");
    server.put(url, bytes).await;
    slot["file_path"].as_str().expect("a path").to_owned()
}

/// Uploads a file of `live` and requests a document with the further fields of `body`. Returns its id.
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

/// Returns the text of a document, with its id and varying parts replaced.
async fn document_view(server: &TestServer, id: &str) -> String {
    let text = query(server, id).await.text();
    server.redact(&text).replace(id, "{id}")
}

/// Creates a document of `live` and returns the second response that says it is done.
async fn finish_document(server: &TestServer, name: &str, bytes: Vec<u8>, body: Value) -> Value {
    let id = detect(server, name, bytes, body).await;
    server.advance("live", "PT1S").await;
    query(server, &id).await;
    query(server, &id).await.json()
}

/// Expected value of [`TestResponse::error_of`] for an error of the vendor's handlers.
fn expected_error(status: u16, message: &str, reason: &str) -> (u16, String, String) {
    (
        status,
        format!(r#"{{"error":"{message}"}}"#),
        reason.to_owned(),
    )
}

async fn credits(server: &TestServer, key: &str) -> String {
    get(server, key, "/check-user-credits").await.text()
}

/// URL of a rendered image of a document, signed `second` seconds after 10:00.
fn image_url(name: &str, second: u8) -> String {
    format!(
        "{{origin}}/_s3/ai-image-detector-prod/results/{{id}}/{name}?X-Amz-Algorithm=AWS4-HMAC-SHA256&\
         X-Amz-Credential=STUNTDOUBLEACCESSKEY%2F20260312%2Fus-east-1%2Fs3%2Faws4_request&\
         X-Amz-Date=20260312T1000{second:02}Z&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Signature=*"
    )
}
