//! Every operation of every API is called with its expected status. The test fails if an operation has
//! no call. Each theme has a file.

mod control;
mod create_orders;
mod orders;
mod orders_v3;
mod s3;
mod undetectable;
mod webhooks;

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{TestResponse, TestServer, picture};

const KEY: &str = "live";

/// A request and its expected status.
struct OperationCall {
    name: &'static str,
    status: u16,
    path: String,
    body: Value,
}

fn call(name: &'static str, status: u16, path: impl Into<String>, body: Value) -> OperationCall {
    OperationCall {
        name,
        status,
        path: path.into(),
        body,
    }
}

/// Ids and URLs that the calls use.
struct KnownIds {
    /// Order that waits for its file.
    pending: String,
    /// Upload URL of `pending`.
    upload: String,
    /// Order whose file is uploaded and which is not confirmed.
    detection: String,
    anti_ai: String,
    webhook: String,
    test_upload: String,
    /// Download URL of the file of `complete`.
    original: String,
    complete: String,
    test_sample: String,
}

async fn create_known_ids(server: &TestServer) -> KnownIds {
    server.freeze(KEY).await;
    let body = |key: &str| json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
    let (pending, upload) = server.create_detection(KEY, &body("pending")).await;
    let detection = server
        .upload_detection(KEY, &body("detection"), picture())
        .await;
    let complete = server
        .confirm_detection(KEY, &body("read"), picture())
        .await;
    let files = json!({"idempotencyKey": "anti ai", "files": [{"fileName": "a.jpg"}]});
    let created = server.post(KEY, "/api/v2/orders/anti-ai", &files).await;
    let response = created.json();
    let anti_ai = response["data"]["orderId"]
        .as_str()
        .expect("an id")
        .to_owned();
    let put = response["data"]["files"][0]["uploadUrl"].as_str();
    server.put(put.expect("a URL"), picture()).await;
    let (_, test_upload) = server.create_detection("sk_test_1", &body("test")).await;
    let original = server.get_order(KEY, &complete).await["originalImageUrl"].take();
    server.advance(KEY, "PT1S").await;
    KnownIds {
        pending,
        upload,
        detection,
        anti_ai,
        webhook: server.webhook(KEY, "http://127.0.0.1:1/").await.0,
        test_upload,
        original: original.as_str().expect("a URL").to_owned(),
        complete,
        test_sample: create_test_sample(server).await,
    }
}

/// Creates a sample of a test key. Returns its URL.
async fn create_test_sample(server: &TestServer) -> String {
    let key = "sk_test_1";
    server.freeze(key).await;
    let url = "http://files.test/a.jpg";
    let file = json!({"fileName": "a.jpg", "originalFileUrl": url});
    let body = json!({"idempotencyKey": "sample", "files": [file]});
    let created = server
        .post(key, "/api/v2/orders/anti-ai", &body)
        .await
        .json();
    server.advance(key, "PT5S").await;
    let id = created["data"]["orderId"].as_str().expect("an id");
    let path = format!("/api/v3/orders/{id}/download");
    let download = server.get(key, &path).await.json();
    let url = download["data"]["files"][0]["downloadUrl"].as_str();
    url.expect("a URL").to_owned()
}

#[tokio::test]
async fn every_operation_answers_expected_status() {
    let server = TestServer::start().await;
    let ids = create_known_ids(&server).await;
    let mut methods: BTreeMap<&str, Method> = stuntdouble::app::operations()
        .into_iter()
        .map(|operation| (operation.name, operation.method))
        .collect();
    let calls: Vec<OperationCall> = create_orders::calls(&ids)
        .into_iter()
        .chain(orders::calls(&ids))
        .chain(orders_v3::calls(&ids))
        .chain(webhooks::calls(&ids))
        .chain(s3::calls(&ids))
        .chain(undetectable::calls())
        .chain(control::calls())
        .collect();
    for call in &calls {
        let method = methods
            .get(call.name)
            .unwrap_or_else(|| panic!("{}: unknown operation", call.name));
        let bearer = format!("Bearer {KEY}");
        let presigned = call.path.contains("/_s3/") || call.path.contains("/test-");
        let mut headers = vec![("content-type", "application/json"), ("apikey", KEY)];
        if !presigned {
            headers.push(("authorization", &bearer));
        }
        let response = server
            .send(method.clone(), &call.path, &headers, call.body.to_string())
            .await;
        assert_response(call, &response);
    }
    for call in calls {
        methods.remove(call.name);
    }
    let untested: BTreeSet<&str> = methods.into_keys().collect();
    assert_eq!(untested, BTreeSet::new(), "operations without a test");
}

/// Asserts the status, the request number, and that only errors have a reason.
fn assert_response(call: &OperationCall, response: &TestResponse) {
    let name = call.name;
    assert_eq!(
        response.status,
        call.status,
        "{name} {}: {}",
        call.path,
        response.text()
    );
    let seq = response.header("x-mock-request").parse::<u64>();
    assert!(
        seq.is_ok_and(|seq| seq > 0),
        "{name}: {:?}",
        response.headers
    );
    let reason = response.header("x-mock-reason");
    assert_eq!(reason.is_empty(), call.status < 400, "{name}: {reason}");
}

#[test]
fn operations_have_unique_names_and_routes() {
    let mut names = BTreeSet::new();
    let mut routes = BTreeSet::new();
    for operation in stuntdouble::app::operations() {
        let (api, word) = operation.name.split_once('.').expect("an API and a word");
        assert!(
            ["bizmori", "control", "storage", "undetectable"].contains(&api) && !word.is_empty(),
            "{operation:?}"
        );
        assert!(operation.path.starts_with('/'), "{operation:?}");
        assert!(names.insert(operation.name), "{operation:?}");
        let route = (operation.method.to_string(), operation.path);
        assert!(routes.insert(route), "{operation:?}");
    }
}
