//! Webhook deliveries: every attempt, and sent once more.

use std::collections::BTreeMap;

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::described::{STORE, account, refuses};
use super::error::Refusal;
use super::query::Query;
use super::whose::looked_at;
use crate::clock::iso;
use crate::model::rule::RuleId;
use crate::web::openapi::{Described, Input};
use crate::web::{Context, Json, Segment};
use crate::webhooks::{RetryError, Sent};

const LIMIT: u32 = 100;
const LIMIT_MAX: u32 = 1_000;
const UNKNOWN: [(u16, &str); 1] = [(404, "unknown_delivery")];

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Deliveries")]
struct Listing {
    /// The newest last.
    deliveries: Vec<Shown>,
}

/// An attempt at a delivery.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Delivery")]
struct Shown {
    /// The delivery's, the same for all attempts.
    id: String,
    /// By the account's clock.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    account: String,
    webhook_id: String,
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
    response_headers: Option<BTreeMap<String, String>>,
    /// Its first 4 KiB.
    response_body: Option<String>,
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

impl From<Sent> for Shown {
    fn from(sent: Sent) -> Self {
        let attempt = sent.attempt;
        let (answer, error) = match attempt.answer {
            Ok(answer) => (Some(answer), None),
            Err(line) => (None, Some(line)),
        };
        let status = answer.as_ref().map(|answer| answer.status);
        let (headers, body) = answer.map(|answer| (answer.headers, answer.body)).unzip();
        Self {
            id: sent.delivery,
            at: iso(attempt.at),
            account: sent.account,
            webhook_id: sent.endpoint,
            event_id: sent.event,
            event_type: sent.kind,
            url: attempt.url,
            attempt: attempt.number,
            request_headers: attempt.request_headers,
            request_body: sent.body,
            status,
            response_headers: headers,
            response_body: body,
            error,
            duration_ms: attempt.duration_ms,
            next_at: attempt.next_at.map(iso),
            delivery_status: attempt.delivery_status.name(),
            rule_id: attempt.rule,
        }
    }
}

pub fn describe_list(described: Described<'_>) -> Described<'_> {
    let input = |name, kind: &str| Input {
        name,
        required: false,
        schema: serde_json::json!({"type": kind}),
    };
    let described = described
        .does(
            "Every attempt at a webhook",
            "As it was sent, and what came of it. The last 1000 of an account are kept, also of \
             webhooks that are gone.",
        )
        .asks_query(vec![
            account(),
            input("webhookId", "string"),
            input("eventType", "string"),
            input("limit", "integer"),
        ])
        .where_input("account", "Only those of that key.")
        .where_input("webhookId", "Only those to that webhook.")
        .where_input("eventType", "Only those of such events.")
        .where_input("limit", "The last so many; 100 where it is left out.")
        .answers::<Listing>(200, "The attempts.");
    refuses(described, &[&[(400, "bad_query")], &STORE])
}

pub async fn list(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let known = ["account", "webhookId", "eventType", "limit"];
    let query = Query::read(query.as_deref(), &known)?;
    let limit = query.limit(LIMIT, 1..=LIMIT_MAX)?;
    let key = query.text("account");
    let Ok(account) = looked_at(&context, key.as_deref()) else {
        let deliveries = Vec::new();
        return Ok(Json(Listing { deliveries }).into_response());
    };
    let (webhook, kind) = (query.text("webhookId"), query.text("eventType"));
    let webhooks = &context.webhooks;
    let attempts = webhooks.attempts(account.as_deref(), webhook, kind, limit);
    let deliveries = attempts.await?.into_iter().map(Shown::from).collect();
    Ok(Json(Listing { deliveries }).into_response())
}

pub fn describe_resend(described: Described<'_>) -> Described<'_> {
    let described = described
        .does(
            "Send a delivery once more",
            "Now, however it stands, after what is under way to its webhook. One that was sent stays \
             sent; one that has failed for good is tried once more after 30 minutes, if this \
             fails; one that is still tried goes on from there. Rules apply, but for those that \
             would put it off.",
        )
        .where_input("id", "The delivery's id.")
        .answers::<Shown>(200, "The attempt that was made.");
    refuses(described, &[&UNKNOWN, &STORE])
}

pub async fn resend(
    State(context): State<Context>,
    Segment(id): Segment,
) -> Result<Response, Refusal> {
    let unknown = || {
        let hint = "GET /_mock/deliveries lists those that were attempted; a webhook's go with it";
        Refusal::not_found("unknown_delivery", format!("no delivery {id}"), hint)
    };
    let resent = context.webhooks.resend(&id).await;
    let made = resent.map_err(|error| match error {
        RetryError::Store(error) => error.into(),
        RetryError::NoEndpoint(_) | RetryError::NoDelivery(_) | RetryError::NotFailed(..) => {
            unknown()
        }
    })?;
    Ok(Json(Shown::from(made)).into_response())
}
