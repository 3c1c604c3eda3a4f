//! Fields `url`, `email` and `model`, and the order of checks.

use serde_json::{Value, json};

use super::{expected_error, post, start_frozen, start_frozen_with, upload};
use crate::support::{TestServer, ZipEntry, picture, zip};

const EMPTY: &str = "Input URL cannot be empty";
const NO_FILE: &str = "File metadata could not be fetched";

async fn post_error(server: &TestServer, path: &str, body: &Value) -> (u16, String, String) {
    post(server, path, body).await.error_of()
}

#[tokio::test]
async fn detect_with_url_that_is_neither_url_nor_key_answers_empty_url() {
    for fetch in [false, true] {
        let server = start_frozen_with(|config| config.orders.fetch = fetch).await;
        for (url, reason) in [
            ("", "url: empty"),
            (" ", "url: blank"),
            ("\t\r\n ", "url: blank"),
            ("\u{a0}\u{3000}", "url: blank"),
            ("not a url", "url: neither a URL nor the key of an upload"),
            ("http://", "url: neither a URL nor the key of an upload"),
            ("https://", "url: neither a URL nor the key of an upload"),
            (" http:// ", "url: neither a URL nor the key of an upload"),
            ("http://?a=b", "url: neither a URL nor the key of an upload"),
            ("a.jpg", "url: neither a URL nor the key of an upload"),
            ("/a.jpg", "url: neither a URL nor the key of an upload"),
            (
                "//host/a.jpg",
                "url: neither a URL nor the key of an upload",
            ),
            ("uploads/", "url: neither a URL nor the key of an upload"),
            ("null", "url: neither a URL nor the key of an upload"),
        ] {
            for path in ["/detect", "/bulk-upload"] {
                let body = json!({"key": "live", "url": url});
                let actual = post_error(&server, path, &body).await;
                assert_eq!(actual, expected_error(400, EMPTY, reason), "{path} {url:?}");
            }
        }
    }
}

#[tokio::test]
async fn detect_with_url_of_missing_file_answers_no_metadata() {
    let server = start_frozen().await;
    for url in [
        "http://host",
        "https://host/a.jpg",
        "HTTPS://host/a.jpg",
        "ftp://host/a.jpg",
        "https://host.invalid:99999999/uploads/a.jpg",
        "not a url/uploads/a.jpg",
        "http:///uploads/a.jpg",
        "uploads/a.jpg",
        "/uploads/a.jpg",
        "uploads%2Fa.jpg",
    ] {
        let (status, body, reason) =
            post_error(&server, "/detect", &json!({"key": "live", "url": url})).await;
        assert_eq!(
            (status, body),
            (500, format!(r#"{{"error":"{NO_FILE}"}}"#)),
            "{url}"
        );
        assert!(reason.starts_with("url: "), "{url}: {reason}");
    }
}

#[tokio::test]
async fn detect_with_empty_email_is_refused_and_with_any_other_accepted() {
    let server = start_frozen().await;
    let path = upload(&server, "live", "a_ai.jpg", picture()).await;
    for email in ["", " ", "\t\n"] {
        let body = json!({"key": "live", "url": path, "email": email});
        let expected = expected_error(400, "Input email is empty", "email: empty");
        assert_eq!(
            post_error(&server, "/detect", &body).await,
            expected,
            "{email:?}"
        );
    }
    for email in [json!(null), json!("a@b.c"), json!("no address"), json!(5)] {
        let body = json!({"key": "live", "url": path, "email": email});
        assert_eq!(post(&server, "/detect", &body).await.status, 200, "{email}");
    }
}

#[tokio::test]
async fn detect_checks_schema_key_url_email_file_and_id_in_this_order() {
    let server = start_frozen().await;
    let document = super::finish_document(&server, "b_ai.jpg", picture(), json!({})).await;
    let mut body = json!({"key": "", "url": " ", "email": "", "model": "x", "id": document["id"]});
    assert_eq!(post(&server, "/detect", &body).await.status, 422);
    body["model"] = json!("generic");
    for (field, value, expected) in [
        (
            "key",
            json!("live"),
            expected_error(403, "User verification failed", "key: missing or empty"),
        ),
        (
            "url",
            json!("uploads/none.jpg"),
            expected_error(400, EMPTY, "url: blank"),
        ),
        (
            "email",
            json!("a@b.c"),
            expected_error(400, "Input email is empty", "email: empty"),
        ),
        (
            "url",
            json!(upload(&server, "live", "c_ai.jpg", picture()).await),
            expected_error(
                500,
                NO_FILE,
                "url: nothing that this key uploaded is at uploads/none.jpg",
            ),
        ),
        (
            "id",
            json!(null),
            expected_error(
                400,
                "Document ID already exists",
                "id: a document has it already",
            ),
        ),
    ] {
        assert_eq!(post_error(&server, "/detect", &body).await, expected);
        body[field] = value;
    }
    assert_eq!(post(&server, "/detect", &body).await.status, 200);
}

#[tokio::test]
async fn detect_with_model_of_vendor_or_instance_and_model_is_accepted() {
    let server = start_frozen().await;
    let photo = upload(&server, "live", "a_ai.jpg", picture()).await;
    let zip_bytes = zip(&[ZipEntry::new("a_ai.jpg", &picture())]);
    let archive = upload(&server, "live", "a.zip", zip_bytes).await;
    for (path, url) in [("/detect", photo), ("/bulk-upload", archive)] {
        let status = async |model: &Value| {
            let body = json!({"key": "live", "url": url, "model": model});
            post(&server, path, &body).await.status
        };
        for valid in [
            "generic",
            "sheerid",
            "abc123/mymodel",
            "instance/model",
            "a/b",
            "5c-1_x.y/Модель:v2",
        ] {
            assert_eq!(status(&json!(valid)).await, 200, "{path} {valid}");
        }
        assert_eq!(status(&Value::Null).await, 200, "{path}");
        for invalid in [
            "",
            " ",
            "other",
            "Generic",
            "generic ",
            "/",
            "a/",
            "/b",
            "a//b",
            "a/b/c",
            "/a/b",
            "a/b/",
            "a / b",
            " a/b",
            "a/b ",
            "a/b\n",
            "a/ ",
            "a b/c",
            "a/b\u{3000}c",
        ] {
            assert_eq!(status(&json!(invalid)).await, 422, "{path} {invalid:?}");
        }
        for invalid in [json!(5), json!(true), json!([]), json!({}), json!(["a/b"])] {
            assert_eq!(status(&invalid).await, 422, "{path} {invalid}");
        }
    }
}
