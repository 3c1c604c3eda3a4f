//! Every code that the vendor documents can be had from the mock, as `src/api/bizmori/README.md` says.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Receiver, TestResponse, TestServer, fixture, picture};

const ORDERS: &str = "/api/v2/orders";
const KEY: &str = "live";

/// What the vendor's pages list: the codes of answers, and those of failed orders.
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

/// The codes that were seen.
#[derive(Default)]
struct CodeRecorder(BTreeSet<String>);

impl CodeRecorder {
    /// An answer with that status.
    fn answer(&mut self, response: &TestResponse, status: u16) {
        assert_eq!(response.status, status, "{}", response.text());
        let code = response.json()["code"].as_str().map(str::to_owned);
        self.0.insert(code.expect("a code"));
    }

    /// A webhook that tells of a failed order.
    fn event(&mut self, event: &Value) {
        let code = event["data"]["errorCode"].as_str();
        let code = code.unwrap_or_else(|| panic!("no failure: {event}"));
        self.0.insert(code.to_owned());
    }
}

fn create_detection(key: &str, name: &str) -> Value {
    json!({"idempotencyKey": key, "fileName": name})
}

fn confirm(id: &str, key: &str) -> Value {
    json!({"idempotencyKey": key, "orderId": id})
}

fn embedding(key: &str, name: &str) -> Value {
    json!({"idempotencyKey": key, "files": [{"fileName": name, "watermarks": [{"text": "x"}]}]})
}

async fn keys_and_limits(server: &TestServer, recorder: &mut CodeRecorder) {
    let set_up = async |key: &str, settings: Value| {
        let path = format!("/_mock/accounts/{key}");
        server.control(Method::PUT, &path, &settings).await;
    };
    let none = server.send(Method::GET, ORDERS, &[], "").await;
    recorder.answer(&none, 401);
    let basic = [("authorization", "Basic x")];
    recorder.answer(&server.send(Method::GET, ORDERS, &basic, "").await, 401);
    for (state, status) in [("expired", 401), ("forbidden", 403), ("unknown", 401)] {
        set_up(state, json!({"state": state})).await;
        recorder.answer(&server.get(state, ORDERS).await, status);
    }
    set_up("slow", json!({"requestsPerMinute": 1})).await;
    server.freeze("slow").await;
    assert_eq!(server.get("slow", ORDERS).await.status, 200);
    recorder.answer(&server.get("slow", ORDERS).await, 429);
    set_up("poor", json!({"credits": 1})).await;
    let two =
        json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}, {"fileName": "b.jpg"}]});
    let path = format!("{ORDERS}/anti-ai");
    recorder.answer(&server.post("poor", &path, &two).await, 400);
    let path = format!("{ORDERS}/ai-detection");
    let one = |key| create_detection(key, "a.jpg");
    assert_eq!(server.post("poor", &path, &one("b")).await.status, 200);
    recorder.answer(&server.post("poor", &path, &one("c")).await, 429);
}

async fn requests(server: &TestServer, recorder: &mut CodeRecorder) {
    let at = |path: &str| format!("{ORDERS}/{path}");
    let empty = json!({});
    recorder.answer(&server.post(KEY, &at("ai-detection"), &empty).await, 400);
    let no_name = json!({"idempotencyKey": "a"});
    let no_key = json!({"fileName": "a.jpg"});
    recorder.answer(&server.post(KEY, &at("ai-detection"), &no_key).await, 400);
    recorder.answer(&server.post(KEY, &at("ai-detection"), &no_name).await, 400);
    recorder.answer(&server.get(KEY, &format!("{ORDERS}?page=0")).await, 400);
    recorder.answer(&server.get(KEY, "/api/v2/nothing").await, 404);
    recorder.answer(&server.get(KEY, &at("webhooks/1")).await, 404);
    let (webhook, _) = server.webhook(KEY, "http://127.0.0.1:1/").await;
    let retry = format!("webhooks/{webhook}/events/nothing/retry");
    recorder.answer(&server.post(KEY, &at(&retry), &empty).await, 404);
    let (_, url) = server
        .create_detection("sk_test_1", &create_detection("t", "t.jpg"))
        .await;
    let large = vec![0; 50 * 1024 * 1024 + 1];
    recorder.answer(&server.send(Method::PUT, &url, &[], large).await, 413);
}

async fn orders(server: &TestServer, recorder: &mut CodeRecorder) {
    let confirming = format!("{ORDERS}/ai-detection/confirm");
    let at = |id: &str, path: &str| format!("{ORDERS}/{id}{path}");
    let (pending, _) = server
        .create_detection(KEY, &create_detection("pending", "p.jpg"))
        .await;
    let post = async |body: Value| server.post(KEY, &confirming, &body).await;
    recorder.answer(&post(confirm("42", "c")).await, 404);
    recorder.answer(&server.get("another", &at(&pending, "")).await, 403);
    recorder.answer(&post(confirm(&pending, "c")).await, 400);
    let wrong = format!("{ORDERS}/anti-ai/confirm");
    recorder.answer(
        &server.post(KEY, &wrong, &confirm(&pending, "c")).await,
        400,
    );
    recorder.answer(&server.get(KEY, &at(&pending, "/download")).await, 400);

    let running = create_detection("running", "a_ai.jpg");
    let id = server.confirm_detection(KEY, &running, picture()).await;
    recorder.answer(&post(confirm(&id, "another")).await, 400);
    let refresh = at(&id, "/refresh-urls");
    recorder.answer(&server.post(KEY, &refresh, &json!({})).await, 400);
    let failing = create_detection("failing", "a_fail.jpg");
    let failed = server.confirm_detection(KEY, &failing, picture()).await;
    server.advance(KEY, "PT1S").await;
    recorder.answer(&post(confirm(&id, "another")).await, 400);
    recorder.answer(&post(confirm(&failed, "another")).await, 400);

    let file = json!({"fileName": "a.jpg", "originalFileUrl": "http://files.test/a.jpg"});
    let body = json!({"idempotencyKey": "u", "files": [file]});
    let anti_ai = format!("{ORDERS}/anti-ai");
    let created = server.post(KEY, &anti_ai, &body).await.json();
    let output = created["data"]["orderId"]
        .as_str()
        .expect("an id")
        .to_owned();
    recorder.answer(&server.get(KEY, &at(&output, "/download")).await, 400);
    let created = server.post("sk_test_1", &anti_ai, &body).await.json();
    let test = created["data"]["orderId"].as_str().expect("an id");
    server.advance("sk_test_1", "PT5S").await;
    recorder.answer(&server.get("sk_test_1", &at(test, "/download")).await, 404);

    let reports = |id: &str| format!("/api/v3/orders/{id}/reports");
    let french = json!({"locale": "fr-FR"});
    recorder.answer(&server.post(KEY, &reports(&id), &french).await, 400);
    let missing = format!("{}/ko-KR", reports(&id));
    recorder.answer(&server.get(KEY, &missing).await, 404);
    recorder.answer(&server.post(KEY, &reports(&pending), &json!({})).await, 409);
    let v3 = "/api/v3/orders/wtr-embed";
    assert_eq!(
        server.post(KEY, v3, &embedding("a", "a.jpg")).await.status,
        200
    );
    recorder.answer(&server.post(KEY, v3, &embedding("a", "b.jpg")).await, 409);
    server.advance(KEY, "P7D").await;
    recorder.answer(&post(confirm(&pending, "c")).await, 400);
}

async fn sunset(server: &TestServer, recorder: &mut CodeRecorder) {
    let revision = json!({"revision": "2026-10"});
    server
        .control(Method::PUT, "/_mock/accounts/late", &revision)
        .await;
    let clock = json!({"account": "late", "mode": "frozen", "now": "2026-10-09T00:00:00Z"});
    server.control(Method::PUT, "/_mock/clock", &clock).await;
    let path = format!("{ORDERS}/wtr-embed");
    let response = server.post("late", &path, &embedding("a", "a.jpg")).await;
    recorder.answer(&response, 410);
}

/// Orders that fail by what their files are.
async fn failures(server: &TestServer, recorder: &mut CodeRecorder) {
    let (key, receiver) = ("failing", Receiver::start().await);
    server.freeze(key).await;
    server.webhook(key, &receiver.url).await;
    let mut count = 0;
    let files = [
        ("a.jpg", b"no picture".to_vec()),
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
        let created = server.post(key, &path, &embedding(name, name)).await.json();
        let url = created["data"]["files"][0]["uploadUrl"].as_str();
        let length = bytes.len().to_string();
        let headers = [("content-length", length.as_str())];
        let put = server.send(Method::PUT, url.expect("a URL"), &headers, bytes);
        assert_eq!(put.await.status, 200);
        server.advance(key, "PT1S").await;
        count += 1;
        let event = receiver.messages(count).await.remove(count - 1).json();
        recorder.event(&event);
    }
    let bad = create_detection("bad", "bad.jpg");
    server
        .confirm_detection(key, &bad, b"no picture".to_vec())
        .await;
    let named = create_detection("named", "named_fail.jpg");
    server.confirm_detection(key, &named, picture()).await;
    let v3 = "/api/v3/orders/wtr-embed";
    server.post(key, v3, &embedding("late", "a.jpg")).await;
    server.advance(key, "PT12H").await;
    for message in receiver.messages(count + 3).await.drain(count..) {
        recorder.event(&message.json());
    }
}

/// What nothing that a client does brings about: a rule does.
async fn by_rule(server: &TestServer, recorder: &mut CodeRecorder) {
    let (key, receiver) = ("ruled", Receiver::start().await);
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
        recorder.answer(&server.get(key, ORDERS).await, status);
    }
    let failing = [
        "AI_DETECTION_SERVICE_ERROR",
        "AI_DETECTION_TIMEOUT",
        "WATERMARK_ENGINE_UNAVAILABLE",
    ];
    for (n, code) in failing.into_iter().enumerate() {
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
        recorder.event(&event);
    }
}

#[tokio::test]
async fn every_documented_code_can_be_had() {
    let server = TestServer::start().await;
    for key in [KEY, "sk_test_1"] {
        server.freeze(key).await;
    }
    let mut recorder = CodeRecorder::default();
    keys_and_limits(&server, &mut recorder).await;
    requests(&server, &mut recorder).await;
    orders(&server, &mut recorder).await;
    sunset(&server, &mut recorder).await;
    failures(&server, &mut recorder).await;
    by_rule(&server, &mut recorder).await;
    let documented: BTreeSet<String> = DOCUMENTED.map(str::to_owned).into();
    let missing: Vec<_> = documented.difference(&recorder.0).collect();
    assert!(
        missing.is_empty(),
        "codes that no call has had: {missing:?}"
    );
    let unknown: Vec<_> = recorder.0.difference(&documented).collect();
    assert!(unknown.is_empty(), "codes of no page: {unknown:?}");
}

#[test]
fn every_code_is_the_vendors_and_has_a_row_in_the_document() {
    let of_ours = stuntdouble::api::bizmori::ErrorCode::ALL.map(|code| {
        let json = serde_json::to_value(code).expect("JSON");
        json.as_str().expect("a word").to_owned()
    });
    for code in of_ours {
        assert!(DOCUMENTED.contains(&code.as_str()), "{code}");
    }
    let document = include_str!("../../src/api/bizmori/README.md");
    for code in DOCUMENTED {
        let row = format!("| `{code}` |");
        assert!(document.contains(&row), "no row for {code}");
    }
}
