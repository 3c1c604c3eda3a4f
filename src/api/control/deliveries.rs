//! Webhook deliveries: list the attempts, and resend a delivery.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::ControlError;
use super::error_code::ControlErrorCode;
use super::listing::{self, PageParams, describe_page, next_of};
use super::named_account::{NamedAccount, Scope};
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::{OperationDoc, Param};
use crate::http::{AppState, Json, PathParam, Routes, Services};
use crate::model::ids::{DeliveryId, WebhookId};
use crate::model::rule::RuleId;
use crate::platform::clock::iso;
use crate::services::accounts::Account;
use crate::services::webhooks::{AttemptFilter, AttemptRecord, RetryError};

/// Adds the routes of webhook deliveries.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "control.listDeliveries",
            Method::GET,
            "/_mock/deliveries",
            list,
        )
        .docs(describe_list)
        .on(
            "control.resendDelivery",
            Method::POST,
            "/_mock/deliveries/{id}/resend",
            resend,
        )
        .docs(describe_resend)
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Deliveries")]
struct AttemptPage {
    /// Attempts, newest last.
    deliveries: Vec<AttemptView>,
    /// Value of `after` for the page of older attempts. Null on the last page.
    next: Option<String>,
}

/// Attempt of a delivery.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Delivery")]
pub(super) struct AttemptView {
    /// Id of the delivery, shared by all its attempts: the id of BIZ MORI's event row.
    id: DeliveryId,
    /// Time of the attempt by the account's clock.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    account: String,
    webhook_id: WebhookId,
    event_id: String,
    event_type: String,
    /// Order that the event is about. Null if the event is about no order.
    order_id: Option<String>,
    url: String,
    /// Ordinal of the attempt within the delivery, from 1. Duplicates that a rule causes share a
    /// number.
    attempt: u32,
    /// Headers as they were sent. Empty if a rule dropped the webhook.
    request_headers: BTreeMap<String, String>,
    /// Body as it was sent, or would have been sent, byte for byte.
    request_body: String,
    /// Status of the response. Null if there was none.
    status: Option<u16>,
    /// First 64 headers of the response, and at most 8 KiB.
    response_headers: Option<BTreeMap<String, String>>,
    /// First 4 KiB of the response body.
    response_body: Option<String>,
    /// True if the headers or the body of the response were cut.
    response_clipped: bool,
    /// Reason why there was no response.
    error: Option<String>,
    /// Duration in real milliseconds.
    duration_ms: u64,
    /// Due time of the next attempt. Null if none is due.
    #[schemars(extend("format" = "date-time"))]
    next_at: Option<String>,
    /// Status of the delivery after the attempt.
    #[schemars(with = "String", extend("enum" = ["SENT", "RETRYING", "FAILED"]))]
    delivery_status: &'static str,
    /// First rule that was applied.
    #[schemars(with = "Option<i64>")]
    rule_id: Option<RuleId>,
}

impl From<AttemptRecord> for AttemptView {
    fn from(record: AttemptRecord) -> Self {
        let attempt = record.attempt;
        let (reply, error) = match attempt.response {
            Ok(reply) => (Some(reply), None),
            Err(reason) => (None, Some(reason)),
        };
        let status = reply.as_ref().map(|reply| reply.status);
        let response_clipped = reply.as_ref().is_some_and(|reply| reply.is_clipped);
        let (headers, body) = reply.map(|reply| (reply.headers, reply.body)).unzip();
        Self {
            id: record.delivery,
            at: iso(attempt.at),
            account: record.account,
            webhook_id: record.endpoint,
            event_id: record.event,
            event_type: record.event_type,
            order_id: Some(record.order),
            url: attempt.url,
            attempt: attempt.number,
            request_headers: attempt.request_headers,
            request_body: record.body,
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

fn describe_list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let param = |name, kind| Param {
        name,
        required: false,
        schema: serde_json::json!({"type": kind}),
    };
    let doc = doc
        .summary(
            "List delivery attempts",
            "Returns each attempt with its request and response. The last 1000 attempts of an account \
             are kept, even if their webhook was deleted. The first page has the newest attempts; \
             on each page the newest is last.",
        )
        .query_params(listing::describe_params([
            account_param(),
            param("webhookId", "integer"),
            param("eventType", "string"),
            param("orderId", "string"),
        ]))
        .describe_param("account", "Only attempts of the account with this key.")
        .describe_param("webhookId", "Only attempts for this webhook.")
        .describe_param("eventType", "Only attempts for events of this type.")
        .describe_param("orderId", "Only attempts for the event of this order.")
        .response::<AttemptPage>(200, "Page of attempts.");
    describe_errors(describe_page(doc), &[ControlErrorCode::AccountGone])
}

async fn list(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let known = ["webhookId", "eventType", "orderId", "limit", "after"];
    let query = ControlQuery::parse(query.as_deref(), &known)?;
    let page = PageParams::read(&query)?;
    let mut filter = AttemptFilter {
        endpoint: query.number("webhookId")?.map(WebhookId),
        event_type: query.text("eventType"),
        ..AttemptFilter::default()
    };
    let mut scope = named.scope(&state);
    if let Some(id) = query.text("orderId") {
        let account = account_of_order(&state, &scope, &id).await?;
        let event = account.as_ref();
        filter.event = event.map(|account| state.webhooks.event_id(account, &id));
        scope = account.map_or(Scope::Unknown, Scope::Account);
    }
    if let Scope::Unknown = scope {
        let (deliveries, next) = (Vec::new(), None);
        return Ok(Json(AttemptPage { deliveries, next }).into_response());
    }
    filter.account = scope.account().map(|account| account.id);
    let filter = Arc::new(filter);
    let webhooks = Arc::clone(&state.webhooks);
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
    let show = |record: Option<AttemptRecord>| record.map(AttemptView::from);
    listing::span_response(&frame, "deliveries", span, read, show).await
}

/// Returns the account of an order. `None` if `scope` has no such order.
async fn account_of_order(
    state: &Services,
    scope: &Scope,
    id: &str,
) -> Result<Option<Arc<Account>>, ControlError> {
    let order = state.db.order(id).await?;
    let account = order.and_then(|order| state.accounts.by_id(order.account));
    Ok(account.filter(|account| scope.includes(account)))
}

/// Returns all stored attempts for the event of an order, the oldest first.
pub(super) async fn of_order(
    state: &Services,
    account: &Account,
    order: &str,
) -> Result<Vec<AttemptView>, ControlError> {
    let filter = AttemptFilter {
        account: Some(account.id),
        event: Some(state.webhooks.event_id(account, order)),
        ..AttemptFilter::default()
    };
    let webhooks = &state.webhooks;
    let span = webhooks.attempts_span(&filter, None, u32::MAX).await?;
    let Some(span) = span else {
        return Ok(Vec::new());
    };
    let range = (span.first, span.last);
    let records = webhooks.attempts_in_span(&filter, range, u32::MAX).await?;
    let records = records.into_iter().filter_map(|(_, record)| record);
    Ok(records.map(AttemptView::from).collect())
}

fn describe_resend(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Resend a delivery",
            "Sends the delivery now, whatever its status, after attempts that are in flight to its \
             webhook. A delivery that was sent stays sent. A delivery that has failed is tried once \
             more after 30 minutes if this attempt fails. A delivery that is still retried continues \
             its retry schedule. Rules apply, except those that defer an attempt.",
        )
        .describe_param("id", "Id of the delivery.")
        .response::<AttemptView>(200, "Attempt that was made.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::UnknownDelivery,
        ],
    )
}

async fn resend(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
) -> Result<Response, ControlError> {
    let unknown = || {
        let hint =
            "GET /_mock/deliveries lists deliveries; those of a deleted webhook cannot be resent";
        ControlError::new(
            ControlErrorCode::UnknownDelivery,
            format!("no delivery {id}"),
            hint,
        )
    };
    let delivery = DeliveryId::parse(&id).ok_or_else(unknown)?;
    let scope = named.scope(&state);
    let resent = match scope {
        Scope::Unknown => return Err(unknown()),
        Scope::All | Scope::Account(_) => {
            let account = scope.account().map(|account| account.id);
            state.webhooks.resend(account, delivery).await
        }
    };
    let attempt = resent.map_err(|error| match error {
        RetryError::Internal(error) => error.into(),
        RetryError::NoEndpoint(_) | RetryError::NoDelivery(_) | RetryError::NotFailed(..) => {
            unknown()
        }
    })?;
    Ok(Json(AttemptView::from(attempt)).into_response())
}
