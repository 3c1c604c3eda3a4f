//! Mode `jump`: the clock moves to the next due time at once, so that no client waits.

use reqwest::Method;
use serde_json::{Value, json};

use super::{clock, now_ms};
use crate::support::{Receiver, Reply, T0, TestServer, picture};

/// Tolerance in milliseconds: a jumping clock also runs, so instants may be later than scheduled.
const RUN_MS: i64 = 60_000;

async fn set_jump(server: &TestServer, account: Option<&str>) -> Value {
    let mut set = json!({"mode": "jump", "now": T0});
    if let Some(account) = account {
        set["account"] = json!(account);
    }
    server.control(Method::PUT, "/_mock/clock", &set).await
}

fn instant_ms(text: &Value) -> i64 {
    now_ms(&json!({"now": text}))
}

/// Asserts that an instant is at or shortly after `expected`.
fn assert_near(actual: &Value, expected: &str) {
    let late_ms = instant_ms(actual) - instant_ms(&json!(expected));
    assert!((0..RUN_MS).contains(&late_ms), "{actual} for {expected}");
}

#[tokio::test]
async fn jump_runs_the_retry_schedule_at_once_with_scheduled_times() {
    let server = TestServer::start().await;
    let receiver = Receiver::with_replies([Reply::Status(500); 6]).await;
    let set = set_jump(&server, Some("live")).await;
    assert_near(&set["now"], T0);
    assert_eq!(
        set,
        json!({"accountKnown": false, "now": set["now"], "mode": "jump",
            "offsetMs": set["offsetMs"], "isDefault": false, "next": null})
    );
    server.webhook("live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.drain("live").await;
    assert_eq!(receiver.count(), 7);
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
    let path = "/_mock/deliveries?account=live";
    let listing = server.control(Method::GET, path, &json!({})).await;
    let deliveries = listing["deliveries"].as_array().expect("a list");
    assert_eq!(deliveries.len(), 7);
    for (delivery, at) in deliveries.iter().zip([
        "2026-03-12T10:00:00.300Z",
        "2026-03-12T10:00:01.300Z",
        "2026-03-12T10:00:03.300Z",
        "2026-03-12T10:00:07.300Z",
        "2026-03-12T10:30:07.300Z",
        "2026-03-12T12:30:07.300Z",
        "2026-03-12T16:30:07.300Z",
    ]) {
        assert_near(&delivery["at"], at);
    }
    let now = clock(&server, "live").await;
    assert_near(&now["now"], "2026-03-12T16:30:07.300Z");
    assert_eq!(now["mode"], "jump", "the mode is unchanged");
}

#[tokio::test]
async fn jump_ignores_upload_expiry_until_an_order_moves_the_clock_past_it() {
    let server = TestServer::start().await;
    set_jump(&server, Some("live")).await;
    let files = json!([{"fileName": "never.jpg", "watermarks": [{"text": "one"}]}]);
    let body = json!({"idempotencyKey": "upload", "files": files});
    let response = server.post("live", "/api/v3/orders/wtr-embed", &body).await;
    let unfinished = response.json()["data"]["orderId"].take();
    let detail = format!(
        "/api/v3/orders/{}",
        unfinished.as_str().expect("a text of digits")
    );
    server.drain("live").await;
    assert_near(&clock(&server, "live").await["now"], T0);
    let pending = server.get("live", &detail).await.json();
    assert_eq!(pending["data"]["status"], "pending");

    let slow = json!({"processing": {"delayMs": 86_400_000}});
    server
        .control(Method::PUT, "/_mock/accounts/live", &slow)
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    server.drain("live").await;
    let order = server.get_order("live", &id).await;
    assert_eq!(order["status"], "complete");
    assert_near(&order["updatedAt"], "2026-03-13T10:00:00.000Z");
    let failed = server.get("live", &detail).await.json();
    assert_eq!(failed["data"]["status"], "failed");
    assert_near(&failed["data"]["updatedAt"], "2026-03-12T22:00:00.000Z");
}

#[tokio::test]
async fn jump_to_order_started_by_its_upload_completes_it() {
    let server = TestServer::start().await;
    set_jump(&server, Some("live")).await;
    let slow = json!({"processing": {"delayMs": 86_400_000}});
    server
        .control(Method::PUT, "/_mock/accounts/live", &slow)
        .await;
    let files = json!([{"fileName": "a.jpg", "watermarks": [{"text": "one"}]}]);
    let body = json!({"idempotencyKey": "upload", "files": files});
    let response = server.post("live", "/api/v3/orders/wtr-embed", &body).await;
    let created = response.json();
    let id = &created["data"]["orderId"];
    let url = &created["data"]["files"][0]["uploadUrl"];
    server.put(url.as_str().expect("a URL"), picture()).await;
    server.drain("live").await;
    let detail = format!("/api/v3/orders/{}", id.as_str().expect("an id"));
    let order = server.get("live", &detail).await.json();
    assert_eq!(order["data"]["status"], "complete");
    assert_near(&order["data"]["updatedAt"], "2026-03-13T10:00:00.000Z");
}

#[tokio::test]
async fn jump_with_held_order_stays_until_it_is_released() {
    let server = TestServer::start().await;
    set_jump(&server, Some("live")).await;
    let rule = json!({"account": "live", "when": {"operation": "bizmori.createAiDetection"},
        "then": {"processing": "hold"}});
    server.control(Method::POST, "/_mock/rules", &rule).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let id = server.confirm_detection("live", &body, picture()).await;
    let drain = json!({"account": "live", "timeoutMs": 200}).to_string();
    let held = server.send(Method::POST, "/_mock/drain", &[], drain).await;
    assert_eq!(held.status, 408, "{}", held.text());
    assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
    let path = format!("/_mock/orders/{id}/complete");
    server.control(Method::POST, &path, &json!({})).await;
    server.drain("live").await;
    assert_eq!(server.get_order("live", &id).await["status"], "complete");
    assert_near(&clock(&server, "live").await["now"], T0);
}

#[tokio::test]
async fn jump_of_default_clock_completes_orders_of_accounts_without_own_clock() {
    let server = TestServer::start().await;
    server.freeze("own").await;
    set_jump(&server, None).await;
    let slow = json!({"processing": {"delayMs": 3_600_000}});
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let mut ids = Vec::new();
    for key in ["one", "two", "own"] {
        let path = format!("/_mock/accounts/{key}");
        server.control(Method::PUT, &path, &slow).await;
        ids.push(server.confirm_detection(key, &body, picture()).await);
    }
    for key in ["one", "two"] {
        server.drain(key).await;
    }
    let body = json!({"timeoutMs": 20_000}).to_string();
    let drained = server.send(Method::POST, "/_mock/drain", &[], body).await;
    let error = drained.json()["error"].take();
    assert_eq!(
        (drained.status, &error["code"]),
        (409, &json!("clock_frozen"))
    );
    let hint = r#"POST /_mock/clock/advance {"account":"own","by":3600000}"#;
    assert_eq!(error["hint"], hint, "no other account has work");
    assert_eq!(server.get_order("one", &ids[0]).await["status"], "complete");
    assert_eq!(server.get_order("two", &ids[1]).await["status"], "complete");
    assert_eq!(
        server.get_order("own", &ids[2]).await["status"],
        "inProgress"
    );
    assert_eq!(clock(&server, "own").await["now"], T0);
}

#[tokio::test]
async fn freeze_jumping_clock_stops_it_and_jump_again_allows_advance() {
    let server = TestServer::start().await;
    set_jump(&server, Some("live")).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"});
    let freeze = json!({"account": "live", "mode": "frozen", "now": T0});
    server.control(Method::PUT, "/_mock/clock", &freeze).await;
    let id = server.confirm_detection("live", &body, picture()).await;
    let drain = json!({"account": "live"}).to_string();
    let frozen = server.send(Method::POST, "/_mock/drain", &[], drain).await;
    assert_eq!(frozen.status, 409, "{}", frozen.text());
    assert_eq!(server.get_order("live", &id).await["status"], "inProgress");
    set_jump(&server, Some("live")).await;
    let by = json!({"account": "live", "by": "P8D"});
    let result = server
        .control(Method::POST, "/_mock/clock/advance", &by)
        .await;
    assert_near(&result["now"], "2026-03-20T10:00:00.000Z");
    let expired = server.get("live", &format!("/api/v2/orders/{id}")).await;
    assert_eq!(expired.json()["data"]["status"], "expired");
}

/// Creates and confirms an order that is due in a day. Returns its id.
async fn create_order_due_in_a_day(server: &TestServer, key: &str) -> String {
    let slow = json!({"processing": {"delayMs": 86_400_000}});
    let path = "/_mock/accounts/live";
    server.control(Method::PUT, path, &slow).await;
    let body = json!({"idempotencyKey": key, "fileName": "a_ai.jpg"});
    server.confirm_detection("live", &body, picture()).await
}

#[tokio::test]
async fn jump_with_recent_upload_url_waits_for_the_upload() {
    let server = TestServer::start().await;
    set_jump(&server, Some("live")).await;
    let presign = [("apikey", "live")];
    let path = "/get-presigned-url?file_name=a.jpg&expiration=3600";
    for attempt in 0.. {
        let started_at = std::time::Instant::now();
        let body = json!({"idempotencyKey": format!("pending {attempt}"), "fileName": "a_ai.jpg"});
        let (_, url) = server.create_detection("live", &body).await;
        let presigned = server.send(Method::GET, path, &presign, "").await.json();
        let file_url = presigned["presigned_url"]
            .as_str()
            .expect("a URL")
            .to_owned();
        let due = create_order_due_in_a_day(&server, &format!("due {attempt}")).await;
        let mut statuses = Vec::new();
        for url in [&url, &file_url] {
            // Time in which the clock would jump if it did not wait for the uploads.
            for _ in 0..20 {
                clock(&server, "live").await;
            }
            let response = server.send(Method::PUT, url, &[], picture()).await;
            statuses.push(response.status);
        }
        // Uploads are awaited for 5 s of real time. A busy machine may take longer: try again.
        if started_at.elapsed() >= std::time::Duration::from_secs(5) {
            server.drain("live").await;
            continue;
        }
        assert_eq!(statuses, [200, 200]);
        server.drain("live").await;
        let order = server.get_order("live", &due).await;
        assert_eq!(order["status"], "complete");
        return;
    }
}

#[tokio::test]
async fn jump_with_missing_upload_proceeds_without_it() {
    let server = TestServer::start().await;
    set_jump(&server, Some("live")).await;
    let body = json!({"idempotencyKey": "never", "fileName": "a_ai.jpg"});
    server.create_detection("live", &body).await;
    let due = create_order_due_in_a_day(&server, "due").await;
    server.drain("live").await;
    let order = server.get_order("live", &due).await;
    assert_eq!(order["status"], "complete");
    assert_near(&order["updatedAt"], "2026-03-13T10:00:00.000Z");
}
