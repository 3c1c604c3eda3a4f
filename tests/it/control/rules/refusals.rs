//! Refused rules: message and hint for each mistake.

use reqwest::Method;
use serde_json::{Value, json};

use super::list_rules;
use crate::support::TestServer;

const THEN: &str = "there is: delayMs, respond, fault, outcome, processing, webhook";
const WEBHOOK: &str = "there is: drop, duplicate, delayMs, signature, outOfOrder";
const OUTCOMES: &str = "one of: status failed with or without errorCode, probability, watermarkText, detectionStatus, finalResult, analysis failed";
const SHAPES: &str = "GET /_mock/openapi.json describes the fields and their types";
const CHARS: &str = "1 to 1000 characters; leave it out for any";

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
        "there is: {}, webhook.deliver, zeroCopy.put, file.fetch",
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
                "when.operation: control.* is the control plane, which is never ruled",
                &operations,
            ),
            (
                rule_when(&json!({"path": "/_mock/health"})),
                "when.path: /_mock/health is the control plane, which is never ruled",
                &operations,
            ),
            (
                rule_when(&json!({"path": "api/*"})),
                "when.path: api/* is like no path",
                "paths begin with /",
            ),
            (
                rule_when(&json!({"operation": "bizmori.getOrder", "method": "POST"})),
                "when: operation, method and path have nothing in common",
                "there is: bizmori.getOrder GET /api/v2/orders/{orderId}",
            ),
            (
                rule_when(&json!({"operation": "undetectable.[a-z]*", "path": "/"})),
                "when.operation: unknown operation undetectable.[a-z]*",
                &operations,
            ),
            (
                rule_when(&json!({"operation": "storage.put", "path": "/api/*"})),
                "when: operation, method and path have nothing in common",
                "there is: storage.put PUT /_s3/{*path}",
            ),
            (
                rule_when(&json!({"fileName": "*.jpg"})),
                "when.fileName: the body of a request is not read yet where rules apply",
                "fileName goes with outcome, processing, zeroCopy.put and file.fetch; requests are matched by operation, method and path",
            ),
            (
                outcome_by_path,
                "when: method, path and webhookUrl are for calls, outcome and processing are for orders",
                "orders are matched by operation, account and fileName",
            ),
            (
                rule_outcome("bizmori.getOrder", &failed),
                "then.outcome: bizmori.getOrder makes no order",
                "there is: bizmori.createAntiAi, bizmori.createAntiAiWithUrls, bizmori.createWatermarkEmbed, bizmori.createWatermarkExtract, bizmori.createAiDetection, bizmori.createWatermarkEmbedV3, bizmori.createWatermarkExtractV3, bizmori.createReport, undetectable.detect, undetectable.bulkUpload",
            ),
            (
                json!({"when": {"operation": "bizmori.createReport"}, "then": {"processing": "hold"}}),
                "then.processing: no order of bizmori.createReport comes to such",
                "there is: bizmori.createAntiAi, bizmori.createAntiAiWithUrls, bizmori.createWatermarkEmbed, bizmori.createWatermarkExtract, bizmori.createAiDetection, bizmori.createWatermarkEmbedV3, bizmori.createWatermarkExtractV3, undetectable.detect, undetectable.bulkUpload",
            ),
            (
                json!({"when": {"operation": "storage.put"}, "then": {"webhook": {"drop": true}}}),
                "when: is about no delivery of a webhook",
                "webhook and webhookUrl go with operation webhook.deliver, and without method, path and fileName",
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
                "then.outcome: no order of bizmori.createAntiAi comes to such",
                "there is: bizmori.createAiDetection, undetectable.detect, undetectable.bulkUpload",
            ),
            (
                rule_outcome("bizmori.*", &json!({"finalResult": "Real"})),
                "then.outcome: no order of bizmori.* comes to such",
                "there is: undetectable.detect, undetectable.bulkUpload",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn create_rule_with_no_or_conflicting_effects_is_refused() {
    let then = |then: Value| json!({"account": "new", "then": then});
    let with_outcome = |outcome: Value| json!({"account": "new", "then": {"outcome": outcome}});
    let message = "then.outcome: does not say one thing";
    assert_rule_refused(
        "bad_rule",
        vec![
            (then(json!({})), "then: says nothing", THEN),
            (
                then(json!({"delayMs": 1, "outcome": {"probability": 0.5}})),
                "then: delayMs, respond, fault and webhook are for calls, outcome and processing are for orders",
                "make two rules, each with counts of its own",
            ),
            (then(json!({"webhook": {}})), "then.webhook: says nothing", WEBHOOK),
            (
                then(json!({"webhook": {"drop": true, "duplicate": 2}})),
                "then.webhook: what is dropped is not sent in any other way",
                "leave drop out, or all else",
            ),
            (
                then(json!({"delayMs": 1, "bytesPerSecond": 10})),
                "then.bytesPerSecond: only drip has it",
                "leave it out, or add the fault drip",
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
                "then.outcome.status: complete is none",
                "there is: failed",
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
    let messages = words.map(|word| format!("then.outcome.finalResult: {word} is no final result"));
    let hint = "there is: AI Generated, Real, Digitally Edited, AI Edited, or a generator's name, such as Grok";
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
                "then.bytesPerSecond: 0 is never done",
                "1 at least; left out, it is 1024",
            ),
            (
                then(json!({"processing": {"polls": 0}})),
                "then.processing.polls: 0 is none",
                "1 to 1000",
            ),
            (
                then(json!({"webhook": {"duplicate": 1}})),
                "then.webhook.duplicate: 1 is no number of times",
                "2 to 10: so often it is sent in all",
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
    let hint =
        "any but connection, content-length, transfer-encoding, x-mock-request, x-mock-reason";
    assert_rule_refused(
        "bad_rule",
        vec![
            (
                with("probability", json!(0)),
                "probability: 0 is no chance to be taken",
                "more than 0, and 1 at most",
            ),
            (
                with("probability", json!(1.01)),
                "probability: 1.01 is no chance to be taken",
                "more than 0, and 1 at most",
            ),
            (
                with("times", json!(0)),
                "times: 0 is never",
                "1 at least; left out, it is without end",
            ),
            (
                with("name", json!("x".repeat(1_001))),
                "name: is empty, or too long",
                CHARS,
            ),
            (
                rule_when(&json!({"operation": ""})),
                "when.operation: is empty, or too long",
                CHARS,
            ),
            (
                then(json!({"delayMs": 600_001})),
                "then.delayMs: 600001 is too long",
                "600000 at most",
            ),
            (
                then(json!({"outcome": {"probability": 1.5}})),
                "then.outcome.probability: 1.5 is none",
                "from 0 to 1",
            ),
            (
                then(json!({"outcome": {"status": "failed", "errorCode": ""}})),
                "then.outcome.errorCode: is empty, or too long",
                CHARS,
            ),
            (
                respond(json!({"status": 100})),
                "then.respond.status: 100 ends no request",
                "200 to 599",
            ),
            (
                respond(json!({"status": 600})),
                "then.respond.status: 600 ends no request",
                "200 to 599",
            ),
            (
                respond(json!({"status": 204, "body": null})),
                "then.respond.body: an answer of status 204 has none",
                "leave one of the two out",
            ),
            (
                header("a b", "x"),
                "then.respond.headers: a b is no header's name",
                "such as retry-after",
            ),
            (
                header("a", "x\n"),
                "then.respond.headers: a cannot have this value",
                "one line of text",
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
        "hint": "remove some with DELETE /_mock/rules, or POST /_mock/reset",
    }});
    assert_eq!((refused.status, refused.json()), (400, error));
    assert_eq!(list_rules(&server, "").await.len(), 9);
}
