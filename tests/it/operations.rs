//! Every operation of every front door is asked for once, for real: a table from its name to
//! a request and what that answers. An operation that is not in the table fails the test.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::{Answer, Stunt, T0, picture};

const KEY: &str = "live";

/// A request and the status it is answered with.
struct Call {
    name: &'static str,
    status: u16,
    path: String,
    body: Value,
}

fn call(name: &'static str, status: u16, path: impl Into<String>, body: Value) -> Call {
    Call {
        name,
        status,
        path: path.into(),
        body,
    }
}

/// What the calls are about.
struct Ids {
    /// Waits for its picture.
    pending: String,
    upload: String,
    /// Has it.
    detection: String,
    anti_ai: String,
    webhook: String,
    test_upload: String,
    original: String,
}

async fn ids(stunt: &Stunt) -> Ids {
    stunt.freeze(KEY).await;
    let body = |key: &str| json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
    let (pending, upload) = stunt.pending(KEY, &body("pending")).await;
    let detection = stunt.detection(KEY, &body("detection"), picture()).await;
    let read = stunt.confirmed(KEY, &body("read"), picture()).await;
    let files = json!({"idempotencyKey": "anti ai", "files": [{"fileName": "a.jpg"}]});
    let made = stunt.post(KEY, "/api/v2/orders/anti-ai", &files).await;
    let made = made.json();
    let anti_ai = made["data"]["orderId"].as_str().expect("an id").to_owned();
    let put = made["data"]["files"][0]["uploadUrl"].as_str();
    stunt.put(put.expect("a URL"), picture()).await;
    let (_, test_upload) = stunt.pending("sk_test_1", &body("test")).await;
    let original = stunt.order(KEY, &read).await["originalImageUrl"].take();
    Ids {
        pending,
        upload,
        detection,
        anti_ai,
        webhook: stunt.webhook(KEY, "http://127.0.0.1:1/").await.0,
        test_upload,
        original: original.as_str().expect("a URL").to_owned(),
    }
}

fn orders(ids: &Ids) -> Vec<Call> {
    let orders = "/api/v2/orders";
    let pending = &ids.pending;
    let confirm = |id: &str| json!({"idempotencyKey": "c", "orderId": id});
    let file = json!({"idempotencyKey": "b", "fileName": "b.jpg"});
    let files = json!({"idempotencyKey": "b", "files": [{"fileName": "b.jpg"}]});
    let none = json!({});
    let of = |name, status, path: String, body: &Value| call(name, status, path, body.clone());
    let at = |path: &str| format!("{orders}/{path}");
    vec![
        of("bizmori.createAntiAi", 200, at("anti-ai"), &files),
        of("bizmori.createAntiAi", 400, at("anti-ai"), &none),
        of(
            "bizmori.confirmAntiAi",
            200,
            at("anti-ai/confirm"),
            &confirm(&ids.anti_ai),
        ),
        of(
            "bizmori.confirmAntiAi",
            400,
            at("anti-ai/confirm"),
            &confirm(pending),
        ),
        of("bizmori.createAiDetection", 200, at("ai-detection"), &file),
        of("bizmori.createAiDetection", 400, at("ai-detection"), &none),
        of(
            "bizmori.confirmAiDetection",
            200,
            at("ai-detection/confirm"),
            &confirm(&ids.detection),
        ),
        of(
            "bizmori.confirmAiDetection",
            404,
            at("ai-detection/confirm"),
            &confirm("1"),
        ),
        of("bizmori.getOrder", 200, at(pending), &none),
        of("bizmori.getOrder", 404, at("1"), &none),
        of(
            "bizmori.downloadOrder",
            400,
            at(&format!("{pending}/download")),
            &none,
        ),
        of("bizmori.putTestUpload", 200, ids.test_upload.clone(), &none),
        of(
            "bizmori.putTestUpload",
            403,
            "/api/v2/test-uploads/x".to_owned(),
            &none,
        ),
    ]
}

fn webhooks(ids: &Ids) -> Vec<Call> {
    let webhook = &ids.webhook;
    let hook = json!({"url": "http://127.0.0.1:1/"});
    let none = json!({});
    let of = |name, status, path: String, body: &Value| call(name, status, path, body.clone());
    let at = |path: &str| format!("/api/v2/orders/{path}");
    vec![
        of("bizmori.createWebhook", 200, at("webhooks"), &hook),
        of("bizmori.createWebhook", 400, at("webhooks"), &none),
        of("bizmori.listWebhooks", 200, at("webhooks"), &none),
        of("bizmori.listWebhooks", 400, at("webhooks?page=0"), &none),
        of(
            "bizmori.getWebhook",
            200,
            at(&format!("webhooks/{webhook}")),
            &none,
        ),
        of("bizmori.getWebhook", 404, at("webhooks/1"), &none),
        of(
            "bizmori.updateWebhook",
            200,
            at(&format!("webhooks/{webhook}")),
            &hook,
        ),
        of("bizmori.updateWebhook", 404, at("webhooks/1"), &hook),
        of(
            "bizmori.listWebhookEvents",
            200,
            at(&format!("webhooks/{webhook}/events")),
            &none,
        ),
        of(
            "bizmori.listWebhookEvents",
            404,
            at("webhooks/1/events"),
            &none,
        ),
        of(
            "bizmori.deleteWebhook",
            200,
            at(&format!("webhooks/{webhook}")),
            &none,
        ),
        of(
            "bizmori.deleteWebhook",
            404,
            at(&format!("webhooks/{webhook}")),
            &none,
        ),
    ]
}

fn storage(ids: &Ids) -> Vec<Call> {
    let none = json!({});
    vec![
        call("storage.put", 200, &ids.upload, none.clone()),
        call("storage.put", 403, &ids.original, none.clone()),
        call("storage.get", 200, &ids.original, none.clone()),
        call("storage.get", 403, "/_s3/bizmori/k", none.clone()),
        call("storage.options", 200, "/_s3/bizmori/k", none.clone()),
        call("storage.head", 403, &ids.original, none.clone()),
        call("storage.head", 403, "/_s3/bizmori/k", none),
    ]
}

fn undetectable() -> Vec<Call> {
    let none = json!({});
    let file = "/get-presigned-url?file_name=a.jpg";
    let unknown = json!({"key": KEY, "url": "http://127.0.0.1/uploads/nothing.jpg"});
    vec![
        call("undetectable.getPresignedUrl", 200, file, none.clone()),
        call(
            "undetectable.getPresignedUrl",
            422,
            "/get-presigned-url",
            none.clone(),
        ),
        call("undetectable.detect", 500, "/detect", unknown),
        call(
            "undetectable.query",
            200,
            "/query",
            json!({"id": "00000000-0000-4000-8000-000000000000"}),
        ),
        call("undetectable.query", 422, "/query", none.clone()),
        call(
            "undetectable.checkUserCredits",
            200,
            "/check-user-credits",
            none.clone(),
        ),
        call("undetectable.health", 200, "/health", none),
    ]
}

fn control() -> Vec<Call> {
    let none = json!({});
    let wrong = json!({"nonsense": 1});
    vec![
        call("control.health", 200, "/_mock/health", none.clone()),
        call("control.getClock", 200, "/_mock/clock", none.clone()),
        call(
            "control.setClock",
            200,
            "/_mock/clock",
            json!({"mode": "frozen", "now": T0}),
        ),
        call("control.setClock", 400, "/_mock/clock", wrong.clone()),
        call(
            "control.advanceClock",
            200,
            "/_mock/clock/advance",
            json!({"by": 1}),
        ),
        call(
            "control.advanceClock",
            400,
            "/_mock/clock/advance",
            wrong.clone(),
        ),
        call("control.drain", 200, "/_mock/drain", none.clone()),
        call("control.drain", 400, "/_mock/drain", wrong.clone()),
        call("control.listAccounts", 200, "/_mock/accounts", none.clone()),
        call(
            "control.getAccount",
            200,
            "/_mock/accounts/live",
            none.clone(),
        ),
        call(
            "control.getAccount",
            404,
            "/_mock/accounts/nobody",
            none.clone(),
        ),
        call(
            "control.setAccount",
            200,
            "/_mock/accounts/live",
            none.clone(),
        ),
        call(
            "control.setAccount",
            400,
            "/_mock/accounts/live",
            wrong.clone(),
        ),
        call(
            "control.deleteAccount",
            204,
            "/_mock/accounts/live",
            none.clone(),
        ),
        call(
            "control.createRule",
            201,
            "/_mock/rules",
            json!({"account": "ruled", "then": {"delayMs": 0}}),
        ),
        call("control.createRule", 400, "/_mock/rules", wrong.clone()),
        call("control.listRules", 200, "/_mock/rules", none.clone()),
        call("control.deleteRule", 204, "/_mock/rules/1", none.clone()),
        call("control.deleteRule", 404, "/_mock/rules/x", none.clone()),
        call("control.deleteRules", 204, "/_mock/rules", none.clone()),
        call("control.reset", 204, "/_mock/reset", none),
        call("control.reset", 400, "/_mock/reset", wrong),
    ]
}

#[tokio::test]
async fn every_operation_is_asked_for_and_answers_as_it_should() {
    let stunt = Stunt::start().await;
    let ids = ids(&stunt).await;
    let mut methods: BTreeMap<&str, Method> = stuntdouble::app::operations()
        .into_iter()
        .map(|operation| (operation.name, operation.method))
        .collect();
    let calls: Vec<Call> = orders(&ids)
        .into_iter()
        .chain(webhooks(&ids))
        .chain(storage(&ids))
        .chain(undetectable())
        .chain(control())
        .collect();
    for call in &calls {
        let method = methods
            .get(call.name)
            .unwrap_or_else(|| panic!("{} is no operation any more", call.name));
        let bearer = format!("Bearer {KEY}");
        let presigned = call.path.contains("/_s3/") || call.path.contains("/test-uploads/");
        let mut headers = vec![("content-type", "application/json"), ("apikey", KEY)];
        if !presigned {
            headers.push(("authorization", &bearer));
        }
        let answer = stunt
            .send(method.clone(), &call.path, &headers, call.body.to_string())
            .await;
        check(call, &answer);
    }
    for call in calls {
        methods.remove(call.name);
    }
    let untested: BTreeSet<&str> = methods.into_keys().collect();
    assert_eq!(untested, BTreeSet::new(), "operations without a test");
}

/// The status, a number, and a reason where it is an error.
fn check(call: &Call, answer: &Answer) {
    let name = call.name;
    assert_eq!(
        answer.status,
        call.status,
        "{name} {}: {}",
        call.path,
        answer.text()
    );
    let seq = answer.header("x-mock-request").parse::<u64>();
    assert!(seq.is_ok_and(|seq| seq > 0), "{name}: {:?}", answer.headers);
    let why = answer.header("x-mock-why");
    assert_eq!(why.is_empty(), call.status < 400, "{name}: {why}");
}

#[test]
fn an_operation_has_a_name_of_its_own_and_a_route_of_its_own() {
    let (mut names, mut routes) = (BTreeSet::new(), BTreeSet::new());
    for operation in stuntdouble::app::operations() {
        let (door, word) = operation.name.split_once('.').expect("a door and a word");
        assert!(
            ["bizmori", "control", "storage", "undetectable"].contains(&door) && !word.is_empty(),
            "{operation:?}"
        );
        assert!(operation.path.starts_with('/'), "{operation:?}");
        assert!(names.insert(operation.name), "{operation:?}");
        let route = (operation.method.to_string(), operation.path);
        assert!(routes.insert(route), "{operation:?}");
    }
}
