//! Errors of bulks: bodies and `X-Mock-Reason`.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::{detect, presign};
use super::{
    ZipEntry, create_bulk, expected_error, post, query_bulk, queue_bulk, start_frozen, upload,
};
use crate::support::{TestServer, picture, zip};

fn one_image_zip() -> Vec<u8> {
    zip(&[ZipEntry::new("a_ai.jpg", &picture())])
}

async fn bulk_error(server: &TestServer, url: &str) -> (u16, String, String) {
    let body = json!({"key": "live", "url": url});
    post(server, "/bulk-upload", &body).await.error_of()
}

#[tokio::test]
async fn bulk_with_url_of_no_zip_is_refused() {
    let server = start_frozen().await;
    let empty = expected_error(400, "Input URL cannot be empty", "url: empty");
    assert_eq!(bulk_error(&server, "").await, empty);
    let message = "URL must point to a ZIP file";
    let jpeg = upload(&server, "live", "a.jpg", picture()).await;
    for url in [
        &jpeg,
        "https://host/a.jpg?x=.zip",
        "uploads/zip",
        "https://host/a.zip.jpg",
    ] {
        let expected = expected_error(400, message, "url: does not end in .zip");
        assert_eq!(bulk_error(&server, url).await, expected, "{url}");
    }
    for bytes in [picture(), b"PK\x03\x04".to_vec()] {
        let response = queue_bulk(&server, "a.zip", bytes).await;
        let expected = expected_error(400, message, "a.zip: no end-of-central-directory record");
        assert_eq!(response.error_of(), expected);
    }
}

#[tokio::test]
async fn bulk_with_url_of_no_upload_of_this_key_answers_no_metadata() {
    let server = start_frozen().await;
    let other_account = upload(&server, "other", "a.zip", one_image_zip()).await;
    let not_uploaded = presign(&server, "live", "a.zip").await["file_path"].clone();
    let message = "File metadata could not be fetched";
    for path in [&other_account, not_uploaded.as_str().expect("a path")] {
        let reason = format!("url: nothing that this key uploaded is at {path}");
        assert_eq!(
            bulk_error(&server, path).await,
            expected_error(500, message, &reason)
        );
    }
    let reason = "url: has no uploads/ in it, and is not fetched";
    let foreign_url = bulk_error(&server, "https://host/a.zip").await;
    assert_eq!(foreign_url, expected_error(500, message, reason));
}

#[tokio::test]
async fn bulk_with_every_form_of_file_url_finds_upload() {
    let server = start_frozen().await;
    let path = upload(&server, "live", "my photos.ZIP", one_image_zip()).await;
    for url in [
        format!("https://ai-image-detector-prod.nyc3.digitaloceanspaces.com/{path}"),
        format!("https://ai-image-detector-dev.nyc3.digitaloceanspaces.com/{path}"),
        format!("{}/{path}?X-Amz-Date=1", server.origin),
        format!("http://ai-image-detector-prod.localhost:8080/{path}"),
        path.replace('/', "%2F").replace(".ZIP", "%2eZIP"),
    ] {
        let body = json!({"key": "live", "url": url});
        let response = post(&server, "/bulk-upload", &body).await;
        assert_eq!(response.status, 200, "{url}: {}", response.text());
    }
}

#[tokio::test]
async fn bulk_request_needs_key_and_query_does_not() {
    let server = start_frozen().await;
    let message = "User verification failed";
    let url = upload(&server, "live", "a.zip", one_image_zip()).await;
    for key in [Value::Null, json!("")] {
        let response = post(&server, "/bulk-upload", &json!({"key": key, "url": url})).await;
        let reason = "key: missing or empty";
        assert_eq!(response.error_of(), expected_error(403, message, reason));
    }
    let id = create_bulk(&server, "a.zip", one_image_zip(), 1).await;
    for body in [
        json!({"id": id}),
        json!({"id": id, "key": "other", "_t": 1}),
    ] {
        let response = post(&server, "/bulk-upload/query", &body).await;
        assert_eq!(response.json()["status"], "pending");
    }
    let settings = json!({"state": "unknown"});
    server
        .control(Method::PUT, "/_mock/accounts/live", &settings)
        .await;
    let reason = "key: the key's state was set so by the control plane";
    assert_eq!(
        bulk_error(&server, &url).await,
        expected_error(404, "User not found", reason)
    );
}

#[tokio::test]
async fn bulk_with_invalid_body_answers_problems_in_order_of_schema() {
    let server = start_frozen().await;
    let body = json!({
        "model": "other", "generate_analysis_details": "perhaps", "generate_preview": [], "key": {}
    });
    let response = post(&server, "/bulk-upload", &body).await;
    let detail = json!([
        {"loc": ["body", "key"], "msg": "str type expected", "type": "type_error.str"},
        {"loc": ["body", "url"], "msg": "field required", "type": "value_error.missing"},
        {"loc": ["body", "generate_preview"], "msg": "value could not be parsed to a boolean", "type": "type_error.bool"},
        {"loc": ["body", "generate_analysis_details"], "msg": "value could not be parsed to a boolean", "type": "type_error.bool"},
        {"loc": ["body", "model"], "msg": r#"string does not match regex "^(generic|sheerid|[^/\s]+/[^/\s]+)$""#, "type": "value_error.str.regex",
         "ctx": {"pattern": r"^(generic|sheerid|[^/\s]+/[^/\s]+)$"}},
    ]);
    assert_eq!(
        (response.status, response.json()),
        (422, json!({"detail": detail}))
    );
    let response = post(&server, "/bulk-upload/query", &json!({"id": null})).await;
    let detail = json!([{"loc": ["body", "id"], "msg": "none is not an allowed value", "type": "type_error.none.not_allowed"}]);
    assert_eq!(
        (response.status, response.json()),
        (422, json!({"detail": detail}))
    );

    let valid = json!({
        "key": "live", "url": upload(&server, "live", "a.zip", one_image_zip()).await, "generate_preview": true,
        "generate_analysis_details": true, "model": "sheerid", "unknown": [1]
    });
    assert_eq!(post(&server, "/bulk-upload", &valid).await.status, 200);
}

#[tokio::test]
async fn query_bulk_with_id_of_document_or_order_is_refused_or_null() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.jpg", picture(), json!({})).await;
    let response = post(&server, "/bulk-upload/query", &json!({"id": id})).await;
    let message = "Document is not a bulk upload (image-zip) result";
    let reason = format!("id: document {id} is of a single image; /query tells of it");
    assert_eq!(response.error_of(), expected_error(400, message, &reason));
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (order, _) = server.create_detection("live", &body).await;
    for unknown in ["0f0e0d0c-0b0a-4908-8706-050403020100", "x", "", &order] {
        assert_eq!(query_bulk(&server, unknown).await.text(), "null");
    }
}

#[tokio::test]
async fn query_bulk_counts_as_request_of_its_account() {
    let server = start_frozen().await;
    let id = create_bulk(&server, "a.zip", one_image_zip(), 1).await;
    let request_number =
        |response: &crate::support::TestResponse| response.header("x-mock-request").parse();
    let before: u64 = request_number(&query_bulk(&server, &id).await).expect("a number");
    let after: u64 = request_number(&query_bulk(&server, &id).await).expect("a number");
    assert_eq!(after, before + 1);
}
