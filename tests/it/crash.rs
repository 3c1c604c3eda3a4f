//! The real program is killed at each phase of an order's life, and started again: every order
//! it took comes to its end, and every event goes out, once unless the answer to it was lost.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::support::{Process, Receiver, Reply, TestServer, ZipEntry, fixture, picture, raw, zip};

const QUIET: [&str; 2] = ["--log", "error"];
/// Orders are due when they are confirmed.
const AT_ONCE: [&str; 4] = ["--log", "error", "--processing-ms", "0"];

fn data() -> TempDir {
    tempfile::tempdir().expect("a directory")
}

fn body(key: &str) -> Value {
    json!({"idempotencyKey": key, "fileName": "a_ai.jpg"})
}

fn again(process: Process, dir: &Path, arguments: &[&str]) -> Process {
    process.kill();
    Process::start(dir, arguments)
}

/// A URL of an earlier server, at this one.
fn at(server: &TestServer, url: &str) -> String {
    let (_, rest) = url.split_once("/_s3/").expect("a storage URL");
    format!("{}/_s3/{rest}", server.origin)
}

async fn is_complete(server: &TestServer, id: &str) {
    let order = server.get_order("live", id).await;
    let value = (&order["status"], &order["probability"]);
    assert_eq!(value, (&json!("complete"), &json!(0.98)));
}

#[tokio::test]
async fn before_each_step_a_kill_loses_nothing_of_the_steps_before() {
    let (dir, receiver) = (data(), Receiver::start().await);
    let mut process = Process::start(dir.path(), &QUIET);
    process.stunt.freeze("live").await;
    process.stunt.webhook("live", &receiver.url).await;
    let (id, url) = process.stunt.create_detection("live", &body("a")).await;

    process = again(process, dir.path(), &QUIET);
    process
        .stunt
        .put(&at(&process.stunt, &url), picture())
        .await;

    process = again(process, dir.path(), &QUIET);
    process.stunt.confirm("live", &id).await;

    process = again(process, dir.path(), &QUIET);
    let order = process.stunt.get_order("live", &id).await;
    assert_eq!(order["status"], "inProgress");
    assert_eq!(
        process.stunt.advance("live", "PT1S").await,
        ["order.process", "webhook.deliver"]
    );
    receiver.messages(1).await;

    process = again(process, dir.path(), &QUIET);
    is_complete(&process.stunt, &id).await;
    assert!(process.stunt.advance("live", "P1D").await.is_empty());
    receiver.messages(1).await;
}

#[tokio::test]
async fn killed_right_after_the_confirms_answer_every_order_is_finished_and_told() {
    let (dir, receiver) = (data(), Receiver::start().await);
    let mut ids = Vec::new();
    let mut process = Process::start(dir.path(), &AT_ONCE);
    process.stunt.webhook("live", &receiver.url).await;
    for round in 0..6 {
        let key = round.to_string();
        ids.push(
            process
                .stunt
                .confirm_detection("live", &body(&key), picture())
                .await,
        );
        process = again(process, dir.path(), &AT_ONCE);
    }
    process.stunt.drain("live").await;
    let messages = receiver.messages(receiver.count()).await;
    let lines = |id: &str| -> Vec<&[u8]> {
        let of = |body: &[u8]| {
            let event: Value = serde_json::from_slice(body).expect("JSON");
            event["data"]["orderId"] == json!(id)
        };
        let bodies = messages.iter().map(|message| message.body.as_slice());
        bodies.filter(|body| of(body)).collect()
    };
    for id in &ids {
        is_complete(&process.stunt, id).await;
        let lines = lines(id);
        assert!(!lines.is_empty(), "{id} was not told");
        assert!(lines.len() <= 2, "{id} was told {} times", lines.len());
        assert!(
            lines.iter().all(|body| *body == lines[0]),
            "two events of one"
        );
    }
}

#[tokio::test]
async fn a_delivery_that_failed_before_the_kill_is_sent_again_after_it() {
    let (dir, receiver) = (data(), Receiver::with_replies([Reply::Status(500)]).await);
    let mut process = Process::start(dir.path(), &QUIET);
    process.stunt.freeze("live").await;
    process.stunt.webhook("live", &receiver.url).await;
    let id = process
        .stunt
        .confirm_detection("live", &body("a"), picture())
        .await;
    process.stunt.advance("live", "PT0.3S").await;
    receiver.messages(1).await;
    process = again(process, dir.path(), &QUIET);
    is_complete(&process.stunt, &id).await;
    assert!(process.stunt.advance("live", "PT0.999S").await.is_empty());
    assert_eq!(
        process.stunt.advance("live", "PT0.001S").await,
        ["webhook.deliver"]
    );
    let messages = receiver.messages(2).await;
    assert_eq!(messages[0].body, messages[1].body);
    process = again(process, dir.path(), &QUIET);
    assert!(process.stunt.advance("live", "P1D").await.is_empty());
    receiver.messages(2).await;
}

#[tokio::test]
async fn a_delivery_in_flight_at_the_kill_is_sent_again_as_the_same_event() {
    let (dir, receiver) = (data(), Receiver::with_replies([Reply::Silence]).await);
    let mut process = Process::start(dir.path(), &AT_ONCE);
    let (webhook, _) = process.stunt.webhook("live", &receiver.url).await;
    process
        .stunt
        .confirm_detection("live", &body("a"), picture())
        .await;
    receiver.messages(1).await;
    process = again(process, dir.path(), &AT_ONCE);
    let messages = receiver.messages(2).await;
    assert_eq!(messages[0].body, messages[1].body);
    let signature = "x-moribiz-signature";
    assert_eq!(
        messages[0].headers[signature],
        messages[1].headers[signature]
    );
    process.stunt.drain("live").await;
    let path = format!("/api/v2/orders/webhooks/{webhook}/events");
    let events = process.stunt.get("live", &path).await.json();
    assert_eq!(events["data"]["pagination"]["total"], 1);
    let row = &events["data"]["events"][0];
    assert_eq!(
        (&row["status"], &row["retries"], &row["eventId"]),
        (&json!("SENT"), &json!(0), &messages[0].json()["eventId"])
    );
    process = again(process, dir.path(), &AT_ONCE);
    process.stunt.drain("live").await;
    receiver.messages(2).await;
}

/// Asks `live`'s bulk how it stands.
async fn bulk(server: &TestServer, id: &Value) -> Value {
    let body = json!({"id": id});
    let response = server.post("live", "/bulk-upload/query", &body).await;
    response.json()
}

#[tokio::test]
async fn a_bulk_in_the_middle_of_which_a_kill_comes_ends_once_with_all_its_items() {
    let dir = data();
    let mut process = Process::start(dir.path(), &QUIET);
    process.stunt.freeze("live").await;
    let headers = [("apikey", "live")];
    let place = "/get-presigned-url?file_name=a.zip";
    let place = process.stunt.send(Method::GET, place, &headers, "").await;
    let place = place.json();
    let url = place["presigned_url"].as_str().expect("a URL");
    let entries: Vec<ZipEntry> = (0..50)
        .map(|n| ZipEntry::new(&format!("{n}_ai.jpg"), &fixture("photo.jpg")))
        .collect();
    process.stunt.put(url, zip(&entries)).await;
    let body = json!({"key": "live", "url": place["file_path"]});
    let response = process.stunt.post("live", "/bulk-upload", &body).await;
    let id = response.json()["id"].clone();
    let advance = json!({"account": "live", "by": "PT1S"}).to_string();
    let advance = process
        .stunt
        .send(Method::POST, "/_mock/clock/advance", &[], advance);
    let under_way = async { while bulk(&process.stunt, &id).await["status"] != "analyzing" {} };
    tokio::select! {
        _ = advance => panic!("fifty pictures take longer"),
        () = under_way => {}
    }

    process = again(process, dir.path(), &QUIET);
    process.stunt.advance("live", "PT1S").await;
    let response_body = bulk(&process.stunt, &id).await;
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
    assert_eq!(process.stunt.advance("live", "P1D").await, [""; 0]);
    let credits = "/check-user-credits";
    let credits = process.stunt.send(Method::GET, credits, &headers, "").await;
    assert_eq!(credits.json()["baseCredits"], 9_950);

    process = again(process, dir.path(), &QUIET);
    assert_eq!(bulk(&process.stunt, &id).await, response_body);
}

#[tokio::test]
async fn an_upload_cut_off_by_a_kill_leaves_no_object_and_no_litter() {
    let dir = data();
    let mut process = Process::start(dir.path(), &QUIET);
    process.stunt.freeze("live").await;
    let (id, url) = process.stunt.create_detection("live", &body("a")).await;
    let mut stream = begin_upload(&process.stunt, &url, 100_000).await;
    stream
        .write_all(&vec![1; 50_000])
        .await
        .expect("it is read");
    process = again(process, dir.path(), &QUIET);
    let tmp = std::fs::read_dir(dir.path().join("tmp")).expect("a directory");
    assert_eq!(tmp.count(), 0, "what was unfinished is swept");
    let confirm = json!({"idempotencyKey": "c", "orderId": id});
    let path = "/api/v2/orders/ai-detection/confirm";
    let refused = process.stunt.post("live", path, &confirm).await;
    let why = format!("order {id} is pending: 0 of 1 files uploaded");
    refused.assert_refused(400, "ORDER_FILE_NOT_UPLOADED", &why);
    process
        .stunt
        .put(&at(&process.stunt, &url), picture())
        .await;
    process.stunt.confirm("live", &id).await;
    process.stunt.advance("live", "PT1S").await;
    is_complete(&process.stunt, &id).await;
}

/// Sends the head of an upload of so many bytes; when this returns, it has been judged.
async fn begin_upload(server: &TestServer, url: &str, bytes: usize) -> TcpStream {
    let path = url.trim_start_matches(server.origin.as_str());
    let head = format!(
        "PUT {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: {bytes}\r\n\r\n"
    );
    let mut stream = raw::connect(&server.origin).await;
    stream.write_all(head.as_bytes()).await.expect("it is read");
    let mut go_on = [0; 25];
    tokio::io::AsyncReadExt::read_exact(&mut stream, &mut go_on)
        .await
        .expect("to be told to go on");
    stream
}

#[tokio::test]
async fn told_to_end_an_idle_server_ends_by_itself_and_well() {
    let dir = data();
    let process = Process::start(dir.path(), &QUIET);
    process.stunt.freeze("live").await;
    let id = process
        .stunt
        .confirm_detection("live", &body("a"), picture())
        .await;
    process.terminate();
    assert_eq!(process.ended().code(), Some(0));
    let process = Process::start(dir.path(), &QUIET);
    assert_eq!(
        process.stunt.advance("live", "PT1S").await,
        ["order.process"]
    );
    is_complete(&process.stunt, &id).await;
}

#[tokio::test]
async fn told_to_end_a_server_finishes_the_upload_it_is_taking() {
    let dir = data();
    let process = Process::start(dir.path(), &QUIET);
    process.stunt.freeze("live").await;
    let (id, url) = process.stunt.create_detection("live", &body("a")).await;
    let bytes = picture();
    let mut stream = begin_upload(&process.stunt, &url, bytes.len()).await;
    let (first, rest) = bytes.split_at(bytes.len() / 2);
    stream.write_all(first).await.expect("it is read");
    process.terminate();
    let address = process.stunt.origin.trim_start_matches("http://");
    while TcpStream::connect(address).await.is_ok() {
        // it has not come to it yet
        tokio::task::yield_now().await;
    }
    stream.write_all(rest).await.expect("it is read");
    let response = raw::read_response(stream).await;
    assert_eq!((response.status, response.text()), (200, String::new()));
    assert_eq!(process.ended().code(), Some(0));
    let process = Process::start(dir.path(), &QUIET);
    process.stunt.confirm("live", &id).await;
    process.stunt.advance("live", "PT1S").await;
    is_complete(&process.stunt, &id).await;
    let health = process.stunt.send(Method::GET, "/_mock/health", &[], "");
    assert_eq!(health.await.status, 200);
}
