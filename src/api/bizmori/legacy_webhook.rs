//! The legacy route: one webhook of the account, without its id. It is a webhook like any
//! other, listed and sent to as such; the route makes it, shows its URL, and removes it.

use axum::extract::State;

use super::auth::Caller;
use super::error::{Code, Refusal};
use super::request::LegacyWebhookBody;
use super::request::Read;
use super::webhooks::{answer_registered, wish};
use super::wire_webhooks::{LegacyWebhook, LegacyWebhookSet};
use super::{Answer, answer};
use crate::http::Context;

pub async fn set(
    State(context): State<Context>,
    Caller(account): Caller,
    Read(body): Read<LegacyWebhookBody>,
) -> Answer {
    let wish = wish(&account, body.into())?;
    let endpoint = context.webhooks.set_legacy(&account, wish).await?;
    let url = endpoint.url.clone();
    Ok(answer_registered(&context, &url, LegacyWebhookSet::from(endpoint)).await)
}

pub async fn get(State(context): State<Context>, Caller(account): Caller) -> Answer {
    let endpoint = context.webhooks.legacy(&account).await?;
    Ok(answer(
        endpoint.map_or_else(LegacyWebhook::default, LegacyWebhook::from),
    ))
}

pub async fn delete(State(context): State<Context>, Caller(account): Caller) -> Answer {
    if let Some(endpoint) = context.webhooks.legacy(&account).await?
        && context.webhooks.unregister(&account, endpoint.id).await?
    {
        return Ok(answer(()));
    }
    Err(Refusal::new(
        Code::WebhookNotFound,
        "this key has no legacy webhook",
    ))
}
