//! A data directory outlives its server, and serves one at a time.

use reqwest::Method;
use serde_json::json;
use stuntdouble::app::App;
use stuntdouble::settings::Config;

use crate::support::{Process, Receiver, Reply, TestServer, picture};

async fn on(dir: &std::path::Path) -> TestServer {
    TestServer::with_config(|config| config.data_dir = Some(dir.to_owned())).await
}

/// What the server says of all that there is, and what time it is.
async fn read_order(server: &TestServer, paths: &[String]) -> Vec<String> {
    let mut all = Vec::new();
    for path in paths {
        all.push(server.redact(&server.get("live", path).await.text()));
    }
    let clock = "/_mock/clock?account=live";
    let clock = server.control(Method::GET, clock, &json!({})).await;
    all.push(clock["now"].to_string());
    all
}

#[tokio::test]
async fn orders_clocks_webhooks_settings_and_blobs_are_as_they_were() {
    let data = tempfile::tempdir().expect("a directory");
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    let server = on(data.path()).await;
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
    let before = read_order(&server, &paths).await;
    let origin = server.origin.clone();
    let original = server.get_order("live", &complete).await["originalImageUrl"].take();
    server.stop().await;

    let server = on(data.path()).await;
    assert_eq!(read_order(&server, &paths).await, before);
    let here = |url: &str| url.replace(&origin, &server.origin);
    let original = here(original.as_str().expect("a URL"));
    let got = server.send(Method::GET, &original, &[], "").await;
    assert_eq!((got.status, got.bytes == picture()), (200, true));
    server.put(&here(&upload), picture()).await;
    server.confirm("live", &pending).await;
    let again = server.create_detection("live", &body("2")).await.0;
    assert_eq!(again, confirmed, "idempotency keys are kept");
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
    assert_eq!(ids.len(), 3, "one event was sent twice, as one");
    let fresh = server.create_detection("live", &body("4")).await.0;
    assert!(fresh > pending, "ids grow on");
}

#[tokio::test]
async fn what_fell_due_while_there_was_no_server_is_done_at_the_start() {
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
    let server = on(data.path()).await;
    receiver.messages(1).await;
    server.drain("live").await;
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
}

#[tokio::test]
async fn a_second_server_on_the_same_data_directory_is_refused() {
    let data = tempfile::tempdir().expect("a directory");
    let server = on(data.path()).await;
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
    assert_eq!(second().await.err(), None, "it is free again");
}

#[test]
fn the_program_says_in_one_line_why_it_does_not_start() {
    let data = tempfile::tempdir().expect("a directory");
    let running = Process::start(data.path(), &["--log", "error"]);
    let accepted = running.stunt.origin.rsplit(':').next().expect("a port");
    let other = tempfile::tempdir().expect("a directory");
    let shown = data.path().display();
    for (port, dir, line) in [
        (
            "0",
            data.path(),
            format!("the data directory {shown} is in use by another stuntdouble"),
        ),
        (
            accepted,
            other.path(),
            format!(
                "cannot listen on 127.0.0.1:{accepted}: Address already in use (os error 98); choose another port with --port, or any free port with --port 0"
            ),
        ),
    ] {
        let ended = std::process::Command::new(env!("CARGO_BIN_EXE_stuntdouble"))
            .args(["--port", port, "--data-dir"])
            .arg(dir)
            .env_clear()
            .output()
            .expect("the program runs");
        let text = String::from_utf8_lossy(&ended.stderr).into_owned();
        assert_eq!(
            (ended.status.code(), text),
            (Some(1), format!("stuntdouble: {line}\n"))
        );
        assert!(ended.stdout.is_empty());
    }
}

#[tokio::test]
async fn a_data_directory_that_cannot_be_one_is_told_in_a_line() {
    let data = tempfile::tempdir().expect("a directory");
    let file = data.path().join("file");
    std::fs::write(&file, "not a directory").expect("a file");
    let broken = data.path().join("broken");
    std::fs::create_dir(&broken).expect("a directory");
    std::fs::write(broken.join("stuntdouble.db"), "not a database ".repeat(100)).expect("a file");
    for (dir, start) in [
        (
            &file,
            format!("cannot use the data directory {}: ", file.display()),
        ),
        (&broken, "cannot open the database: ".to_owned()),
    ] {
        let started = App::start(Config {
            port: 0,
            data_dir: Some(dir.clone()),
            ..Config::defaults()
        });
        let line = started.await.expect_err("it does not start");
        assert!(line.starts_with(&start) && !line.contains('\n'), "{line}");
    }
}
