//! The control token, and the commands `sign` and `verify`.

use std::io::Write;
use std::process::{Command, Output, Stdio};

use reqwest::Method;
use serde_json::json;

use crate::support::{Receiver, TestServer, picture};

/// Starts a server with the control token `s3cret`.
async fn start_with_token() -> TestServer {
    TestServer::with_config(|config| config.control.control_token = Some("s3cret".to_owned())).await
}

#[tokio::test]
async fn call_without_valid_token_is_refused_on_every_path() {
    let server = start_with_token().await;
    for path in [
        "/_mock/accounts",
        "/_mock/nothing",
        "/_mock/inbox/a/messages",
        "/_mock/health/",
    ] {
        for authorization in ["", "Bearer other", "s3cret", "Basic s3cret"] {
            let headers = [("authorization", authorization)];
            let response = server.send(Method::GET, path, &headers, "").await;
            let error = json!({"error": {
                "code": "unauthorized",
                "message": "the control token is missing or wrong",
                "hint": "send Authorization: Bearer TOKEN with the value of --control-token (STUNTDOUBLE_CONTROL_TOKEN)",
            }});
            assert_eq!((response.status, response.json()), (401, error));
            assert_eq!(response.header("www-authenticate"), "Bearer");
            assert!(!response.header("x-mock-request").is_empty());
        }
    }
}

#[tokio::test]
async fn call_with_token_succeeds_and_exempt_routes_need_none() {
    let server = start_with_token().await;
    let headers = [("authorization", "Bearer s3cret")];
    let path = "/_mock/accounts";
    let accounts = server.send(Method::GET, path, &headers, "").await;
    assert_eq!(accounts.status, 200);
    let health = server.send(Method::GET, "/_mock/health", &[], "").await;
    assert_eq!(health.status, 200);
    let message = server.send(Method::POST, "/_mock/inbox/a", &[], "x").await;
    assert_eq!(message.status, 200);
    let webhooks = server.get("live", "/api/v2/orders/webhooks").await;
    assert_eq!(webhooks.status, 200);
}

#[tokio::test]
async fn docs_page_needs_no_token_and_has_a_field_for_it() {
    let server = start_with_token().await;
    let page = server.send(Method::GET, "/_mock/docs", &[], "").await;
    assert_eq!(page.status, 200);
    let text = page.text();
    assert!(text.contains("<input id=\"token\""), "{text}");
    assert!(!text.contains("s3cret"), "{text}");
    for (path, status) in [
        ("/_mock/docs/start.js", 200),
        ("/_mock/docs/none", 404),
        ("/_mock/docsx", 401),
        ("/_mock/openapi/control.json", 401),
    ] {
        let response = server.send(Method::GET, path, &[], "").await;
        assert_eq!(response.status, status, "{path}");
    }
}

#[tokio::test]
async fn start_with_empty_token_requires_none() {
    let server =
        TestServer::with_config(|config| config.control.control_token = Some(String::new())).await;
    let accounts = server.send(Method::GET, "/_mock/accounts", &[], "").await;
    assert_eq!(accounts.status, 200);
}

/// Runs the program with arguments and standard input.
fn run_program(arguments: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_stuntdouble"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin.write_all(input).expect("the program reads its input");
    drop(stdin);
    child.wait_with_output().expect("an output")
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
    let delivered = message.headers["x-moribiz-signature"]
        .to_str()
        .expect("ASCII");
    let signed = run_program(&["sign", "--secret", &secret], &message.body);
    assert_eq!(
        String::from_utf8_lossy(&signed.stdout),
        format!("{delivered}\n")
    );
    let verify = |signature: &str, body: &[u8]| {
        run_program(
            &["verify", "--secret", &secret, "--signature", signature],
            body,
        )
    };
    assert!(verify(delivered, &message.body).status.success());
    let mismatch = verify(delivered, b"{}");
    let text = "stuntdouble: the signature does not match the body of 2 bytes with this secret; pass the raw body, byte for byte\n";
    assert_eq!(mismatch.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&mismatch.stderr), text);
}
