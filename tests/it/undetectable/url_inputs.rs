//! URLs that name none of our objects: refused, or downloaded where the setting `fetch` says so.

use std::sync::Arc;

use axum::response::Redirect;
use axum::routing::get;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::sync::Notify;

use super::{credits, error, frozen_with, post, presign, query, start_frozen};
use crate::support::{TestResponse, TestServer, fixture, picture};

const METADATA: &str = "File metadata could not be fetched";
const ID: &str = "0f0e0d0c-0b0a-4908-8706-050403020100";

async fn fetching() -> TestServer {
    frozen_with(|config| config.orders.fetch = true).await
}

/// A server of files, some of which are good.
async fn files() -> String {
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
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

fn detect_body(url: &str) -> Value {
    json!({"key": "live", "url": url})
}

#[tokio::test]
async fn a_foreign_url_is_downloaded_and_looked_at_like_an_upload() {
    let (server, origin) = (fetching().await, files().await);
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
async fn what_was_downloaded_is_checked_like_an_upload() {
    let (server, origin) = (fetching().await, files().await);
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
async fn what_cannot_be_had_has_no_metadata() {
    let (server, origin) = (fetching().await, files().await);
    for (path, says) in [
        ("/nothing.jpg", "answered 404"),
        ("/moved.jpg", "redirects are not followed"),
        ("/huge.jpg", "has more than 33554432 bytes"),
    ] {
        let reply = post(&server, "/detect", &detect_body(&format!("{origin}{path}"))).await;
        let (status, text, why) = reply.error_of();
        assert_eq!(
            (status, text),
            (500, format!(r#"{{"error":"{METADATA}"}}"#))
        );
        assert!(
            why.starts_with("url: ") && why.contains(says),
            "{path}: {why}"
        );
    }
    let reply = post(&server, "/detect", &detect_body("https://8.8.8.8/a.jpg")).await;
    let (status, _, why) = reply.error_of();
    assert!(status == 500 && why.contains("allow-public"), "{why}");
    let reply = post(&server, "/detect", &detect_body("uploads/x_y.jpg")).await;
    let why = "url: no upload of this API key at uploads/x_y.jpg";
    assert_eq!(reply.error_of(), error(500, METADATA, why));
    let reply = post(&server, "/detect", &detect_body("ftp://h/a.jpg")).await;
    let why = "url: not an http or https URL";
    assert_eq!(reply.error_of(), error(500, METADATA, why));
}

#[tokio::test]
async fn without_the_setting_nothing_is_downloaded() {
    let (server, origin) = (start_frozen().await, files().await);
    let reply = post(
        &server,
        "/detect",
        &detect_body(&format!("{origin}/a/photo_ai.jpg")),
    )
    .await;
    let why = "url: contains no uploads/, and fetching other URLs is off";
    assert_eq!(reply.error_of(), error(500, METADATA, why));
}

#[tokio::test]
async fn by_its_name_a_url_is_refused_before_anything_is_called() {
    let server = fetching().await;
    let reply = post(
        &server,
        "/detect",
        &detect_body("http://127.0.0.1:1/program.exe"),
    )
    .await;
    let why = "program.exe: not an image, by its extension; send a .zip to /bulk-upload";
    assert_eq!(reply.error_of(), error(400, "Unsupported image type", why));
}

#[tokio::test]
async fn what_is_refused_leaves_nothing_behind() {
    let (data, origin) = (tempfile::tempdir().expect("a folder"), files().await);
    let server = frozen_with(|config| {
        config.orders.fetch = true;
        config.data_dir = Some(data.path().to_owned());
    })
    .await;
    for path in ["/nothing.jpg", "/moved.jpg", "/huge.jpg"] {
        let reply = post(&server, "/detect", &detect_body(&format!("{origin}{path}"))).await;
        assert_eq!(reply.status, 500, "{path}");
    }
    let first = presign(&start_frozen().await, "live", "a.jpg").await;
    let place = presign(&server, "live", "a.jpg").await;
    assert_eq!(place["document_id"], first["document_id"]);
    for path in ["/small.jpg", "/large.jpg", "/text.jpg"] {
        let reply = post(&server, "/detect", &detect_body(&format!("{origin}{path}"))).await;
        assert_eq!(reply.status, 400, "{path}");
    }
    let zip = detect_body(&format!("{origin}/text.zip"));
    assert_eq!(post(&server, "/bulk-upload", &zip).await.status, 400);
    let snapshot = json!({"key": "live", "url": format!("{origin}/a/photo_ai.jpg"), "id": ID});
    assert_eq!(post(&server, "/detect", &snapshot).await.status, 200);
    let reply = post(&server, "/detect", &snapshot).await;
    assert_eq!(reply.text(), r#"{"error":"Document ID already exists"}"#);
    let folders = std::fs::read_dir(data.path().join("blobs")).expect("a folder");
    let objects = folders.flat_map(|it| std::fs::read_dir(it.expect("an entry").path()));
    assert_eq!(objects.flatten().count(), 1, "the document's alone");
    let mut ran = server.advance("live", "P7D").await;
    ran.sort_unstable();
    assert_eq!(ran, ["order.expire", "order.process", "upload.expire"]);
}

#[tokio::test]
async fn an_object_of_ours_is_never_downloaded() {
    let (server, origin) = (fetching().await, files().await);
    let key = format!("uploads/{ID}_20260312-100000_a.jpg");
    let reply = post(&server, "/detect", &detect_body(&format!("{origin}/{key}"))).await;
    let why = format!("url: no upload of this API key at {key}");
    assert_eq!(reply.error_of(), error(500, METADATA, &why));
}

/// The answer to a call whose account is reset while its file is downloaded.
pub async fn reset_meanwhile() -> TestResponse {
    let (server, came) = (fetching().await, Arc::new(Notify::new()));
    let (asked_for, go) = (Arc::clone(&came), Arc::new(Notify::new()));
    let goes = Arc::clone(&go);
    let file = get(async move || {
        asked_for.notify_one();
        goes.notified().await;
        picture()
    });
    let origin = serve(axum::Router::new().route("/a.jpg", file)).await;
    let body = detect_body(&format!("{origin}/a.jpg"));
    let reset = async {
        came.notified().await;
        let reset = r#"{"account":"live"}"#;
        let reset = server.send(Method::POST, "/_mock/reset", &[], reset).await;
        assert_eq!(reset.status, 200);
        go.notify_one();
    };
    tokio::join!(post(&server, "/detect", &body), reset).0
}

#[tokio::test]
async fn an_account_that_is_reset_while_its_file_comes_is_told_so() {
    let (status, _, why) = reset_meanwhile().await.error_of();
    let expected = (503, "the account was reset meanwhile");
    assert_eq!((status, why.as_str()), expected);
}
