//! Objects whose files are damaged on disk. The server treats them as missing.

use std::path::{Path, PathBuf};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, TestResponse, TestServer, picture};

/// Damages the content of an object's file.
type Damage = fn(&mut Vec<u8>);

/// In order: last byte cut off, half cut off, all cut off, wrong magic number at the end, trailer
/// length beyond the file, trailer with an object size that overflows.
const DAMAGES: [Damage; 6] = [
    |bytes| bytes.truncate(bytes.len() - 1),
    |bytes| bytes.truncate(bytes.len() / 2),
    Vec::clear,
    |bytes| *bytes.last_mut().expect("a magic number") = 0,
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

async fn start_on(data: &Path) -> TestServer {
    let server = TestServer::with_config(|config| config.data_dir = Some(data.to_owned())).await;
    server.freeze("live").await;
    server
}

/// Returns the paths of all object files, oldest first.
fn object_files(data: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for account in std::fs::read_dir(data.join("blobs")).expect("a directory") {
        let account = account.expect("an entry").path();
        let entries = std::fs::read_dir(account).expect("a directory");
        files.extend(entries.map(|entry| entry.expect("an entry").path()));
    }
    files.sort_by_key(|file| {
        let metadata = file.metadata();
        metadata.and_then(|it| it.modified()).expect("a time")
    });
    files
}

/// Returns the one object file that is not in `before`.
fn added_file(data: &Path, before: &[PathBuf]) -> PathBuf {
    let mut added = object_files(data);
    added.retain(|file| !before.contains(file));
    assert_eq!(added.len(), 1, "new object files");
    added.remove(0)
}

/// Replaces each file by a damaged copy. An open file keeps its content.
fn damage(files: &[PathBuf], damage: Damage) {
    for file in files {
        let mut bytes = std::fs::read(file).expect("a file");
        damage(&mut bytes);
        std::fs::remove_file(file).expect("a file");
        std::fs::write(file, bytes).expect("a file");
    }
}

fn order_body(key: &str) -> Value {
    json!({"idempotencyKey": key, "fileName": "a.jpg", "options": {"generateThumbnail": true}})
}

async fn read_object(server: &TestServer, url: &Value) -> TestResponse {
    let url = url.as_str().expect("a URL");
    server.send(Method::GET, url, &[], "").await
}

#[tokio::test]
async fn get_damaged_object_answers_no_such_key_until_it_is_put_again() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    for (n, damage_content) in DAMAGES.into_iter().enumerate() {
        let before = object_files(data.path());
        let body = order_body(&n.to_string());
        let (id, upload) = server.create_detection("live", &body).await;
        server.put(&upload, picture()).await;
        let url = server.get_order("live", &id).await["originalImageUrl"].take();
        damage(&[added_file(data.path(), &before)], damage_content);
        let missing = read_object(&server, &url).await;
        let text = missing.text();
        assert!(
            text.contains("<Code>NoSuchKey</Code>"),
            "damage {n}: {text}"
        );
        assert_eq!(missing.status, 404);
        server.put(&upload, picture()).await;
        let replaced = read_object(&server, &url).await;
        assert_eq!(replaced.status, 200);
        assert!(replaced.bytes == picture());
    }
}

#[tokio::test]
async fn process_order_with_damaged_upload_fails_as_with_missing_upload() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    for (n, damage_content) in DAMAGES.into_iter().enumerate() {
        let before = object_files(data.path());
        let id = server
            .confirm_detection("live", &order_body(&n.to_string()), picture())
            .await;
        damage(&[added_file(data.path(), &before)], damage_content);
        let executed = server.advance("live", "PT1S").await;
        assert_eq!(executed, ["order.process", "webhook.deliver"], "damage {n}");
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
async fn report_on_order_with_damaged_thumbnail_is_completed() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    let id = server
        .confirm_detection("live", &order_body("a"), picture())
        .await;
    server.advance("live", "PT1S").await;
    damage(&object_files(data.path()), DAMAGES[1]);
    let path = format!("/api/v3/orders/{id}/reports");
    let request_body = json!({"locale": "en-US"});
    assert_eq!(server.post("live", &path, &request_body).await.status, 202);
    assert_eq!(server.advance("live", "PT1S").await, ["order.report"]);
    let report = server.get("live", &format!("{path}/en-US")).await.json();
    assert_eq!(report["data"]["status"], "completed", "{report}");
}

#[tokio::test]
async fn download_of_order_with_damaged_outputs_answers_not_found() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    let url = "http://files.test/a.jpg";
    let file = |name: &str| json!({"fileName": name, "originalFileUrl": url});
    let body = json!({"idempotencyKey": "a", "files": [file("a.jpg"), file("b.jpg")]});
    let path = "/api/v2/orders/anti-ai";
    let created = server.post("live", path, &body).await.json();
    let id = created["data"]["orderId"].as_str().expect("an id");
    server.advance("live", "PT1S").await;
    assert_eq!(server.get_order("live", id).await["status"], "complete");
    damage(&object_files(data.path()), DAMAGES[1]);
    let v2_path = format!("/api/v2/orders/{id}/download");
    let download = server.get("live", &v2_path).await.json();
    let zip = read_object(&server, &download["data"]["url"]).await;
    assert_eq!(zip.status, 404, "{}", zip.text());
    let v3_path = format!("/api/v3/orders/{id}/download");
    let missing = server.get("live", &v3_path).await;
    let reason = format!("order {id}: an output is gone");
    missing.assert_refused(404, "PROCESSED_FILE_NOT_FOUND", &reason);
}

#[tokio::test]
async fn detect_with_damaged_upload_answers_as_with_missing_upload() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    let headers = [("apikey", "live")];
    let detect = async |is_uploaded: bool| {
        let path = "/get-presigned-url?file_name=a.jpg";
        let upload = server.send(Method::GET, path, &headers, "").await.json();
        if is_uploaded {
            let url = upload["presigned_url"].as_str().expect("a URL");
            server.put(url, picture()).await;
            damage(&object_files(data.path()), DAMAGES[0]);
        }
        let body = json!({"key": "live", "url": upload["file_path"]});
        let response = server.post("live", "/detect", &body).await;
        (response.status, response.text())
    };
    let missing = detect(false).await;
    assert_ne!(missing.0, 200);
    assert_eq!(missing, detect(true).await);
}
