//! Bytes of files and outputs.

use reqwest::Method;
use serde_json::{Value, json};

use super::{blob, error_of, show};
use crate::support::{TestResponse, TestServer, fixture, picture};

/// Creates an extraction of `live` from a file with these bytes. Returns the id of the file's blob.
async fn upload(server: &TestServer, name: &str, bytes: Vec<u8>) -> String {
    let body = json!({"idempotencyKey": name, "file": {"fileName": name}});
    let path = "/api/v2/orders/wtr-extract";
    let created = server.post("live", path, &body).await;
    assert_eq!(created.status, 200, "{}", created.text());
    let data = created.json()["data"].take();
    let url = data["file"]["uploadUrl"].as_str().expect("a URL");
    server.put(url, bytes).await;
    let order = show(server, data["orderId"].as_str().expect("an id")).await;
    let id = order["files"][0]["blob"].as_str().expect("a blob");
    id.to_owned()
}

fn assert_sandboxed(response: &TestResponse) {
    assert_eq!(response.header("x-content-type-options"), "nosniff");
    assert!(
        response
            .header("content-security-policy")
            .starts_with("sandbox"),
        "{:?}",
        response.header("content-security-policy")
    );
}

#[tokio::test]
async fn get_blob_sends_raster_pictures_inline_and_others_as_attachments() {
    let server = TestServer::start_frozen("live").await;
    let pdf_attachment = "attachment; filename=\"plain.pdf\"; filename*=UTF-8''plain%2Epdf";
    for (name, media_type, disposition) in [
        ("plain.jpg", "image/jpeg", "inline"),
        ("plain.png", "image/png", "inline"),
        ("plain.webp", "image/webp", "inline"),
        ("plain.pdf", "application/pdf", pdf_attachment),
    ] {
        let id = upload(&server, name, fixture(name)).await;
        let response = blob(&server, &id).await;
        assert_eq!((response.status, &response.bytes), (200, &fixture(name)));
        let length = fixture(name).len().to_string();
        for (header, value) in [
            ("content-type", media_type),
            ("content-disposition", disposition),
            ("content-length", &length),
            ("cache-control", "private, no-cache"),
        ] {
            assert_eq!(response.header(header), value, "{name}");
        }
        assert_sandboxed(&response);
    }
}

#[tokio::test]
async fn get_blob_names_the_type_of_the_content_not_of_the_upload() {
    let server = TestServer::start_frozen("live").await;
    let svg = b"<svg xmlns=\"http://www.w3.org/2000/svg\"><script>alert(1)</script></svg>";
    let html = b"<html><script>alert(1)</script></html>";
    for (name, bytes, media_type) in [
        ("svg.jpg", &svg[..], "image/svg+xml"),
        ("html.jpg", html, "application/octet-stream"),
        ("zip.jpg", b"PK\x03\x04", "application/octet-stream"),
    ] {
        let id = upload(&server, name, bytes.to_vec()).await;
        let response = blob(&server, &id).await;
        assert_eq!((response.status, response.bytes.as_slice()), (200, bytes));
        assert_eq!(response.header("content-type"), media_type, "{name}");
        let disposition = response.header("content-disposition");
        assert!(disposition.starts_with("attachment; "), "{disposition}");
        assert_sandboxed(&response);
    }
}

#[tokio::test]
async fn get_unknown_blob_answers_404() {
    let server = TestServer::start_frozen("live").await;
    let id = upload(&server, "a.jpg", picture()).await;
    server.freeze("other").await;
    let shortened = &id[..id.len() - 1];
    let changed = format!("B{}", &id[1..]);
    for other in [
        &format!("{id}?account=other"),
        &format!("{id}?account=nobody"),
        shortened,
        &changed,
        "x",
        "AAAAAAAAAAA",
        "..%2F..%2Fetc%2Fpasswd",
        "%00",
    ] {
        let response = blob(&server, other).await;
        let (status, code, _) = error_of(&response);
        assert_eq!((status, code), (404, json!("unknown_blob")), "{other}");
    }
    assert_eq!(
        blob(&server, &format!("{id}?account=live")).await.status,
        200
    );
    assert_eq!(blob(&server, &format!("{id}?x=1")).await.status, 400);
}

#[tokio::test]
async fn blobs_of_expired_orders_and_deleted_accounts_are_gone() {
    let server = TestServer::start_frozen("live").await;
    let first = upload(&server, "a.jpg", picture()).await;
    server.advance("live", "P8D").await;
    assert_eq!(blob(&server, &first).await.status, 404);
    let second = upload(&server, "b.jpg", picture()).await;
    assert_eq!(blob(&server, &second).await.status, 200);
    let path = "/_mock/accounts/live";
    server.send(Method::DELETE, path, &[], "").await;
    assert_eq!(blob(&server, &second).await.status, 404);
}

#[tokio::test]
async fn reads_through_the_control_plane_are_not_in_the_journal() {
    let server = TestServer::start_frozen("live").await;
    let id = upload(&server, "a.jpg", picture()).await;
    let path = "/_mock/requests?account=live";
    let before = server.control(Method::GET, path, &json!({})).await;
    blob(&server, &id).await;
    for path in ["/_mock/jobs?account=live", "/_mock/webhooks?account=live"] {
        server.control(Method::GET, path, &json!({})).await;
    }
    let after = server.control(Method::GET, path, &json!({})).await;
    let operations = |listing: &Value| -> Vec<Value> {
        let requests = listing["requests"].as_array().expect("requests").iter();
        requests
            .map(|request| request["operation"].clone())
            .collect()
    };
    assert_eq!(operations(&before), operations(&after));
    let expected = ["bizmori.createWatermarkExtract", "storage.put"];
    assert_eq!(operations(&after), expected);
}
