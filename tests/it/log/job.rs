//! A CI job that fails in five ways, and the log of it: in text, in JSON, and in `src/cli/README.md`.

use reqwest::Method;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt;

use super::{Logged, untimed};
use crate::readme::bless_block;
use crate::support::{picture, raw};

const README: &str = include_str!("../../../src/cli/README.md");
/// Address on which nobody listens.
const DEAD: &str = "http://127.0.0.1:9/hook";
const ORDERS: &str = "/api/v2/orders";

/// Does what a client does that has the key wrong, uploads too late, has its order failed by a
/// rule, listens on a port where nothing is, and has its connection reset.
async fn fail(logged: &Logged) {
    let server = logged.stunt();
    let set = json!({"plan": "unlimited"});
    server
        .control(Method::PUT, "/_mock/accounts/ci", &set)
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
    stream.write_all(request.as_bytes()).await.expect("written");
    let came = raw::read_to_end(&mut stream).await;
    assert_eq!((came.text(), came.error.is_some()), (String::new(), true));
}

/// The line with what differs from run to run replaced.
fn mask_uptime(line: &str) -> String {
    let Some((begin, uptime)) = line.split_once("uptimeSeconds=") else {
        return line.to_owned();
    };
    let (_, end) = uptime.split_once(' ').expect("more");
    format!("{begin}uptimeSeconds=1.5 {end}")
}

/// Facts of a line in text, as the line in JSON has them.
fn facts(line: &str) -> Value {
    let (level, mut rest) = line.split_once(' ').expect("a level");
    let mut facts = json!({"level": level});
    let first = rest.find('=').expect("a field");
    let message = rest[..first].rsplit_once(' ').expect("a message").0;
    facts["message"] = json!(message);
    rest = &rest[message.len() + 1..];
    while let Some((name, value)) = rest.split_once('=') {
        let mut values = serde_json::Deserializer::from_str(value).into_iter::<Value>();
        facts[name] = values.next().expect("a value").expect("JSON");
        rest = value[values.byte_offset()..].trim_start();
    }
    facts
}

/// The document's sample of a log, each line without its time.
fn sample() -> Vec<&'static str> {
    let (_, chapter) = README.split_once("\n## The log\n").expect("the chapter");
    let (_, block) = chapter.split_once("\n```text\n").expect("a sample");
    let (block, _) = block.split_once("\n```").expect("its end");
    block.lines().map(untimed).collect()
}

#[tokio::test]
async fn fail_a_job_logs_one_line_for_each_failure_as_the_readme_shows() {
    let logged = Logged::start(&["--mode", "strict"]);
    fail(&logged).await;
    let lines = logged.stop_with_all();
    let masked: Vec<_> = lines.iter().map(|line| mask_uptime(line)).collect();
    bless_block("src/cli/README.md", "The log", "text", &masked.join("\n"));
    let lines: Vec<_> = lines
        .iter()
        .map(|line| mask_uptime(untimed(line)))
        .collect();
    assert_eq!(lines, sample(), "{}", lines.join("\n"));
}

#[tokio::test]
async fn fail_a_job_logs_the_same_facts_as_fields_in_json() {
    let logged = Logged::start(&["--mode", "strict", "--log-format", "json"]);
    fail(&logged).await;
    let start: Value = serde_json::from_str(&logged.start_line).expect("JSON");
    let expected = json!({
        "timestamp": start["timestamp"],
        "level": "INFO",
        "message": "listening",
        "version": env!("CARGO_PKG_VERSION"),
        "address": logged.stunt().origin,
        "data": logged.data.path(),
        "temporary": false,
    });
    assert_eq!(start, expected);
    let lines = logged.stop_with_all();
    let lines = lines.iter().map(|line| {
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
    let expected: Vec<Value> = sample().into_iter().map(facts).collect();
    assert_eq!(lines, expected);
}
