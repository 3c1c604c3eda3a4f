//! Refusals of bulks: their bodies, and the `X-Mock-Reason` of each.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::{detect, presign};
use super::{ZipEntry, bulk, error, post, query_bulk, queue_bulk, start_frozen, upload};
use crate::support::{TestServer, picture, zip};

fn one() -> Vec<u8> {
    zip(&[ZipEntry::new("a_ai.jpg", &picture())])
}

async fn assert_bulk_refused(server: &TestServer, url: &str) -> (u16, String, String) {
    let body = json!({"key": "live", "url": url});
    post(server, "/bulk-upload", &body).await.error_of()
}

#[tokio::test]
async fn a_url_that_means_no_zip_is_refused() {
    let server = start_frozen().await;
    let empty = error(400, "Input URL cannot be empty", "url: empty");
    assert_eq!(assert_bulk_refused(&server, "").await, empty);
    let message = "URL must point to a ZIP file";
    let jpeg = upload(&server, "live", "a.jpg", picture()).await;
    for url in [
        &jpeg,
        "https://host/a.jpg?x=.zip",
        "uploads/zip",
        "https://host/a.zip.jpg",
    ] {
        let expected = error(400, message, "url: does not end in .zip");
        assert_eq!(assert_bulk_refused(&server, url).await, expected, "{url}");
    }
    for bytes in [picture(), b"PK\x03\x04".to_vec()] {
        let response = queue_bulk(&server, "a.zip", bytes).await;
        let expected = error(
            400,
            message,
            "a.zip: it has no end-of-central-directory record",
        );
        assert_eq!(response.error_of(), expected);
    }
}

#[tokio::test]
async fn a_zip_that_was_never_uploaded_has_no_metadata() {
    let server = start_frozen().await;
    let foreign = upload(&server, "other", "a.zip", one()).await;
    let awaited = presign(&server, "live", "a.zip").await["file_path"].clone();
    let message = "File metadata could not be fetched";
    for path in [&foreign, awaited.as_str().expect("a path")] {
        let why = format!("url: no upload of this API key at {path}");
        assert_eq!(
            assert_bulk_refused(&server, path).await,
            error(500, message, &why)
        );
    }
    let why = "url: contains no uploads/, and fetching other URLs is off";
    let elsewhere = assert_bulk_refused(&server, "https://host/a.zip").await;
    assert_eq!(elsewhere, error(500, message, why));
}

#[tokio::test]
async fn every_form_of_a_url_is_found() {
    let server = start_frozen().await;
    let path = upload(&server, "live", "my photos.ZIP", one()).await;
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
async fn a_key_is_wanted_to_upload_and_none_to_query() {
    let server = start_frozen().await;
    let message = "User verification failed";
    let url = upload(&server, "live", "a.zip", one()).await;
    for key in [Value::Null, json!("")] {
        let response = post(&server, "/bulk-upload", &json!({"key": key, "url": url})).await;
        let why = "key: missing or empty";
        assert_eq!(response.error_of(), error(403, message, why));
    }
    let id = bulk(&server, "a.zip", one(), 1).await;
    for body in [
        json!({"id": id}),
        json!({"id": id, "key": "other", "_t": 1}),
    ] {
        let response = post(&server, "/bulk-upload/query", &body).await;
        assert_eq!(response.json()["status"], "pending");
    }
    let set = json!({"state": "unknown"});
    server
        .control(Method::PUT, "/_mock/accounts/live", &set)
        .await;
    let why = "key: key state overridden via /_mock/accounts";
    assert_eq!(
        assert_bulk_refused(&server, &url).await,
        error(404, "User not found", why)
    );
}

#[tokio::test]
async fn everything_that_does_not_fit_is_told_in_the_schemas_order() {
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
    let fine = json!({
        "key": "live", "url": upload(&server, "live", "a.zip", one()).await, "generate_preview": true,
        "generate_analysis_details": true, "model": "sheerid", "unknown": [1]
    });
    assert_eq!(post(&server, "/bulk-upload", &fine).await.status, 200);
}

#[tokio::test]
async fn what_is_no_bulk_is_not_told_as_one() {
    let server = start_frozen().await;
    let id = detect(&server, "x_ai.jpg", picture(), json!({})).await;
    let response = post(&server, "/bulk-upload/query", &json!({"id": id})).await;
    let message = "Document is not a bulk upload (image-zip) result";
    let why = format!("id: document {id} is a single image: send its id to /query");
    assert_eq!(response.error_of(), error(400, message, &why));
    let order = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (order, _) = server.create_detection("live", &order).await;
    for unknown in ["0f0e0d0c-0b0a-4908-8706-050403020100", "x", "", &order] {
        assert_eq!(query_bulk(&server, unknown).await.text(), "null");
    }
}

#[tokio::test]
async fn a_zip_is_no_single_picture() {
    let server = start_frozen().await;
    let path = upload(&server, "live", "a.zip", one()).await;
    let response = post(&server, "/detect", &json!({"key": "live", "url": path})).await;
    let expected = r#"{"error":"Unsupported image type"}"#;
    assert_eq!((response.status, response.text().as_str()), (400, expected));
}

#[tokio::test]
async fn a_query_is_the_accounts_that_owns_the_bulk() {
    let server = start_frozen().await;
    let id = bulk(&server, "a.zip", one(), 1).await;
    let number =
        |response: &crate::support::TestResponse| response.header("x-mock-request").parse();
    let before: u64 = number(&query_bulk(&server, &id).await).expect("a number");
    let after: u64 = number(&query_bulk(&server, &id).await).expect("a number");
    assert_eq!(after, before + 1);
}
