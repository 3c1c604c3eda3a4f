//! Values of `url`, `email` and `model`, and the order in which inputs are checked.

use serde_json::{Value, json};

use super::{error, frozen_with, post, start_frozen, upload};
use crate::support::{TestServer, ZipEntry, picture, zip};

const EMPTY: &str = "Input URL cannot be empty";
const NO_FILE: &str = "File metadata could not be fetched";

async fn error_of(server: &TestServer, path: &str, body: &Value) -> (u16, String, String) {
    post(server, path, body).await.error_of()
}

#[tokio::test]
async fn detect_of_what_is_neither_url_nor_key_is_refused_as_an_empty_url() {
    for fetch in [false, true] {
        let server = frozen_with(|config| config.orders.fetch = fetch).await;
        for (url, why) in [
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
                let answered = error_of(&server, path, &json!({"key": "live", "url": url})).await;
                assert_eq!(answered, error(400, EMPTY, why), "{path} {url:?}");
            }
        }
    }
}

#[tokio::test]
async fn detect_of_a_url_or_key_where_nothing_is_has_no_metadata() {
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
        let (status, body, why) =
            error_of(&server, "/detect", &json!({"key": "live", "url": url})).await;
        assert_eq!(
            (status, body),
            (500, format!(r#"{{"error":"{NO_FILE}"}}"#)),
            "{url}"
        );
        assert!(why.starts_with("url: "), "{url}: {why}");
    }
}

#[tokio::test]
async fn detect_with_an_empty_or_blank_email_is_refused() {
    let server = start_frozen().await;
    let path = upload(&server, "live", "a_ai.jpg", picture()).await;
    for email in ["", " ", "\t\n"] {
        let body = json!({"key": "live", "url": path, "email": email});
        let expected = error(400, "Input email is empty", "email: empty");
        assert_eq!(
            error_of(&server, "/detect", &body).await,
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
async fn detect_checks_schema_key_url_email_and_file_in_this_order() {
    let server = start_frozen().await;
    let document = super::finish_document(&server, "b_ai.jpg", picture(), json!({})).await;
    let mut body = json!({"key": "", "url": " ", "email": "", "model": "x", "id": document["id"]});
    assert_eq!(post(&server, "/detect", &body).await.status, 422);
    body["model"] = json!("generic");
    for (field, value, expected) in [
        (
            "key",
            json!("live"),
            error(403, "User verification failed", "key: missing or empty"),
        ),
        (
            "url",
            json!("uploads/none.jpg"),
            error(400, EMPTY, "url: blank"),
        ),
        (
            "email",
            json!("a@b.c"),
            error(400, "Input email is empty", "email: empty"),
        ),
        (
            "url",
            json!(upload(&server, "live", "c_ai.jpg", picture()).await),
            error(
                500,
                NO_FILE,
                "url: no upload of this API key at uploads/none.jpg",
            ),
        ),
        (
            "id",
            json!(null),
            error(
                400,
                "Document ID already exists",
                "id: another document has this id",
            ),
        ),
    ] {
        assert_eq!(error_of(&server, "/detect", &body).await, expected);
        body[field] = value;
    }
    assert_eq!(post(&server, "/detect", &body).await.status, 200);
}

#[tokio::test]
async fn model_is_the_vendors_or_an_instance_and_a_model() {
    let server = start_frozen().await;
    let photo = upload(&server, "live", "a_ai.jpg", picture()).await;
    let archive = zip(&[ZipEntry::new("a_ai.jpg", &picture())]);
    let archive = upload(&server, "live", "a.zip", archive).await;
    for (path, url) in [("/detect", photo), ("/bulk-upload", archive)] {
        let status = async |model: &Value| {
            let body = json!({"key": "live", "url": url, "model": model});
            post(&server, path, &body).await.status
        };
        for fine in [
            "generic",
            "sheerid",
            "abc123/mymodel",
            "instance/model",
            "a/b",
            "5c-1_x.y/Модель:v2",
        ] {
            assert_eq!(status(&json!(fine)).await, 200, "{path} {fine}");
        }
        assert_eq!(status(&Value::Null).await, 200, "{path}");
        for bad in [
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
            assert_eq!(status(&json!(bad)).await, 422, "{path} {bad:?}");
        }
        for bad in [json!(5), json!(true), json!([]), json!({}), json!(["a/b"])] {
            assert_eq!(status(&bad).await, 422, "{path} {bad}");
        }
    }
}
