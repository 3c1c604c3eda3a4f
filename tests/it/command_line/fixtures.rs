//! What commands put on the wire, as a server sees it that only stands in for ours: the calls whose
//! effect is not to be seen in an answer.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use tokio::net::TcpListener;

use super::run_program;

type Calls = Arc<Mutex<Vec<String>>>;

/// A server that answers each call with that status and body, and keeps what it was asked.
async fn stand_in(status: u16, body: &'static str) -> (String, Calls) {
    let calls = Calls::default();
    let status = StatusCode::from_u16(status).expect("a status");
    let kept_headers = async move |State(calls): State<Calls>,
                                   method: Method,
                                   uri: Uri,
                                   headers: HeaderMap,
                                   sent: Bytes| {
        let header = |name| {
            headers
                .get(name)
                .map_or("-", |it| it.to_str().expect("ASCII"))
        };
        let (token, media_type) = (header(AUTHORIZATION), header(CONTENT_TYPE));
        let sent = String::from_utf8_lossy(&sent);
        let call = format!("{method} {uri} {token} {media_type} {sent}");
        calls.lock().expect("no panic").push(call);
        (status, body)
    };
    let router = Router::new()
        .fallback(kept_headers)
        .with_state(Arc::clone(&calls));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let origin = format!("http://{}", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await });
    (origin, calls)
}

/// What the command with that input asks, and what it shows of an answer with that status and body.
async fn passed(arguments: &[&str], input: &str, answer: (u16, &'static str)) -> (String, String) {
    let (origin, calls) = stand_in(answer.0, answer.1).await;
    let variables = [("STUNTDOUBLE_URL", &*origin), ("CONTROL_TOKEN", "")];
    let output = run_program(&variables, arguments, input).await;
    assert_eq!(
        (output.code, output.err.as_str()),
        (Some(0), ""),
        "{arguments:?}"
    );
    let calls = calls.lock().expect("no panic");
    assert_eq!(calls.len(), 1, "one command is one call");
    (calls[0].clone(), output.out)
}

#[tokio::test]
async fn fixtures_are_sent_as_they_are() {
    let document = "{\"b\": 1.0,\n \"a\": []}\n";
    let call = format!("PUT /_mock/fixtures - application/json {document}");
    let (request, shown) = passed(&["fixtures", "load", "-"], document, (204, "")).await;
    assert_eq!((&request, shown.as_str()), (&call, ""));
    let file = tempfile::NamedTempFile::new().expect("a file");
    std::fs::write(file.path(), document).expect("written");
    let path = file.path().to_str().expect("UTF-8");
    let (request, shown) = passed(&["fixtures", "load", path], "", (201, "[]")).await;
    assert_eq!((&request, shown.as_str()), (&call, "[]\n"));
}

#[tokio::test]
async fn body_to_verify_is_sent_with_all_digits_of_its_numbers() {
    let body = r#"{"n": 123456789012345678901234567890, "f": 1.50}"#;
    let verify = ["requests", "verify", "--count", "1", "--body", body];
    let (request, _) = passed(&verify, "", (200, "{}")).await;
    let sent = format!(r#"{{"count":1,"when":{{"body":{body}}}}}"#);
    let call = format!("POST /_mock/requests/verify - application/json {sent}");
    assert_eq!(request, call);
}
