//! Files that are taken from URLs.

use serde_json::{Value, json};

use super::{ANTI_AI, CONFIRM_ANTI_AI, EMBED, create_order, downloaded, signed, text};
use crate::support::{TestServer, code, fixture, picture};

const WITH_URLS: &str = "/api/v2/orders/anti-ai/with-urls";

#[tokio::test]
async fn an_order_of_urls_alone_is_in_progress_at_once() {
    let stunt = TestServer::start_frozen("live").await;
    let url = "http://files.test/a.jpg";
    let body =
        json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg", "originalFileUrl": url}]});
    let answer = stunt.post("live", ANTI_AI, &body).await;
    let id = text(&answer.json(), "/data/orderId");
    let expected = format!(
        r#"{{"data":{{"orderName":"anti_ai_2026-03-12","orderId":"{id}","status":"inProgress","files":[{{"fileId":1001,"fileName":"a.jpg","originalFileUrl":"{url}"}}]}}}}"#
    );
    assert_eq!(answer.text(), expected);
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let refused = stunt.post("live", CONFIRM_ANTI_AI, &confirm).await;
    assert_eq!(
        (refused.status, refused.text()),
        (400, code("ORDER_NOT_PENDING"))
    );
    assert_eq!(stunt.advance("live", "PT0.3S").await, ["order.process"]);
    let one = downloaded(&stunt, "live", &id).await;
    assert!(one.starts_with(b"\xff\xd8\xff"), "a sample stands for it");

    let again = json!({"idempotencyKey": "b", "files": [{"fileName": "a.jpg", "originalFileUrl": "http://files.test/b.jpg"}]});
    let order = create_order(&stunt, "live", ANTI_AI, &again).await;
    stunt.advance("live", "PT1S").await;
    let other = downloaded(&stunt, "live", &text(&order, "/orderId")).await;
    assert_ne!(one, other, "another URL, another sample");
}

#[tokio::test]
async fn an_order_of_both_waits_for_its_upload_and_its_confirm() {
    let stunt = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "files": [
        {"fileName": "a.png", "originalFileUrl": "https://files.test/a.png"}, {"fileName": "b.jpg"}]});
    let answer = stunt.post("live", ANTI_AI, &body).await;
    let data = answer.json()["data"].take();
    let id = text(&data, "/orderId");
    let expected = format!(
        r#"{{"data":{{"orderName":"anti_ai_2026-03-12","orderId":"{id}","status":"pending","files":[{{"fileId":1001,"fileName":"a.png","originalFileUrl":"https://files.test/a.png"}},{{"fileId":1002,"fileName":"b.jpg","uploadUrl":"{{origin}}/_s3/bizmori/temp/{id}/1/b.jpg?{}","fileKey":"temp/{id}/1/b.jpg"}}]}}}}"#,
        signed(3_600)
    );
    assert_eq!(stunt.redact(&answer.text()), expected);
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let refused = stunt.post("live", CONFIRM_ANTI_AI, &confirm).await;
    let why = format!("order {id} is pending: 0 of 1 files uploaded");
    refused.assert_refused(400, "ORDER_FILE_NOT_UPLOADED", &why);
    stunt
        .put(&text(&data, "/files/1/uploadUrl"), picture())
        .await;
    stunt.post("live", CONFIRM_ANTI_AI, &confirm).await;
    stunt.advance("live", "PT1S").await;
    assert_eq!(stunt.get_order("live", &id).await["status"], "complete");
    assert!(downloaded(&stunt, "live", &id).await.starts_with(b"PK"));
}

#[tokio::test]
async fn the_deprecated_route_takes_urls_alone() {
    let stunt = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "files": [{"fileName": "a.webp", "imageUrl": "http://files.test/a"}]});
    let answer = stunt.post("live", WITH_URLS, &body).await;
    let id = text(&answer.json(), "/data/orderId");
    let expected = format!(
        r#"{{"data":{{"orderName":"anti_ai_2026-03-12","orderId":"{id}","status":"inProgress"}}}}"#
    );
    assert_eq!(answer.text(), expected);
    stunt.advance("live", "PT1S").await;
    assert!(downloaded(&stunt, "live", &id).await.starts_with(b"RIFF"));
    let upload = json!({"idempotencyKey": "b", "files": [{"fileName": "a.webp"}]});
    let refused = stunt.post("live", WITH_URLS, &upload).await;
    assert_eq!(refused.text(), code("VALIDATION_FAILED"));
}

#[tokio::test]
async fn an_embedding_takes_urls_for_pictures_and_documents() {
    let stunt = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "files": [
        {"fileName": "a.tiff", "originalFileUrl": "http://files.test/a", "watermarks": [{"text": "x"}]},
        {"fileName": "b.pdf", "originalFileUrl": "http://files.test/b", "watermarks": [{"text": "y"}]}]});
    let order = create_order(&stunt, "live", EMBED, &body).await;
    let id = text(&order, "/orderId");
    let file = |n: usize, name: &str, place: &str, format: &str, kind: &str| {
        json!({"fileId": 1_000 + n, "fileName": name, "originalFileUrl": format!("http://files.test/{}", &name[..1]),
            "fileKey": format!("wtr-embed/{id}/{place}/{n}/{name}"), "fileFormat": format, "fileType": kind})
    };
    let files = [
        file(1, "a.tiff", "images", "TIFF", "IMG"),
        file(2, "b.pdf", "documents", "PDF", "DOCUMENT"),
    ];
    assert_eq!(
        (&order["status"], &order["files"]),
        (&json!("pending"), &json!(files))
    );
    let again = create_order(&stunt, "live", EMBED, &body).await;
    assert_eq!(again["status"], "inProgress", "it has started all the same");
    stunt.advance("live", "PT1S").await;
    let detail = stunt.get_order("live", &id).await;
    assert_eq!(detail["status"], "complete", "{detail}");
}

/// A server of files: one there, one not, one that leads elsewhere.
async fn files() -> String {
    use axum::routing::get;
    let router = axum::Router::new()
        .route("/photo.jpg", get(|| async { fixture("photo.jpg") }))
        .route(
            "/moved.jpg",
            get(|| async { axum::response::Redirect::temporary("/photo.jpg") }),
        );
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await;
    let listener = listener.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    origin
}

#[tokio::test]
async fn with_the_setting_fetch_the_file_is_downloaded_or_the_order_fails() {
    let stunt = TestServer::with_config(|config| config.orders.fetch = true).await;
    stunt.freeze("live").await;
    let origin = files().await;
    let run = async |name: &str| -> Value {
        let body = json!({"idempotencyKey": name, "files": [{"fileName": "a.jpg", "originalFileUrl": format!("{origin}/{name}")}]});
        let order = create_order(&stunt, "live", ANTI_AI, &body).await;
        stunt.advance("live", "PT1S").await;
        stunt.get_order("live", &text(&order, "/orderId")).await
    };
    let order = run("photo.jpg").await;
    assert_eq!(order["status"], "complete");
    let output = downloaded(&stunt, "live", &text(&order, "/orderId")).await;
    let size = |bytes: &[u8]| {
        let reader = image::ImageReader::new(std::io::Cursor::new(bytes));
        let reader = reader.with_guessed_format().expect("a format");
        reader.into_dimensions().expect("a size")
    };
    assert_eq!(size(&output), size(&fixture("photo.jpg")));
    for (name, says) in [("nothing.jpg", "404"), ("moved.jpg", "redirects")] {
        let order = run(name).await;
        assert_eq!(order["status"], "failed", "{name}");
        let why = text(&order, "/errors");
        assert!(
            why.starts_with("files[0].originalFileUrl: ") && why.contains(says),
            "{why}"
        );
    }
    let public = json!({"idempotencyKey": "p", "files": [{"fileName": "a.jpg", "originalFileUrl": "http://8.8.8.8/a.jpg"}]});
    let order = create_order(&stunt, "live", ANTI_AI, &public).await;
    stunt.advance("live", "PT1S").await;
    let order = stunt.get_order("live", &text(&order, "/orderId")).await;
    assert!(text(&order, "/errors").contains("allow-public"), "{order}");
}
