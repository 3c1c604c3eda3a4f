//! Every message of the vendor's handlers can be had from the mock, as `src/api/undetectable/README.md` says.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};
use stuntdouble::api::undetectable::ErrorCode;

use super::url_inputs::reset_meanwhile;
use super::{detect, frozen_with, get, post, start_frozen, upload};
use crate::support::{Database, TestResponse, TestServer, ZipEntry, fixture, picture, raw, zip};

/// Statuses and messages that were seen.
#[derive(Default)]
struct AnsweredCodes(BTreeSet<(u16, String)>);

impl AnsweredCodes {
    /// An answer, whose whole body is a message.
    fn answer(&mut self, response: &TestResponse) {
        let body = response.json();
        let fields = body.as_object().expect("an object");
        assert!(fields.len() == 1 && fields.contains_key("error"), "{body}");
        let message = body["error"].as_str().expect("a message").to_owned();
        assert_ne!(response.header("x-mock-reason"), "", "{message}");
        self.0.insert((response.status, message));
    }
}

async fn ask(server: &TestServer, mut body: Value) -> TestResponse {
    if body["key"].is_null() {
        body["key"] = json!("live");
    }
    post(server, "/detect", &body).await
}

async fn set_up(server: &TestServer, key: &str, settings: Value) {
    let path = format!("/_mock/accounts/{key}");
    server.control(Method::PUT, &path, &settings).await;
}

async fn keys(server: &TestServer, recorder: &mut AnsweredCodes) {
    let credits = "/check-user-credits";
    recorder.answer(&server.send(Method::GET, credits, &[], "").await);
    set_up(server, "gone", json!({"state": "unknown"})).await;
    recorder.answer(&get(server, "gone", credits).await);
    set_up(server, "slow", json!({"requestsPerMinute": 1})).await;
    server.freeze("slow").await;
    assert_eq!(get(server, "slow", credits).await.status, 200);
    let limited = get(server, "slow", credits).await;
    assert_eq!(limited.header("retry-after"), "60");
    recorder.answer(&limited);
    set_up(server, "poor", json!({"credits": 0})).await;
    let path = upload(server, "poor", "a.jpg", picture()).await;
    recorder.answer(&ask(server, json!({"key": "poor", "url": path})).await);
}

async fn files(server: &TestServer, recorder: &mut AnsweredCodes) {
    recorder.answer(&get(server, "live", "/get-presigned-url?file_name=a.exe").await);
    recorder.answer(&ask(server, json!({"url": ""})).await);
    recorder.answer(&ask(server, json!({"url": "uploads/u", "email": ""})).await);
    recorder.answer(&ask(server, json!({"url": "uploads/x_nothing.jpg"})).await);
    for bytes in [vec![0; 1_023], vec![0; 10_485_761], vec![b' '; 2_000]] {
        let path = upload(server, "live", "a.jpg", bytes).await;
        recorder.answer(&ask(server, json!({"url": path})).await);
    }
    let path = upload(server, "live", "a.jpg", picture()).await;
    let id = "0f0e0d0c-0b0a-4908-8706-050403020100";
    let body = json!({"url": path, "id": id});
    assert_eq!(ask(server, body.clone()).await.status, 200);
    recorder.answer(&ask(server, body).await);
    let strict = frozen_with(|config| config.undetectable.strict_uploads = true).await;
    recorder.answer(&get(&strict, "live", "/get-presigned-url?file_name=a%20b.jpg").await);
}

async fn bulks(server: &TestServer, recorder: &mut AnsweredCodes) {
    let (note, jpeg) = ([b' '; 2_000], picture());
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
        recorder.answer(&post(server, "/bulk-upload", &body).await);
    }
    let id = detect(server, "x_ai.jpg", picture(), json!({})).await;
    recorder.answer(&post(server, "/bulk-upload/query", &json!({"id": id})).await);
}

async fn pictures(server: &TestServer, recorder: &mut AnsweredCodes) {
    let id = detect(server, "x_human.png", fixture("plain.png"), json!({})).await;
    server.advance("live", "PT1S").await;
    let key = json!({"key": "live"});
    for path in [
        "/preview/nothing".to_owned(),
        format!("/preview/{id}"),
        format!("/heatmap/{id}"),
        format!("/_s3/ai-image-detector-prod/results/{id}/heatmap.png"),
    ] {
        recorder.answer(&post(server, &path, &key).await);
    }
}

async fn requests(server: &TestServer, recorder: &mut AnsweredCodes) {
    use tokio::io::AsyncWriteExt;
    let host = "GET /get-presigned-url?file_name=a.jpg HTTP/1.1\r\nHost: a@b\r\napikey: live\r\n\
                Connection: close\r\n\r\n";
    recorder.answer(&raw::send(&server.origin, host.as_bytes()).await);
    let json = [("content-type", "application/json")];
    let large = vec![b' '; 8_388_609];
    recorder.answer(&server.send(Method::POST, "/query", &json, large).await);
    let short = "POST /query HTTP/1.1\r\nHost: h\r\nContent-Type: application/json\r\n\
                 Content-Length: 9\r\n\r\n{}";
    let mut stream = raw::connect(&server.origin).await;
    stream
        .write_all(short.as_bytes())
        .await
        .expect("it is read");
    stream.shutdown().await.expect("an end");
    recorder.answer(&raw::read_response(stream).await);
}

/// A fault of the server: its database refuses to store the document.
async fn faults(recorder: &mut AnsweredCodes) {
    let data = tempfile::tempdir().expect("a folder");
    let server = frozen_with(|config| config.data_dir = Some(data.path().to_owned())).await;
    let path = upload(&server, "live", "a.jpg", picture()).await;
    let mut database = Database::open(data.path()).await;
    database.refuse_writes("INSERT ON orders").await;
    recorder.answer(&ask(&server, json!({"url": path})).await);
}

#[tokio::test]
async fn every_message_can_be_had() {
    let server = start_frozen().await;
    let mut recorder = AnsweredCodes::default();
    keys(&server, &mut recorder).await;
    files(&server, &mut recorder).await;
    bulks(&server, &mut recorder).await;
    pictures(&server, &mut recorder).await;
    requests(&server, &mut recorder).await;
    faults(&mut recorder).await;
    recorder.answer(&reset_meanwhile().await);
    let all = ErrorCode::ALL.map(|code| (code.status().as_u16(), code.message().to_owned()));
    let all: BTreeSet<_> = all.into();
    assert_eq!(all.len(), ErrorCode::ALL.len(), "each has words of its own");
    let missing: Vec<_> = all.difference(&recorder.0).collect();
    assert!(
        missing.is_empty(),
        "messages that no call has had: {missing:?}"
    );
    let unknown: Vec<_> = recorder.0.difference(&all).collect();
    assert!(unknown.is_empty(), "messages of no code: {unknown:?}");
}
