//! A message that is posted to an inbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::super::error::ApiError;
use super::super::openapi::error_responses;
use super::{NAME, check_name};
use crate::http::openapi::OperationDoc;
use crate::http::{
    AppState, BodyError, PathParam, Services, X_MOCK_REASON, header_line, read_bytes, sleep_ms,
};
use crate::model::ids::{AccountId, ClockId};
use crate::services::accounts::{Account, KEY_CHARS_MAX, is_too_long};
use crate::services::inbox::{DeliveryTicket, InboxMessage, MESSAGE_BYTES_MAX, ReceiveResult};
use crate::services::webhooks::verify;

/// The part of an event by which its account is found.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InboxEvent {
    event_id: String,
}

/// A webhook whose URL is an inbox: its account and its secret.
type InboxWebhook = (AccountId, String);

/// Sender of a message.
struct InboxSender {
    /// The key. `None` if the message is of no account.
    key: Option<String>,
    /// `None` if no account has that key.
    account: Option<Arc<Account>>,
}

pub fn describe(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Post to an inbox",
            "Anything of 1 MiB at most; it is kept, and answered with the status that the inbox is set \
             up to. An inbox that was not set up is made. A webhook of an account comes to that \
             account's inbox; other senders can name an `account` in the query. No control token is \
             wanted here.",
        )
        .describe_param("name", NAME)
        .empty_response(200, "It is kept.");
    let codes = [
        (400, "bad_inbox"),
        (400, "message_too_large"),
        (409, "inbox_gone"),
    ];
    error_responses(described, &[&codes])
}

pub async fn post(
    State(context): State<AppState>,
    PathParam(name): PathParam,
    request: Request,
) -> Result<Response, ApiError> {
    check_name(&name)?;
    let (parts, body) = request.into_parts();
    let body = read_bytes(body, MESSAGE_BYTES_MAX).await;
    let body = body.map_err(|refusal| match refusal {
        BodyError::TooLarge => {
            let message = format!("the message has more than {MESSAGE_BYTES_MAX} bytes");
            ApiError::bad_request(
                "message_too_large",
                message,
                "an inbox keeps no larger ones",
            )
        }
        BodyError::Incomplete | BodyError::Stalled(_) => refusal.into(),
    })?;
    let sender = sender(&context, &name, &parts, &body).await?;
    let account = sender.account.clone();
    let opened = context
        .inbox
        .begin_delivery(sender.key.as_deref(), account, &name);
    let message = message(&context, &name, &opened, &sender, &parts, &body).await?;
    match context.inbox.receive(&opened, message) {
        ReceiveResult::Stored(status) => Ok(respond(&name, &opened, status).await),
        ReceiveResult::Replaced => {
            let message = format!("the inbox {name} was removed or set up anew meanwhile");
            Err(ApiError::conflict("inbox_gone", message, "post it again"))
        }
    }
}

async fn respond(name: &str, opened: &DeliveryTicket, status: u16) -> Response {
    sleep_ms(opened.config.delay_ms).await;
    let answered = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if status < 400 {
        return answered.into_response();
    }
    let reason = header_line(&format!("the inbox {name} is set up to answer so"));
    (answered, [(X_MOCK_REASON, reason)]).into_response()
}

/// Finds the sender of a message: the account that the query names, or that of the event, or of the webhook
/// that has signed it, or of the only webhook that comes here, or of the only inbox of that name.
async fn sender(
    state: &Services,
    name: &str,
    parts: &Parts,
    body: &[u8],
) -> Result<InboxSender, ApiError> {
    let query = parts.uri.query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let named = pairs.find(|(field, key)| field == "account" && !key.is_empty());
    if let Some((_, key)) = named {
        check_key(&key)?;
        return Ok(InboxSender::for_key(state, Some(key.into_owned())));
    }
    if let Ok(InboxEvent { event_id }) = serde_json::from_slice(body)
        && let Some(id) = state.webhooks.account_of_event(&event_id).await?
        && let Some(account) = state.accounts.by_id(id)
    {
        return Ok(InboxSender::for_account(account));
    }
    let webhooks = webhooks(state, name, None, parts).await?;
    let mut signed = webhooks
        .iter()
        .filter(|(_, secret)| is_signed(state, parts, secret, body));
    let (first, mut others) = (webhooks.first(), webhooks.iter());
    let only = first.filter(|(id, _)| others.all(|(other, _)| other == id));
    let found = signed.next().or(only);
    if let Some(account) = found.and_then(|(id, _)| state.accounts.by_id(*id)) {
        return Ok(InboxSender::for_account(account));
    }
    Ok(InboxSender::for_key(state, state.inbox.only_account(name)))
}

/// Checks that a key can be an account's: it becomes part of the inbox's name and is kept with it.
fn check_key(key: &str) -> Result<(), ApiError> {
    if !is_too_long(key) {
        return Ok(());
    }
    let message = format!("account: the key has {} characters", key.chars().count());
    let hint = format!("{KEY_CHARS_MAX} at most");
    Err(ApiError::bad_request("bad_inbox", message, hint))
}

impl InboxSender {
    fn for_account(account: Arc<Account>) -> Self {
        Self {
            key: Some(account.key.clone()),
            account: Some(account),
        }
    }

    fn for_key(state: &Services, key: Option<String>) -> Self {
        let account = key.as_deref().and_then(|key| state.accounts.by_key(key));
        Self { key, account }
    }
}

/// Returns the message as it is kept.
async fn message(
    state: &Services,
    name: &str,
    opened: &DeliveryTicket,
    sender: &InboxSender,
    parts: &Parts,
    body: &[u8],
) -> Result<InboxMessage, ApiError> {
    let account = sender.account.as_deref();
    let secrets: Vec<String> = match (&opened.config.secret, &sender.key) {
        (Some(secret), _) => vec![secret.clone()],
        // An account that does not exist has no webhooks.
        (None, Some(_)) if account.is_none() => Vec::new(),
        (None, _) => {
            let webhooks = webhooks(state, name, account, parts).await?;
            webhooks.into_iter().map(|(_, secret)| secret).collect()
        }
    };
    let is_valid = || {
        secrets
            .iter()
            .any(|secret| is_signed(state, parts, secret, body))
    };
    let at = account.map_or_else(|| state.accounts.now(ClockId::DEFAULT), Account::now);
    Ok(InboxMessage {
        at,
        headers: headers(&parts.headers),
        body: String::from_utf8_lossy(body).into_owned(),
        signature_valid: (!secrets.is_empty()).then(is_valid),
    })
}

/// Returns `true` if the signature header of a vendor has the signature of `body` by `secret`.
fn is_signed(state: &Services, parts: &Parts, secret: &str, body: &[u8]) -> bool {
    let mut webhooks = state.vendors.iter().filter_map(|profile| profile.webhooks);
    webhooks.any(|webhooks| {
        let signature = parts.headers.get(webhooks.signature_header);
        let signature = signature.and_then(|value| value.to_str().ok());
        signature.is_some_and(|signature| verify(secret, body, signature))
    })
}

/// Returns the webhooks whose URLs end with the inbox's path, as it was called or as it reads: those of
/// an account, or of all.
async fn webhooks(
    state: &Services,
    name: &str,
    account: Option<&Account>,
    parts: &Parts,
) -> Result<Vec<InboxWebhook>, ApiError> {
    let host = parts.uri.path_and_query().map(ToString::to_string);
    let read = format!("/_mock/inbox/{name}");
    let mut found = state.webhooks.secrets(account, &read).await?;
    if let Some(host) = host.filter(|host| *host != read) {
        found.extend(state.webhooks.secrets(account, &host).await?);
    }
    Ok(found)
}

/// Returns the headers by name; values of one name are joined by a comma.
fn headers(sent: &HeaderMap) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (header, value) in sent {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(header.to_string())
            .and_modify(|all| *all = format!("{all}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    headers
}
