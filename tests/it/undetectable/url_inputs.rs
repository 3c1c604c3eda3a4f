//! URLs of files that are not uploads. The setting `fetch` decides if they are downloaded.

use std::sync::Arc;

use axum::response::Redirect;
use axum::routing::get;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{credits, expected_error, post, presign, query, start_frozen, start_frozen_with};
use crate::support::{TestResponse, TestServer, fixture, picture};

const METADATA: &str = "File metadata could not be fetched";
const ID: &str = "0f0e0d0c-0b0a-4908-8706-050403020100";

async fn start_fetching() -> TestServer {
    start_frozen_with(|config| config.orders.fetch = true).await
}

/// Starts a file server with valid, invalid, too large and redirected files. Returns its origin.
async fn start_file_server() -> String {
    let router = axum::Router::new()
        .route("/a/photo_ai.jpg", get(|| async { picture() }))
        .route("/uploads/plain.png", get(|| async { fixture("plain.png") }))
        .route("/small.jpg", get(|| async { vec![0xff; 1_023] }))
        .route(
            "/large.jpg",
            get(|| async { vec![0; 10 * 1_024 * 1_024 + 1] }),
        )
        .route(
            "/huge.jpg",
            get(|| async { vec![0; 32 * 1_024 * 1_024 + 1] }),
        )
        .route("/text.jpg", get(|| async { vec![b' '; 2_000] }))
        .route("/text.zip", get(|| async { vec![b' '; 2_000] }))
        .route("/uploads/{name}", get(|| async { picture() }))
        .route(
            "/moved.jpg",
            get(|| async { Redirect::temporary("/a/photo_ai.jpg") }),
        );
    serve(router).await
}

async fn serve(router: axum::Router) -> String {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

fn detect_body(url: &str) -> Value {
    json!({"key": "live", "url": url})
}

#[tokio::test]
async fn detect_with_fetch_downloads_url_and_processes_file() {
    let server = start_fetching().await;
    let origin = start_file_server().await;
    for (path, result) in [
        ("/a/photo_ai.jpg?size=1#top", 98.0),
        ("/uploads/plain.png", 68.845_240_087_595_27),
    ] {
        let reply = post(&server, "/detect", &detect_body(&format!("{origin}{path}"))).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        let id = reply.json()["id"].as_str().expect("an id").to_owned();
        server.advance("live", "PT1S").await;
        let document = query(&server, &id).await.json();
        assert_eq!(document["result"].as_f64(), Some(result), "{document}");
    }
    let left = r#"{"baseCredits":9998,"boostCredits":1000,"credits":10998}"#;
    assert_eq!(credits(&server, "live").await, left);
}

#[tokio::test]
async fn detect_with_fetch_checks_downloaded_file_like_upload() {
    let server = start_fetching().await;
    let origin = start_file_server().await;
    for (path, message) in [
        ("/small.jpg", "File size is too small"),
        ("/large.jpg", "File size exceeds limit"),
        ("/text.jpg", "Invalid file type"),
    ] {
        let reply = post(&server, "/detect", &detect_body(&format!("{origin}{path}"))).await;
        let expected = (400, format!(r#"{{"error":"{message}"}}"#));
        assert_eq!((reply.status, reply.text()), expected, "{path}");
    }
    let full = r#"{"baseCredits":10000,"boostCredits":1000,"credits":11000}"#;
    assert_eq!(credits(&server, "live").await, full);
}

#[tokio::test]
async fn detect_with_fetch_of_url_that_fails_answers_no_metadata() {
    let server = start_fetching().await;
    let origin = start_file_server().await;
    for (path, expected) in [
        ("/nothing.jpg", "answered 404"),
        ("/moved.jpg", "redirects are not followed"),
        ("/huge.jpg", "has more than 33554432 bytes"),
    ] {
        let reply = post(&server, "/detect", &detect_body(&format!("{origin}{path}"))).await;
        let (status, text, reason) = reply.error_of();
        assert_eq!(
            (status, text),
            (500, format!(r#"{{"error":"{METADATA}"}}"#))
        );
        assert!(
            reason.starts_with("url: ") && reason.contains(expected),
            "{path}: {reason}"
        );
    }
    let reply = post(&server, "/detect", &detect_body("https://8.8.8.8/a.jpg")).await;
    let (status, _, reason) = reply.error_of();
    assert!(status == 500 && reason.contains("allow-public"), "{reason}");
    let reply = post(&server, "/detect", &detect_body("uploads/x_y.jpg")).await;
    let reason = "url: no upload of this API key at uploads/x_y.jpg";
    assert_eq!(reply.error_of(), expected_error(500, METADATA, reason));
    let reply = post(&server, "/detect", &detect_body("ftp://h/a.jpg")).await;
    let reason = "url: not an http or https URL";
    assert_eq!(reply.error_of(), expected_error(500, METADATA, reason));
}

#[tokio::test]
async fn detect_without_fetch_does_not_download_url() {
    let server = start_frozen().await;
    let origin = start_file_server().await;
    let reply = post(
        &server,
        "/detect",
        &detect_body(&format!("{origin}/a/photo_ai.jpg")),
    )
    .await;
    let reason = "url: contains no uploads/, and fetching other URLs is off";
    assert_eq!(reply.error_of(), expected_error(500, METADATA, reason));
}

#[tokio::test]
async fn detect_with_unsupported_extension_in_url_downloads_nothing() {
    let server = start_fetching().await;
    let reply = post(
        &server,
        "/detect",
        &detect_body("http://127.0.0.1:1/program.exe"),
    )
    .await;
    let reason = "program.exe: not an image, by its extension; send a .zip to /bulk-upload";
    assert_eq!(
        reply.error_of(),
        expected_error(400, "Unsupported image type", reason)
    );
}

#[tokio::test]
async fn refused_detect_with_fetch_stores_nothing() {
    let data = tempfile::tempdir().expect("a directory");
    let origin = start_file_server().await;
    let server = start_frozen_with(|config| {
        config.orders.fetch = true;
        config.data_dir = Some(data.path().to_owned());
    })
    .await;
    for path in ["/nothing.jpg", "/moved.jpg", "/huge.jpg"] {
        let reply = post(&server, "/detect", &detect_body(&format!("{origin}{path}"))).await;
        assert_eq!(reply.status, 500, "{path}");
    }
    let first = presign(&start_frozen().await, "live", "a.jpg").await;
    let second = presign(&server, "live", "a.jpg").await;
    assert_eq!(
        second["document_id"], first["document_id"],
        "no id was used"
    );
    for path in ["/small.jpg", "/large.jpg", "/text.jpg"] {
        let reply = post(&server, "/detect", &detect_body(&format!("{origin}{path}"))).await;
        assert_eq!(reply.status, 400, "{path}");
    }
    let zip = detect_body(&format!("{origin}/text.zip"));
    assert_eq!(post(&server, "/bulk-upload", &zip).await.status, 400);
    let valid = json!({"key": "live", "url": format!("{origin}/a/photo_ai.jpg"), "id": ID});
    assert_eq!(post(&server, "/detect", &valid).await.status, 200);
    let reply = post(&server, "/detect", &valid).await;
    assert_eq!(reply.text(), r#"{"error":"Document ID already exists"}"#);
    let accounts = std::fs::read_dir(data.path().join("blobs")).expect("a directory");
    let objects = accounts.flat_map(|it| std::fs::read_dir(it.expect("an entry").path()));
    assert_eq!(objects.flatten().count(), 1, "the file of the document");
    let mut executed = server.advance("live", "P7D").await;
    executed.sort_unstable();
    assert_eq!(executed, ["order.expire", "order.process", "upload.expire"]);
}

#[tokio::test]
async fn detect_with_url_of_own_object_does_not_download_it() {
    let server = start_fetching().await;
    let origin = start_file_server().await;
    let key = format!("uploads/{ID}_20260312-100000_a.jpg");
    let reply = post(&server, "/detect", &detect_body(&format!("{origin}/{key}"))).await;
    let reason = format!("url: no upload of this API key at {key}");
    assert_eq!(reply.error_of(), expected_error(500, METADATA, &reason));
}

/// Posts a document, resets its account during the download of the file, and returns the response.
pub async fn detect_while_account_is_reset() -> TestResponse {
    let server = start_fetching().await;
    let requested = Arc::new(Notify::new());
    let proceed = Arc::new(Notify::new());
    let notify_requested = Arc::clone(&requested);
    let await_proceed = Arc::clone(&proceed);
    let file = get(async move || {
        notify_requested.notify_one();
        await_proceed.notified().await;
        picture()
    });
    let origin = serve(axum::Router::new().route("/a.jpg", file)).await;
    let body = detect_body(&format!("{origin}/a.jpg"));
    let reset = async {
        requested.notified().await;
        let account = r#"{"account":"live"}"#;
        let response = server
            .send(Method::POST, "/_mock/reset", &[], account)
            .await;
        assert_eq!(response.status, 200);
        proceed.notify_one();
    };
    tokio::join!(post(&server, "/detect", &body), reset).0
}

#[tokio::test]
async fn detect_while_account_is_reset_answers_503() {
    let (status, _, reason) = detect_while_account_is_reset().await.error_of();
    let expected = (503, "the account was reset during the operation");
    assert_eq!((status, reason.as_str()), expected);
}
