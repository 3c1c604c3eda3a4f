//! BIZ MORI's webhooks: registered, signed, delivered, retried.

use hmac::{Hmac, KeyInit, Mac};
use reqwest::Method;
use serde_json::{Value, json};
use sha2::Sha256;

use crate::support::{Message, Receiver, Reply, Stunt, picture};

const WEBHOOKS: &str = "/api/v2/orders/webhooks";

/// Registers the receiver: the endpoint's id and secret.
async fn register(stunt: &Stunt, key: &str, url: &str) -> (String, String) {
    let made = stunt
        .post(key, WEBHOOKS, &json!({"name": "mine", "url": url}))
        .await;
    assert_eq!(made.status, 200, "{}", made.text());
    let text = |field: &str| {
        made.json()["data"][field]
            .as_str()
            .expect("a text")
            .to_owned()
    };
    (text("id"), text("secret"))
}

fn verified(message: &Message, secret: &str) -> Value {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(&message.body);
    let expected = hex::encode(mac.finalize().into_bytes());
    assert_eq!(message.headers["x-moribiz-signature"], expected.as_str());
    assert_eq!(message.headers["content-type"], "application/json");
    message.json()
}

async fn frozen(key: &str) -> Stunt {
    let stunt = Stunt::start().await;
    stunt.freeze(key).await;
    stunt
}

#[tokio::test]
async fn a_completed_detection_is_announced_whole_and_signed() {
    let (stunt, receiver) = (frozen("live").await, Receiver::start().await);
    let (_, secret) = register(&stunt, "live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": {"generateHeatmap": true}});
    let id = stunt.confirmed("live", &body, picture()).await;
    assert_eq!(
        stunt.advance("live", "PT1S").await,
        ["order.process", "webhook.deliver"]
    );
    let messages = receiver.messages(1).await;
    let event = verified(&messages[0], &secret);
    let event_id = event["eventId"].as_str().expect("an id");
    let heatmap = event["data"]["heatmapUrl"].as_str().expect("a URL");
    let expected = format!(
        r#"{{"eventId":"{event_id}","eventType":"order.aiDetection.completed","occurredAt":"2026-03-12T10:00:00.300Z","data":{{"orderId":"{id}","orderName":"ai_detection_2026-03-12","createdAt":"2026-03-12T10:00:00.000Z","updatedAt":"2026-03-12T10:00:00.300Z","completedAt":"2026-03-12T10:00:00.300Z","status":"complete","probability":0.98,"heatmapUrl":"{heatmap}"}}}}"#
    );
    assert_eq!(
        String::from_utf8(messages[0].body.clone()).expect("UTF-8"),
        expected
    );
    assert_eq!(event_id.len(), 36);
    assert_eq!(stunt.send(Method::GET, heatmap, &[], "").await.status, 200);
}

#[tokio::test]
async fn an_anti_ai_order_is_announced_with_where_to_download_it() {
    let (stunt, receiver) = (frozen("live").await, Receiver::start().await);
    register(&stunt, "live", &receiver.url).await;
    let body = json!({"idempotencyKey": "a", "files": [{"fileName": "a.jpg"}]});
    let made = stunt
        .post("live", "/api/v2/orders/anti-ai", &body)
        .await
        .json();
    let id = made["data"]["orderId"].as_str().expect("an id");
    stunt
        .put(
            made["data"]["files"][0]["uploadUrl"]
                .as_str()
                .expect("a URL"),
            picture(),
        )
        .await;
    stunt
        .post(
            "live",
            "/api/v2/orders/anti-ai/confirm",
            &json!({"idempotencyKey": "c", "orderId": id}),
        )
        .await;
    stunt.advance("live", "PT1S").await;
    let event = receiver.messages(1).await[0].json();
    let url = event["data"]["downloadUrl"].as_str().expect("a URL");
    assert!(url.starts_with(&stunt.origin), "{url}");
    assert_eq!(stunt.send(Method::GET, url, &[], "").await.status, 200);
    assert_eq!(
        (&event["eventType"], &event["data"]["fileCount"]),
        (&json!("order.antiAi.completed"), &json!(1))
    );
}

#[tokio::test]
async fn a_failed_order_is_announced_with_its_code() {
    let (stunt, receiver) = (frozen("live").await, Receiver::start().await);
    register(&stunt, "live", &receiver.url).await;
    let id = stunt
        .confirmed(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a.jpg"}),
            b"no".to_vec(),
        )
        .await;
    stunt.advance("live", "PT1S").await;
    let message = receiver.messages(1).await.remove(0);
    let (event, text) = (
        message.json(),
        String::from_utf8(message.body).expect("UTF-8"),
    );
    let (event_id, said) = (&event["eventId"], &event["data"]["errorMessage"]);
    let expected = format!(
        r#"{{"eventId":{event_id},"eventType":"order.aiDetection.failed","occurredAt":"2026-03-12T10:00:00.300Z","data":{{"orderId":"{id}","orderName":"ai_detection_2026-03-12","createdAt":"2026-03-12T10:00:00.000Z","updatedAt":"2026-03-12T10:00:00.300Z","failedAt":"2026-03-12T10:00:00.300Z","status":"failed","errorCode":"AI_DETECTION_INVALID_IMAGE","errorMessage":{said}}}}}"#
    );
    assert_eq!(text, expected);
}

#[tokio::test]
async fn a_delivery_climbs_the_ladder_and_is_one_row_all_the_way() {
    let replies = [
        Reply::Status(500),
        Reply::Redirect,
        Reply::Reset,
        Reply::Status(404),
        Reply::Status(301),
        Reply::Status(400),
        Reply::Status(503),
    ];
    let (stunt, receiver) = (frozen("live").await, Receiver::answering(replies).await);
    let (endpoint, secret) = register(&stunt, "live", &receiver.url).await;
    let id = stunt
        .confirmed(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"}),
            picture(),
        )
        .await;
    assert_eq!(
        stunt.advance("live", "PT0.3S").await,
        ["order.process", "webhook.deliver"]
    );
    let path = format!("{WEBHOOKS}/{endpoint}/events");
    let row = async |status: &str, retries: u32, at: &str| {
        let events = stunt.get("live", &path).await;
        let (row, event) = (&events.json()["data"]["events"][0], String::new());
        let expected = format!(
            r#"{{"data":{{"events":[{{"id":{},"eventId":{},"eventType":"order.aiDetection.completed","status":"{status}","retries":{retries},"lastSentAt":"2026-03-12T{at}Z","createdAt":"2026-03-12T10:00:00.300Z"}}],"pagination":{{"page":1,"limit":20,"total":1,"totalPages":1}}}}}}{event}"#,
            row["id"], row["eventId"]
        );
        assert_eq!(events.text(), expected);
    };
    row("RETRYING", 0, "10:00:00.300").await;
    for (step, by, at) in [
        (1, "PT1S", "10:00:01.300"),
        (2, "PT2S", "10:00:03.300"),
        (3, "PT4S", "10:00:07.300"),
        (4, "PT30M", "10:30:07.300"),
        (5, "PT2H", "12:30:07.300"),
    ] {
        assert_eq!(
            stunt.advance("live", by).await,
            ["webhook.deliver"],
            "step {step}"
        );
        row("RETRYING", step, at).await;
    }
    assert_eq!(stunt.advance("live", "PT4H").await, ["webhook.deliver"]);
    row("FAILED", 6, "16:30:07.300").await;
    assert!(
        stunt.advance("live", "P6D").await.is_empty(),
        "the ladder is at its end"
    );
    let messages = receiver.messages(7).await;
    assert!(
        messages
            .iter()
            .all(|message| message.body == messages[0].body),
        "the same bytes each time"
    );
    assert_eq!(
        verified(&messages[6], &secret)["data"]["orderId"],
        json!(id)
    );
}

#[tokio::test]
async fn a_second_attempt_that_is_answered_ends_the_ladder() {
    let (stunt, receiver) = (
        frozen("live").await,
        Receiver::answering([Reply::Status(500)]).await,
    );
    let (endpoint, _) = register(&stunt, "live", &receiver.url).await;
    stunt
        .confirmed(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"}),
            picture(),
        )
        .await;
    let ran = stunt.advance("live", "PT24H").await;
    assert_eq!(ran, ["order.process", "webhook.deliver", "webhook.deliver"]);
    let events = stunt
        .get("live", &format!("{WEBHOOKS}/{endpoint}/events"))
        .await
        .json();
    let row = &events["data"]["events"][0];
    assert_eq!(
        (&row["status"], &row["retries"]),
        (&json!("SENT"), &json!(1))
    );
    receiver.messages(2).await;
}

#[tokio::test]
async fn a_receiver_that_never_answers_fails_the_attempt_after_the_timeout() {
    let stunt = Stunt::with(|config| config.webhook_timeout_ms = 50).await;
    let receiver = Receiver::answering([Reply::Silence]).await;
    stunt.freeze("live").await;
    let (endpoint, _) = register(&stunt, "live", &receiver.url).await;
    stunt
        .confirmed(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"}),
            picture(),
        )
        .await;
    stunt.advance("live", "PT0.3S").await;
    let events = stunt
        .get("live", &format!("{WEBHOOKS}/{endpoint}/events"))
        .await
        .json();
    assert_eq!(events["data"]["events"][0]["status"], "RETRYING");
    stunt.advance("live", "PT1S").await;
    receiver.messages(2).await;
}

#[tokio::test]
async fn an_endpoint_gets_its_events_in_order() {
    let (stunt, receiver) = (frozen("live").await, Receiver::start().await);
    register(&stunt, "live", &receiver.url).await;
    let mut ids = Vec::new();
    for n in 0..5 {
        let body = json!({"idempotencyKey": n.to_string(), "fileName": "a_ai.jpg"});
        ids.push(json!(stunt.confirmed("live", &body, picture()).await));
        stunt.advance("live", "PT0.01S").await;
    }
    stunt.advance("live", "PT1S").await;
    let told: Vec<Value> = receiver
        .messages(5)
        .await
        .iter()
        .map(|message| message.json()["data"]["orderId"].clone())
        .collect();
    assert_eq!(told, ids);
}

#[tokio::test]
async fn test_orders_are_announced_to_test_webhooks_only_and_live_ones_to_the_others() {
    let stunt = Stunt::start().await;
    let (tests, lives) = (Receiver::start().await, Receiver::start().await);
    for key in ["sk_test_1", "live"] {
        stunt.freeze(key).await;
    }
    let made = stunt
        .post("sk_test_1", WEBHOOKS, &json!({"url": tests.url}))
        .await
        .json();
    assert_eq!(
        made["data"]["isTest"], true,
        "a test key's webhook is one without being said so"
    );
    let refused = stunt
        .post(
            "sk_test_1",
            WEBHOOKS,
            &json!({"url": tests.url, "isTest": false}),
        )
        .await;
    assert_eq!(
        (refused.status, refused.text()),
        (403, r#"{"code":"AUTH_FORBIDDEN"}"#.to_owned())
    );
    stunt
        .post("live", WEBHOOKS, &json!({"url": tests.url, "isTest": true}))
        .await;
    stunt
        .post("live", WEBHOOKS, &json!({"url": lives.url}))
        .await;
    let body = json!({"idempotencyKey": "a", "fileName": "a_ai.jpg", "options": {"generateOverlay": true}});
    for key in ["sk_test_1", "live"] {
        stunt.confirmed(key, &body, picture()).await;
        stunt.advance(key, "PT10S").await;
    }
    let told = tests.messages(1).await[0].json();
    assert_eq!(
        (&told["data"]["probability"], &told["data"]["overlayUrl"]),
        (&json!(0.98), &Value::Null)
    );
    assert!(lives.messages(1).await[0].json()["data"]["overlayUrl"].is_string());
}

#[tokio::test]
async fn a_webhook_is_made_listed_read_changed_and_removed() {
    let stunt = frozen("live").await;
    let made = stunt
        .post(
            "live",
            WEBHOOKS,
            &json!({"name": "one", "url": "http://127.0.0.1:1/a"}),
        )
        .await;
    let (id, secret) = (
        made.json()["data"]["id"].clone(),
        made.json()["data"]["secret"].clone(),
    );
    assert!(secret.as_str().expect("a secret").starts_with("whsec_"));
    assert_eq!(
        made.text(),
        format!(r#"{{"data":{{"id":{id},"name":"one","secret":{secret},"isTest":false}}}}"#)
    );
    let second = stunt
        .post("live", WEBHOOKS, &json!({"url": "https://example.test/b"}))
        .await
        .json();
    let second = &second["data"]["id"];
    let path = format!("{WEBHOOKS}/{}", id.as_str().expect("a text"));
    let item = format!(
        r#""id":{id},"name":"one","url":"http://127.0.0.1:1/a","isActive":true,"isTest":false,"lastSentAt":null,"createdAt":"2026-03-12T10:00:00.000Z""#
    );
    let listing = stunt
        .get("live", &format!("{WEBHOOKS}?limit=1&page=2"))
        .await;
    let page = r#""pagination":{"page":2,"limit":1,"total":2,"totalPages":2}"#;
    assert_eq!(
        listing.text(),
        format!(r#"{{"data":{{"webhooks":[{{{item}}}],{page}}}}}"#)
    );
    let found = stunt
        .get("live", &format!("{WEBHOOKS}?keyword=EXAMPLE"))
        .await
        .json();
    assert_eq!(found["data"]["webhooks"][0]["id"], *second);
    assert_eq!(found["data"]["pagination"]["total"], 1);
    let detail = stunt.get("live", &path).await;
    let at = r#""updatedAt":"2026-03-12T10:00:00.000Z""#;
    assert_eq!(
        detail.text(),
        format!(r#"{{"data":{{{item},"secret":{secret},{at}}}}}"#)
    );
    stunt.advance("live", "PT1S").await;
    let changed = stunt
        .call(
            Method::PUT,
            "live",
            &path,
            &json!({"url": "http://127.0.0.1:2/", "isTest": true}),
        )
        .await;
    let expected = format!(
        r#"{{"data":{{"id":{id},"name":"one","url":"http://127.0.0.1:2/","isActive":true,"isTest":true,"updatedAt":"2026-03-12T10:00:01.000Z"}}}}"#
    );
    assert_eq!(changed.text(), expected);
    let gone = (404, r#"{"code":"WEBHOOK_NOT_FOUND"}"#.to_owned());
    let others = stunt.get("other", &path).await;
    assert_eq!((others.status, others.text()), gone);
    assert_eq!(
        stunt
            .call(Method::DELETE, "live", &path, &json!({}))
            .await
            .text(),
        r#"{"data":null}"#
    );
    for answer in [
        stunt.get("live", &path).await,
        stunt.call(Method::DELETE, "live", &path, &json!({})).await,
    ] {
        assert_eq!((answer.status, answer.text()), gone);
    }
}

#[tokio::test]
async fn a_webhook_that_is_removed_gets_nothing_more() {
    let (stunt, receiver) = (
        frozen("live").await,
        Receiver::answering([Reply::Status(500)]).await,
    );
    let (endpoint, _) = register(&stunt, "live", &receiver.url).await;
    stunt
        .confirmed(
            "live",
            &json!({"idempotencyKey": "a", "fileName": "a_ai.jpg"}),
            picture(),
        )
        .await;
    stunt.advance("live", "PT0.3S").await;
    stunt
        .call(
            Method::DELETE,
            "live",
            &format!("{WEBHOOKS}/{endpoint}"),
            &json!({}),
        )
        .await;
    assert!(stunt.advance("live", "PT24H").await.is_empty());
    receiver.messages(1).await;
}
