//! Exact requests of commands, recorded by a stub server. For calls whose effect is not visible in
//! a response.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use tokio::net::TcpListener;

use super::run_program;

type Calls = Arc<Mutex<Vec<String>>>;

/// Starts a stub that responds to each call with `status` and `body`. Returns its origin and its
/// calls.
async fn start_stub(status: u16, body: &'static str) -> (String, Calls) {
    let calls = Calls::default();
    let status = StatusCode::from_u16(status).expect("a status");
    let record = async move |State(calls): State<Calls>,
                             method: Method,
                             uri: Uri,
                             headers: HeaderMap,
                             body_sent: Bytes| {
        let header = |name| {
            headers
                .get(name)
                .map_or("-", |it| it.to_str().expect("ASCII"))
        };
        let token = header(AUTHORIZATION);
        let media_type = header(CONTENT_TYPE);
        let body_sent = String::from_utf8_lossy(&body_sent);
        let call = format!("{method} {uri} {token} {media_type} {body_sent}");
        calls.lock().expect("no panic").push(call);
        (status, body)
    };
    let router = Router::new()
        .fallback(record)
        .with_state(Arc::clone(&calls));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (origin, calls)
}

/// Runs a command against a stub with `response`. Returns the recorded call and the standard
/// output.
async fn run_with_stub(
    arguments: &[&str],
    input: &str,
    response: (u16, &'static str),
) -> (String, String) {
    let (origin, calls) = start_stub(response.0, response.1).await;
    let variables = [("STUNTDOUBLE_URL", &*origin), ("CONTROL_TOKEN", "")];
    let output = run_program(&variables, arguments, input).await;
    assert_eq!(
        (output.code, output.err.as_str()),
        (Some(0), ""),
        "{arguments:?}"
    );
    let calls = calls.lock().expect("no panic");
    assert_eq!(calls.len(), 1, "a command makes one call");
    (calls[0].clone(), output.out)
}

#[tokio::test]
async fn load_fixtures_from_stdin_or_file_sends_the_same_bytes() {
    let document = "{\"b\": 1.0,\n \"a\": []}\n";
    let expected = format!("PUT /_mock/fixtures - application/json {document}");
    let (call, out) = run_with_stub(&["fixtures", "load", "-"], document, (204, "")).await;
    assert_eq!((&call, out.as_str()), (&expected, ""));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), document).expect("a file");
    let path = file.path().to_str().expect("UTF-8");
    let (call, out) = run_with_stub(&["fixtures", "load", path], "", (201, "[]")).await;
    assert_eq!((&call, out.as_str()), (&expected, "[]\n"));
}

#[tokio::test]
async fn verify_requests_with_large_numbers_sends_all_digits() {
    let body = r#"{"n": 123456789012345678901234567890, "f": 1.50}"#;
    let verify = ["requests", "verify", "--count", "1", "--body", body];
    let (call, _) = run_with_stub(&verify, "", (200, "{}")).await;
    let body_sent = format!(r#"{{"count":1,"when":{{"body":{body}}}}}"#);
    let expected = format!("POST /_mock/requests/verify - application/json {body_sent}");
    assert_eq!(call, expected);
}
