//! Zero copy: outputs are put to URLs of the client.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde_json::{Value, json};

use super::{ANTI_AI, count_files, create_order, text};
use crate::support::{Receiver, TestServer, code};

/// Name, content type and number of bytes of each received PUT.
type ReceivedPuts = Arc<Mutex<Vec<(String, String, usize)>>>;

/// Starts a storage of the client: accepts `ok…`, answers 503 twice for `late…`, 502 for `never…` and
/// 403 for `no…`. Returns its origin.
async fn start_targets() -> (String, ReceivedPuts) {
    let puts = ReceivedPuts::default();
    let router = Router::new()
        .route("/{name}", axum::routing::put(put))
        .with_state(Arc::clone(&puts));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (origin, puts)
}

async fn put(
    State(puts): State<ReceivedPuts>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    assert!(!headers.contains_key("authorization"));
    let kind = headers["content-type"].to_str().expect("ASCII").to_owned();
    let mut puts = puts.lock().expect("no panic");
    let previous = puts.iter().filter(|put| put.0 == name).count();
    puts.push((name.clone(), kind, body.len()));
    match name.as_str() {
        name if name.starts_with("late") && previous < 2 => StatusCode::SERVICE_UNAVAILABLE,
        name if name.starts_with("never") => StatusCode::BAD_GATEWAY,
        name if name.starts_with("no") => StatusCode::FORBIDDEN,
        _ => StatusCode::OK,
    }
}

fn zero_copy_body(key: &str, origin: &str, names: &[&str]) -> Value {
    let files: Vec<Value> = names
        .iter()
        .map(|name| json!({"fileName": "a.jpg", "originalFileUrl": format!("http://files.test/{name}")}))
        .collect();
    let targets: Vec<Value> = names
        .iter()
        .map(|name| json!({"fileKey": name, "url": format!("{origin}/{name}"), "presignedUrlExpiresAt": "2026-03-12T11:00:00Z"}))
        .collect();
    json!({"idempotencyKey": key, "files": files, "mode": {"zeroCopy": true}, "outputTargets": targets})
}

fn names(puts: &ReceivedPuts) -> Vec<String> {
    let puts = puts.lock().expect("no panic");
    puts.iter().map(|put| put.0.clone()).collect()
}

#[tokio::test]
async fn outputs_are_put_to_their_targets_and_not_stored() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let (origin, puts) = start_targets().await;
    let body = zero_copy_body("a", &origin, &["ok1", "ok2"]);
    let created = create_order(&server, "live", ANTI_AI, &body).await;
    let id = text(&created, "/orderId");
    server.advance("live", "PT1S").await;
    let detail = server.get_order("live", &id).await;
    assert_eq!(detail["status"], "complete", "{detail}");
    let all_puts = puts.lock().expect("no panic").clone();
    let heads: Vec<_> = all_puts.iter().map(|put| (&*put.0, &*put.1)).collect();
    assert_eq!(heads, [("ok1", "image/jpeg"), ("ok2", "image/jpeg")]);
    assert!(all_puts.iter().all(|put| put.2 > 1_000), "{all_puts:?}");
    let refused = server
        .get("live", &format!("/api/v2/orders/{id}/download"))
        .await;
    assert_eq!(
        (refused.status, refused.text()),
        (404, code("PROCESSED_FILE_NOT_FOUND"))
    );
    let event = receiver.messages(1).await.remove(0).json();
    assert_eq!(event["data"]["downloadUrl"], Value::Null);
    assert!(detail["thumbnailImageUrl"].is_string());
}

#[tokio::test]
async fn put_to_unavailable_target_is_retried_after_1_2_and_4_seconds() {
    let server = TestServer::start_frozen("live").await;
    let (origin, puts) = start_targets().await;
    let body = zero_copy_body("a", &origin, &["late", "ok"]);
    let late = create_order(&server, "live", ANTI_AI, &body).await;
    let never_body = zero_copy_body("b", &origin, &["never"]);
    server.advance("live", "PT0.3S").await;
    assert_eq!(names(&puts), ["late", "ok"]);
    assert!(server.advance("live", "PT0.999S").await.is_empty());
    assert_eq!(server.advance("live", "PT0.001S").await, ["order.process"]);
    assert_eq!(names(&puts), ["late", "ok", "late"], "ok is not repeated");
    let id = text(&late, "/orderId");
    assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
    assert_eq!(server.advance("live", "PT2S").await, ["order.process"]);
    assert_eq!(server.get_order("live", &id).await["status"], "complete");

    let never = create_order(&server, "live", ANTI_AI, &never_body).await;
    let executed = server.advance("live", "PT7.3S").await;
    assert_eq!(executed, vec!["order.process"; 4]);
    let detail = server.get_order("live", &text(&never, "/orderId")).await;
    assert_eq!(
        (&detail["status"], &detail["errors"]),
        (
            &json!("failed"),
            &json!("outputTargets[0].url: answered 502")
        )
    );
}

#[tokio::test]
async fn target_that_answers_403_fails_order_without_retry() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    server.webhook("live", &receiver.url).await;
    let (origin, puts) = start_targets().await;
    let body = zero_copy_body("a", &origin, &["no", "ok"]);
    create_order(&server, "live", ANTI_AI, &body).await;
    server.advance("live", "PT10S").await;
    assert_eq!(names(&puts), ["no", "ok"], "targets are independent");
    let event = receiver.messages(1).await.remove(0).json();
    assert_eq!(
        (&event["data"]["errorCode"], &event["data"]["errorMessage"]),
        (
            &json!("PROCESSING_ERROR"),
            &json!("outputTargets[0].url: answered 403")
        )
    );
}

#[tokio::test]
async fn outputs_that_no_target_accepts_are_not_stored() {
    let data = tempfile::tempdir().expect("a directory");
    let server =
        TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned())).await;
    server.freeze("live").await;
    let blobs = data.path().join("blobs");
    let (origin, puts) = start_targets().await;
    create_order(
        &server,
        "live",
        ANTI_AI,
        &zero_copy_body("a", &origin, &["never"]),
    )
    .await;
    server.advance("live", "PT0.3S").await;
    assert_eq!(names(&puts), ["never"]);
    assert_eq!(count_files(&blobs), 1, "the input, while the order waits");
    server.advance("live", "PT7S").await;
    assert_eq!(names(&puts).len(), 4);
    assert_eq!(count_files(&blobs), 1, "the input, after the order failed");
    server.advance("live", "P7D").await;
    assert_eq!(count_files(&blobs), 0, "after the expiry");
}

#[tokio::test]
async fn output_that_its_target_accepted_is_not_produced_again() {
    let data = tempfile::tempdir().expect("a directory");
    let server =
        TestServer::with_config(|config| config.data_dir = Some(data.path().to_owned())).await;
    server.freeze("live").await;
    let (origin, puts) = start_targets().await;
    let mut body = zero_copy_body("a", &origin, &["ok1", "ok2", "late"]);
    body["files"][1]["fileName"] = json!("b.png");
    let created = create_order(&server, "live", ANTI_AI, &body).await;
    server.advance("live", "PT0.3S").await;
    assert_eq!(names(&puts), ["ok1", "ok2", "late"]);
    let overwritten = overwrite_start(&data.path().join("blobs"), b"\x89PNG");
    assert_eq!(overwritten, 1, "the input of ok2");
    server.advance("live", "PT3S").await;
    assert_eq!(names(&puts)[3..], ["late", "late"]);
    let detail = server.get_order("live", &text(&created, "/orderId")).await;
    assert_eq!(detail["status"], "complete", "{detail}");
    let thumbnail = text(&detail, "/thumbnailImageUrl");
    let response = server.send(reqwest::Method::GET, &thumbnail, &[], "").await;
    assert_eq!(response.status, 200, "thumbnail of the first file");
}

/// Overwrites the start of every file that begins with `start`. Returns the number of these files.
fn overwrite_start(directory: &std::path::Path, start: &[u8]) -> usize {
    let entries = std::fs::read_dir(directory).expect("a directory");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    let overwrite = |path: std::path::PathBuf| {
        if path.is_dir() {
            return overwrite_start(&path, start);
        }
        let mut bytes = std::fs::read(&path).expect("a file");
        let is_match = bytes.starts_with(start);
        if is_match {
            bytes[..start.len()].fill(0);
            std::fs::write(&path, bytes).expect("the file is written");
        }
        usize::from(is_match)
    };
    paths.map(overwrite).sum()
}

#[tokio::test]
async fn create_with_invalid_output_targets_answers_validation_failed() {
    let server = TestServer::start_frozen("live").await;
    let assert_error = async |change: fn(&mut Value), reason: &str| {
        let mut body = zero_copy_body("a", "http://127.0.0.1:1", &["one"]);
        change(&mut body);
        let response = server.post("live", ANTI_AI, &body).await;
        response.assert_refused(400, "VALIDATION_FAILED", reason);
    };
    assert_error(
        |body| body["outputTargets"] = json!([]),
        "outputTargets: 0 of them for 1 files in zero copy",
    )
    .await;
    assert_error(
        |body| {
            body.as_object_mut()
                .expect("an object")
                .remove("outputTargets");
        },
        "outputTargets: 0 of them for 1 files in zero copy",
    )
    .await;
    assert_error(
        |body| body["outputTargets"][0]["presignedUrlExpiresAt"] = json!("2026-03-12T10:00:00Z"),
        "outputTargets[0].presignedUrlExpiresAt: 2026-03-12T10:00:00Z has passed by the account's clock",
    )
    .await;
    assert_error(
        |body| body["outputTargets"][0]["presignedUrlExpiresAt"] = json!("tomorrow"),
        "outputTargets[0].presignedUrlExpiresAt: tomorrow is no ISO 8601 time",
    )
    .await;
    assert_error(
        |body| body["outputTargets"][0]["url"] = json!("ftp://x/"),
        "outputTargets[0].url: ftp://x/ is no http or https URL",
    )
    .await;
    let mut plain = zero_copy_body("p", "http://127.0.0.1:1", &["one"]);
    plain["mode"]["zeroCopy"] = json!(false);
    plain["outputTargets"] = json!([]);
    assert_eq!(server.post("live", ANTI_AI, &plain).await.status, 200);
}
