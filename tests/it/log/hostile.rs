//! Log injection: text from clients never breaks a log line or makes it long.

use reqwest::Method;
use serde_json::{Value, json};

use super::{LoggedProcess, without_time};
use crate::support::{picture, raw};

/// A forged log line, terminal control characters, and characters that reverse or break lines.
const EVIL: &str = "x\n2026-01-01T00:00:00.000000Z ERROR forged\r\u{1b}[31m\0\u{202e}\u{2028}";
const LINE_CHARS_MAX: usize = 2_500;

/// Sends hostile text in everything that is logged: paths, methods, keys, reasons, rule names, file
/// names, URLs, and error messages set through the control plane.
async fn send_hostile_text(process: &LoggedProcess) {
    let server = process.server();
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
async fn log_hostile_text_writes_short_single_lines() {
    let process = LoggedProcess::start(&[]);
    send_hostile_text(&process).await;
    let lines = process.stop();
    assert!(lines.len() >= 10, "{lines:#?}");
    for line in &lines {
        let line = without_time(line);
        let has_level = ["WARN ", "INFO "]
            .iter()
            .any(|level| line.starts_with(level));
        assert!(has_level && is_plain(line), "{line:?}");
        assert!(line.chars().count() <= LINE_CHARS_MAX, "{line}");
    }
}

#[tokio::test]
async fn log_hostile_text_as_json_writes_one_object_per_line() {
    let process = LoggedProcess::start(&["--log-format", "json"]);
    send_hostile_text(&process).await;
    let lines = process.stop();
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
async fn evict_inbox_with_long_key_logs_a_clipped_key() {
    let process = LoggedProcess::start(&[]);
    let server = process.server();
    let key = "k".repeat(1_000);
    for n in 0..=1_000 {
        let path = format!("/_mock/inbox/{n}?account={key}");
        let response = server.send(Method::POST, &path, &[], "x").await;
        assert_eq!(response.status, 200);
    }
    let lines = process.stop();
    let removed: Vec<_> = lines
        .iter()
        .filter(|line| line.contains("inbox removed"))
        .collect();
    assert_eq!(removed.len(), 1, "{lines:#?}");
    let clipped = format!("key=\"{}…\"", "k".repeat(100));
    assert!(removed[0].contains(&clipped), "{removed:?}");
}
