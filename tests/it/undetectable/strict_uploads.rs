//! Setting `strict-uploads`: file names, signed headers and content types as strict as the vendor's.

use reqwest::Method;
use serde_json::json;

use super::{expected_error, get, post, presign, start_frozen, start_frozen_with};
use crate::support::{TestResponse, TestServer, picture};

const ACL: (&str, &str) = ("x-amz-acl", "private");

async fn start_strict() -> TestServer {
    start_frozen_with(|config| config.undetectable.strict_uploads = true).await
}

/// Returns the upload URL and the path of a file.
async fn upload_slot(server: &TestServer, name: &str) -> (String, String) {
    let slot = presign(server, "live", name).await;
    let text = |field: &str| slot[field].as_str().expect("a text").to_owned();
    (text("presigned_url"), text("file_path"))
}

async fn put(server: &TestServer, url: &str, headers: &[(&str, &str)]) -> TestResponse {
    server.send(Method::PUT, url, headers, picture()).await
}

#[tokio::test]
async fn presign_with_unsafe_characters_in_name_answers_invalid_file_name() {
    let server = start_strict().await;
    let reason = "file_name: has characters other than A-Z a-z 0-9 . _ -";
    for name in [
        "my%20photo.jpg",
        "a%2Fb.jpg",
        "%C3%A9t%C3%A9.jpg",
        "a(1).jpg",
    ] {
        let path = format!("/get-presigned-url?file_name={name}");
        let response = get(&server, "live", &path).await;
        assert_eq!(
            response.error_of(),
            expected_error(400, "Invalid file name", reason)
        );
    }
    let unsupported = "file_name: extension .exe is not supported";
    let response = get(&server, "live", "/get-presigned-url?file_name=a%20b.exe").await;
    assert_eq!(
        response.error_of(),
        expected_error(400, "Unsupported image type", unsupported)
    );
    upload_slot(&server, "photo_1-a.B.jpg").await;
}

#[tokio::test]
async fn put_without_signed_acl_header_answers_signature_does_not_match() {
    let server = start_strict().await;
    let (url, path) = upload_slot(&server, "x_ai.jpg").await;
    assert!(
        url.contains("&X-Amz-SignedHeaders=host%3Bx-amz-acl&"),
        "{url}"
    );
    let content_type = ("content-type", "image/jpeg");
    for headers in [
        &[content_type][..],
        &[content_type, ("x-amz-acl", "public-read")],
    ] {
        let response = put(&server, &url, headers).await;
        assert_eq!(response.status, 403, "{}", response.text());
        assert!(
            response
                .text()
                .contains("<Code>SignatureDoesNotMatch</Code>")
        );
    }
    let response = put(&server, &url, &[content_type, ACL]).await;
    assert_eq!((response.status, response.text().as_str()), (200, ""));
    let body = json!({"key": "live", "url": path});
    let response = post(&server, "/detect", &body).await;
    assert_eq!(response.status, 200, "{}", response.text());
}

#[tokio::test]
async fn put_with_content_type_that_does_not_match_extension_answers_access_denied() {
    let server = start_strict().await;
    let (url, key) = upload_slot(&server, "x.JPG").await;
    for content_type in ["image/jpg", "image/png", "application/octet-stream"] {
        let response = put(&server, &url, &[("content-type", content_type), ACL]).await;
        let id = response.header("x-amz-request-id");
        let expected = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message>\
             <Key>{key}</Key><RequestId>{id}</RequestId><HostId>stuntdouble</HostId></Error>"
        );
        let reason = format!("Content-Type: expected image/jpeg for .JPG, got \"{content_type}\"");
        assert_eq!(response.error_of(), (403, expected, reason));
        assert_eq!(response.header("content-type"), "application/xml");
    }
    let response = put(&server, &url, &[ACL]).await;
    assert_eq!(response.status, 403, "no content type");
    let body = json!({"key": "live", "url": key});
    let response = post(&server, "/detect", &body).await;
    assert_eq!(
        response.status,
        500,
        "nothing is stored: {}",
        response.text()
    );
    let response = put(&server, &url, &[("content-type", "image/jpeg"), ACL]).await;
    assert_eq!((response.status, response.text().as_str()), (200, ""));
    let (zip_url, _) = upload_slot(&server, "pictures.zip").await;
    let zip_headers = [("content-type", "application/zip"), ACL];
    let response = put(&server, &zip_url, &zip_headers).await;
    assert_eq!(response.status, 200, "{}", response.text());
}

#[tokio::test]
async fn put_without_setting_or_to_bizmori_accepts_any_content_type() {
    let lenient = start_frozen().await;
    let (url, _) = upload_slot(&lenient, "my photo.jpg").await;
    for headers in [&[("content-type", "image/jpg")][..], &[ACL], &[]] {
        assert_eq!(put(&lenient, &url, headers).await.status, 200);
    }
    let server = start_strict().await;
    let body = json!({"idempotencyKey": "a", "fileName": "a b.jpg"});
    let (_, bizmori_url) = server.create_detection("live", &body).await;
    let headers = [("content-type", "image/jpg")];
    let response = put(&server, &bizmori_url, &headers).await;
    assert_eq!(response.status, 200, "{}", response.text());
}
