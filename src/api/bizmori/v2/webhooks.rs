//! Webhooks of an account, and the events sent to them.

mod docs;

use std::fmt::Display;

use axum::extract::{RawQuery, State};
use axum::http::Method;
use axum::response::Response;
use serde::Serialize;

pub(super) use docs::describe_refusal_header;

use super::wire::webhooks::{
    EventItem, EventPage, EventRetried, FailedRetried, Pagination, WebhookCreated, WebhookDetail,
    WebhookItem, WebhookPage, WebhookUpdated,
};
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::request::{JsonBody, Paging, RetryFailed, WebhookBody};
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::{AppState, PathParam, PathParamPair, Routes, X_MOCK_REASON, header_line};
use crate::model::ids::{DeliveryId, WebhookId};
use crate::model::vendor::Vendor;
use crate::services::accounts::Account;
use crate::services::webhooks::EndpointParams;

const WEBHOOKS: &str = "/api/v2/orders/webhooks";
const WEBHOOK: &str = "/api/v2/orders/webhooks/{webhookId}";

const WEBHOOKS_LIMIT_DEFAULT: u32 = 10;
const EVENTS_LIMIT_DEFAULT: u32 = 20;

/// Adds the operations on webhooks and their events.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("bizmori.createWebhook", Method::POST, WEBHOOKS, create)
        .docs(docs::create)
        .on("bizmori.listWebhooks", Method::GET, WEBHOOKS, list)
        .docs(docs::list)
        .on("bizmori.getWebhook", Method::GET, WEBHOOK, get)
        .docs(docs::get)
        .on("bizmori.updateWebhook", Method::PUT, WEBHOOK, update)
        .docs(docs::update)
        .on("bizmori.deleteWebhook", Method::DELETE, WEBHOOK, delete)
        .docs(docs::delete)
        .on(
            "bizmori.listWebhookEvents",
            Method::GET,
            "/api/v2/orders/webhooks/{webhookId}/events",
            list_events,
        )
        .docs(docs::list_events)
        .on(
            "bizmori.retryWebhookEvent",
            Method::POST,
            "/api/v2/orders/webhooks/{webhookId}/events/{eventRowId}/retry",
            retry_event,
        )
        .docs(docs::retry_event)
        .on(
            "bizmori.retryFailedWebhookEvents",
            Method::POST,
            "/api/v2/orders/webhooks/{webhookId}/events/retry-failed",
            retry_failed_events,
        )
        .docs(docs::retry_failed_events)
}

fn not_found(id: impl Display) -> ApiError {
    ApiError::new(
        ErrorCode::WebhookNotFound,
        format!("this key has no webhook {id}"),
    )
}

/// Reads the id of a webhook in a path. Text that is not digits names no webhook.
fn webhook_id(segment: &str) -> Result<WebhookId, ApiError> {
    WebhookId::parse(segment).ok_or_else(|| not_found(segment))
}

/// Checks the body of a create or an update.
///
/// # Errors
/// Returns `VALIDATION_FAILED` if a field is invalid, `AUTH_FORBIDDEN` if a test key requests a live
/// endpoint.
pub(super) fn endpoint_params(
    account: &Account,
    body: WebhookBody,
) -> Result<EndpointParams, ApiError> {
    let params = EndpointParams::from(body);
    let invalid = |(field, message)| ApiError::invalid(format!("{field}: {message}"));
    params.check().map_err(invalid)?;
    let forbidden = |message| ApiError::new(ErrorCode::AuthForbidden, format!("isTest: {message}"));
    params.restrict_to_key(account.is_test()).map_err(forbidden)
}

/// Returns the response to a create or an update. If nothing is sent to `url`, `X-Mock-Reason`
/// has the reason.
pub(super) async fn registered_response(
    state: &AppState,
    url: &str,
    data: impl Serialize,
) -> Response {
    let mut response = data_response(data);
    if let Some(message) = state.webhooks.refusal(url).await {
        let reason = header_line(&format!("url: {message}"));
        response.headers_mut().insert(X_MOCK_REASON, reason);
    }
    response
}

async fn create(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    JsonBody(body): JsonBody<WebhookBody>,
) -> BizmoriResult {
    let params = endpoint_params(&account, body)?;
    let endpoint = state
        .webhooks
        .register(&account, Vendor::Bizmori, params)
        .await?;
    let url = endpoint.url.clone();
    Ok(registered_response(&state, &url, WebhookCreated::from(endpoint)).await)
}

async fn list(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    RawQuery(query): RawQuery,
) -> BizmoriResult {
    let paging = Paging::parse(query.as_deref(), WEBHOOKS_LIMIT_DEFAULT)?;
    let page = state
        .webhooks
        .endpoints(
            &account,
            Vendor::Bizmori,
            &paging.keyword,
            paging.limit,
            paging.offset(),
        )
        .await?;
    let webhooks = page.items.iter().map(WebhookItem::from).collect();
    Ok(data_response(WebhookPage {
        webhooks,
        pagination: pagination(&paging, page.total),
    }))
}

async fn get(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(id): PathParam,
) -> BizmoriResult {
    let id = webhook_id(&id)?;
    let endpoint = state
        .webhooks
        .endpoint(&account, Vendor::Bizmori, id)
        .await?
        .ok_or_else(|| not_found(id))?;
    Ok(data_response(WebhookDetail::from(endpoint)))
}

async fn update(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(id): PathParam,
    JsonBody(body): JsonBody<WebhookBody>,
) -> BizmoriResult {
    let params = endpoint_params(&account, body)?;
    let id = webhook_id(&id)?;
    let endpoint = state
        .webhooks
        .update(&account, Vendor::Bizmori, id, params)
        .await?
        .ok_or_else(|| not_found(id))?;
    let url = endpoint.url.clone();
    Ok(registered_response(&state, &url, WebhookUpdated::from(endpoint)).await)
}

async fn delete(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(id): PathParam,
) -> BizmoriResult {
    let id = webhook_id(&id)?;
    if state
        .webhooks
        .unregister(&account, Vendor::Bizmori, id)
        .await?
    {
        return Ok(data_response(()));
    }
    Err(not_found(id))
}

async fn list_events(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(id): PathParam,
    RawQuery(query): RawQuery,
) -> BizmoriResult {
    let paging = Paging::parse(query.as_deref(), EVENTS_LIMIT_DEFAULT)?;
    let id = webhook_id(&id)?;
    let endpoint = state
        .webhooks
        .endpoint(&account, Vendor::Bizmori, id)
        .await?
        .ok_or_else(|| not_found(id))?;
    let page = state
        .webhooks
        .deliveries(&endpoint, paging.limit, paging.offset())
        .await?;
    let pagination = pagination(&paging, page.total);
    let events = page.items.into_iter().map(EventItem::from).collect();
    Ok(data_response(EventPage { events, pagination }))
}

async fn retry_event(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParamPair(id, row): PathParamPair,
) -> BizmoriResult {
    let id = webhook_id(&id)?;
    let Some(row_id) = DeliveryId::parse(&row) else {
        let endpoint = state
            .webhooks
            .endpoint(&account, Vendor::Bizmori, id)
            .await?;
        endpoint.ok_or_else(|| not_found(id))?;
        return Err(ApiError::event_not_found(row));
    };
    let retried = state
        .webhooks
        .retry(&account, Vendor::Bizmori, id, row_id)
        .await?;
    Ok(data_response(EventRetried::from(retried)))
}

async fn retry_failed_events(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(id): PathParam,
    JsonBody(body): JsonBody<RetryFailed>,
) -> BizmoriResult {
    let window = body.window()?;
    let id = webhook_id(&id)?;
    let summary = state
        .webhooks
        .retry_failed(&account, Vendor::Bizmori, id, window)
        .await?;
    Ok(data_response(FailedRetried::from(summary)))
}

fn pagination(paging: &Paging, total: u64) -> Pagination {
    Pagination {
        page: paging.page,
        limit: paging.limit,
        total,
        total_pages: paging.pages(total),
    }
}
