//! Every error message of the vendor's handlers can be provoked, as `src/api/undetectable/README.md` says.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use stuntdouble::api::undetectable::ErrorCode;

use super::url_inputs::detect_while_account_is_reset;
use super::{detect, get, post, start_frozen, start_frozen_with, upload};
use crate::support::{Database, TestResponse, TestServer, ZipEntry, fixture, picture, raw, zip};

/// Statuses and messages of received errors.
#[derive(Default)]
struct AnsweredCodes(BTreeSet<(u16, String)>);

impl AnsweredCodes {
    /// Records an error response, whose body must be one message.
    fn record(&mut self, response: &TestResponse) {
        let body = response.json();
        let fields = body.as_object().expect("an object");
        assert!(fields.len() == 1 && fields.contains_key("error"), "{body}");
        let message = body["error"].as_str().expect("a message").to_owned();
        assert_ne!(response.header("x-mock-reason"), "", "{message}");
        self.0.insert((response.status, message));
    }
}

async fn post_detect(server: &TestServer, mut body: Value) -> TestResponse {
    if body["key"].is_null() {
        body["key"] = json!("live");
    }
    post(server, "/detect", &body).await
}

async fn configure_account(server: &TestServer, key: &str, settings: Value) {
    let path = format!("/_mock/accounts/{key}");
    server.control(Method::PUT, &path, &settings).await;
}

async fn record_key_errors(server: &TestServer, recorder: &mut AnsweredCodes) {
    let credits = "/check-user-credits";
    recorder.record(&server.send(Method::GET, credits, &[], "").await);
    configure_account(server, "unknown", json!({"state": "unknown"})).await;
    recorder.record(&get(server, "unknown", credits).await);
    configure_account(server, "slow", json!({"requestsPerMinute": 1})).await;
    server.freeze("slow").await;
    assert_eq!(get(server, "slow", credits).await.status, 200);
    let limited = get(server, "slow", credits).await;
    assert_eq!(limited.header("retry-after"), "60");
    recorder.record(&limited);
    configure_account(server, "poor", json!({"credits": 0})).await;
    let path = upload(server, "poor", "a.jpg", picture()).await;
    recorder.record(&post_detect(server, json!({"key": "poor", "url": path})).await);
}

async fn record_file_errors(server: &TestServer, recorder: &mut AnsweredCodes) {
    recorder.record(&get(server, "live", "/get-presigned-url?file_name=a.exe").await);
    recorder.record(&post_detect(server, json!({"url": ""})).await);
    recorder.record(&post_detect(server, json!({"url": "uploads/u", "email": ""})).await);
    recorder.record(&post_detect(server, json!({"url": "uploads/x_nothing.jpg"})).await);
    for bytes in [vec![0; 1_023], vec![0; 10_485_761], vec![b' '; 2_000]] {
        let path = upload(server, "live", "a.jpg", bytes).await;
        recorder.record(&post_detect(server, json!({"url": path})).await);
    }
    let path = upload(server, "live", "a.jpg", picture()).await;
    let id = "0f0e0d0c-0b0a-4908-8706-050403020100";
    let body = json!({"url": path, "id": id});
    assert_eq!(post_detect(server, body.clone()).await.status, 200);
    recorder.record(&post_detect(server, body).await);
    let strict = start_frozen_with(|config| config.undetectable.strict_uploads = true).await;
    recorder.record(&get(&strict, "live", "/get-presigned-url?file_name=a%20b.jpg").await);
}

async fn record_bulk_errors(server: &TestServer, recorder: &mut AnsweredCodes) {
    let note = [b' '; 2_000];
    let jpeg = picture();
    let many: Vec<ZipEntry> = (0..51)
        .map(|n| ZipEntry::new(&format!("{n}_ai.jpg"), &jpeg))
        .collect();
    for (name, bytes) in [
        ("a.jpg", picture()),
        ("a.zip", picture()),
        ("a.zip", zip(&[ZipEntry::new("note.txt", &note)])),
        ("a.zip", zip(&many)),
        ("a.zip", vec![0; 100 * 1_024 * 1_024 + 1]),
    ] {
        let path = upload(server, "live", name, bytes).await;
        let body = json!({"key": "live", "url": path});
        recorder.record(&post(server, "/bulk-upload", &body).await);
    }
    let id = detect(server, "x_ai.jpg", picture(), json!({})).await;
    recorder.record(&post(server, "/bulk-upload/query", &json!({"id": id})).await);
}

async fn record_image_errors(server: &TestServer, recorder: &mut AnsweredCodes) {
    let id = detect(server, "x_human.png", fixture("plain.png"), json!({})).await;
    server.advance("live", "PT1S").await;
    let key = json!({"key": "live"});
    for path in [
        "/preview/nothing".to_owned(),
        format!("/preview/{id}"),
        format!("/heatmap/{id}"),
        format!("/_s3/ai-image-detector-prod/results/{id}/heatmap.png"),
    ] {
        recorder.record(&post(server, &path, &key).await);
    }
}

async fn record_request_errors(server: &TestServer, recorder: &mut AnsweredCodes) {
    use tokio::io::AsyncWriteExt;
    let invalid_host = "GET /get-presigned-url?file_name=a.jpg HTTP/1.1\r\nHost: a@b\r\napikey: live\r\n\
                Connection: close\r\n\r\n";
    recorder.record(&raw::send(&server.origin, invalid_host.as_bytes()).await);
    let json = [("content-type", "application/json")];
    let large = vec![b' '; 8_388_609];
    recorder.record(&server.send(Method::POST, "/query", &json, large).await);
    let truncated = "POST /query HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
                 Content-Length: 9\r\n\r\n{}";
    let mut stream = raw::connect(&server.origin).await;
    let written = stream.write_all(truncated.as_bytes()).await;
    written.expect("the request is sent");
    stream.shutdown().await.expect("the connection ends");
    recorder.record(&raw::read_response(stream).await);
}

/// Records the error of a server whose database refuses to store the document.
async fn record_internal_error(recorder: &mut AnsweredCodes) {
    let data = tempfile::tempdir().expect("a folder");
    let server = start_frozen_with(|config| config.data_dir = Some(data.path().to_owned())).await;
    let path = upload(&server, "live", "a.jpg", picture()).await;
    let mut database = Database::open(data.path()).await;
    database.refuse_writes("INSERT ON orders").await;
    recorder.record(&post_detect(&server, json!({"url": path})).await);
}

#[tokio::test]
async fn every_error_code_of_the_vendor_is_answered() {
    let server = start_frozen().await;
    let mut recorder = AnsweredCodes::default();
    record_key_errors(&server, &mut recorder).await;
    record_file_errors(&server, &mut recorder).await;
    record_bulk_errors(&server, &mut recorder).await;
    record_image_errors(&server, &mut recorder).await;
    record_request_errors(&server, &mut recorder).await;
    record_internal_error(&mut recorder).await;
    recorder.record(&detect_while_account_is_reset().await);
    let codes = ErrorCode::ALL.map(|code| (code.status().as_u16(), code.message().to_owned()));
    let all: BTreeSet<_> = codes.into();
    assert_eq!(all.len(), ErrorCode::ALL.len(), "messages are unique");
    let missing: Vec<_> = all.difference(&recorder.0).collect();
    assert!(missing.is_empty(), "messages not answered: {missing:?}");
    let unknown: Vec<_> = recorder.0.difference(&all).collect();
    assert!(unknown.is_empty(), "messages of no code: {unknown:?}");
}
