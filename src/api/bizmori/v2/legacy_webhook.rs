//! Legacy webhook route: at most one webhook per account, addressed without an id. The webhook is an
//! ordinary one: `…/webhooks` lists it, and it receives events as the others do.

use axum::extract::State;
use axum::http::Method;

use super::webhooks::{describe_refusal_header, endpoint_params, registered_response};
use super::wire::webhooks::{LegacyWebhook, LegacyWebhookSet};
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::openapi::{describe_data, with_key_errors};
use crate::api::bizmori::request::{JsonBody, LegacyWebhookBody};
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Routes};
use crate::model::vendor::Vendor;

const PATH: &str = "/api/v2/orders/webhook";

/// Adds the operations on the legacy webhook.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("bizmori.createLegacyWebhook", Method::POST, PATH, set)
        .docs(describe_set)
        .on("bizmori.getLegacyWebhook", Method::GET, PATH, get)
        .docs(describe_get)
        .on("bizmori.deleteLegacyWebhook", Method::DELETE, PATH, delete)
        .docs(describe_delete)
}

fn describe_set(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Set the legacy webhook",
            "Replaces the legacy webhook, if there is one.",
        )
        .json_body::<LegacyWebhookBody>(true);
    let doc = describe_data::<LegacyWebhookSet>(doc, "The webhook.");
    with_key_errors(describe_refusal_header(doc), &[])
}

fn describe_get(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc.summary(
        "Get the legacy webhook",
        "Both fields are null if there is none.",
    );
    with_key_errors(describe_data::<LegacyWebhook>(doc, "The webhook."), &[])
}

fn describe_delete(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc.summary("Delete the legacy webhook", "Its events are deleted too.");
    let doc = describe_data::<()>(doc, "Deleted.");
    with_key_errors(doc, &[ErrorCode::WebhookNotFound])
}

async fn set(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    JsonBody(body): JsonBody<LegacyWebhookBody>,
) -> BizmoriResult {
    let params = endpoint_params(&account, body.into())?;
    let endpoint = state
        .webhooks
        .set_legacy(&account, Vendor::Bizmori, params)
        .await?;
    let url = endpoint.url.clone();
    Ok(registered_response(&state, &url, LegacyWebhookSet::from(endpoint)).await)
}

async fn get(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
) -> BizmoriResult {
    let endpoint = state.webhooks.legacy(&account, Vendor::Bizmori).await?;
    Ok(data_response(
        endpoint.map_or_else(LegacyWebhook::default, LegacyWebhook::from),
    ))
}

async fn delete(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
) -> BizmoriResult {
    if let Some(endpoint) = state.webhooks.legacy(&account, Vendor::Bizmori).await?
        && state
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
