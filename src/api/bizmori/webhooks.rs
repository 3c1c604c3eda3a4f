//! The account's webhooks, and the events on their way to them.

use std::fmt::Display;

use axum::extract::{RawQuery, State};
use axum::response::Response;
use serde::Serialize;

use super::auth::AuthenticatedAccount;
use super::error::{ApiError, ErrorCode};
use super::request::{JsonBody, Paging};
use super::request::{RetryFailed, WebhookBody};
use super::wire_webhooks::{
    EventItem, EventPage, EventRetried, FailedRetried, Pagination, WebhookCreated, WebhookDetail,
    WebhookItem, WebhookPage, WebhookUpdated,
};
use super::{BizmoriResult, data_response};
use crate::http::{AppState, PathParam, PathParamPair, X_MOCK_REASON, header_line};
use crate::model::ids::{DeliveryId, WebhookId};
use crate::model::order::Vendor;
use crate::services::accounts::Account;
use crate::services::webhooks::EndpointParams;

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

/// What the body asks for; a test key has test endpoints only.
pub(super) fn endpoint_params(
    account: &Account,
    body: WebhookBody,
) -> Result<EndpointParams, ApiError> {
    let wish = EndpointParams::from(body);
    let invalid = |(field, line)| ApiError::invalid(format!("{field}: {line}"));
    wish.check().map_err(invalid)?;
    let forbidden = |line| ApiError::new(ErrorCode::AuthForbidden, format!("isTest: {line}"));
    wish.restrict_to_key(account.is_test()).map_err(forbidden)
}

/// Returns the response to a webhook that was registered or changed. Its `X-Mock-Reason` says why nothing
/// is sent to `url`, if that is so.
pub(super) async fn answer_registered(
    context: &AppState,
    url: &str,
    data: impl Serialize,
) -> Response {
    let mut response = data_response(data);
    if let Some(line) = context.webhooks.refusal(url).await {
        let reason = header_line(&format!("url: {line}"));
        response.headers_mut().insert(X_MOCK_REASON, reason);
    }
    response
}

pub async fn create(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    JsonBody(body): JsonBody<WebhookBody>,
) -> BizmoriResult {
    let endpoint = context
        .webhooks
        .register(&account, Vendor::Bizmori, endpoint_params(&account, body)?)
        .await?;
    let url = endpoint.url.clone();
    Ok(answer_registered(&context, &url, WebhookCreated::from(endpoint)).await)
}

pub async fn list(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    RawQuery(query): RawQuery,
) -> BizmoriResult {
    let paging = Paging::parse(query.as_deref(), 10)?;
    let page = context
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

pub async fn get(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(id): PathParam,
) -> BizmoriResult {
    let id = webhook_id(&id)?;
    let endpoint = context
        .webhooks
        .endpoint(&account, Vendor::Bizmori, id)
        .await?
        .ok_or_else(|| not_found(id))?;
    Ok(data_response(WebhookDetail::from(endpoint)))
}

pub async fn update(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(id): PathParam,
    JsonBody(body): JsonBody<WebhookBody>,
) -> BizmoriResult {
    let wish = endpoint_params(&account, body)?;
    let id = webhook_id(&id)?;
    let endpoint = context
        .webhooks
        .update(&account, Vendor::Bizmori, id, wish)
        .await?
        .ok_or_else(|| not_found(id))?;
    let url = endpoint.url.clone();
    Ok(answer_registered(&context, &url, WebhookUpdated::from(endpoint)).await)
}

pub async fn delete(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(id): PathParam,
) -> BizmoriResult {
    let id = webhook_id(&id)?;
    if context
        .webhooks
        .unregister(&account, Vendor::Bizmori, id)
        .await?
    {
        return Ok(data_response(()));
    }
    Err(not_found(id))
}

pub async fn events(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(id): PathParam,
    RawQuery(query): RawQuery,
) -> BizmoriResult {
    let paging = Paging::parse(query.as_deref(), 20)?;
    let id = webhook_id(&id)?;
    let endpoint = context
        .webhooks
        .endpoint(&account, Vendor::Bizmori, id)
        .await?
        .ok_or_else(|| not_found(id))?;
    let page = context
        .webhooks
        .deliveries(&endpoint, paging.limit, paging.offset())
        .await?;
    let pagination = pagination(&paging, page.total);
    let events = page.items.into_iter().map(EventItem::from).collect();
    Ok(data_response(EventPage { events, pagination }))
}

pub async fn retry_event(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParamPair(id, row): PathParamPair,
) -> BizmoriResult {
    let id = webhook_id(&id)?;
    let Some(row_id) = DeliveryId::parse(&row) else {
        let endpoint = context
            .webhooks
            .endpoint(&account, Vendor::Bizmori, id)
            .await?;
        endpoint.ok_or_else(|| not_found(id))?;
        let line = format!("the webhook has no event row {row}");
        return Err(ApiError::new(ErrorCode::WebhookEventNotFound, line));
    };
    let retried = context
        .webhooks
        .retry(&account, Vendor::Bizmori, id, row_id)
        .await?;
    Ok(data_response(EventRetried::from(retried)))
}

pub async fn retry_failed_events(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(id): PathParam,
    JsonBody(body): JsonBody<RetryFailed>,
) -> BizmoriResult {
    let window = body.window()?;
    let id = webhook_id(&id)?;
    let tally = context
        .webhooks
        .retry_failed(&account, Vendor::Bizmori, id, window)
        .await?;
    Ok(data_response(FailedRetried::from(tally)))
}

fn pagination(paging: &Paging, total: u64) -> Pagination {
    Pagination {
        page: paging.page,
        limit: paging.limit,
        total,
        total_pages: paging.pages(total),
    }
}
