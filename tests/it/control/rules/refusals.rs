//! Refused rules: message and hint for each mistake.

use reqwest::Method;
use serde_json::{Value, json};

use super::list_rules;
use crate::support::TestServer;

const THEN: &str = "set one of: delayMs, respond, fault, outcome, processing, webhook";
const WEBHOOK: &str = "set one of: drop, duplicate, delayMs, signature, outOfOrder";
const OUTCOMES: &str = "set one of: status failed with or without errorCode, probability, watermarkText, detectionStatus, finalResult, analysis failed";
const SHAPES: &str = "GET /_mock/openapi/control.json describes the fields and their types";
const CHARS: &str = "use 1 to 1000 characters, or omit the field";

/// Asserts that each body is refused with `code`, its message and hint, and that nothing is
/// created.
async fn assert_rule_refused(code: &str, cases: Vec<(Value, &str, &str)>) {
    let server = TestServer::start().await;
    for (body, message, hint) in cases {
        let response = server
            .send(Method::POST, "/_mock/rules", &[], body.to_string())
            .await;
        let error = json!({"error": {"code": code, "message": message, "hint": hint}});
        assert_eq!((response.status, response.json()), (400, error), "{body}");
        assert_eq!(response.header("x-mock-reason"), message);
    }
    assert_eq!(list_rules(&server, "").await, [Value::Null; 0]);
    let accounts = server
        .control(Method::GET, "/_mock/accounts", &json!({}))
        .await;
    assert_eq!(
        accounts,
        json!({"accounts": [], "next": null}),
        "no account is created"
    );
}

/// Returns the hint that lists the operations to which rules can apply.
fn operations_hint() -> String {
    let names: Vec<_> = stuntdouble::app::operations()
        .iter()
        .map(|operation| operation.name)
        .filter(|name| !name.starts_with("control."))
        .collect();
    format!(
        "valid values: {}, webhook.deliver, zeroCopy.put, file.fetch",
        names.join(", ")
    )
}

fn rule_when(when: &Value) -> Value {
    json!({"account": "new", "when": when, "then": {"delayMs": 1}})
}

fn rule_outcome(operation: &str, outcome: &Value) -> Value {
    json!({"account": "new", "when": {"operation": operation}, "then": {"outcome": outcome}})
}

#[tokio::test]
async fn create_rule_that_can_match_nothing_is_refused_with_valid_values() {
    let operations = operations_hint();
    let failed = json!({"status": "failed", "errorCode": "X"});
    let outcome_by_path =
        json!({"account": "new", "when": {"path": "/api/*"}, "then": {"outcome": failed}});
    assert_rule_refused(
        "bad_rule",
        vec![
            (
                rule_when(&json!({"operation": "bizmori.createOrder"})),
                "when.operation: unknown operation bizmori.createOrder; did you mean bizmori.createReport?",
                &operations,
            ),
            (
                rule_when(&json!({"operation": "webhook.delivered"})),
                "when.operation: unknown operation webhook.delivered; did you mean webhook.deliver?",
                &operations,
            ),
            (
                rule_when(&json!({"operation": "control.*"})),
                "when.operation: control.* is the control plane, to which rules do not apply",
                &operations,
            ),
            (
                rule_when(&json!({"path": "/_mock/health"})),
                "when.path: /_mock/health is the control plane, to which rules do not apply",
                &operations,
            ),
            (
                rule_when(&json!({"path": "api/*"})),
                "when.path: api/* matches no path",
                "start the path with /",
            ),
            (
                rule_when(&json!({"operation": "bizmori.getOrder", "method": "POST"})),
                "when: operation, method and path have nothing in common",
                "valid routes: bizmori.getOrder GET /api/v2/orders/{orderId}",
            ),
            (
                rule_when(&json!({"operation": "undetectable.[a-z]*", "path": "/"})),
                "when.operation: unknown operation undetectable.[a-z]*",
                &operations,
            ),
            (
                rule_when(&json!({"operation": "storage.put", "path": "/api/*"})),
                "when: operation, method and path have nothing in common",
                "valid routes: storage.put PUT /_s3/{*path}",
            ),
            (
                rule_when(&json!({"fileName": "*.jpg"})),
                "when.fileName: not available for requests, whose bodies are not yet read when rules apply",
                "use fileName with outcome, processing, zeroCopy.put and file.fetch; match requests by operation, method and path",
            ),
            (
                outcome_by_path,
                "when: method, path and webhookUrl match calls, but outcome and processing are for orders",
                "match orders by operation, account and fileName",
            ),
            (
                rule_outcome("bizmori.getOrder", &failed),
                "then.outcome: operation bizmori.getOrder creates no orders",
                "valid values: bizmori.createAntiAi, bizmori.createAntiAiWithUrls, bizmori.createWatermarkEmbed, bizmori.createWatermarkExtract, bizmori.createAiDetection, bizmori.createWatermarkEmbedV3, bizmori.createWatermarkExtractV3, bizmori.createReport, undetectable.detect, undetectable.bulkUpload",
            ),
            (
                json!({"when": {"operation": "bizmori.createReport"}, "then": {"processing": "hold"}}),
                "then.processing: not supported by operation bizmori.createReport",
                "valid values: bizmori.createAntiAi, bizmori.createAntiAiWithUrls, bizmori.createWatermarkEmbed, bizmori.createWatermarkExtract, bizmori.createAiDetection, bizmori.createWatermarkEmbedV3, bizmori.createWatermarkExtractV3, undetectable.detect, undetectable.bulkUpload",
            ),
            (
                json!({"when": {"operation": "storage.put"}, "then": {"webhook": {"drop": true}}}),
                "when: does not match webhook deliveries",
                "use webhook and webhookUrl with operation webhook.deliver, and without method, path and fileName",
            ),
            (
                json!({"when": {"operation": "nothing"}, "then": {"webhook": {"drop": true}}}),
                "when.operation: unknown operation nothing",
                &operations,
            ),
            (
                rule_outcome("nothing", &failed),
                "when.operation: unknown operation nothing",
                &operations,
            ),
            (
                rule_outcome("bizmori.createAntiAi", &json!({"probability": 0.5})),
                "then.outcome: not supported by operation bizmori.createAntiAi",
                "valid values: bizmori.createAiDetection, undetectable.detect, undetectable.bulkUpload",
            ),
            (
                rule_outcome("bizmori.*", &json!({"finalResult": "Real"})),
                "then.outcome: not supported by operation bizmori.*",
                "valid values: undetectable.detect, undetectable.bulkUpload",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn create_rule_with_no_or_conflicting_effects_is_refused() {
    let then = |then: Value| json!({"account": "new", "then": then});
    let with_outcome = |outcome: Value| json!({"account": "new", "then": {"outcome": outcome}});
    let message = "then.outcome: must set exactly one result";
    assert_rule_refused(
        "bad_rule",
        vec![
            (then(json!({})), "then: at least one effect is required", THEN),
            (
                then(json!({"delayMs": 1, "outcome": {"probability": 0.5}})),
                "then: delayMs, respond, fault and webhook are for calls, outcome and processing are for orders",
                "create two rules, each with its own counts",
            ),
            (then(json!({"webhook": {}})), "then.webhook: at least one effect is required", WEBHOOK),
            (
                then(json!({"webhook": {"drop": true, "duplicate": 2}})),
                "then.webhook: drop excludes all other effects",
                "omit drop, or omit all other effects",
            ),
            (
                then(json!({"delayMs": 1, "bytesPerSecond": 10})),
                "then.bytesPerSecond: only allowed with the fault drip",
                "omit bytesPerSecond, or set the fault drip",
            ),
            (with_outcome(json!({})), message, OUTCOMES),
            (with_outcome(json!({"errorCode": "X"})), message, OUTCOMES),
            (
                with_outcome(json!({"status": "failed", "errorCode": "X", "probability": 1})),
                message,
                OUTCOMES,
            ),
            (
                with_outcome(json!({"probability": 1, "watermarkText": null})),
                message,
                OUTCOMES,
            ),
            (
                with_outcome(json!({"status": "complete"})),
                "then.outcome.status: complete is not supported",
                "the only value is failed",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn create_rule_with_misspelled_final_result_is_refused() {
    let words = [
        "real",
        "AI-Generated",
        "ai_generated",
        "AiEdited",
        "digitally edited",
        "Human",
        "AI",
        "Edited",
        "fake",
        "Likely AI Generated",
        "likely_real",
        "--",
    ];
    let messages =
        words.map(|word| format!("then.outcome.finalResult: unknown final result {word}"));
    let hint = "valid values: AI Generated, Real, Digitally Edited, AI Edited, or the name of a generator, such as Grok";
    let cases = words.iter().zip(&messages).map(|(word, message)| {
        let body = rule_outcome("undetectable.detect", &json!({"finalResult": word}));
        (body, message.as_str(), hint)
    });
    assert_rule_refused("bad_rule", cases.collect()).await;
}

#[tokio::test]
async fn create_rule_with_rate_or_count_out_of_range_is_refused() {
    let then = |then: Value| json!({"account": "new", "then": then});
    assert_rule_refused(
        "bad_rule",
        vec![
            (
                then(json!({"fault": "drip", "bytesPerSecond": 0})),
                "then.bytesPerSecond: must be at least 1",
                "omit bytesPerSecond for 1024",
            ),
            (
                then(json!({"processing": {"polls": 0}})),
                "then.processing.polls: expected 1 to 1000, got 0",
                "polls is the number of reads after which the order ends",
            ),
            (
                then(json!({"webhook": {"duplicate": 1}})),
                "then.webhook.duplicate: expected 2 to 10, got 1",
                "duplicate is the total number of times that the webhook is sent",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn create_rule_with_number_text_or_response_out_of_range_is_refused() {
    let then = |then: Value| json!({"account": "new", "then": then});
    let with = |field: &str, value: Value| json!({field: value, "then": {"delayMs": 1}});
    let respond = |respond: Value| json!({"then": {"respond": respond}});
    let header = |name: &str, value: &str| json!({"then": {"respond": {"status": 200, "headers": {name: value}}}});
    let hint = "use any header except connection, content-length, transfer-encoding, x-mock-request, x-mock-reason";
    assert_rule_refused(
        "bad_rule",
        vec![
            (
                with("probability", json!(0)),
                "probability: expected more than 0 and at most 1, got 0",
                "omit probability for every match",
            ),
            (
                with("probability", json!(1.01)),
                "probability: expected more than 0 and at most 1, got 1.01",
                "omit probability for every match",
            ),
            (
                with("times", json!(0)),
                "times: must be at least 1",
                "omit times for no limit",
            ),
            (
                with("name", json!("x".repeat(1_001))),
                "name: is empty or too long",
                CHARS,
            ),
            (
                rule_when(&json!({"operation": ""})),
                "when.operation: is empty or too long",
                CHARS,
            ),
            (
                then(json!({"delayMs": 600_001})),
                "then.delayMs: expected at most 600000, got 600001",
                "send a shorter delay",
            ),
            (
                then(json!({"outcome": {"probability": 1.5}})),
                "then.outcome.probability: expected 0 to 1, got 1.5",
                "send a number from 0 to 1",
            ),
            (
                then(json!({"outcome": {"status": "failed", "errorCode": ""}})),
                "then.outcome.errorCode: is empty or too long",
                CHARS,
            ),
            (
                respond(json!({"status": 100})),
                "then.respond.status: expected 200 to 599, got 100",
                "use 200 to 599",
            ),
            (
                respond(json!({"status": 600})),
                "then.respond.status: expected 200 to 599, got 600",
                "use 200 to 599",
            ),
            (
                respond(json!({"status": 204, "body": null})),
                "then.respond.body: a response with status 204 has no body",
                "omit body, or use another status",
            ),
            (
                header("a b", "x"),
                "then.respond.headers: invalid header name a b",
                "use a name such as retry-after",
            ),
            (
                header("a", "x\n"),
                "then.respond.headers: invalid value of a",
                "use one line of text",
            ),
            (
                header("Content-Length", "1"),
                "then.respond.headers: Content-Length is set by the server",
                hint,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn create_rule_with_unknown_or_malformed_field_names_its_place() {
    let then = |then: Value| json!({"then": then});
    assert_rule_refused(
        "bad_body",
        vec![
            (json!({}), "missing field `then` at line 1 column 2", SHAPES),
            (
                then(json!({"delay": 1})),
                "then.delay: unknown field `delay`, expected one of `delayMs`, `respond`, `fault`, `bytesPerSecond`, `outcome`, `processing`, `webhook` at line 1 column 16",
                SHAPES,
            ),
            (then(json!([])), "then: invalid type: sequence, expected an object at line 1 column 8", SHAPES),
            (then(json!({"delayMs": -1})), "then.delayMs: invalid value: integer `-1`, expected u64 at line 1 column 21", SHAPES),
            (
                then(json!({"processing": "ms"})),
                r#"then.processing: expected {"ms": 60000}, {"polls": 3} or "hold", got "ms" at line 1 column 27"#,
                SHAPES,
            ),
            (
                then(json!({"processing": {"ms": 1, "polls": 2}})),
                r#"then.processing: expected {"ms": 60000}, {"polls": 3} or "hold", got {"ms":1,"polls":2} at line 1 column 41"#,
                SHAPES,
            ),
            (
                then(json!({"respond": {}})),
                "then.respond: missing field `status` at line 1 column 21",
                SHAPES,
            ),
            (
                json!({"when": {"operations": "x"}}),
                "when.operations: unknown field `operations`, expected one of `operation`, `method`, `path`, `fileName`, `webhookUrl` at line 1 column 21",
                SHAPES,
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn create_rule_beyond_total_bytes_is_refused() {
    let server = TestServer::start().await;
    let body = json!({"then": {"respond": {"status": 200, "body": "x".repeat(7 * 1024 * 1024)}}})
        .to_string();
    for _ in 0..9 {
        let response = server
            .send(Method::POST, "/_mock/rules", &[], body.clone())
            .await;
        assert_eq!(response.status, 201);
    }
    let refused = server.send(Method::POST, "/_mock/rules", &[], body).await;
    let error = json!({"error": {
        "code": "too_many_rules",
        "message": "rules too large: maximum 67108864 bytes in total",
        "hint": "delete some with DELETE /_mock/rules, or POST /_mock/reset",
    }});
    assert_eq!((refused.status, refused.json()), (400, error));
    assert_eq!(list_rules(&server, "").await.len(), 9);
}
