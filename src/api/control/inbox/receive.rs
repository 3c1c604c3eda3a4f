//! Receives messages that are posted to an inbox.

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::super::error::ControlError;
use super::super::error_code::ControlErrorCode;
use super::super::openapi::describe_errors;
use super::{NAME_TEXT, check_name};
use crate::http::openapi::OperationDoc;
use crate::http::{
    AppState, BodyError, PathParam, Services, X_MOCK_REASON, header_line, read_bytes, sleep_ms,
};
use crate::model::ids::{AccountId, ClockId};
use crate::services::accounts::{Account, KEY_CHARS_MAX, is_too_long};
use crate::services::inbox::{DeliveryTicket, InboxMessage, MESSAGE_BYTES_MAX, ReceiveResult};
use crate::services::webhooks::verify;

/// Part of an event that identifies its account.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct InboxEvent {
    event_id: String,
}

/// Account and secret of a webhook whose URL is an inbox.
type InboxWebhook = (AccountId, String);

/// Sender of a message.
struct InboxSender {
    /// Key of the account. `None` if the message belongs to no account.
    key: Option<String>,
    /// Account with that key. `None` if it does not exist.
    account: Option<Arc<Account>>,
}

pub fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Post to an inbox",
            "Stores a message of at most 1 MiB and responds with the status for which the inbox is set \
             up. Creates the inbox if it does not exist. A webhook of an account posts to that \
             account's inbox; other senders can name an `account` in the query. No control token is \
             required.",
        )
        .describe_param("name", NAME_TEXT)
        .empty_response(200, "The message is stored.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::BadInbox,
            ControlErrorCode::InboxGone,
            ControlErrorCode::MessageTooLarge,
        ],
    )
}

pub async fn post(
    State(state): State<AppState>,
    PathParam(name): PathParam,
    request: Request,
) -> Result<Response, ControlError> {
    check_name(&name)?;
    let (parts, body) = request.into_parts();
    let received = read_bytes(body, MESSAGE_BYTES_MAX).await;
    let body = received.map_err(|error| match error {
        BodyError::TooLarge => {
            let message = format!("the message has more than {MESSAGE_BYTES_MAX} bytes");
            ControlError::new(
                ControlErrorCode::MessageTooLarge,
                message,
                "send a smaller message",
            )
        }
        BodyError::Incomplete | BodyError::Stalled(_) => error.into(),
    })?;
    let sender = sender(&state, &name, &parts, &body).await?;
    let account = sender.account.clone();
    let ticket = state
        .inbox
        .begin_delivery(sender.key.as_deref(), account, &name);
    let message = message(&state, &name, &ticket, &sender, &parts, &body).await?;
    match state.inbox.receive(&ticket, message) {
        ReceiveResult::Stored(status) => Ok(respond(&name, &ticket, status).await),
        ReceiveResult::Replaced => {
            let message =
                format!("the inbox {name} was deleted or set up again during the request");
            Err(ControlError::new(
                ControlErrorCode::InboxGone,
                message,
                "post the message again",
            ))
        }
    }
}

async fn respond(name: &str, ticket: &DeliveryTicket, status: u16) -> Response {
    sleep_ms(ticket.config.delay_ms).await;
    let response_status = StatusCode::from_u16(status).unwrap_or(StatusCode::OK);
    if status < 400 {
        return response_status.into_response();
    }
    let reason = header_line(&format!(
        "the inbox {name} is set up to respond with this status"
    ));
    (response_status, [(X_MOCK_REASON, reason)]).into_response()
}

/// Finds the account that sent a message. The first match of these counts: the account in the
/// query, the account of the event, of the webhook whose secret signed the message, of the only
/// webhook that posts to this inbox, of the only inbox with this name.
async fn sender(
    state: &Services,
    name: &str,
    parts: &Parts,
    body: &[u8],
) -> Result<InboxSender, ControlError> {
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

/// Checks the length of a key, which is stored with the inbox.
fn check_key(key: &str) -> Result<(), ControlError> {
    if !is_too_long(key) {
        return Ok(());
    }
    let message = format!("account: the key has {} characters", key.chars().count());
    let hint = format!("{KEY_CHARS_MAX} at most");
    Err(ControlError::new(ControlErrorCode::BadInbox, message, hint))
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

/// Returns the message to store.
async fn message(
    state: &Services,
    name: &str,
    ticket: &DeliveryTicket,
    sender: &InboxSender,
    parts: &Parts,
    body: &[u8],
) -> Result<InboxMessage, ControlError> {
    let account = sender.account.as_deref();
    let secrets: Vec<String> = match (&ticket.config.secret, &sender.key) {
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
        let header = parts.headers.get(webhooks.signature_header);
        let signature = header.and_then(|value| value.to_str().ok());
        signature.is_some_and(|signature| verify(secret, body, signature))
    })
}

/// Returns the webhooks, of `account` or of all accounts, whose URLs end with the inbox's path. The
/// path is compared as it was sent and with the decoded name.
async fn webhooks(
    state: &Services,
    name: &str,
    account: Option<&Account>,
    parts: &Parts,
) -> Result<Vec<InboxWebhook>, ControlError> {
    let sent_path = parts.uri.path_and_query().map(ToString::to_string);
    let decoded_path = format!("/_mock/inbox/{name}");
    let mut found = state.webhooks.secrets(account, &decoded_path).await?;
    if let Some(path) = sent_path.filter(|path| *path != decoded_path) {
        found.extend(state.webhooks.secrets(account, &path).await?);
    }
    Ok(found)
}

/// Returns the headers by name; values of one name are joined by a comma.
fn headers(map: &HeaderMap) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (header, value) in map {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(header.to_string())
            .and_modify(|all| *all = format!("{all}, {value}"))
            .or_insert_with(|| value.into_owned());
    }
    headers
}
