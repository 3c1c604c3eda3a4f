//! Whatever clients send, a line of the log stays one line, and a short one.

use reqwest::Method;
use serde_json::{Value, json};

use super::{Logged, untimed};
use crate::support::{picture, raw};

/// A line of another's making, control characters of terminals, and text that runs backwards.
const EVIL: &str = "x\n2026-01-01T00:00:00.000000Z ERROR forged\r\u{1b}[31m\0\u{202e}\u{2028}";
const LINE_CHARS_MAX: usize = 2_500;

/// Puts hostile text wherever a line of the log takes text from: paths, methods, keys, reasons,
/// names of rules and files, URLs, and what the control plane says of failures.
async fn attack(logged: &Logged) {
    let server = logged.stunt();
    let long = "y".repeat(5_000);
    for path in ["/api/%0a%1b[31m", &format!("/api/v2/{long}")] {
        for key in ["a\u{9b}31m", &format!("a\tb{long}")] {
            let bearer = format!("Bearer {key}");
            let headers = [("authorization", bearer.as_str())];
            server.send(Method::GET, path, &headers, "").await;
        }
    }
    let raw = b"G!ET /api/v2/x HTTP/1.1\r\nHost: mock\r\nConnection: close\r\n\
        Authorization: Bearer \xff\x9b31m\r\n\r\n";
    raw::send(&server.origin, raw).await;
    let headers = [("content-type", "application/json")];
    for text in [EVIL, &long] {
        let body = json!({"key": text, "url": text, "document_type": text}).to_string();
        server.send(Method::POST, "/detect", &headers, body).await;
    }
    let name = format!("{EVIL}{long}");
    let body = json!({"account": EVIL, "name": name, "when": {"operation": "undetectable.*"},
        "then": {"respond": {"status": 503}}});
    server
        .send(Method::POST, "/_mock/rules", &headers, body.to_string())
        .await;
    let body = json!({"key": EVIL, "url": EVIL}).to_string();
    server.send(Method::POST, "/detect", &headers, body).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, url) = server.create_detection("live", &body).await;
    server.put(&url, picture()).await;
    let path = format!("/_mock/orders/{id}/fail");
    let outcome = json!({"errorMessage": name}).to_string();
    server.send(Method::POST, &path, &headers, outcome).await;
}

fn is_plain(text: &str) -> bool {
    let is_control = |c: char| c.is_control() || matches!(c, '\u{202e}' | '\u{2028}');
    !text.chars().any(is_control)
}

#[tokio::test]
async fn attack_the_log_in_text_leaves_each_line_one_short_line() {
    let logged = Logged::start(&[]);
    attack(&logged).await;
    let lines = logged.stop();
    assert!(lines.len() >= 10, "{lines:#?}");
    for line in &lines {
        let line = untimed(line);
        let is_ours = ["WARN ", "INFO "]
            .iter()
            .any(|level| line.starts_with(level));
        assert!(is_ours && is_plain(line), "{line:?}");
        assert!(line.chars().count() <= LINE_CHARS_MAX, "{line}");
    }
}

#[tokio::test]
async fn attack_the_log_in_json_leaves_each_line_one_object() {
    let logged = Logged::start(&["--log-format", "json"]);
    attack(&logged).await;
    let lines = logged.stop();
    assert!(lines.len() >= 10, "{lines:#?}");
    for line in &lines {
        let object: Value = serde_json::from_str(line).expect("JSON");
        let level = object["level"].as_str().expect("a level");
        assert!(matches!(level, "WARN" | "INFO"), "{line}");
        let is_control = |c: char| c.is_ascii_control();
        assert!(!line.chars().any(is_control), "{line:?}");
        assert!(line.chars().count() <= 2 * LINE_CHARS_MAX, "{line}");
    }
}

#[tokio::test]
async fn inbox_that_is_removed_because_there_are_too_many_logs_a_clipped_key() {
    let logged = Logged::start(&[]);
    let stunt = logged.stunt();
    let key = "k".repeat(1_000);
    for n in 0..=1_000 {
        let path = format!("/_mock/inbox/{n}?account={key}");
        let posted = stunt.send(Method::POST, &path, &[], "x").await;
        assert_eq!(posted.status, 200);
    }
    let lines = logged.stop();
    let removed: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("inbox removed"))
        .collect();
    assert_eq!(removed.len(), 1, "{lines:#?}");
    let shown = format!("key=\"{}…\"", "k".repeat(100));
    assert!(removed[0].contains(&shown), "{removed:?}");
}
