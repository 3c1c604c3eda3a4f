//! URLs that name none of our objects: refused, or downloaded where the setting `fetch` says so.

use axum::response::Redirect;
use axum::routing::get;
use serde_json::{Value, json};

use super::{credits, error, frozen, frozen_with, post, query};
use crate::support::{Stunt, fixture, picture};

const METADATA: &str = "File metadata could not be fetched";

async fn fetching() -> Stunt {
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
        .route("/program.exe", get(|| async { picture() }))
        .route(
            "/moved.jpg",
            get(|| async { Redirect::temporary("/a/photo_ai.jpg") }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

fn asked(url: &str) -> Value {
    json!({"key": "live", "url": url})
}

#[tokio::test]
async fn a_foreign_url_is_downloaded_and_looked_at_like_an_upload() {
    let (stunt, origin) = (fetching().await, files().await);
    for (path, result) in [
        ("/a/photo_ai.jpg?size=1#top", 98.0),
        ("/uploads/plain.png", 68.84),
    ] {
        let answer = post(&stunt, "/detect", &asked(&format!("{origin}{path}"))).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        let id = answer.json()["id"].as_str().expect("an id").to_owned();
        stunt.advance("live", "PT1S").await;
        let document = query(&stunt, &id).await.json();
        assert_eq!(document["result"].as_f64(), Some(result), "{document}");
    }
    let left = r#"{"baseCredits":9998,"boostCredits":1000,"credits":10998}"#;
    assert_eq!(credits(&stunt, "live").await, left);
}

#[tokio::test]
async fn what_was_downloaded_is_checked_like_an_upload() {
    let (stunt, origin) = (fetching().await, files().await);
    for (path, message) in [
        ("/small.jpg", "File size is too small"),
        ("/large.jpg", "File size exceeds limit"),
        ("/text.jpg", "Invalid file type"),
        ("/program.exe", "Unsupported image type"),
    ] {
        let answer = post(&stunt, "/detect", &asked(&format!("{origin}{path}"))).await;
        let expected = (400, format!(r#"{{"error":"{message}"}}"#));
        assert_eq!((answer.status, answer.text()), expected, "{path}");
    }
    let full = r#"{"baseCredits":10000,"boostCredits":1000,"credits":11000}"#;
    assert_eq!(credits(&stunt, "live").await, full);
}

#[tokio::test]
async fn what_cannot_be_had_has_no_metadata() {
    let (stunt, origin) = (fetching().await, files().await);
    for (path, says) in [
        ("/nothing.jpg", "answered 404"),
        ("/moved.jpg", "redirects are not followed"),
        ("/huge.jpg", "has more than 33554432 bytes"),
    ] {
        let answer = post(&stunt, "/detect", &asked(&format!("{origin}{path}"))).await;
        let (status, text, why) = answer.refusal();
        assert_eq!(
            (status, text),
            (500, format!(r#"{{"error":"{METADATA}"}}"#))
        );
        assert!(
            why.starts_with("url: ") && why.contains(says),
            "{path}: {why}"
        );
    }
    let answer = post(&stunt, "/detect", &asked("https://8.8.8.8/a.jpg")).await;
    let (status, _, why) = answer.refusal();
    assert!(status == 500 && why.contains("allow-public"), "{why}");
    let answer = post(&stunt, "/detect", &asked("uploads/x_y.jpg")).await;
    let why = "url: this key has uploaded nothing to uploads/x_y.jpg";
    assert_eq!(answer.refusal(), error(500, METADATA, why));
    let answer = post(&stunt, "/detect", &asked("ftp://h/a.jpg")).await;
    let why = "url: has no uploads/ in its path, and is not fetched";
    assert_eq!(answer.refusal(), error(500, METADATA, why));
}

#[tokio::test]
async fn without_the_setting_nothing_is_downloaded() {
    let (stunt, origin) = (frozen().await, files().await);
    let answer = post(
        &stunt,
        "/detect",
        &asked(&format!("{origin}/a/photo_ai.jpg")),
    )
    .await;
    let why = "url: has no uploads/ in its path, and is not fetched";
    assert_eq!(answer.refusal(), error(500, METADATA, why));
}
