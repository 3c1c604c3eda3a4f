//! Responses of the webhook routes.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::bizmori::events::EVENT_TYPES;
use crate::model::ids::{DeliveryId, WebhookId};
use crate::model::webhook::{Delivery, DeliveryStatus, Endpoint};
use crate::platform::clock;
use crate::services::webhooks::{RetryResult, RetrySummary};

/// Response to `POST …/webhooks`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookCreated {
    id: WebhookId,
    name: Option<String>,
    /// Key of the signature in `X-MoriBiz-Signature`.
    secret: String,
    is_test: bool,
}

impl From<Endpoint> for WebhookCreated {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: endpoint.id,
            name: endpoint.name,
            secret: endpoint.secret,
            is_test: endpoint.test,
        }
    }
}

/// Endpoint in a listing.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookItem {
    id: WebhookId,
    name: Option<String>,
    #[schemars(extend("format" = "uri"))]
    url: String,
    is_active: bool,
    is_test: bool,
    #[schemars(extend("format" = "date-time"))]
    last_sent_at: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
}

impl From<&Endpoint> for WebhookItem {
    fn from(endpoint: &Endpoint) -> Self {
        Self {
            id: endpoint.id,
            name: endpoint.name.clone(),
            url: endpoint.url.clone(),
            is_active: endpoint.active,
            is_test: endpoint.test,
            last_sent_at: endpoint.last_sent_at.map(clock::iso),
            created_at: clock::iso(endpoint.created_at),
        }
    }
}

/// Response to `GET …/webhooks/{id}`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookDetail {
    #[serde(flatten)]
    item: WebhookItem,
    /// Key of the signature in `X-MoriBiz-Signature`.
    secret: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

impl From<Endpoint> for WebhookDetail {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            item: WebhookItem::from(&endpoint),
            secret: endpoint.secret,
            updated_at: clock::iso(endpoint.updated_at),
        }
    }
}

/// Response to `PUT …/webhooks/{id}`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WebhookUpdated {
    id: WebhookId,
    name: Option<String>,
    #[schemars(extend("format" = "uri"))]
    url: String,
    is_active: bool,
    is_test: bool,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
}

impl From<Endpoint> for WebhookUpdated {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            id: endpoint.id,
            name: endpoint.name,
            url: endpoint.url,
            is_active: endpoint.active,
            is_test: endpoint.test,
            updated_at: clock::iso(endpoint.updated_at),
        }
    }
}

/// Event in the listing of an endpoint's events.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct EventItem {
    id: DeliveryId,
    event_id: String,
    #[schemars(extend("enum" = EVENT_TYPES))]
    event_type: String,
    #[schemars(extend("enum" = DeliveryStatus::ALL.map(DeliveryStatus::name)))]
    status: &'static str,
    retries: u32,
    #[schemars(extend("format" = "date-time"))]
    last_sent_at: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
}

impl From<Delivery> for EventItem {
    fn from(delivery: Delivery) -> Self {
        Self {
            id: delivery.id,
            event_id: delivery.event.id,
            event_type: delivery.event.event_type,
            status: delivery.status.name(),
            retries: delivery.retries,
            last_sent_at: delivery.last_sent_at.map(clock::iso),
            created_at: clock::iso(delivery.created_at),
        }
    }
}

/// Response to `POST …/events/{eventRowId}/retry`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
pub enum EventRetried {
    Sent {
        event_id: String,
        #[schemars(extend("const" = true))]
        success: bool,
        status_code: u16,
    },
    Failed {
        event_id: String,
        #[schemars(extend("const" = false))]
        success: bool,
        #[schemars(extend("const" = "FAILED"))]
        status: &'static str,
        error: String,
    },
}

impl From<RetryResult> for EventRetried {
    fn from(retried: RetryResult) -> Self {
        let event_id = retried.event_id;
        match retried.sent {
            Ok(status_code) => Self::Sent {
                event_id,
                success: true,
                status_code,
            },
            Err(error) => Self::Failed {
                event_id,
                success: false,
                status: DeliveryStatus::Failed.name(),
                error,
            },
        }
    }
}

/// Response to `POST …/events/retry-failed`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct FailedRetried {
    total: u32,
    succeeded: u32,
    failed: u32,
}

impl From<RetrySummary> for FailedRetried {
    fn from(summary: RetrySummary) -> Self {
        Self {
            total: summary.succeeded + summary.failed,
            succeeded: summary.succeeded,
            failed: summary.failed,
        }
    }
}

/// Response to `POST …/webhook`: the fields of `POST …/webhooks` and of `GET …/webhook`.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegacyWebhookSet {
    #[serde(flatten)]
    created: WebhookCreated,
    #[serde(flatten)]
    legacy: LegacyWebhook,
}

impl From<Endpoint> for LegacyWebhookSet {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            created: WebhookCreated::from(endpoint.clone()),
            legacy: LegacyWebhook::from(endpoint),
        }
    }
}

/// Response to `GET …/webhook`. Both fields are null if there is no webhook.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LegacyWebhook {
    #[schemars(extend("format" = "uri"))]
    url: Option<String>,
    #[schemars(extend("format" = "date-time"))]
    created_at: Option<String>,
}

impl From<Endpoint> for LegacyWebhook {
    fn from(endpoint: Endpoint) -> Self {
        Self {
            url: Some(endpoint.url),
            created_at: Some(clock::iso(endpoint.created_at)),
        }
    }
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Pagination {
    pub page: u32,
    pub limit: u32,
    pub total: u64,
    pub total_pages: u64,
}

/// Response to `GET …/webhooks`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct WebhookPage {
    pub webhooks: Vec<WebhookItem>,
    pub pagination: Pagination,
}

/// Response to `GET …/webhooks/{id}/events`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct EventPage {
    pub events: Vec<EventItem>,
    pub pagination: Pagination,
}
