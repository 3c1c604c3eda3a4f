//! The setting `strict-uploads`: names, signed headers and types as strict as the vendor's.

use reqwest::Method;
use serde_json::json;

use super::{error, frozen_with, get, post, presign, start_frozen};
use crate::support::{TestResponse, TestServer, picture};

const ACL: (&str, &str) = ("x-amz-acl", "private");

async fn strict() -> TestServer {
    frozen_with(|config| config.undetectable.strict_uploads = true).await
}

async fn place(server: &TestServer, name: &str) -> (String, String) {
    let place = presign(server, "live", name).await;
    let text = |field: &str| place[field].as_str().expect("a text").to_owned();
    (text("presigned_url"), text("file_path"))
}

async fn put(server: &TestServer, url: &str, headers: &[(&str, &str)]) -> TestResponse {
    server.send(Method::PUT, url, headers, picture()).await
}

#[tokio::test]
async fn a_name_with_unsafe_characters_is_refused() {
    let server = strict().await;
    let why = "file_name: has characters other than A-Z a-z 0-9 . _ -";
    for name in [
        "my%20photo.jpg",
        "a%2Fb.jpg",
        "%C3%A9t%C3%A9.jpg",
        "a(1).jpg",
    ] {
        let path = format!("/get-presigned-url?file_name={name}");
        let response = get(&server, "live", &path).await;
        assert_eq!(response.error_of(), error(400, "Invalid file name", why));
    }
    let unsupported = "file_name: extension .exe is not supported";
    let response = get(&server, "live", "/get-presigned-url?file_name=a%20b.exe").await;
    assert_eq!(
        response.error_of(),
        error(400, "Unsupported image type", unsupported)
    );
    place(&server, "photo_1-a.B.jpg").await;
}

#[tokio::test]
async fn the_url_is_signed_for_x_amz_acl() {
    let server = strict().await;
    let (url, path) = place(&server, "x_ai.jpg").await;
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
async fn a_type_that_does_not_fit_the_extension_is_refused_as_s3_does() {
    let server = strict().await;
    let (url, key) = place(&server, "x.JPG").await;
    for sent in ["image/jpg", "image/png", "application/octet-stream"] {
        let response = put(&server, &url, &[("content-type", sent), ACL]).await;
        let id = response.header("x-amz-request-id");
        let expected = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>AccessDenied</Code><Message>Access Denied</Message>\
             <Key>{key}</Key><RequestId>{id}</RequestId><HostId>stuntdouble</HostId></Error>"
        );
        let why = format!("Content-Type: expected image/jpeg for .JPG, got \"{sent}\"");
        assert_eq!(response.error_of(), (403, expected, why));
        assert_eq!(response.header("content-type"), "application/xml");
    }
    let response = put(&server, &url, &[ACL]).await;
    assert_eq!(response.status, 403, "none fits no extension");
    let body = json!({"key": "live", "url": key});
    let response = post(&server, "/detect", &body).await;
    assert_eq!(
        response.status,
        500,
        "nothing of it is kept: {}",
        response.text()
    );
    let response = put(&server, &url, &[("content-type", "image/jpeg"), ACL]).await;
    assert_eq!((response.status, response.text().as_str()), (200, ""));
    let (url, _) = place(&server, "pictures.zip").await;
    let response = put(&server, &url, &[("content-type", "application/zip"), ACL]).await;
    assert_eq!(response.status, 200, "{}", response.text());
}

#[tokio::test]
async fn without_it_any_type_is_taken_and_bizmoris_are_with_it_too() {
    let server = start_frozen().await;
    let (url, _) = place(&server, "my photo.jpg").await;
    for headers in [&[("content-type", "image/jpg")][..], &[ACL], &[]] {
        assert_eq!(put(&server, &url, headers).await.status, 200);
    }
    let server = strict().await;
    let body = json!({"idempotencyKey": "a", "fileName": "a b.jpg"});
    let (_, url) = server.create_detection("live", &body).await;
    assert_eq!(
        put(&server, &url, &[("content-type", "image/jpg")])
            .await
            .status,
        200
    );
}
