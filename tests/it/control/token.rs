//! The control token, and the signatures of the command line.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use reqwest::Method;
use serde_json::json;

use crate::support::{Receiver, TestServer, picture};

async fn guarded() -> TestServer {
    TestServer::with_config(|config| config.control.control_token = Some("s3cret".to_owned())).await
}

#[tokio::test]
async fn call_without_valid_token_is_refused_on_every_path() {
    let server = guarded().await;
    for path in [
        "/_mock/accounts",
        "/_mock/nothing",
        "/_mock/inbox/a/messages",
        "/_mock/health/",
    ] {
        for shown in ["", "Bearer other", "s3cret", "Basic s3cret"] {
            let headers = [("authorization", shown)];
            let response = server.send(Method::GET, path, &headers, "").await;
            let error = json!({"error": {
                "code": "unauthorized",
                "message": "the control token is missing, or another",
                "hint": "send Authorization: Bearer TOKEN, the setting --control-token (STUNTDOUBLE_CONTROL_TOKEN)",
            }});
            assert_eq!((response.status, response.json()), (401, error));
            assert_eq!(response.header("www-authenticate"), "Bearer");
            assert!(!response.header("x-mock-request").is_empty());
        }
    }
}

#[tokio::test]
async fn call_with_token_succeeds_and_exempt_routes_need_none() {
    let server = guarded().await;
    let headers = [("authorization", "Bearer s3cret")];
    let accounts = "/_mock/accounts";
    let accounts = server.send(Method::GET, accounts, &headers, "").await;
    assert_eq!(accounts.status, 200);
    let health = server.send(Method::GET, "/_mock/health", &[], "").await;
    assert_eq!(health.status, 200);
    let posted = server.send(Method::POST, "/_mock/inbox/a", &[], "x").await;
    assert_eq!(posted.status, 200);
    let webhooks = server.get("live", "/api/v2/orders/webhooks").await;
    assert_eq!(webhooks.status, 200);
}

#[tokio::test]
async fn start_with_empty_token_requires_none() {
    let server =
        TestServer::with_config(|config| config.control.control_token = Some(String::new())).await;
    let accounts = server.send(Method::GET, "/_mock/accounts", &[], "").await;
    assert_eq!(accounts.status, 200);
}

#[tokio::test]
async fn run_commands_sends_the_token_and_health_needs_none() {
    let server = guarded().await;
    let run = |verb: &'static str, token: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stuntdouble"));
        command
            .args([verb, "--url", &server.origin])
            .env_remove("CONTROL_TOKEN");
        if let Some(token) = token {
            command.env("CONTROL_TOKEN", token);
        }
        tokio::task::spawn_blocking(move || command.output())
    };
    for (verb, token) in [("accounts", Some("s3cret")), ("health", None)] {
        let shown = run(verb, token).await.expect("no panic").expect("it runs");
        assert!(shown.status.success(), "{verb}: {shown:?}");
    }
    let hidden = run("accounts", None).await;
    let hidden = hidden.expect("no panic").expect("it runs");
    let text = String::from_utf8_lossy(&hidden.stderr).into_owned();
    let line = "stuntdouble: the control token is missing, or another (give it with --token, or in STUNTDOUBLE_CONTROL_TOKEN)\n";
    assert_eq!(text, line);
}

fn run(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stuntdouble"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input).expect("written");
    drop(stdin);
    child.wait_with_output().expect("an end")
}

#[tokio::test]
async fn sign_and_verify_commands_match_the_delivered_signature() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::start().await;
    let (_, secret) = server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    let message = receiver.messages(1).await.remove(0);
    let sent = message.headers["x-moribiz-signature"]
        .to_str()
        .expect("ASCII");
    let signed = run(&["sign", "--secret", &secret], &message.body);
    assert_eq!(String::from_utf8_lossy(&signed.stdout), format!("{sent}\n"));
    let verify = |signature: &str, body: &[u8]| {
        run(
            &["verify", "--secret", &secret, "--signature", signature],
            body,
        )
    };
    assert!(verify(sent, &message.body).status.success());
    let wrong = verify(sent, b"{}");
    let text = "stuntdouble: the signature does not match the body of 2 bytes with this secret; pass the raw body, byte for byte\n";
    assert_eq!(wrong.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&wrong.stderr), text);
}
