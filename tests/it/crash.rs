//! Kills the real program in each phase of an order and starts it again. Every accepted order ends,
//! and every event is delivered: once, or again if the response to it was lost.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Process, Receiver, Reply, TestServer, ZipEntry, fixture, picture, raw, zip};

const QUIET: [&str; 2] = ["--log", "error"];
/// Orders are due as soon as they are confirmed.
const AT_ONCE: [&str; 4] = ["--log", "error", "--processing-ms", "0"];

fn data_dir() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn body(key: &str) -> Value {
    json!({"idempotencyKey": key, "fileName": "a_ai.jpg"})
}

fn kill_and_restart(process: Process, dir: &Path, arguments: &[&str]) -> Process {
    process.kill();
    Process::start(dir, arguments)
}

/// Replaces the origin of a storage URL of an earlier server by the origin of `server`.
fn url_at(server: &TestServer, url: &str) -> String {
    let (_, rest) = url.split_once("/_s3/").expect("a storage URL");
    format!("{}/_s3/{rest}", server.origin)
}

async fn assert_complete(server: &TestServer, id: &str) {
    let order = server.get_order("live", id).await;
    let actual = (&order["status"], &order["probability"]);
    assert_eq!(actual, (&json!("complete"), &json!(0.98)));
}

#[tokio::test]
async fn kill_before_each_step_preserves_earlier_steps() {
    let (dir, receiver) = (data_dir(), Receiver::start().await);
    let mut process = Process::start(dir.path(), &QUIET);
    process.server.freeze("live").await;
    process.server.webhook("live", &receiver.url).await;
    let (id, url) = process.server.create_detection("live", &body("a")).await;

    process = kill_and_restart(process, dir.path(), &QUIET);
    process
        .server
        .put(&url_at(&process.server, &url), picture())
        .await;

    process = kill_and_restart(process, dir.path(), &QUIET);
    process.server.confirm("live", &id).await;

    process = kill_and_restart(process, dir.path(), &QUIET);
    let order = process.server.get_order("live", &id).await;
    assert_eq!(order["status"], "inProgress");
    assert_eq!(
        process.server.advance("live", "PT1S").await,
        ["order.process", "webhook.deliver"]
    );
    receiver.messages(1).await;

    process = kill_and_restart(process, dir.path(), &QUIET);
    assert_complete(&process.server, &id).await;
    assert!(process.server.advance("live", "P1D").await.is_empty());
    receiver.messages(1).await;
}

#[tokio::test]
async fn kill_after_confirm_response_completes_and_delivers_every_order() {
    let (dir, receiver) = (data_dir(), Receiver::start().await);
    let mut ids = Vec::new();
    let mut process = Process::start(dir.path(), &AT_ONCE);
    process.server.webhook("live", &receiver.url).await;
    for round in 0..6 {
        let key = round.to_string();
        ids.push(
            process
                .server
                .confirm_detection("live", &body(&key), picture())
                .await,
        );
        process = kill_and_restart(process, dir.path(), &AT_ONCE);
    }
    process.server.drain("live").await;
    let messages = receiver.messages(receiver.count()).await;
    let events_of = |id: &str| -> Vec<&[u8]> {
        let is_about_order = |body: &[u8]| {
            let event: Value = serde_json::from_slice(body).expect("JSON");
            event["data"]["orderId"] == json!(id)
        };
        let bodies = messages.iter().map(|message| message.body.as_slice());
        bodies.filter(|body| is_about_order(body)).collect()
    };
    for id in &ids {
        assert_complete(&process.server, id).await;
        let events = events_of(id);
        assert!(!events.is_empty(), "no event of {id}");
        assert!(events.len() <= 2, "{} events of {id}", events.len());
        assert!(
            events.iter().all(|body| *body == events[0]),
            "different events of {id}"
        );
    }
}

#[tokio::test]
async fn kill_after_failed_delivery_retries_it_on_schedule() {
    let (dir, receiver) = (
        data_dir(),
        Receiver::with_replies([Reply::Status(500)]).await,
    );
    let mut process = Process::start(dir.path(), &QUIET);
    process.server.freeze("live").await;
    process.server.webhook("live", &receiver.url).await;
    let id = process
        .server
        .confirm_detection("live", &body("a"), picture())
        .await;
    process.server.advance("live", "PT0.3S").await;
    receiver.messages(1).await;
    process = kill_and_restart(process, dir.path(), &QUIET);
    assert_complete(&process.server, &id).await;
    assert!(process.server.advance("live", "PT0.999S").await.is_empty());
    assert_eq!(
        process.server.advance("live", "PT0.001S").await,
        ["webhook.deliver"]
    );
    let messages = receiver.messages(2).await;
    assert_eq!(messages[0].body, messages[1].body);
    process = kill_and_restart(process, dir.path(), &QUIET);
    assert!(process.server.advance("live", "P1D").await.is_empty());
    receiver.messages(2).await;
}

#[tokio::test]
async fn kill_during_delivery_resends_the_same_event() {
    let (dir, receiver) = (data_dir(), Receiver::with_replies([Reply::Silence]).await);
    let mut process = Process::start(dir.path(), &AT_ONCE);
    let (webhook, _) = process.server.webhook("live", &receiver.url).await;
    process
        .server
        .confirm_detection("live", &body("a"), picture())
        .await;
    receiver.messages(1).await;
    process = kill_and_restart(process, dir.path(), &AT_ONCE);
    let messages = receiver.messages(2).await;
    assert_eq!(messages[0].body, messages[1].body);
    let signature = "x-moribiz-signature";
    assert_eq!(
        messages[0].headers[signature],
        messages[1].headers[signature]
    );
    process.server.drain("live").await;
    let path = format!("/api/v2/orders/webhooks/{webhook}/events");
    let events = process.server.get("live", &path).await.json();
    assert_eq!(events["data"]["pagination"]["total"], 1);
    let row = &events["data"]["events"][0];
    assert_eq!(
        (&row["status"], &row["retries"], &row["eventId"]),
        (&json!("SENT"), &json!(0), &messages[0].json()["eventId"])
    );
    process = kill_and_restart(process, dir.path(), &AT_ONCE);
    process.server.drain("live").await;
    receiver.messages(2).await;
}

/// Returns the current view of a bulk of `live`.
async fn query_bulk(server: &TestServer, id: &Value) -> Value {
    let body = json!({"id": id});
    let response = server.post("live", "/bulk-upload/query", &body).await;
    response.json()
}

#[tokio::test]
async fn kill_during_bulk_completes_it_once_with_all_items() {
    let dir = data_dir();
    let mut process = Process::start(dir.path(), &QUIET);
    process.server.freeze("live").await;
    let headers = [("apikey", "live")];
    let path = "/get-presigned-url?file_name=a.zip";
    let response = process.server.send(Method::GET, path, &headers, "").await;
    let presigned = response.json();
    let url = presigned["presigned_url"].as_str().expect("a URL");
    let entries: Vec<ZipEntry> = (0..50)
        .map(|n| ZipEntry::new(&format!("{n}_ai.jpg"), &fixture("photo.jpg")))
        .collect();
    process.server.put(url, zip(&entries)).await;
    let body = json!({"key": "live", "url": presigned["file_path"]});
    let response = process.server.post("live", "/bulk-upload", &body).await;
    let id = response.json()["id"].clone();
    let body = json!({"account": "live", "by": "PT1S"}).to_string();
    let advance = process
        .server
        .send(Method::POST, "/_mock/clock/advance", &[], body);
    let analyzing =
        async { while query_bulk(&process.server, &id).await["status"] != "analyzing" {} };
    tokio::select! {
        _ = advance => panic!("the bulk was done before it could be killed"),
        () = analyzing => {}
    }

    process = kill_and_restart(process, dir.path(), &QUIET);
    process.server.advance("live", "PT1S").await;
    let response_body = query_bulk(&process.server, &id).await;
    assert_eq!(
        (&response_body["id"], &response_body["status"]),
        (&id, &json!("done"))
    );
    let items = response_body["items"].as_array().expect("items");
    for (n, item) in items.iter().enumerate() {
        let expected = (json!(format!("{n}_ai.jpg")), json!(98.0));
        assert_eq!(
            (&item["filename"], &item["result"]),
            (&expected.0, &expected.1)
        );
    }
    assert_eq!(items.len(), 50);
    assert_eq!(process.server.advance("live", "P1D").await, [""; 0]);
    let path = "/check-user-credits";
    let credits = process.server.send(Method::GET, path, &headers, "").await;
    assert_eq!(credits.json()["baseCredits"], 9_950);

    process = kill_and_restart(process, dir.path(), &QUIET);
    assert_eq!(query_bulk(&process.server, &id).await, response_body);
}

#[tokio::test]
async fn kill_during_upload_leaves_no_object_and_no_temporary_file() {
    let dir = data_dir();
    let mut process = Process::start(dir.path(), &QUIET);
    process.server.freeze("live").await;
    let (id, url) = process.server.create_detection("live", &body("a")).await;
    let mut stream = begin_upload(&process.server, &url, 100_000).await;
    stream
        .write_all(&vec![1; 50_000])
        .await
        .expect("the server reads the request");
    process = kill_and_restart(process, dir.path(), &QUIET);
    let tmp = std::fs::read_dir(dir.path().join("tmp")).expect("a directory");
    assert_eq!(tmp.count(), 0, "temporary files are removed at the start");
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let path = "/api/v2/orders/ai-detection/confirm";
    let refused = process.server.post("live", path, &confirm).await;
    let reason = format!("order {id} is pending: 0 of 1 files uploaded");
    refused.assert_refused(400, "ORDER_FILE_NOT_UPLOADED", &reason);
    process
        .server
        .put(&url_at(&process.server, &url), picture())
        .await;
    process.server.confirm("live", &id).await;
    process.server.advance("live", "PT1S").await;
    assert_complete(&process.server, &id).await;
}

/// Sends the head of an upload of `bytes` bytes and waits for `100 Continue`.
async fn begin_upload(server: &TestServer, url: &str, bytes: usize) -> TcpStream {
    let path = url.trim_start_matches(server.origin.as_str());
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: {bytes}\r\n\r\n"
    );
    let mut stream = raw::connect(&server.origin).await;
    stream
        .write_all(head.as_bytes())
        .await
        .expect("the server reads the request");
    let mut interim_response = [0; 25];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut interim_response)
        .await
        .expect("a 100 Continue");
    stream
}

#[tokio::test]
async fn terminate_idle_server_exits_with_code_0() {
    let dir = data_dir();
    let process = Process::start(dir.path(), &QUIET);
    process.server.freeze("live").await;
    let id = process
        .server
        .confirm_detection("live", &body("a"), picture())
        .await;
    process.terminate();
    assert_eq!(process.wait().code(), Some(0));
    let process = Process::start(dir.path(), &QUIET);
    assert_eq!(
        process.server.advance("live", "PT1S").await,
        ["order.process"]
    );
    assert_complete(&process.server, &id).await;
}

#[tokio::test]
async fn terminate_during_upload_finishes_the_upload() {
    let dir = data_dir();
    let process = Process::start(dir.path(), &QUIET);
    process.server.freeze("live").await;
    let (id, url) = process.server.create_detection("live", &body("a")).await;
    let bytes = picture();
    let mut stream = begin_upload(&process.server, &url, bytes.len()).await;
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    stream
        .write_all(first)
        .await
        .expect("the server reads the request");
    process.terminate();
    let address = process.server.origin.trim_start_matches("http://");
    while TcpStream::connect(address).await.is_ok() {
        // The listener is still open.
        tokio::task::yield_now().await;
    }
    stream
        .write_all(rest)
        .await
        .expect("the server reads the request");
    let response = raw::read_response(stream).await;
    assert_eq!((response.status, response.text()), (200, String::new()));
    assert_eq!(process.wait().code(), Some(0));
    let process = Process::start(dir.path(), &QUIET);
    process.server.confirm("live", &id).await;
    process.server.advance("live", "PT1S").await;
    assert_complete(&process.server, &id).await;
    let health = process.server.send(Method::GET, "/_mock/health", &[], "");
    assert_eq!(health.await.status, 200);
}
