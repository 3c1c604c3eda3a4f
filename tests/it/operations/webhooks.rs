//! BIZ MORI's webhooks.

use serde_json::{Value, json};

use super::{KnownIds, OperationCall, call};

pub fn calls(ids: &KnownIds) -> Vec<OperationCall> {
    let webhook = &ids.webhook;
    let hook = json!({"url": "http://127.0.0.1:1/"});
    let day = json!({"fromDate": "2026-03-12", "toDate": "2026-03-12"});
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
        of("bizmori.getWebhook", 404, at("webhooks/99"), &none),
        of(
            "bizmori.updateWebhook",
            200,
            at(&format!("webhooks/{webhook}")),
            &hook,
        ),
        of("bizmori.updateWebhook", 404, at("webhooks/99"), &hook),
        of(
            "bizmori.listWebhookEvents",
            200,
            at(&format!("webhooks/{webhook}/events")),
            &none,
        ),
        of(
            "bizmori.listWebhookEvents",
            404,
            at("webhooks/99/events"),
            &none,
        ),
        of(
            "bizmori.retryWebhookEvent",
            404,
            at(&format!("webhooks/{webhook}/events/1/retry")),
            &none,
        ),
        of(
            "bizmori.retryFailedWebhookEvents",
            200,
            at(&format!("webhooks/{webhook}/events/retry-failed")),
            &day,
        ),
        of(
            "bizmori.retryFailedWebhookEvents",
            400,
            at(&format!("webhooks/{webhook}/events/retry-failed")),
            &none,
        ),
        of("bizmori.createLegacyWebhook", 200, at("webhook"), &hook),
        of("bizmori.createLegacyWebhook", 400, at("webhook"), &none),
        of("bizmori.getLegacyWebhook", 200, at("webhook"), &none),
        of("bizmori.deleteLegacyWebhook", 200, at("webhook"), &none),
        of("bizmori.deleteLegacyWebhook", 404, at("webhook"), &none),
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
