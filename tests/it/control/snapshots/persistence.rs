//! Where snapshots are, how long, and how many.

use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::{account_view, live, restore, take};
use crate::support::{Receiver, TestResponse, TestServer, picture};

async fn names(server: &TestServer) -> Vec<Value> {
    let listing = server
        .control(Method::GET, "/_mock/snapshots", &json!({}))
        .await;
    let listing = listing["snapshots"].as_array().expect("a list");
    listing.iter().map(|it| it["name"].clone()).collect()
}

fn expected_error(response: &TestResponse, status: u16, code: &str, message: &str) {
    let error = response.json()["error"].take();
    assert_eq!(
        (response.status, &error["code"], &error["message"]),
        (status, &json!(code), &json!(message))
    );
}

fn on(path: &Path) -> impl Fn(&mut stuntdouble::settings::Config) + '_ {
    |config| config.data_dir = Some(path.to_owned())
}

fn directories(data: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(data.join("snapshots")).expect("a directory");
    let mut names: Vec<String> = entries
        .map(|entry| {
            let name = entry.expect("an entry").file_name();
            name.to_string_lossy().into_owned()
        })
        .collect();
    names.sort();
    names
}

#[tokio::test]
async fn reset_and_restart_preserve_snapshots_and_delete_removes_their_files() {
    let data = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::start().await;
    let server = TestServer::with_config(on(data.path())).await;
    live(&server, "live", &receiver.url).await;
    take(&server, "live", &json!({"account": "live"})).await;
    let before = account_view(&server, "live").await;
    server
        .control(Method::POST, "/_mock/reset", &json!({}))
        .await;
    server.stop().await;
    // One that was cut off half way.
    let cut_off = data.path().join("snapshots/new-9");
    std::fs::create_dir_all(cut_off.join("blobs/1")).expect("a directory");

    let server = TestServer::with_config(on(data.path())).await;
    assert_eq!(directories(data.path()), ["1"]);
    assert_eq!(names(&server).await, ["live"]);
    restore(&server, "live", &json!({"account": "live"})).await;
    assert_eq!(account_view(&server, "live").await, before);
    take(&server, "live", &json!({"account": "live"})).await;
    assert_eq!(directories(data.path()), ["2"], "the earlier one is gone");
    let removed = server
        .send(
            Method::DELETE,
            "/_mock/snapshots/live?account=live",
            &[],
            "",
        )
        .await;
    assert_eq!((removed.status, removed.text()), (204, String::new()));
    assert_eq!(names(&server).await, Vec::<Value>::new());
    assert_eq!(directories(data.path()), Vec::<String>::new());
    assert_eq!(
        account_view(&server, "live").await,
        before,
        "what was restored stays"
    );
}

#[tokio::test]
async fn delete_account_preserves_files_of_its_snapshot() {
    let server = TestServer::start_frozen("live").await;
    let options = json!({"generateHeatmap": true, "generateThumbnail": true});
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": options});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    take(&server, "one", &json!({"account": "live"})).await;
    server
        .control(Method::DELETE, "/_mock/accounts/live", &json!({}))
        .await;
    take(&server, "none", &json!({})).await;
    restore(&server, "one", &json!({"account": "live"})).await;
    let order = server.get_order("live", &id).await;
    for url in ["originalImageUrl", "heatmapUrl", "thumbnailImageUrl"] {
        let url = order[url].as_str().expect("a URL");
        let file = server.send(Method::GET, url, &[], "").await;
        assert_eq!(file.status, 200, "{url}");
    }
    restore(&server, "none", &json!({})).await;
    let accounts = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(accounts, json!({"accounts": [], "next": null}));
}

#[tokio::test]
async fn call_with_unknown_snapshot_or_invalid_name_is_refused() {
    let server = TestServer::start().await;
    let call = async |method: Method, path: &str, body: &str| {
        server.send(method, path, &[], body.to_owned()).await
    };
    let response = call(Method::POST, "/_mock/snapshots/x/restore", "").await;
    expected_error(&response, 404, "unknown_snapshot", "no snapshot x");
    let response = call(Method::DELETE, "/_mock/snapshots/x", "").await;
    expected_error(&response, 404, "unknown_snapshot", "no snapshot x");
    let response = call(Method::PUT, "/_mock/snapshots/x", r#"{"account":"nobody"}"#).await;
    expected_error(&response, 404, "unknown_account", "no account nobody");
    let response = call(Method::PUT, "/_mock/snapshots/%FF", "").await;
    expected_error(&response, 400, "bad_name", "\u{fffd} is no name");
    let long = "n".repeat(101);
    let response = call(Method::PUT, &format!("/_mock/snapshots/{long}"), "").await;
    expected_error(&response, 400, "bad_name", &format!("{long} is no name"));
    assert_eq!(names(&server).await, Vec::<Value>::new());

    for n in 0..100 {
        take(&server, &n.to_string(), &json!({})).await;
    }
    let response = call(Method::PUT, "/_mock/snapshots/x", "").await;
    expected_error(
        &response,
        409,
        "too_many_snapshots",
        "there are 100 snapshots",
    );
    take(&server, "99", &json!({})).await;
}

#[tokio::test]
async fn restore_broken_snapshot_fails_and_changes_nothing() {
    let data = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::start().await;
    let server = TestServer::with_config(on(data.path())).await;
    live(&server, "live", &receiver.url).await;
    take(&server, "torn", &json!({})).await;
    let before = account_view(&server, "live").await;
    let state = data.path().join("snapshots/1/state.db");
    let whole = std::fs::read(&state).expect("a file");
    for left in [Some(whole.len() / 2), Some(0), None] {
        match left {
            Some(bytes) => std::fs::write(&state, &whole[..bytes]),
            None => std::fs::remove_file(&state),
        }
        .expect("it was there");
        let torn = server
            .send(Method::POST, "/_mock/snapshots/torn/restore", &[], "")
            .await;
        assert_eq!(
            (torn.status, &torn.json()["error"]["code"]),
            (500, &json!("internal")),
            "{left:?}"
        );
        assert_eq!(account_view(&server, "live").await, before, "{left:?}");
    }
    std::fs::write(&state, whole).expect("written");
    restore(&server, "torn", &json!({})).await;
    assert_eq!(account_view(&server, "live").await, before);
}

#[tokio::test]
async fn start_with_broken_snapshot_ignores_it() {
    let data = tempfile::tempdir().expect("a directory");
    let server = TestServer::with_config(on(data.path())).await;
    for name in ["torn", "whole"] {
        take(&server, name, &json!({})).await;
    }
    server.stop().await;
    let about = data.path().join("snapshots/1/manifest.json");
    std::fs::write(about, "{").expect("written");
    let server = TestServer::with_config(on(data.path())).await;
    assert_eq!(names(&server).await, ["whole"]);
    take(&server, "torn", &json!({})).await;
    assert_eq!(names(&server).await, ["torn", "whole"]);
    assert_eq!(
        directories(data.path()),
        ["1", "2", "3"],
        "it is left alone"
    );
}
