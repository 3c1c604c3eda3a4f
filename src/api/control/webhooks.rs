//! `GET /_mock/webhooks`: the endpoints that accounts have registered.

use std::sync::Arc;

use axum::extract::{RawQuery, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::ControlError;
use super::listing::{self, PageParams, describe_page, next_of};
use super::named_account::{NamedAccount, Scope};
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Routes, Services};
use crate::model::ids::WebhookId;
use crate::model::vendor::Vendor;
use crate::model::webhook::Endpoint;
use crate::platform::clock::iso;

/// Adds the route of webhooks.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.listWebhooks", Method::GET, "/_mock/webhooks", list)
        .docs(describe)
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Webhooks")]
struct WebhookListing {
    /// Webhooks, newest last.
    webhooks: Vec<WebhookView>,
    /// Value of `after` for the page of older webhooks. Null on the last page.
    next: Option<String>,
}

/// Endpoint that receives an account's events.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Webhook")]
struct WebhookView {
    id: WebhookId,
    /// Key of the account.
    account: String,
    #[schemars(extend("enum" = Vendor::ALL.map(Vendor::name)))]
    vendor: &'static str,
    name: Option<String>,
    url: String,
    /// Secret of the signatures. The whole text is the key of the HMAC.
    secret: String,
    /// True if only events of test orders are sent, false if only those of other orders are.
    is_test: bool,
    is_active: bool,
    /// True for the webhook of the vendor's legacy route.
    is_legacy: bool,
    /// Header with the signature, in lower case.
    signature_header: &'static str,
    /// Milliseconds from each failed attempt to the next.
    retry_schedule_ms: &'static [i64],
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[schemars(extend("format" = "date-time"))]
    updated_at: String,
    /// Time of the last attempt. Null if there was none.
    #[schemars(extend("format" = "date-time"))]
    last_sent_at: Option<String>,
}

impl WebhookView {
    /// Returns the view of an endpoint. `None` if its account has just been deleted.
    fn new(state: &Services, endpoint: Endpoint) -> Option<Self> {
        let profile = state.vendors.profile(endpoint.vendor);
        let webhooks = profile.webhooks.as_ref();
        Some(Self {
            id: endpoint.id,
            account: state.accounts.by_id(endpoint.account)?.key.clone(),
            vendor: endpoint.vendor.name(),
            name: endpoint.name,
            url: endpoint.url,
            secret: endpoint.secret,
            is_test: endpoint.test,
            is_active: endpoint.active,
            is_legacy: endpoint.legacy,
            signature_header: webhooks.map_or("", |webhooks| webhooks.signature_header),
            retry_schedule_ms: webhooks.map_or(&[], |webhooks| webhooks.retry_schedule_ms),
            created_at: iso(endpoint.created_at),
            updated_at: iso(endpoint.updated_at),
            last_sent_at: endpoint.last_sent_at.map(iso),
        })
    }
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "List webhooks",
            "Endpoints of all vendors, with their secrets. The first page has the newest webhooks; on \
             each page the newest is last.",
        )
        .query_params(listing::describe_params([account_param()]))
        .describe_param("account", "Only webhooks of the account with this key.")
        .response::<WebhookListing>(200, "Page of webhooks.");
    describe_errors(describe_page(doc), &[])
}

async fn list(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = ControlQuery::parse(query.as_deref(), &["limit", "after"])?;
    let page = PageParams::read(&query)?;
    let scope = named.scope(&state);
    if let Scope::Unknown = scope {
        let (webhooks, next) = (Vec::new(), None);
        return Ok(Json(WebhookListing { webhooks, next }).into_response());
    }
    let account = scope.account().map(|account| account.id);
    let webhooks = Arc::clone(&state.webhooks);
    let span = webhooks
        .endpoints_span(account, page.after, page.limit)
        .await?;
    let frame = WebhookListing {
        webhooks: Vec::new(),
        next: next_of(span),
    };
    let read = move |range, limit| {
        let webhooks = Arc::clone(&webhooks);
        async move { webhooks.endpoints_in_span(account, range, limit).await }
    };
    let show = move |endpoint: Endpoint| WebhookView::new(&state, endpoint);
    listing::span_response(&frame, "webhooks", span, read, show).await
}
