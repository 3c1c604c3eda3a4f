//! Metrics: their values, and their validity as Prometheus text.

mod parse;

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::json;

use crate::readme::Document;
use crate::support::{Receiver, Reply, TestResponse, TestServer, picture};
use parse::{ParsedMetrics, count, parse};

const METRICS: &str = "/_mock/metrics";
const REQUESTS: &str = "stuntdouble_http_requests_total";
const DURATION: &str = "stuntdouble_http_request_duration_seconds";

async fn scrape(server: &TestServer) -> TestResponse {
    let response = server.send(Method::GET, METRICS, &[], "").await;
    assert_eq!(response.status, 200, "{}", response.text());
    response
}

async fn page(server: &TestServer) -> ParsedMetrics {
    parse(&scrape(server).await.text())
}

/// Replaces values that differ from run to run (times, memory, sizes on disk) by `*`, and removes
/// all buckets but the last.
fn mask(text: &str) -> String {
    let is_measured = |name: &str| {
        let prefixes = [
            "process_",
            "stuntdouble_connections",
            "stuntdouble_database_bytes",
            "stuntdouble_journal_bytes",
            "stuntdouble_engine_memory_budget_bytes",
            "stuntdouble_http_request_duration_seconds_sum",
        ];
        prefixes.iter().any(|prefix| name.starts_with(prefix))
    };
    let mut masked = String::new();
    for line in text.lines() {
        let (name, _) = line.rsplit_once(' ').expect("a value");
        if line.contains("le=\"") && !line.contains("+Inf") {
            continue;
        }
        masked += if is_measured(name) { name } else { line };
        masked += if is_measured(name) { " *\n" } else { "\n" };
    }
    masked
}

#[tokio::test]
async fn scrape_after_activity_answers_expected_page() {
    let server = TestServer::start_frozen("live").await;
    let receiver = Receiver::with_replies([Reply::Status(500)]).await;
    server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    server.advance("live", "PT1S").await;
    server.get("live", "/api/v2/orders/42").await;
    let response = scrape(&server).await;
    assert_eq!(
        response.header("content-type"),
        "text/plain; version=0.0.4; charset=utf-8"
    );
    parse(&response.text());
    let bytes = picture().len();
    let expected = include_str!("metrics/page.txt")
        .replace("{bytes}", &bytes.to_string())
        .replace("{version}", env!("CARGO_PKG_VERSION"));
    assert_eq!(mask(&response.text()), expected);
}

#[tokio::test]
async fn deliver_webhooks_counts_attempts_and_deliveries_by_result() {
    let server = TestServer::start_frozen("live").await;
    server.webhook("live", "http://127.0.0.1:1/hook").await;
    let add_rule = async |times, then| {
        let when = json!({"operation": "webhook.deliver"});
        let rule = json!({"when": when, "times": times, "then": then});
        server.control(Method::POST, "/_mock/rules", &rule).await;
    };
    add_rule(Some(1), json!({"webhook": {"drop": true}})).await;
    add_rule(Some(2), json!({"fault": "reset"})).await;
    add_rule(None, json!({"respond": {"status": 503}})).await;
    let counts = async || {
        let page = page(&server).await;
        let count_of = |name: &str, result: &str| {
            page.value(
                &format!("stuntdouble_webhook_{name}_total"),
                &[("result", result)],
            )
        };
        (
            ["accepted", "refused", "unanswered", "dropped"]
                .map(|result| count_of("attempts", result)),
            ["sent", "failed"].map(|result| count_of("deliveries", result)),
        )
    };
    let deliver_and_advance = async |name: &str, by: &str| {
        let body = json!({"idempotencyKey": name, "fileName": "a_ai.jpg"});
        server.confirm_detection("live", &body, picture()).await;
        server.advance("live", by).await;
        counts().await
    };
    // A dropped delivery is not retried.
    assert_eq!(
        deliver_and_advance("a", "PT10S").await,
        ([0, 0, 0, 1], [0, 1])
    );
    // Four of the seven attempts are due within 10 s.
    assert_eq!(
        deliver_and_advance("b", "PT10S").await,
        ([0, 3, 1, 1], [0, 1])
    );
    server.advance("live", "P1D").await;
    assert_eq!(counts().await, ([0, 6, 1, 1], [0, 2]));
}

#[tokio::test]
async fn documented_metrics_match_the_page() {
    const PREFIXES: [&str; 2] = ["stuntdouble_", "process_"];
    let document = Document::read("src/api/control/README.md");
    let rows = document.rows("Metrics", "| `").into_iter();
    let documented: BTreeSet<String> = rows
        .flat_map(|row| row.split(" | ").next().unwrap_or_default().split('`'))
        .filter(|name| PREFIXES.iter().any(|prefix| name.starts_with(prefix)))
        .map(str::to_owned)
        .collect();
    let server = TestServer::start().await;
    let page = page(&server).await;
    assert_eq!(documented, page.0.into_keys().collect());
}

#[tokio::test]
async fn metrics_command_prints_every_family() {
    let server = TestServer::start().await;
    let mut program = std::process::Command::new(env!("CARGO_BIN_EXE_stuntdouble"));
    program.args(["metrics", "--url", &server.origin]);
    program.env_remove("CONTROL_TOKEN");
    let run = tokio::task::spawn_blocking(move || program.output()).await;
    let output = run.expect("no panic").expect("the program runs");
    assert!(output.status.success(), "{output:?}");
    let printed = parse(&String::from_utf8(output.stdout).expect("UTF-8"));
    let names = |page: ParsedMetrics| page.0.into_keys().collect::<Vec<_>>();
    assert_eq!(names(printed), names(page(&server).await));
}

#[tokio::test]
async fn scrape_after_hostile_calls_has_no_keys_in_labels() {
    let server = TestServer::start().await;
    for key in ["a-key-of-mine", "another\"key\\n"] {
        server.freeze(key).await;
        server.get(key, "/api/v2/orders/a-key-of-mine").await;
        server.get(key, "/nothing/a-key-of-mine").await;
    }
    let rule =
        json!({"when": {"operation": "bizmori.getOrder"}, "then": {"respond": {"status": 599}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    server.get("a-key-of-mine", "/api/v2/orders/1").await;
    let text = scrape(&server).await.text();
    assert!(!text.contains("key"), "{text}");
    let page = parse(&text);
    let operations = stuntdouble::app::operations();
    for operation in page.values("operation") {
        let mut known = operations.iter().map(|it| it.name);
        assert!(
            known.any(|it| it == operation) || operation == "unmatched",
            "{operation}"
        );
    }
    let count_of =
        |operation, status| page.value(REQUESTS, &[("operation", operation), ("status", status)]);
    assert_eq!(count_of("bizmori.getOrder", "404"), 2);
    assert_eq!(count_of("bizmori.getOrder", "599"), 1);
    assert_eq!(count_of("unmatched", "404"), 2);
    assert_eq!(count_of("control.createRule", "201"), 1);
}

#[tokio::test]
async fn scrape_repeatedly_counts_requests_once_and_never_decreases() {
    let server = TestServer::start().await;
    let first = page(&server).await;
    assert!(
        first.0[REQUESTS].samples.is_empty(),
        "no request has been counted yet"
    );
    for path in ["/_mock/health", "/_mock/nothing", "/health"] {
        server.send(Method::GET, path, &[], "").await;
    }
    let second = page(&server).await;
    let durations = second.sum(DURATION, &format!("{DURATION}_count"));
    assert_eq!((second.sum(REQUESTS, REQUESTS), durations), (4, 4));
    let third = page(&server).await;
    for (name, family) in &second.0 {
        for (sample, value) in family.samples.iter().filter(|_| family.kind != "gauge") {
            let later_value = &third.0[name].samples[sample];
            let grows = sample.0.ends_with("_sum") || count(later_value) >= count(value);
            assert!(grows, "{sample:?}: {value}, {later_value}");
        }
    }
}

#[tokio::test]
async fn scrape_with_pending_and_running_jobs_counts_them_by_kind() {
    let server = TestServer::start().await;
    let receiver = Receiver::with_replies([Reply::Silence]).await;
    server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    receiver.messages(1).await;
    server.freeze("frozen").await;
    server.confirm_detection("frozen", &body, picture()).await;
    let page = page(&server).await;
    let depth = |name: &str| {
        let count_of = |kind| page.value(&format!("stuntdouble_jobs_{name}"), &[("kind", kind)]);
        ["order.process", "order.expire", "webhook.deliver"].map(count_of)
    };
    assert_eq!(depth("queued"), [1, 2, 1]);
    assert_eq!(depth("due"), [0, 0, 1]);
    assert_eq!(depth("running"), [0, 0, 1]);
    let waiting = page.value("stuntdouble_webhook_deliveries_pending", &[]);
    assert_eq!((waiting, page.value("stuntdouble_accounts", &[])), (1, 2));
    server.advance("frozen", "P7D").await;
    let page = self::page(&server).await;
    let run = |kind| page.value("stuntdouble_jobs_run_total", &[("kind", kind)]);
    assert_eq!((run("order.process"), run("order.expire")), (2, 1));
}

#[tokio::test]
async fn scrape_before_and_after_reset_answers_stored_state() {
    let server = TestServer::start_frozen("live").await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    let no_body = json!({});
    server
        .control(Method::PUT, "/_mock/snapshots/a", &no_body)
        .await;
    let full = page(&server).await;
    let value_of =
        |page: &ParsedMetrics, name: &str| page.value(&format!("stuntdouble_{name}"), &[]);
    assert_eq!(value_of(&full, "journal_requests"), 3);
    assert!(value_of(&full, "journal_bytes") > 0 && value_of(&full, "database_bytes") > 4096);
    assert_eq!(value_of(&full, "snapshots"), 1);
    assert!(value_of(&full, "snapshots_bytes") > value_of(&full, "objects_written_bytes_total"));
    assert!(full.value("process_resident_memory_bytes", &[]) > 1_000_000);
    server.control(Method::POST, "/_mock/reset", &no_body).await;
    let fresh = page(&server).await;
    let remaining =
        ["journal_requests", "journal_bytes", "accounts"].map(|name| value_of(&fresh, name));
    assert_eq!(remaining, [0; 3]);
    let queued = "stuntdouble_jobs_queued";
    assert_eq!(fresh.sum(queued, queued), 0);
    let written = |page| value_of(page, "objects_written_total");
    assert!(
        written(&fresh) == written(&full),
        "a counter never decreases"
    );
}

#[tokio::test]
async fn scrape_without_token_is_refused_and_counted() {
    let server =
        TestServer::with_config(|config| config.control.control_token = Some("s3cret".to_owned()))
            .await;
    let refused = server.send(Method::GET, METRICS, &[], "").await;
    assert_eq!(refused.status, 401);
    let headers = [("authorization", "Bearer s3cret")];
    let response = server.send(Method::GET, METRICS, &headers, "").await;
    let page = parse(&response.text());
    let labels = [("operation", "unauthorized"), ("status", "401")];
    assert!(page.value(REQUESTS, &labels) == 1, "{page:?}");
}
