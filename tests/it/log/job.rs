//! A CI job with five failures, and its log: as text, as JSON, and as the sample in `src/cli/README.md`.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{LoggedProcess, without_time};
use crate::readme::{Document, bless_block};
use crate::support::{picture, raw};

const DOCUMENT: &str = "src/cli/README.md";
/// Webhook URL of a closed port.
const DEAD: &str = "http://127.0.0.1:9/hook";
const ORDERS: &str = "/api/v2/orders";

/// Runs a client with five failures: a wrong key, a late upload, an order failed by a rule, a
/// webhook to a closed port, and a reset connection.
async fn run_failing_ci_job(process: &LoggedProcess) {
    let server = process.server();
    let settings = json!({"plan": "unlimited"});
    server
        .control(Method::PUT, "/_mock/accounts/ci", &settings)
        .await;
    server.freeze("ci").await;
    assert_eq!(server.get("cl", ORDERS).await.status, 401);
    let body = json!({"idempotencyKey": "late", "fileName": "late.jpg"});
    let (_, url) = server.create_detection("ci", &body).await;
    server.advance("ci", "PT2H").await;
    let late = server.send(Method::PUT, &url, &[], picture()).await;
    assert_eq!(late.status, 403);
    let rule = json!({"account": "ci", "name": "slow service", "when": {"fileName": "slow*"},
        "then": {"outcome": {"status": "failed", "errorCode": "AI_DETECTION_TIMEOUT"}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    server.webhook("ci", DEAD).await;
    let body = json!({"idempotencyKey": "slow", "fileName": "slow.jpg"});
    server.confirm_detection("ci", &body, picture()).await;
    server.advance("ci", "PT2S").await;
    let rule = json!({"account": "ci", "name": "flaky network", "then": {"fault": "reset"},
        "when": {"operation": "bizmori.listOrders"}, "times": 1});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let mut stream = raw::connect(&server.origin).await;
    let request =
        format!("GET {ORDERS} HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer ci\r\n\r\n");
    stream
        .write_all(request.as_bytes())
        .await
        .expect("the server reads the request");
    let received = raw::read_to_end(&mut stream).await;
    assert_eq!(
        (received.text(), received.error.is_some()),
        (String::new(), true)
    );
}

/// Replaces the uptime, which differs from run to run.
fn mask_uptime(line: &str) -> String {
    let Some((begin, uptime)) = line.split_once("uptimeSeconds=") else {
        return line.to_owned();
    };
    let (_, end) = uptime.split_once(' ').expect("a field after the uptime");
    format!("{begin}uptimeSeconds=1.5 {end}")
}

/// Converts a text line to the fields of the same line in JSON.
fn json_fields(line: &str) -> Value {
    let (level, mut rest) = line.split_once(' ').expect("a level");
    let mut fields = json!({"level": level});
    let first = rest.find('=').expect("a field");
    let message = rest[..first].rsplit_once(' ').expect("a message").0;
    fields["message"] = json!(message);
    rest = &rest[message.len() + 1..];
    while let Some((name, value)) = rest.split_once('=') {
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<Value>();
        fields[name] = values.next().expect("a value").expect("JSON");
        rest = value[values.byte_offset()..].trim_start();
    }
    fields
}

/// Returns the lines of the document's sample log without timestamps. Reads the file at run time, so
/// that a rewritten sample needs no build.
fn readme_sample() -> Vec<String> {
    let section = Document::read(DOCUMENT).section("The log");
    let block = section.blocks("text").next().expect("a sample");
    block
        .lines()
        .map(|line| without_time(line).to_owned())
        .collect()
}

#[tokio::test]
async fn run_failing_ci_job_logs_one_line_per_failure_as_in_readme() {
    let process = LoggedProcess::start(&["--mode", "strict"]);
    run_failing_ci_job(&process).await;
    let lines = process.stop_with_last_line();
    let masked: Vec<_> = lines.iter().map(|line| mask_uptime(line)).collect();
    bless_block(DOCUMENT, "The log", "text", &masked.join("\n"));
    let lines: Vec<_> = lines
        .iter()
        .map(|line| mask_uptime(without_time(line)))
        .collect();
    assert_eq!(lines, readme_sample(), "{}", lines.join("\n"));
}

#[tokio::test]
async fn run_failing_ci_job_logs_the_same_fields_in_json() {
    let process = LoggedProcess::start(&["--mode", "strict", "--log-format", "json"]);
    run_failing_ci_job(&process).await;
    let start: Value = serde_json::from_str(&process.start_line).expect("JSON");
    let expected = json!({
        "timestamp": start["timestamp"],
        "level": "INFO",
        "message": "listening",
        "version": env!("CARGO_PKG_VERSION"),
        "address": process.server().origin,
        "dashboard": format!("{}/_mock/", process.server().origin),
        "data": process.data.path(),
        "temporary": false,
    });
    assert_eq!(start, expected);
    let log = process.stop_with_last_line();
    let lines = log.iter().map(|line| {
        let mut line: Value = serde_json::from_str(line).expect("JSON");
        let fields = line.as_object_mut().expect("an object");
        let time = fields.remove("timestamp").expect("a time");
        assert!(time.is_string());
        if let Some(uptime) = fields.get_mut("uptimeSeconds") {
            assert!(uptime.is_f64());
            *uptime = json!(1.5);
        }
        line
    });
    let lines: Vec<Value> = lines.collect();
    let expected: Vec<Value> = readme_sample()
        .iter()
        .map(|line| json_fields(line))
        .collect();
    assert_eq!(lines, expected);
}
