//! The legacy route: one webhook of the account, without its id. It is a webhook like any
//! other, listed and sent to as such; the route makes it, shows its URL, and removes it.

use axum::extract::State;

use super::auth::AuthenticatedAccount;
use super::error::{ApiError, ErrorCode};
use super::request::JsonBody;
use super::request::LegacyWebhookBody;
use super::webhooks::{answer_registered, endpoint_params};
use super::wire_webhooks::{LegacyWebhook, LegacyWebhookSet};
use super::{BizmoriResult, data_response};
use crate::http::AppState;
use crate::model::order::Vendor;

pub async fn set(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    JsonBody(body): JsonBody<LegacyWebhookBody>,
) -> BizmoriResult {
    let wish = endpoint_params(&account, body.into())?;
    let endpoint = context
        .webhooks
        .set_legacy(&account, Vendor::Bizmori, wish)
        .await?;
    let url = endpoint.url.clone();
    Ok(answer_registered(&context, &url, LegacyWebhookSet::from(endpoint)).await)
}

pub async fn get(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
) -> BizmoriResult {
    let endpoint = context.webhooks.legacy(&account, Vendor::Bizmori).await?;
    Ok(data_response(
        endpoint.map_or_else(LegacyWebhook::default, LegacyWebhook::from),
    ))
}

pub async fn delete(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
) -> BizmoriResult {
    if let Some(endpoint) = context.webhooks.legacy(&account, Vendor::Bizmori).await?
        && context
            .webhooks
            .unregister(&account, Vendor::Bizmori, endpoint.id)
            .await?
    {
        return Ok(data_response(()));
    }
    Err(ApiError::new(
        ErrorCode::WebhookNotFound,
        "this key has no legacy webhook",
    ))
}
