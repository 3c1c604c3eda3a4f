//! Every error code that BIZ MORI documents can be provoked, as `src/api/bizmori/README.md` says.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, TestResponse, TestServer, fixture, picture};

const ORDERS: &str = "/api/v2/orders";
const KEY: &str = "live";

/// Codes that the vendor documents, for responses and for failed orders.
const DOCUMENTED: [&str; 52] = [
    "AI_DETECTION_FAILED",
    "AI_DETECTION_INVALID_IMAGE",
    "AI_DETECTION_SERVICE_ERROR",
    "AI_DETECTION_TIMEOUT",
    "AUTH_FORBIDDEN",
    "AUTH_NOT_AUTHENTICATED",
    "AUTH_TOKEN_EXPIRED",
    "AUTH_TOKEN_INVALID",
    "AUTH_TOKEN_INVALID_FORMAT",
    "INVALID_PARAMETER",
    "ORDER_ALREADY_COMPLETED",
    "ORDER_ALREADY_CONFIRMED",
    "ORDER_ALREADY_FAILED",
    "ORDER_EXPIRED",
    "ORDER_FILE_NOT_UPLOADED",
    "ORDER_NOT_COMPLETED",
    "ORDER_NOT_FOUND",
    "ORDER_NOT_OWNER",
    "ORDER_NOT_PENDING",
    "ORDER_TIMEOUT",
    "ORDER_TYPE_CANT_DOWNLOAD",
    "ORDER_TYPE_NOT_MATCH",
    "PLAN_LIMIT_EXCEEDED",
    "PLAN_NOT_FOUND",
    "PROCESSED_FILE_NOT_FOUND",
    "PROCESSING_ERROR",
    "RATE_LIMIT_EXCEEDED",
    "REPORT_LOCALE_UNSUPPORTED",
    "REPORT_NOT_AVAILABLE",
    "REPORT_NOT_FOUND",
    "RESOURCE_NOT_FOUND",
    "SERVER_INTERNAL_ERROR",
    "SERVICE_UNAVAILABLE",
    "TEST_UPLOAD_TOO_LARGE",
    "UPLOAD_EXPIRED",
    "USAGE_LIMIT_EXCEEDED",
    "USAGE_NOT_ENOUGH",
    "VALIDATION_FAILED",
    "VALIDATION_IDEMPOTENCY_KEY_INVALID",
    "WATERMARK_ENGINE_UNAVAILABLE",
    "WATERMARK_FILE_CORRUPTED",
    "WATERMARK_FILE_FORMAT_UNSUPPORTED",
    "WATERMARK_FILE_SIZE_UNSUPPORTED",
    "WATERMARK_IMAGE_COLOR_MODE_UNSUPPORTED",
    "WATERMARK_IMAGE_DIMENSIONS_UNSUPPORTED",
    "WATERMARK_INPUT_UNSUPPORTED",
    "WATERMARK_PDF_UNSUPPORTED",
    "WATERMARK_V2_API_SUNSET",
    "WATERMARK_V2_CONFLICT",
    "WATERMARK_V2_UNAVAILABLE",
    "WEBHOOK_EVENT_NOT_FOUND",
    "WEBHOOK_NOT_FOUND",
];

/// Received error codes.
#[derive(Default)]
struct CodeRecorder(BTreeSet<String>);

impl CodeRecorder {
    /// Records the code of an error response, and asserts its status.
    fn record(&mut self, response: &TestResponse, status: u16) {
        assert_eq!(response.status, status, "{}", response.text());
        let code = response.json()["code"].as_str().map(str::to_owned);
        self.0.insert(code.expect("a code"));
    }

    /// Records the code in the event of a failed order.
    fn record_event(&mut self, event: &Value) {
        let code = event["data"]["errorCode"]
            .as_str()
            .unwrap_or_else(|| panic!("no failure: {event}"));
        self.0.insert(code.to_owned());
    }
}

fn detection_body(key: &str, name: &str) -> Value {
    json!({"idempotencyKey": key, "fileName": name})
}

fn confirm_body(id: &str, key: &str) -> Value {
    json!({"idempotencyKey": key, "orderId": id})
}

fn embed_body(key: &str, name: &str) -> Value {
    json!({"idempotencyKey": key, "files": [{"fileName": name, "watermarks": [{"text": "x"}]}]})
}

async fn record_key_errors(server: &TestServer, recorder: &mut CodeRecorder) {
    let configure_account = async |key: &str, settings: Value| {
        let path = format!("/_mock/accounts/{key}");
        server.control(Method::PUT, &path, &settings).await;
    };
    let no_key = server.send(Method::GET, ORDERS, &[], "").await;
    recorder.record(&no_key, 401);
    let basic = [("authorization", "Basic x")];
    recorder.record(&server.send(Method::GET, ORDERS, &basic, "").await, 401);
    for (state, status) in [("expired", 401), ("forbidden", 403), ("unknown", 401)] {
        configure_account(state, json!({"state": state})).await;
        recorder.record(&server.get(state, ORDERS).await, status);
    }
    configure_account("slow", json!({"requestsPerMinute": 1})).await;
    server.freeze("slow").await;
    assert_eq!(server.get("slow", ORDERS).await.status, 200);
    recorder.record(&server.get("slow", ORDERS).await, 429);
    configure_account("poor", json!({"credits": 1})).await;
    let two_files =
        json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}, {"fileName": "b.jpg"}]});
    let anti_ai = format!("{ORDERS}/anti-ai");
    recorder.record(&server.post("poor", &anti_ai, &two_files).await, 400);
    let detection = format!("{ORDERS}/ai-detection");
    let first = detection_body("b", "a.jpg");
    assert_eq!(server.post("poor", &detection, &first).await.status, 200);
    let second = detection_body("c", "a.jpg");
    recorder.record(&server.post("poor", &detection, &second).await, 429);
}

async fn record_request_errors(server: &TestServer, recorder: &mut CodeRecorder) {
    let at = |path: &str| format!("{ORDERS}/{path}");
    let empty = json!({});
    recorder.record(&server.post(KEY, &at("ai-detection"), &empty).await, 400);
    let no_name = json!({"idempotencyKey": "a"});
    let no_key = json!({"fileName": "a.jpg"});
    recorder.record(&server.post(KEY, &at("ai-detection"), &no_key).await, 400);
    recorder.record(&server.post(KEY, &at("ai-detection"), &no_name).await, 400);
    recorder.record(&server.get(KEY, &format!("{ORDERS}?page=0")).await, 400);
    recorder.record(&server.get(KEY, "/api/v2/nothing").await, 404);
    recorder.record(&server.get(KEY, &at("webhooks/1")).await, 404);
    let (webhook, _) = server.webhook(KEY, "http://127.0.0.1:1/").await;
    let retry = format!("webhooks/{webhook}/events/nothing/retry");
    recorder.record(&server.post(KEY, &at(&retry), &empty).await, 404);
    let (_, url) = server
        .create_detection("sk_test_1", &detection_body("t", "t.jpg"))
        .await;
    let large = vec![0; 50 * 1024 * 1024 + 1];
    recorder.record(&server.send(Method::PUT, &url, &[], large).await, 413);
}

async fn record_order_errors(server: &TestServer, recorder: &mut CodeRecorder) {
    let confirm_path = format!("{ORDERS}/ai-detection/confirm");
    let at = |id: &str, path: &str| format!("{ORDERS}/{id}{path}");
    let (pending, _) = server
        .create_detection(KEY, &detection_body("pending", "p.jpg"))
        .await;
    let post_confirm = async |body: Value| server.post(KEY, &confirm_path, &body).await;
    recorder.record(&post_confirm(confirm_body("42", "c")).await, 404);
    recorder.record(&server.get("another", &at(&pending, "")).await, 403);
    recorder.record(&post_confirm(confirm_body(&pending, "c")).await, 400);
    let other_type = format!("{ORDERS}/anti-ai/confirm");
    recorder.record(
        &server
            .post(KEY, &other_type, &confirm_body(&pending, "c"))
            .await,
        400,
    );
    recorder.record(&server.get(KEY, &at(&pending, "/download")).await, 400);

    let running = detection_body("running", "a_ai.jpg");
    let id = server.confirm_detection(KEY, &running, picture()).await;
    recorder.record(&post_confirm(confirm_body(&id, "another")).await, 400);
    let refresh = at(&id, "/refresh-urls");
    recorder.record(&server.post(KEY, &refresh, &json!({})).await, 400);
    let failing = detection_body("failing", "a_fail.jpg");
    let failed = server.confirm_detection(KEY, &failing, picture()).await;
    server.advance(KEY, "PT1S").await;
    recorder.record(&post_confirm(confirm_body(&id, "another")).await, 400);
    recorder.record(&post_confirm(confirm_body(&failed, "another")).await, 400);

    let file = json!({"fileName": "a.jpg", "originalFileUrl": "http://files.test/a.jpg"});
    let body = json!({"idempotencyKey": "u", "files": [file]});
    let anti_ai = format!("{ORDERS}/anti-ai");
    let created = server.post(KEY, &anti_ai, &body).await.json();
    let output = created["data"]["orderId"]
        .as_str()
        .expect("an id")
        .to_owned();
    recorder.record(&server.get(KEY, &at(&output, "/download")).await, 400);
    let created = server.post("sk_test_1", &anti_ai, &body).await.json();
    let test = created["data"]["orderId"].as_str().expect("an id");
    server.advance("sk_test_1", "PT5S").await;
    recorder.record(&server.get("sk_test_1", &at(test, "/download")).await, 404);

    let reports = |id: &str| format!("/api/v3/orders/{id}/reports");
    let french = json!({"locale": "fr-FR"});
    recorder.record(&server.post(KEY, &reports(&id), &french).await, 400);
    let missing = format!("{}/ko-KR", reports(&id));
    recorder.record(&server.get(KEY, &missing).await, 404);
    recorder.record(&server.post(KEY, &reports(&pending), &json!({})).await, 409);
    let v3 = "/api/v3/orders/wtr-embed";
    assert_eq!(
        server.post(KEY, v3, &embed_body("a", "a.jpg")).await.status,
        200
    );
    recorder.record(&server.post(KEY, v3, &embed_body("a", "b.jpg")).await, 409);
    server.advance(KEY, "P7D").await;
    recorder.record(&post_confirm(confirm_body(&pending, "c")).await, 400);
}

async fn record_sunset_error(server: &TestServer, recorder: &mut CodeRecorder) {
    let revision = json!({"revision": "2026-10"});
    server
        .control(Method::PUT, "/_mock/accounts/late", &revision)
        .await;
    let clock = json!({"account": "late", "mode": "frozen", "now": "2026-10-09T00:00:00Z"});
    server.control(Method::PUT, "/_mock/clock", &clock).await;
    let path = format!("{ORDERS}/wtr-embed");
    let response = server.post("late", &path, &embed_body("a", "a.jpg")).await;
    recorder.record(&response, 410);
}

/// Records the codes of orders that fail because of their files.
async fn record_failures(server: &TestServer, recorder: &mut CodeRecorder) {
    let key = "failing";
    let receiver = Receiver::start().await;
    server.freeze(key).await;
    server.webhook(key, &receiver.url).await;
    let mut count = 0;
    let files = [
        ("a.jpg", b"not an image".to_vec()),
        ("b.jpg", fixture("truncated.jpg")),
        ("c.png", vec![]),
        ("d.jpg", fixture("cmyk.jpg")),
        ("e.png", fixture("bomb.png")),
        ("f.png", fixture("animated.png")),
        ("g.pdf", fixture("encrypted.pdf")),
        ("h_fail.jpg", picture()),
    ];
    for (name, bytes) in files {
        let path = format!("{ORDERS}/wtr-embed");
        let created = server
            .post(key, &path, &embed_body(name, name))
            .await
            .json();
        let url = created["data"]["files"][0]["uploadUrl"].as_str();
        let length = bytes.len().to_string();
        let headers = [("content-length", length.as_str())];
        let put = server.send(Method::PUT, url.expect("a URL"), &headers, bytes);
        assert_eq!(put.await.status, 200);
        server.advance(key, "PT1S").await;
        count += 1;
        let event = receiver.messages(count).await.remove(count - 1).json();
        recorder.record_event(&event);
    }
    let invalid = detection_body("bad", "bad.jpg");
    server
        .confirm_detection(key, &invalid, b"not an image".to_vec())
        .await;
    let with_suffix = detection_body("named", "named_fail.jpg");
    server.confirm_detection(key, &with_suffix, picture()).await;
    let v3 = "/api/v3/orders/wtr-embed";
    server.post(key, v3, &embed_body("late", "a.jpg")).await;
    server.advance(key, "PT12H").await;
    for message in receiver.messages(count + 3).await.drain(count..) {
        recorder.record_event(&message.json());
    }
}

/// Records the codes that only rules can provoke.
async fn record_codes_by_rule(server: &TestServer, recorder: &mut CodeRecorder) {
    let key = "by-rule";
    let receiver = Receiver::start().await;
    server.freeze(key).await;
    server.webhook(key, &receiver.url).await;
    for (status, code) in [
        (404, "PLAN_NOT_FOUND"),
        (408, "ORDER_TIMEOUT"),
        (429, "PLAN_LIMIT_EXCEEDED"),
        (500, "SERVER_INTERNAL_ERROR"),
        (503, "SERVICE_UNAVAILABLE"),
        (503, "WATERMARK_V2_UNAVAILABLE"),
    ] {
        let respond = json!({"status": status, "body": {"code": code}});
        let rule = json!({"account": key, "when": {"operation": "bizmori.listOrders"},
            "times": 1, "then": {"respond": respond}});
        server.control(Method::POST, "/_mock/rules", &rule).await;
        recorder.record(&server.get(key, ORDERS).await, status);
    }
    let failure_codes = [
        "AI_DETECTION_SERVICE_ERROR",
        "AI_DETECTION_TIMEOUT",
        "WATERMARK_ENGINE_UNAVAILABLE",
    ];
    for (n, code) in failure_codes.into_iter().enumerate() {
        let outcome = json!({"status": "failed", "errorCode": code});
        let when = json!({"operation": "bizmori.createAntiAiWithUrls"});
        let rule = json!({"account": key, "when": when, "times": 1, "then": {"outcome": outcome}});
        server.control(Method::POST, "/_mock/rules", &rule).await;
        let file = json!({"fileName": "a.jpg", "imageUrl": "http://files.test/a.jpg"});
        let body = json!({"idempotencyKey": code, "files": [file]});
        let path = format!("{ORDERS}/anti-ai/with-urls");
        assert_eq!(server.post(key, &path, &body).await.status, 200);
        server.advance(key, "PT1S").await;
        let event = receiver.messages(n + 1).await.remove(n).json();
        recorder.record_event(&event);
    }
}

#[tokio::test]
async fn every_documented_error_code_is_answered() {
    let server = TestServer::start().await;
    for key in [KEY, "sk_test_1"] {
        server.freeze(key).await;
    }
    let mut recorder = CodeRecorder::default();
    record_key_errors(&server, &mut recorder).await;
    record_request_errors(&server, &mut recorder).await;
    record_order_errors(&server, &mut recorder).await;
    record_sunset_error(&server, &mut recorder).await;
    record_failures(&server, &mut recorder).await;
    record_codes_by_rule(&server, &mut recorder).await;
    let documented: BTreeSet<String> = DOCUMENTED.map(str::to_owned).into();
    let missing: Vec<_> = documented.difference(&recorder.0).collect();
    assert!(missing.is_empty(), "codes not answered: {missing:?}");
    let unknown: Vec<_> = recorder.0.difference(&documented).collect();
    assert!(unknown.is_empty(), "undocumented codes: {unknown:?}");
}

#[test]
fn every_error_code_is_documented_by_vendor_and_in_the_document() {
    let codes = stuntdouble::api::bizmori::ErrorCode::ALL.map(|code| {
        let json = serde_json::to_value(code).expect("JSON");
        json.as_str().expect("a word").to_owned()
    });
    for code in codes {
        assert!(DOCUMENTED.contains(&code.as_str()), "{code}");
    }
    let document = include_str!("../../src/api/bizmori/README.md");
    for code in DOCUMENTED {
        let row = format!("| `{code}` |");
        assert!(document.contains(&row), "no row for {code}");
    }
}
