//! A broken object is treated as a missing one.

use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, TestResponse, TestServer, picture};

/// A way in which the file of an object is damaged.
type Damage = fn(&mut Vec<u8>);

/// A file cut off at its end, at half, at its beginning; a damaged mark; a length that cannot be; a
/// trailer that claims a size that overflows.
const DAMAGES: [Damage; 6] = [
    |bytes| bytes.truncate(bytes.len() - 1),
    |bytes| bytes.truncate(bytes.len() / 2),
    Vec::clear,
    |bytes| *bytes.last_mut().expect("a mark") = 0,
    |bytes| {
        let end = bytes.len() - 8;
        bytes[end - 4..end].copy_from_slice(&u32::MAX.to_le_bytes());
    },
    |bytes| {
        let json = format!(
            r#"{{"contentType":null,"etag":"0","bytes":{},"modifiedAt":0}}"#,
            u64::MAX
        );
        bytes.extend_from_slice(json.as_bytes());
        let length = u32::try_from(json.len()).expect("a short text");
        bytes.extend_from_slice(&length.to_le_bytes());
        bytes.extend_from_slice(b"stuntobj");
    },
];

async fn on(data: &Path) -> TestServer {
    let server = TestServer::with_config(|config| config.data_dir = Some(data.to_owned())).await;
    server.freeze("live").await;
    server
}

/// The files of all objects.
fn objects(data: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for account in std::fs::read_dir(data.join("blobs")).expect("a directory") {
        let account = account.expect("an entry").path();
        let entries = std::fs::read_dir(account).expect("a directory");
        files.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    files.sort_by_key(|file| {
        file.metadata()
            .and_then(|it| it.modified())
            .expect("a time")
    });
    files
}

/// Damages the files, each as another file: what is open keeps its content.
fn damage(files: &[PathBuf], damage: Damage) {
    for file in files {
        let mut bytes = std::fs::read(file).expect("a file");
        damage(&mut bytes);
        std::fs::remove_file(file).expect("a file");
        std::fs::write(file, bytes).expect("a file");
    }
}

fn body(key: &str) -> Value {
    json!({"idempotencyKey": key, "fileName": "a.jpg", "options": {"generateThumbnail": true}})
}

async fn read_object(server: &TestServer, url: &Value) -> TestResponse {
    let url = url.as_str().expect("a URL");
    server.send(Method::GET, url, &[], "").await
}

#[tokio::test]
async fn broken_object_is_not_found_and_can_be_put_again() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    for (n, break_it) in DAMAGES.into_iter().enumerate() {
        let before = objects(data.path());
        let (id, upload) = server.create_detection("live", &body(&n.to_string())).await;
        server.put(&upload, picture()).await;
        let url = server.get_order("live", &id).await["originalImageUrl"].take();
        let added = objects(data.path()).into_iter();
        let added: Vec<_> = added.filter(|file| !before.contains(file)).collect();
        assert_eq!(added.len(), 1, "the upload");
        damage(&added, break_it);
        let missing = read_object(&server, &url).await;
        let text = missing.text();
        assert!(
            text.contains("<Code>NoSuchKey</Code>"),
            "damage {n}: {text}"
        );
        assert_eq!(missing.status, 404);
        server.put(&upload, picture()).await;
        let there = read_object(&server, &url).await;
        assert_eq!((there.status, there.bytes == picture()), (200, true));
    }
}

#[tokio::test]
async fn order_whose_upload_is_broken_fails_as_if_the_upload_were_missing() {
    let data = tempfile::tempdir().expect("a directory");
    let (server, receiver) = (on(data.path()).await, Receiver::start().await);
    server.webhook("live", &receiver.url).await;
    for (n, break_it) in DAMAGES.into_iter().enumerate() {
        let before = objects(data.path());
        let id = server
            .confirm_detection("live", &body(&n.to_string()), picture())
            .await;
        let added = objects(data.path()).into_iter();
        let added: Vec<_> = added.filter(|file| !before.contains(file)).collect();
        assert_eq!(added.len(), 1, "the upload");
        damage(&added, break_it);
        let ran = server.advance("live", "PT1S").await;
        assert_eq!(ran, ["order.process", "webhook.deliver"], "damage {n}");
        assert_eq!(server.get_order("live", &id).await["status"], "failed");
        let event = receiver.messages(n + 1).await[n].json();
        let expected = format!("order {id}: the image file is missing");
        assert_eq!(
            (&event["data"]["errorCode"], &event["data"]["errorMessage"]),
            (&json!("AI_DETECTION_SERVICE_ERROR"), &json!(expected))
        );
    }
}

#[tokio::test]
async fn report_on_an_order_whose_thumbnail_is_broken_is_made_without_it() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    let id = server
        .confirm_detection("live", &body("a"), picture())
        .await;
    server.advance("live", "PT1S").await;
    damage(&objects(data.path()), DAMAGES[1]);
    let path = format!("/api/v3/orders/{id}/reports");
    let request_body = json!({"locale": "en-US"});
    assert_eq!(server.post("live", &path, &request_body).await.status, 202);
    assert_eq!(server.advance("live", "PT1S").await, ["order.report"]);
    let report = server.get("live", &format!("{path}/en-US")).await.json();
    assert_eq!(report["data"]["status"], "completed", "{report}");
}

#[tokio::test]
async fn outputs_that_are_broken_are_not_found() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    let url = "http://files.test/a.jpg";
    let file = |name: &str| json!({"fileName": name, "originalFileUrl": url});
    let body = json!({"idempotencyKey": "a", "files": [file("a.jpg"), file("b.jpg")]});
    let path = "/api/v2/orders/anti-ai";
    let created = server.post("live", path, &body).await.json();
    let id = created["data"]["orderId"].as_str().expect("an id");
    server.advance("live", "PT1S").await;
    assert_eq!(server.get_order("live", id).await["status"], "complete");
    damage(&objects(data.path()), DAMAGES[1]);
    let path = format!("/api/v2/orders/{id}/download");
    let download = server.get("live", &path).await.json();
    let zip = read_object(&server, &download["data"]["url"]).await;
    assert_eq!(zip.status, 404, "{}", zip.text());
    let path = format!("/api/v3/orders/{id}/download");
    let missing = server.get("live", &path).await;
    let why = format!("order {id}: an output is gone");
    missing.assert_refused(404, "PROCESSED_FILE_NOT_FOUND", &why);
}

#[tokio::test]
async fn document_of_a_broken_upload_is_refused_as_one_that_was_not_uploaded() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
    let headers = [("apikey", "live")];
    let detect = async |is_uploaded: bool| {
        let place = "/get-presigned-url?file_name=a.jpg";
        let place = server.send(Method::GET, place, &headers, "").await.json();
        if is_uploaded {
            let url = place["presigned_url"].as_str().expect("a URL");
            server.put(url, picture()).await;
            damage(&objects(data.path()), DAMAGES[0]);
        }
        let body = json!({"key": "live", "url": place["file_path"]});
        let response = server.post("live", "/detect", &body).await;
        (response.status, response.text())
    };
    let (missing, broken) = (detect(false).await, detect(true).await);
    assert_ne!(missing.0, 200);
    assert_eq!(missing, broken);
}
