//! A data directory is usable by a later server, and by one server at a time.

use reqwest::Method;
use serde_json::json;
use stuntdouble::app::App;
use stuntdouble::settings::Config;

use crate::support::{Process, Receiver, Reply, TestServer, picture};

async fn start_on(dir: &std::path::Path) -> TestServer {
    TestServer::with_config(|config| config.data_dir = Some(dir.to_owned())).await
}

/// Returns the body of each path and the time of `live`'s clock.
async fn read_state(server: &TestServer, paths: &[String]) -> Vec<String> {
    let mut state = Vec::new();
    for path in paths {
        state.push(server.redact(&server.get("live", path).await.text()));
    }
    let path = "/_mock/clock?account=live";
    let clock = server.control(Method::GET, path, &json!({})).await;
    state.push(clock["now"].to_string());
    state
}

#[tokio::test]
async fn restart_preserves_orders_clocks_webhooks_settings_and_blobs() {
    let data = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    let server = start_on(data.path()).await;
    server.freeze("live").await;
    let (webhook, _) = server.webhook("live", &receiver.url).await;
    let body = |key: &str| json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
    let complete = server
        .confirm_detection("live", &body("1"), picture())
        .await;
    assert_eq!(
        server.advance("live", "PT0.3S").await,
        ["order.process", "webhook.deliver"]
    );
    let confirmed = server
        .confirm_detection("live", &body("2"), picture())
        .await;
    let (pending, upload) = server.create_detection("live", &body("3")).await;
    let set = json!({"state": "forbidden", "credits": 5});
    server
        .control(Method::PUT, "/_mock/accounts/other", &set)
        .await;
    let paths = [
        format!("/api/v2/orders/{complete}"),
        format!("/api/v2/orders/{confirmed}"),
        format!("/api/v2/orders/{pending}"),
        format!("/api/v2/orders/webhooks/{webhook}"),
        format!("/api/v2/orders/webhooks/{webhook}/events"),
        "/_mock/accounts".to_owned(),
    ];
    let before = read_state(&server, &paths).await;
    let origin = server.origin.clone();
    let original = server.get_order("live", &complete).await["originalImageUrl"].take();
    server.stop().await;

    let server = start_on(data.path()).await;
    assert_eq!(read_state(&server, &paths).await, before);
    let rebase = |url: &str| url.replace(&origin, &server.origin);
    let original = rebase(original.as_str().expect("a URL"));
    let download = server.send(Method::GET, &original, &[], "").await;
    assert_eq!((download.status, download.bytes == picture()), (200, true));
    server.put(&rebase(&upload), picture()).await;
    server.confirm("live", &pending).await;
    let retried = server.create_detection("live", &body("2")).await.0;
    assert_eq!(retried, confirmed, "idempotency keys are preserved");
    assert_eq!(
        server.advance("live", "PT1S").await,
        [
            "order.process",
            "webhook.deliver",
            "order.process",
            "webhook.deliver",
            "webhook.deliver"
        ]
    );
    let messages = receiver.messages(4).await;
    let mut ids: Vec<_> = messages
        .iter()
        .map(|message| message.json()["eventId"].to_string())
        .collect();
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 3, "the retried event has the same id");
    let fresh = server.create_detection("live", &body("4")).await.0;
    assert!(fresh > pending, "ids continue to grow");
}

#[tokio::test]
async fn restart_runs_jobs_that_fell_due_while_stopped() {
    let data = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::start().await;
    let server = TestServer::with_config(|config| {
        config.data_dir = Some(data.path().to_owned());
        config.orders.processing_ms = 0;
    })
    .await;
    server.freeze("live").await;
    server.webhook("live", &receiver.url).await;
    let set = json!({"processing": {"delayMs": 86_400_000}});
    server
        .control(Method::PUT, "/_mock/accounts/live", &set)
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let run = json!({"account": "live", "mode": "running", "now": "2026-03-13T09:59:59.999Z"});
    server.control(Method::PUT, "/_mock/clock", &run).await;
    server.stop().await;
    let server = start_on(data.path()).await;
    receiver.messages(1).await;
    server.drain("live").await;
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
}

#[tokio::test]
async fn start_second_server_on_same_directory_is_refused() {
    let data = tempfile::tempdir().expect("a directory");
    let server = start_on(data.path()).await;
    let second = || {
        App::start(Config {
            port: 0,
            data_dir: Some(data.path().to_owned()),
            ..Config::defaults()
        })
    };
    let line = format!(
        "the data directory {} is in use by another stuntdouble",
        data.path().display()
    );
    assert_eq!(second().await.err(), Some(line));
    server.freeze("live").await;
    server.assert_healthy("live").await;
    server.stop().await;
    assert_eq!(second().await.err(), None, "the directory is free again");
}

#[test]
fn start_on_used_directory_or_port_prints_one_line() {
    let data = tempfile::tempdir().expect("a directory");
    let running = Process::start(data.path(), &["--log", "error"]);
    let used_port = running.server.origin.rsplit(':').next().expect("a port");
    let other = tempfile::tempdir().expect("a directory");
    let used_dir = data.path().display();
    for (port, dir, line) in [
        (
            "0",
            data.path(),
            format!("the data directory {used_dir} is in use by another stuntdouble"),
        ),
        (
            used_port,
            other.path(),
            format!(
                "cannot listen on 127.0.0.1:{used_port}: Address already in use (os error 98); choose another port with --port, or any free port with --port 0"
            ),
        ),
    ] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_stuntdouble"))
            .args(["--port", port, "--data-dir"])
            .arg(dir)
            .env_clear()
            .output()
            .expect("the program runs");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(
            (output.status.code(), text),
            (Some(1), format!("stuntdouble: {line}\n"))
        );
        assert!(output.stdout.is_empty());
    }
}

#[tokio::test]
async fn start_on_unusable_directory_fails_with_one_line() {
    let data = tempfile::tempdir().expect("a directory");
    let file = data.path().join("file");
    std::fs::write(&file, "not a directory").expect("a file");
    let broken = data.path().join("broken");
    std::fs::create_dir(&broken).expect("a directory");
    std::fs::write(broken.join("stuntdouble.db"), "not a database ".repeat(100)).expect("a file");
    for (dir, prefix) in [
        (
            &file,
            format!(
                "cannot use the data directory {0}: {0} is not a directory; name a directory with --data-dir",
                file.display()
            ),
        ),
        (&broken, "cannot open the database: ".to_owned()),
    ] {
        let start_result = App::start(Config {
            port: 0,
            data_dir: Some(dir.clone()),
            ..Config::defaults()
        });
        let line = start_result.await.expect_err("a start error");
        assert!(line.starts_with(&prefix) && !line.contains('\n'), "{line}");
    }
}
