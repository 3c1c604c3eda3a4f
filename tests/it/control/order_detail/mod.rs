//! One order with its files, outputs, outcome, history, requests and deliveries.

mod bizmori;
mod blobs;
mod undetectable;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer};

/// Shows an order of `live`.
async fn show(server: &TestServer, id: &str) -> Value {
    let path = format!("/_mock/orders/{id}?account=live");
    server.control(Method::GET, &path, &json!({})).await
}

/// Reads a blob.
async fn blob(server: &TestServer, id: &str) -> TestResponse {
    let path = format!("/_mock/blobs/{id}");
    server.send(Method::GET, &path, &[], "").await
}

/// Returns status, code and message of an error.
fn error_of(response: &TestResponse) -> (u16, Value, Value) {
    let error = response.json()["error"].take();
    let (code, message) = (error["code"].clone(), error["message"].clone());
    (response.status, code, message)
}

/// Reads each blob of an order, which must have the size that the order says. Replaces the ids of the
/// blobs, and the sizes of outputs.
async fn read_blobs(server: &TestServer, order: &mut Value) {
    for list in ["files", "outputs"] {
        for item in order[list].as_array_mut().expect("a list") {
            let Some(id) = item["blob"].as_str() else {
                continue;
            };
            let response = blob(server, id).await;
            assert_eq!(response.status, 200, "{}", response.text());
            assert_eq!(item["bytes"], json!(response.bytes.len()), "{item}");
            item["blob"] = json!("blob");
            if list == "outputs" {
                item["bytes"] = json!("size");
            }
        }
    }
}

/// Shows an order of `live` and reads its blobs. Returns the parts of the order that depend on its type:
/// `api`, `outcome`, `files`, `outputs`, and the history as `[time, to, by]`.
async fn parts(server: &TestServer, id: &str) -> Value {
    let mut order = show(server, id).await;
    read_blobs(server, &mut order).await;
    let mut from = Value::Null;
    let mut history = Vec::new();
    for change in order["history"].as_array().expect("a history") {
        assert_eq!(change["from"], from);
        from = change["to"].clone();
        let at = change["at"].as_str().expect("an instant");
        let time = at.trim_start_matches("2026-03-").trim_end_matches('Z');
        history.push(json!([time, change["to"], change["by"]]));
    }
    json!({
        "api": order["api"],
        "outcome": order["outcome"],
        "files": order["files"],
        "outputs": order["outputs"],
        "history": history,
    })
}

/// Returns a stored JPEG `name` with the bytes of [`crate::support::picture`].
fn stored_file(name: &str) -> Value {
    json!({
        "name": name,
        "bytes": crate::support::picture().len(),
        "contentType": "image/jpeg",
        "width": 320,
        "height": 240,
        "blob": "blob",
        "watermarks": [],
        "result": null,
    })
}

/// Returns a stored output.
fn output(name: &str, kind: &str, file: Option<usize>, content_type: &str) -> Value {
    json!({
        "name": name,
        "kind": kind,
        "file": file,
        "bytes": "size",
        "contentType": content_type,
        "blob": "blob",
    })
}

#[tokio::test]
async fn get_unknown_order_or_of_another_account_answers_404() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a.jpg"});
    let (id, _) = server.create_detection("live", &body).await;
    server.freeze("other").await;
    for (path, message) in [
        ("/_mock/orders/0".to_owned(), "no order 0".to_owned()),
        (
            format!("/_mock/orders/{id}?account=other"),
            format!("no order {id} of account other"),
        ),
        (
            format!("/_mock/orders/{id}?account=nobody"),
            format!("no order {id} of account nobody"),
        ),
    ] {
        let response = server.send(Method::GET, &path, &[], "").await;
        let expected = (404, json!("unknown_order"), json!(message));
        assert_eq!(error_of(&response), expected);
    }
    let response = server
        .send(Method::GET, &format!("/_mock/orders/{id}?x=1"), &[], "")
        .await;
    assert_eq!(response.status, 400);
}
