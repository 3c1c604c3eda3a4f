//! What was made is downloaded.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::{ANTI_AI, fetched};
use super::{EMBED, create_order, embedded, extracted, text};
use crate::support::{TestServer, code};

pub(super) async fn download(server: &TestServer, key: &str, id: &str) -> Value {
    let path = format!("/api/v3/orders/{id}/download");
    let response = server.get(key, &path).await;
    assert_eq!(response.status, 200, "{}", response.text());
    let data = response.json()["data"].take();
    let files = data["files"].as_array().expect("files").iter();
    let files: Vec<String> = files
        .map(|file| {
            let (id, url) = (text(file, "/fileId"), text(file, "/downloadUrl"));
            format!(r#"{{"fileId":"{id}","downloadUrl":"{url}"}}"#)
        })
        .collect();
    let expected = format!(
        r#"{{"data":{{"archiveUrl":{},"files":[{}],"expiresInSeconds":{}}}}}"#,
        data["archiveUrl"],
        files.join(","),
        data["expiresInSeconds"]
    );
    assert_eq!(response.text(), expected, "these fields, in this order");
    data
}

pub(super) fn members(zipped: &[u8]) -> Vec<String> {
    let mut zip = zip::ZipArchive::new(std::io::Cursor::new(zipped)).expect("a ZIP");
    let names: Vec<String> = zip
        .file_names()
        .map(|name| name.expect("UTF-8").into_owned())
        .collect();
    for (n, name) in names.iter().enumerate() {
        let mut bytes = Vec::new();
        std::io::copy(&mut zip.by_index(n).expect("a member"), &mut bytes).expect("its bytes");
        assert!(bytes.len() > 500, "{name}");
    }
    names
}

#[tokio::test]
async fn every_output_has_its_url_and_several_have_a_zip() {
    let server = TestServer::start_frozen("live").await;
    let id = embedded(&server, "live", &["one", "two"]).await;
    let data = download(&server, "live", &id).await;
    assert_eq!(
        (
            &data["files"][0]["fileId"],
            &data["files"][1]["fileId"],
            &data["expiresInSeconds"]
        ),
        (&json!("1001101"), &json!("1001102"), &json!(3_600))
    );
    let one = fetched(&server, &text(&data, "/files/0/downloadUrl")).await;
    let two = fetched(&server, &text(&data, "/files/1/downloadUrl")).await;
    assert!(one != two && one.starts_with(b"\xff\xd8\xff"));
    let zip = fetched(&server, &text(&data, "/archiveUrl")).await;
    assert_eq!(members(&zip), ["a.jpg", "a (1).jpg"]);
}

#[tokio::test]
async fn download_of_one_output_answers_its_own_url_as_the_archive() {
    let server = TestServer::start_frozen("live").await;
    let id = embedded(&server, "live", &["one"]).await;
    let data = download(&server, "live", &id).await;
    assert_eq!(data["archiveUrl"], data["files"][0]["downloadUrl"]);
    let marked = fetched(&server, &text(&data, "/archiveUrl")).await;
    assert!(marked.starts_with(b"\xff\xd8\xff"));
    let files = json!([{"fileName": "b.png", "originalFileUrl": "http://files.test/b"}]);
    let body = json!({"idempotencyKey": "a", "files": files});
    let order = create_order(&server, "live", ANTI_AI, &body).await;
    server.advance("live", "PT5S").await;
    let data = download(&server, "live", &text(&order, "/orderId")).await;
    assert_eq!(data["archiveUrl"], data["files"][0]["downloadUrl"]);
    let protected = fetched(&server, &text(&data, "/archiveUrl")).await;
    assert!(protected.starts_with(b"\x89PNG"));
}

#[tokio::test]
async fn download_of_one_output_of_a_test_key_answers_its_sample_as_the_archive() {
    let server = TestServer::start_frozen("sk_test_1").await;
    let id = embedded(&server, "sk_test_1", &["one"]).await;
    let data = download(&server, "sk_test_1", &id).await;
    assert_eq!(data["archiveUrl"], data["files"][0]["downloadUrl"]);
    let sample = fetched(&server, &text(&data, "/archiveUrl")).await;
    assert!(sample.starts_with(b"\xff\xd8\xff"));
}

#[tokio::test]
async fn a_link_lives_no_longer_than_the_order() {
    let server = TestServer::start_frozen("live").await;
    let id = embedded(&server, "live", &["one"]).await;
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
async fn a_download_is_refused_in_the_vendors_order() {
    let server = TestServer::start_frozen("live").await;
    let id = extracted(&server, "live", "a.jpg").await;
    let body = json!({"idempotencyKey": "p", "files": [{"fileName": "a.jpg", "watermarks": [{"text": "x"}]}]});
    let order = create_order(&server, "live", EMBED, &body).await;
    let pending = text(&order, "/orderId");
    for (id, message) in [
        (&id, "ORDER_TYPE_CANT_DOWNLOAD"),
        (&pending, "ORDER_NOT_COMPLETED"),
    ] {
        let path = format!("/api/v3/orders/{id}/download");
        let response = server.get("live", &path).await;
        assert_eq!((response.status, response.text()), (400, code(message)));
    }
}

#[tokio::test]
async fn outputs_of_v3_carry_one_text_each() {
    let server = TestServer::start_frozen("live").await;
    let id = embedded(&server, "live", &["one", "two"]).await;
    let data = download(&server, "live", &id).await;
    for (n, expected) in ["one", "two"].into_iter().enumerate() {
        let url = text(&data, &format!("/files/{n}/downloadUrl"));
        let marked = fetched(&server, &url).await;
        let body = json!({"idempotencyKey": n.to_string(), "file": {"fileName": "x.jpg"}});
        let order = create_order(&server, "live", super::super::EXTRACT, &body).await;
        server.put(&text(&order, "/file/uploadUrl"), marked).await;
        server.advance("live", "PT1S").await;
        let found = server.get_order("live", &text(&order, "/orderId")).await;
        assert_eq!(found["watermarkText"], expected);
    }
}
