//! Webhook deliveries: every attempt, and sent once more.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::ApiError;
use super::listing::{self, PageParams, describe_page, next_of};
use super::named_account::{NamedAccount, Scope};
use super::openapi::{STORE_ERRORS, account, error_responses};
use super::query::ControlQuery;
use crate::http::openapi::{OperationDoc, Param};
use crate::http::{AppState, Json, PathParam};
use crate::model::ids::{DeliveryId, WebhookId};
use crate::model::rule::RuleId;
use crate::platform::clock::iso;
use crate::services::webhooks::{AttemptFilter, AttemptRecord, RetryError};

const UNKNOWN_ATTEMPT: [(u16, &str); 1] = [(404, "unknown_delivery")];

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Deliveries")]
struct AttemptPage {
    /// The newest last.
    deliveries: Vec<AttemptView>,
    /// The `after` of the page of older ones; null on the last one.
    next: Option<String>,
}

/// An attempt at a delivery.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Delivery")]
struct AttemptView {
    /// The delivery's, the same for all attempts; BIZ MORI's event row.
    id: DeliveryId,
    /// By the account's clock.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    account: String,
    webhook_id: WebhookId,
    event_id: String,
    event_type: String,
    url: String,
    /// The how-manieth of the delivery, from 1; the copies that a rule has sent have one number.
    attempt: u32,
    /// As they were sent; none where a rule has dropped it.
    request_headers: BTreeMap<String, String>,
    /// As it was sent, byte for byte, or would have been.
    request_body: String,
    /// What was answered; null where nothing was.
    status: Option<u16>,
    /// The first 64, and 8 KiB of them.
    response_headers: Option<BTreeMap<String, String>>,
    /// Its first 4 KiB.
    response_body: Option<String>,
    /// Whether headers or body were longer than what is kept.
    response_clipped: bool,
    /// Why there was no answer.
    error: Option<String>,
    /// Real milliseconds.
    duration_ms: u64,
    /// When the next attempt is due; null where there is none to come.
    #[schemars(extend("format" = "date-time"))]
    next_at: Option<String>,
    /// How the delivery stood after it.
    #[schemars(with = "String", extend("enum" = ["SENT", "RETRYING", "FAILED"]))]
    delivery_status: &'static str,
    /// The first rule that was applied.
    #[schemars(with = "Option<i64>")]
    rule_id: Option<RuleId>,
}

impl From<AttemptRecord> for AttemptView {
    fn from(sent: AttemptRecord) -> Self {
        let attempt = sent.attempt;
        let (reply, error) = match attempt.response {
            Ok(reply) => (Some(reply), None),
            Err(line) => (None, Some(line)),
        };
        let status = reply.as_ref().map(|reply| reply.status);
        let response_clipped = reply.as_ref().is_some_and(|reply| reply.is_clipped);
        let (headers, body) = reply.map(|reply| (reply.headers, reply.body)).unzip();
        Self {
            id: sent.delivery,
            at: iso(attempt.at),
            account: sent.account,
            webhook_id: sent.endpoint,
            event_id: sent.event,
            event_type: sent.event_type,
            url: attempt.url,
            attempt: attempt.number,
            request_headers: attempt.request_headers,
            request_body: sent.body,
            status,
            response_headers: headers,
            response_body: body,
            response_clipped,
            error,
            duration_ms: attempt.duration_ms,
            next_at: attempt.next_at.map(iso),
            delivery_status: attempt.delivery_status.name(),
            rule_id: attempt.rule,
        }
    }
}

pub fn describe_list(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let input = |name, kind| Param {
        name,
        required: false,
        schema: serde_json::json!({"type": kind}),
    };
    let described = described
        .summary(
            "Every attempt at a webhook",
            "As it was sent, and what came of it. The last 1000 of an account are kept, also of \
             webhooks that are gone. The first page has the newest ones; on each page the newest \
             is last.",
        )
        .query_params(listing::describe_params([
            account(),
            input("webhookId", "integer"),
            input("eventType", "string"),
        ]))
        .describe_param("account", "Only those of that key.")
        .describe_param("webhookId", "Only those to that webhook.")
        .describe_param("eventType", "Only those of such events.")
        .response::<AttemptPage>(200, "The attempts.");
    error_responses(
        describe_page(described),
        &[&[(400, "bad_query")], &STORE_ERRORS],
    )
}

pub async fn list(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let known = ["webhookId", "eventType", "limit", "after"];
    let query = ControlQuery::parse(query.as_deref(), &known)?;
    let page = PageParams::read(&query)?;
    let scope = named.scope(&context);
    if let Scope::Unknown = scope {
        let (deliveries, next) = (Vec::new(), None);
        return Ok(Json(AttemptPage { deliveries, next }).into_response());
    }
    let filter = Arc::new(AttemptFilter {
        account: scope.account().map(|account| account.id),
        endpoint: query.number("webhookId")?.map(WebhookId),
        event_type: query.text("eventType"),
    });
    let webhooks = Arc::clone(&context.webhooks);
    let span = webhooks
        .attempts_span(&filter, page.after, page.limit)
        .await?;
    let frame = AttemptPage {
        deliveries: Vec::new(),
        next: next_of(span),
    };
    let read = move |range, limit| {
        let (webhooks, filter) = (Arc::clone(&webhooks), Arc::clone(&filter));
        async move { webhooks.attempts_in_span(&filter, range, limit).await }
    };
    let show = |sent: Option<AttemptRecord>| sent.map(AttemptView::from);
    listing::span_response(&frame, "deliveries", span, read, show).await
}

pub fn describe_resend(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Send a delivery once more",
            "Now, however it stands, after what is under way to its webhook. One that was sent stays \
             sent; one that has failed for good is tried once more after 30 minutes, if this \
             fails; one that is still tried goes on from there. Rules apply, but for those that \
             would put it off.",
        )
        .describe_param("id", "The delivery's id.")
        .response::<AttemptView>(200, "The attempt that was made.");
    error_responses(described, &[&UNKNOWN_ATTEMPT, &STORE_ERRORS])
}

pub async fn resend(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
) -> Result<Response, ApiError> {
    let unknown = || {
        let hint = "GET /_mock/deliveries lists those that were attempted; a webhook's go with it";
        ApiError::not_found("unknown_delivery", format!("no delivery {id}"), hint)
    };
    let delivery = DeliveryId::parse(&id).ok_or_else(unknown)?;
    let scope = named.scope(&context);
    let resent = match scope {
        Scope::Unknown => return Err(unknown()),
        Scope::All | Scope::Account(_) => {
            let account = scope.account().map(|account| account.id);
            context.webhooks.resend(account, delivery).await
        }
    };
    let created = resent.map_err(|error| match error {
        RetryError::Internal(error) => error.into(),
        RetryError::NoEndpoint(_) | RetryError::NoDelivery(_) | RetryError::NotFailed(..) => {
            unknown()
        }
    })?;
    Ok(Json(AttemptView::from(created)).into_response())
}
