//! Log lines for each kind of event, and events that are not logged.

use reqwest::Method;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use super::{LoggedProcess, without_time};
use crate::support::{Receiver, Reply, picture, raw};

fn without_times(lines: &[String]) -> Vec<&str> {
    lines.iter().map(|line| without_time(line)).collect()
}

#[tokio::test]
async fn succeed_logs_nothing_at_info_and_one_line_per_event_at_debug() {
    for (level, request_count) in [("info", 0), ("debug", 5)] {
        let receiver = Receiver::start().await;
        let process = LoggedProcess::start(&["--log", level]);
        let server = process.server();
        server.freeze("live").await;
        server.webhook("live", &receiver.url).await;
        server.assert_healthy("live").await;
        receiver.messages(1).await;
        server.drain("live").await;
        let log = process.stop();
        let count_of = |text: &str| log.iter().filter(|line| line.contains(text)).count();
        let requests = count_of("request answered") - count_of("operation=\"control.");
        assert_eq!(requests, request_count, "{log:#?}");
        let event_count = usize::from(level == "debug");
        assert_eq!(count_of("order ended"), event_count, "{log:#?}");
        assert_eq!(count_of("webhook delivered"), event_count, "{log:#?}");
        if level == "info" {
            assert!(log.is_empty(), "{log:#?}");
        }
    }
}

#[tokio::test]
async fn refuse_request_of_any_api_logs_status_method_path_key_and_reason() {
    let process = LoggedProcess::start(&[]);
    let server = process.server();
    server.get("live", "/api/v2/orders/1?secret=x").await;
    server.get("live", "/api/v2/nothing").await;
    let signed = "/_s3/bizmori/x?X-Amz-Signature=secret";
    server.send(Method::GET, signed, &[], "").await;
    let headers = [("apikey", "live"), ("content-type", "application/json")];
    server.send(Method::POST, "/detect", &headers, "{}").await;
    server.send(Method::GET, "/_mock/nothing", &[], "").await;
    let token = [("authorization", "Bearer secret")];
    server
        .send(Method::GET, "/_mock/rules?x=1", &token, "")
        .await;
    let lines = process.stop();
    let expected = [
        r#"WARN request refused status=404 method="GET" path="/api/v2/orders/1" key="live" reason="order 1 not found" operation="bizmori.getOrder" request=1"#,
        r#"WARN request refused status=404 method="GET" path="/api/v2/nothing" key="live" reason="no such route: GET /api/v2/nothing" operation="unmatched" request=1"#,
        r#"WARN request refused status=400 method="GET" path="/_s3/bizmori/x" reason="signature: Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters." operation="storage.get" request=2"#,
        r#"WARN request refused status=422 method="POST" path="/detect" key="live" reason="body.url: field required" operation="undetectable.detect" request=3"#,
        r#"WARN request refused status=404 method="GET" path="/_mock/nothing" reason="no route GET /_mock/nothing" operation="unmatched" request=4"#,
        r#"WARN request refused status=400 method="GET" path="/_mock/rules" reason="unknown parameter x" operation="control.listRules" request=5"#,
    ];
    assert_eq!(without_times(&lines), expected);
    let text = lines.join("\n");
    assert!(!text.contains("secret"), "{text}");
}

#[tokio::test]
async fn refuse_control_token_logs_a_line_without_the_token() {
    let process = LoggedProcess::start(&["--control-token", "right"]);
    let token = [("authorization", "Bearer guessed")];
    let server = process.server();
    server.send(Method::GET, "/_mock/rules", &token, "").await;
    let lines = process.stop();
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = without_time(&lines[0]);
    let begin = r#"WARN request refused status=401 method="GET" path="/_mock/rules" reason=""#;
    assert!(line.starts_with(begin), "{line}");
    for secret in ["right", "guessed"] {
        assert!(!line.contains(secret), "{line}");
    }
}

#[tokio::test]
async fn truncate_body_logs_refusal_and_hang_up_logs_unanswered_request() {
    let process = LoggedProcess::start(&[]);
    let server = process.server();
    let head = "POST /api/v2/orders/ai-detection HTTP/1.1\r\nHost: mock\r\nContent-Length: 100\r\n\
        Content-Type: application/json\r\nAuthorization: Bearer live\r\n\r\n{";
    let mut stream = raw::connect(&server.origin).await;
    stream
        .write_all(head.as_bytes())
        .await
        .expect("the server reads the request");
    stream.shutdown().await.expect("the client closes its side");
    process.wait_for("request=1").await;
    let rule = json!({"account": "live", "then": {"delayMs": 600_000}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let head = "GET /api/v2/orders/1 HTTP/1.1\r\nHost: mock\r\nAuthorization: Bearer live\r\n\r\n";
    let mut stream = raw::connect(&server.origin).await;
    stream
        .write_all(head.as_bytes())
        .await
        .expect("the server reads the request");
    process.wait_for("rule applied").await;
    drop(stream);
    process.wait_for("hung up").await;
    let log = process.stop();
    let lines = without_times(&log);
    assert_eq!(lines.len(), 3, "{lines:#?}");
    let truncated = r#"WARN request refused status=400 method="POST" path="/api/v2/orders/ai-detection" key="live" reason="the body was cut short""#;
    assert!(lines[0].starts_with(truncated), "{}", lines[0]);
    let rule_applied = r#"INFO rule applied to a request fault="delayMs 600000" rule=1 operation="bizmori.getOrder" method="GET" path="/api/v2/orders/1" key="live""#;
    assert_eq!(lines[1], rule_applied);
    let (begin, _) = lines[2].split_once(" durationMs=").expect("a duration");
    let hung_up = r#"WARN request ended before it was answered: the client hung up, or the server stopped method="GET" path="/api/v2/orders/1" key="live" operation="bizmori.getOrder" request=2"#;
    assert_eq!(begin, hung_up);
}

#[tokio::test]
async fn fail_webhook_logs_each_attempt_and_applied_rules() {
    let receiver = Receiver::with_replies([Reply::Status(500), Reply::Status(200)]).await;
    let process = LoggedProcess::start(&[]);
    let server = process.server();
    server.freeze("live").await;
    server.webhook("live", &receiver.url).await;
    let rule = json!({"account": "live", "name": "wrong", "when": {"operation": "webhook.deliver"},
        "times": 1, "then": {"webhook": {"signature": "wrong", "duplicate": 2}}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let drop = json!({"account": "live", "when": {"operation": "webhook.deliver"}, "skip": 1,
        "then": {"webhook": {"drop": true}}});
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await;
    server.advance("live", "PT1S").await;
    receiver.messages(2).await;
    server.control(Method::POST, "/_mock/rules", &drop).await;
    for key in ["b", "c"] {
        let body = json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
        server.confirm_detection("live", &body, picture()).await;
        server.advance("live", "PT1S").await;
    }
    let url = receiver.url.clone();
    let log = process.stop();
    let lines: Vec<_> = without_times(&log)
        .into_iter()
        .map(redact_delivery)
        .collect();
    let rule = |fault: &str, rule: &str| {
        format!(
            r#"INFO rule applied to a call fault="{fault}" rule={rule} operation="webhook.deliver" url="{url}" key="live""#
        )
    };
    let expected = [
        rule("duplicate 2", r#"1 name="wrong""#),
        rule("signature wrong", r#"1 name="wrong""#),
        format!(
            r#"WARN webhook attempt failed; no retry is scheduled url="{url}" event="order.aiDetection.completed" attempt=1 of=7 reason="answered 500" key="live" delivery=*"#
        ),
        rule("drop", "2"),
    ];
    assert_eq!(lines, expected);
}

/// Replaces the id of the delivery, which differs from run to run.
fn redact_delivery(line: &str) -> String {
    match line.split_once(" delivery=") {
        None => line.to_owned(),
        Some((begin, _)) => format!("{begin} delivery=*"),
    }
}

#[tokio::test]
async fn fail_order_through_control_plane_logs_manual() {
    let process = LoggedProcess::start(&[]);
    let server = process.server();
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let (id, _) = server.create_detection("live", &body).await;
    let path = format!("/_mock/orders/{id}/fail");
    let outcome = json!({"errorCode": "AI_DETECTION_TIMEOUT", "errorMessage": "no\nway"});
    let failed = server
        .send(Method::POST, &path, &[], outcome.to_string())
        .await;
    assert_eq!(failed.status, 200, "{}", failed.text());
    let lines = process.stop();
    let expected = format!(
        r#"WARN order failed order="{id}" vendor="bizmori" type="aiDetection" key="live" code="AI_DETECTION_TIMEOUT" reason="no\nway" by="manual""#
    );
    assert_eq!(without_times(&lines), [expected]);
}

#[tokio::test]
async fn call_from_foreign_origin_logs_the_setting_that_allows_it() {
    let process = LoggedProcess::start(&["--allow-origin", "https://app.example.com"]);
    let server = process.server();
    for origin in [
        "https://app.example.com",
        "http://localhost:3000",
        "https://evil.com",
    ] {
        let preflight = [("origin", origin), ("access-control-request-method", "GET")];
        server
            .send(Method::OPTIONS, "/api/v2/orders", &preflight, "")
            .await;
        let call = [("origin", origin), ("authorization", "Bearer live")];
        for path in ["/api/v2/orders", "/api/v3/orders/1"] {
            server.send(Method::GET, path, &call, "").await;
        }
    }
    let lines = process.stop();
    let refusal = "Origin: pages of https://evil.com are not allowed; start the server with \
        --allow-origin https://evil.com (STUNTDOUBLE_ALLOW_ORIGIN)";
    let missing = r#"WARN request refused status=404 method="GET" path="/api/v3/orders/1" key="live" reason="order 1 not found"#;
    let operation = r#"operation="bizmori.getOrderV3" request="#;
    let expected = [
        format!(r#"{missing}" {operation}2"#),
        format!(r#"{missing}" {operation}4"#),
        format!(
            r#"WARN request refused status=403 method="OPTIONS" path="/api/v2/orders" reason="{refusal}" operation="forbidden_origin" request=3"#
        ),
        format!(
            r#"WARN a web page cannot read the response method="GET" path="/api/v2/orders" reason="{refusal}""#
        ),
        format!(r#"{missing}; {refusal}" {operation}6"#),
    ];
    assert_eq!(without_times(&lines), expected);
}
