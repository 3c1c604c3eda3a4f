//! BIZ MORI: webhooks.

use serde_json::{Value, json};

use super::{KnownIds, OperationCall, call};

pub fn calls(ids: &KnownIds) -> Vec<OperationCall> {
    let webhook = &ids.webhook;
    let hook = json!({"url": "http://127.0.0.1:1/"});
    let day = json!({"fromDate": "2026-03-12", "toDate": "2026-03-12"});
    let empty = json!({});
    let call_with =
        |name, status, path: String, body: &Value| call(name, status, path, body.clone());
    let at = |path: &str| format!("/api/v2/orders/{path}");
    vec![
        call_with("bizmori.createWebhook", 200, at("webhooks"), &hook),
        call_with("bizmori.createWebhook", 400, at("webhooks"), &empty),
        call_with("bizmori.listWebhooks", 200, at("webhooks"), &empty),
        call_with("bizmori.listWebhooks", 400, at("webhooks?page=0"), &empty),
        call_with(
            "bizmori.getWebhook",
            200,
            at(&format!("webhooks/{webhook}")),
            &empty,
        ),
        call_with("bizmori.getWebhook", 404, at("webhooks/99"), &empty),
        call_with(
            "bizmori.updateWebhook",
            200,
            at(&format!("webhooks/{webhook}")),
            &hook,
        ),
        call_with("bizmori.updateWebhook", 404, at("webhooks/99"), &hook),
        call_with(
            "bizmori.listWebhookEvents",
            200,
            at(&format!("webhooks/{webhook}/events")),
            &empty,
        ),
        call_with(
            "bizmori.listWebhookEvents",
            404,
            at("webhooks/99/events"),
            &empty,
        ),
        call_with(
            "bizmori.retryWebhookEvent",
            404,
            at(&format!("webhooks/{webhook}/events/1/retry")),
            &empty,
        ),
        call_with(
            "bizmori.retryFailedWebhookEvents",
            200,
            at(&format!("webhooks/{webhook}/events/retry-failed")),
            &day,
        ),
        call_with(
            "bizmori.retryFailedWebhookEvents",
            400,
            at(&format!("webhooks/{webhook}/events/retry-failed")),
            &empty,
        ),
        call_with("bizmori.createLegacyWebhook", 200, at("webhook"), &hook),
        call_with("bizmori.createLegacyWebhook", 400, at("webhook"), &empty),
        call_with("bizmori.getLegacyWebhook", 200, at("webhook"), &empty),
        call_with("bizmori.deleteLegacyWebhook", 200, at("webhook"), &empty),
        call_with("bizmori.deleteLegacyWebhook", 404, at("webhook"), &empty),
        call_with(
            "bizmori.deleteWebhook",
            200,
            at(&format!("webhooks/{webhook}")),
            &empty,
        ),
        call_with(
            "bizmori.deleteWebhook",
            404,
            at(&format!("webhooks/{webhook}")),
            &empty,
        ),
    ]
}
