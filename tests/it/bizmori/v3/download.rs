//! Downloads by v3.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::{ANTI_AI, fetch};
use super::{EMBED, complete_embed, complete_extract, create_order, text};
use crate::support::{TestServer, code};

/// Downloads an order, asserts the exact JSON and returns its `data`.
pub(super) async fn download(server: &TestServer, key: &str, id: &str) -> Value {
    let path = format!("/api/v3/orders/{id}/download");
    let response = server.get(key, &path).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let data = response.json()["data"].take();
    let files: Vec<String> = data["files"]
        .as_array()
        .expect("files")
        .iter()
        .map(|file| {
            let id = text(file, "/fileId");
            let url = text(file, "/downloadUrl");
            format!(r#"{{"fileId":"{id}","downloadUrl":"{url}"}}"#)
        })
        .collect();
    let expected = format!(
        r#"{{"data":{{"archiveUrl":{},"files":[{}],"expiresInSeconds":{}}}}}"#,
        data["archiveUrl"],
        files.join(","),
        data["expiresInSeconds"]
    );
    assert_eq!(response.text(), expected, "fields in this order");
    data
}

/// Returns the names of a ZIP's entries, and asserts that each entry has content.
pub(super) fn entry_names(zipped: &[u8]) -> Vec<String> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zipped)).expect("a ZIP");
    let names: Vec<String> = zip
        .file_names()
        .map(|name| name.expect("UTF-8").into_owned())
        .collect();
    for (n, name) in names.iter().enumerate() {
        let mut bytes = Vec::new();
        let mut entry = zip.by_index(n).expect("an entry");
        std::io::copy(&mut entry, &mut bytes).expect("the entry is read");
        assert!(bytes.len() > 500, "{name}");
    }
    names
}

#[tokio::test]
async fn download_of_several_outputs_answers_url_of_each_and_zip() {
    let server = TestServer::start_frozen("live").await;
    let id = complete_embed(&server, "live", &["one", "two"]).await;
    let data = download(&server, "live", &id).await;
    assert_eq!(
        (
            &data["files"][0]["fileId"],
            &data["files"][1]["fileId"],
            &data["expiresInSeconds"]
        ),
        (&json!("1001101"), &json!("1001102"), &json!(3_600))
    );
    let one = fetch(&server, &text(&data, "/files/0/downloadUrl")).await;
    let two = fetch(&server, &text(&data, "/files/1/downloadUrl")).await;
    assert!(one != two && one.starts_with(b"\xff\xd8\xff"));
    let zip = fetch(&server, &text(&data, "/archiveUrl")).await;
    assert_eq!(entry_names(&zip), ["a.jpg", "a (1).jpg"]);
}

#[tokio::test]
async fn download_of_one_output_answers_its_url_as_archive() {
    let server = TestServer::start_frozen("live").await;
    let id = complete_embed(&server, "live", &["one"]).await;
    let data = download(&server, "live", &id).await;
    assert_eq!(data["archiveUrl"], data["files"][0]["downloadUrl"]);
    let marked = fetch(&server, &text(&data, "/archiveUrl")).await;
    assert!(marked.starts_with(b"\xff\xd8\xff"));
    let files = json!([{"fileName": "b.png", "originalFileUrl": "http://files.test/b"}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    let order = create_order(&server, "live", ANTI_AI, &body).await;
    server.advance("live", "PT5S").await;
    let data = download(&server, "live", &text(&order, "/orderId")).await;
    assert_eq!(data["archiveUrl"], data["files"][0]["downloadUrl"]);
    let protected = fetch(&server, &text(&data, "/archiveUrl")).await;
    assert!(protected.starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn download_of_one_output_with_test_key_answers_its_sample_as_archive() {
    let server = TestServer::start_frozen("sk_test_1").await;
    let id = complete_embed(&server, "sk_test_1", &["one"]).await;
    let data = download(&server, "sk_test_1", &id).await;
    assert_eq!(data["archiveUrl"], data["files"][0]["downloadUrl"]);
    let sample = fetch(&server, &text(&data, "/archiveUrl")).await;
    assert!(sample.starts_with(b"\xff\xd8\xff"));
}

#[tokio::test]
async fn download_url_expires_with_its_order() {
    let server = TestServer::start_frozen("live").await;
    let id = complete_embed(&server, "live", &["one"]).await;
    server.advance("live", "P6DT23H59M").await;
    let data = download(&server, "live", &id).await;
    assert_eq!(data["expiresInSeconds"], 55);
    let url = text(&data, "/files/0/downloadUrl");
    assert!(url.contains("X-Amz-Expires=55&"), "{url}");
    server.advance("live", "PT1M").await;
    let path = format!("/api/v3/orders/{id}/download");
    let refused = server.get("live", &path).await;
    assert_eq!(
        (refused.status, refused.text()),
        (400, code("ORDER_EXPIRED"))
    );
    assert_eq!(server.send(Method::GET, &url, &[], "").await.status, 403);
}

#[tokio::test]
async fn download_of_order_without_outputs_answers_error_code() {
    let server = TestServer::start_frozen("live").await;
    let id = complete_extract(&server, "live", "a.jpg").await;
    let body = json!({"idempotencyKey": "p", "files": [{"fileName": "a.jpg", "watermarks": [{"text": "x"}]}]});
    let order = create_order(&server, "live", EMBED, &body).await;
    let pending = text(&order, "/orderId");
    for (id, error_code) in [
        (&id, "ORDER_TYPE_CANT_DOWNLOAD"),
        (&pending, "ORDER_NOT_COMPLETED"),
    ] {
        let path = format!("/api/v3/orders/{id}/download");
        let response = server.get("live", &path).await;
        assert_eq!((response.status, response.text()), (400, code(error_code)));
    }
}

#[tokio::test]
async fn download_of_v3_embed_has_one_text_in_each_output() {
    let server = TestServer::start_frozen("live").await;
    let id = complete_embed(&server, "live", &["one", "two"]).await;
    let data = download(&server, "live", &id).await;
    for (n, expected) in ["one", "two"].into_iter().enumerate() {
        let url = text(&data, &format!("/files/{n}/downloadUrl"));
        let marked = fetch(&server, &url).await;
        let body = json!({"idempotencyKey": n.to_string(), "file": {"fileName": "x.jpg"}});
        let order = create_order(&server, "live", super::super::EXTRACT, &body).await;
        server.put(&text(&order, "/file/uploadUrl"), marked).await;
        server.advance("live", "PT1S").await;
        let extracted = server.get_order("live", &text(&order, "/orderId")).await;
        assert_eq!(extracted["watermarkText"], expected);
    }
}
