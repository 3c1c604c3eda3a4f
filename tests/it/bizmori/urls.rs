//! Input files that are given by URL.

use serde_json::{Value, json};

use super::{ANTI_AI, CONFIRM_ANTI_AI, EMBED, create_order, download_outputs, signed_query, text};
use crate::support::{TestServer, code, fixture, picture};

const WITH_URLS: &str = "/api/v2/orders/anti-ai/with-urls";

#[tokio::test]
async fn create_with_urls_only_starts_order() {
    let server = TestServer::start_frozen("live").await;
    let url = "http://files.test/a.jpg";
    let body =
        json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg", "originalFileUrl": url}]});
    let response = server.post("live", ANTI_AI, &body).await;
    let id = text(&response.json(), "/data/orderId");
    let expected = format!(
        r#"{{"data":{{"orderName":"anti_ai_2026-03-12","orderId":"{id}","status":"inProgress","files":[{{"fileId":1001,"fileName":"a.jpg","originalFileUrl":"{url}"}}]}}}}"#
    );
    assert_eq!(response.text(), expected);
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let refused = server.post("live", CONFIRM_ANTI_AI, &confirm).await;
    assert_eq!(
        (refused.status, refused.text()),
        (400, code("ORDER_NOT_PENDING"))
    );
    assert_eq!(server.advance("live", "PT0.3S").await, ["order.process"]);
    let first = download_outputs(&server, "live", &id).await;
    assert!(first.starts_with(b"\xff\xd8\xff"), "a sample JPEG");

    let other_body = json!({"idempotencyKey": "b", "files": [{"fileName": "a.jpg", "originalFileUrl": "http://files.test/b.jpg"}]});
    let order = create_order(&server, "live", ANTI_AI, &other_body).await;
    server.advance("live", "PT1S").await;
    let second = download_outputs(&server, "live", &text(&order, "/orderId")).await;
    assert_ne!(first, second, "each URL has its own sample");
}

#[tokio::test]
async fn create_with_url_and_upload_waits_for_upload_and_confirm() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "files": [
        {"fileName": "a.png", "originalFileUrl": "https://files.test/a.png"}, {"fileName": "b.jpg"}]});
    let response = server.post("live", ANTI_AI, &body).await;
    let data = response.json()["data"].take();
    let id = text(&data, "/orderId");
    let expected = format!(
        r#"{{"data":{{"orderName":"anti_ai_2026-03-12","orderId":"{id}","status":"pending","files":[{{"fileId":1001,"fileName":"a.png","originalFileUrl":"https://files.test/a.png"}},{{"fileId":1002,"fileName":"b.jpg","uploadUrl":"{{origin}}/_s3/bizmori/temp/{id}/1/b.jpg?{}","fileKey":"temp/{id}/1/b.jpg"}}]}}}}"#,
        signed_query(3_600)
    );
    assert_eq!(server.redact(&response.text()), expected);
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let refused = server.post("live", CONFIRM_ANTI_AI, &confirm).await;
    let reason = format!("order {id} is pending: 0 of 1 files uploaded");
    refused.assert_refused(400, "ORDER_FILE_NOT_UPLOADED", &reason);
    server
        .put(&text(&data, "/files/1/uploadUrl"), picture())
        .await;
    server.post("live", CONFIRM_ANTI_AI, &confirm).await;
    server.advance("live", "PT1S").await;
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
    assert!(
        download_outputs(&server, "live", &id)
            .await
            .starts_with(b"PK")
    );
}

#[tokio::test]
async fn create_by_deprecated_route_accepts_urls_only() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "files": [{"fileName": "a.webp", "imageUrl": "http://files.test/a"}]});
    let response = server.post("live", WITH_URLS, &body).await;
    let id = text(&response.json(), "/data/orderId");
    let expected = format!(
        r#"{{"data":{{"orderName":"anti_ai_2026-03-12","orderId":"{id}","status":"inProgress"}}}}"#
    );
    assert_eq!(response.text(), expected);
    server.advance("live", "PT1S").await;
    assert!(
        download_outputs(&server, "live", &id)
            .await
            .starts_with(b"RIFF")
    );
    let upload = json!({"idempotencyKey": "b", "files": [{"fileName": "a.webp"}]});
    let refused = server.post("live", WITH_URLS, &upload).await;
    assert_eq!(refused.text(), code("VALIDATION_FAILED"));
}

#[tokio::test]
async fn create_embed_with_urls_accepts_images_and_documents() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "files": [
        {"fileName": "a.tiff", "originalFileUrl": "http://files.test/a", "watermarks": [{"text": "x"}]},
        {"fileName": "b.pdf", "originalFileUrl": "http://files.test/b", "watermarks": [{"text": "y"}]}]});
    let order = create_order(&server, "live", EMBED, &body).await;
    let id = text(&order, "/orderId");
    let file = |n: usize, name: &str, directory: &str, format: &str, kind: &str| {
        json!({"fileId": 1_000 + n, "fileName": name, "originalFileUrl": format!("http://files.test/{}", &name[..1]),
            "fileKey": format!("wtr-embed/{id}/{directory}/{n}/{name}"), "fileFormat": format, "fileType": kind})
    };
    let files = [
        file(1, "a.tiff", "images", "TIFF", "IMG"),
        file(2, "b.pdf", "documents", "PDF", "DOCUMENT"),
    ];
    assert_eq!(
        (&order["status"], &order["files"]),
        (&json!("pending"), &json!(files))
    );
    let repeated = create_order(&server, "live", EMBED, &body).await;
    assert_eq!(
        repeated["status"], "inProgress",
        "started without a confirm"
    );
    server.advance("live", "PT1S").await;
    let detail = server.get_order("live", &id).await;
    assert_eq!(detail["status"], "complete", "{detail}");
}

/// Starts a file server with one file and one redirect. Returns its origin.
async fn start_file_server() -> String {
    use axum::routing::get;
    let router = axum::Router::new()
        .route("/photo.jpg", get(|| async { fixture("photo.jpg") }))
        .route(
            "/moved.jpg",
            get(|| async { axum::response::Redirect::temporary("/photo.jpg") }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

#[tokio::test]
async fn create_with_urls_and_fetch_setting_downloads_file_or_fails_order() {
    let server = TestServer::with_config(|config| config.orders.fetch = true).await;
    server.freeze("live").await;
    let origin = start_file_server().await;
    let run = async |name: &str| -> Value {
        let body = json!({"idempotencyKey": name, "files": [{"fileName": "a.jpg", "originalFileUrl": format!("{origin}/{name}")}]});
        let order = create_order(&server, "live", ANTI_AI, &body).await;
        server.advance("live", "PT1S").await;
        server.get_order("live", &text(&order, "/orderId")).await
    };
    let order = run("photo.jpg").await;
    assert_eq!(order["status"], "complete");
    let output = download_outputs(&server, "live", &text(&order, "/orderId")).await;
    let size = |bytes: &[u8]| {
        let reader = image::ImageReader::new(std::io::Cursor::new(bytes));
        let with_format = reader.with_guessed_format().expect("a format");
        with_format.into_dimensions().expect("a size")
    };
    assert_eq!(size(&output), size(&fixture("photo.jpg")));
    for (name, expected) in [("nothing.jpg", "404"), ("moved.jpg", "redirects")] {
        let order = run(name).await;
        assert_eq!(order["status"], "failed", "{name}");
        let reason = text(&order, "/errors");
        assert!(
            reason.starts_with("files[0].originalFileUrl: ") && reason.contains(expected),
            "{reason}"
        );
    }
    let public = json!({"idempotencyKey": "p", "files": [{"fileName": "a.jpg", "originalFileUrl": "http://8.8.8.8/a.jpg"}]});
    let order = create_order(&server, "live", ANTI_AI, &public).await;
    server.advance("live", "PT1S").await;
    let order = server.get_order("live", &text(&order, "/orderId")).await;
    assert!(text(&order, "/errors").contains("allow-public"), "{order}");
}
