//! Keys: in the header `apikey`, or in a body's field `key`.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::HeaderMap;
use futures_util::future::BoxFuture;

use super::error::{ApiError, ErrorCode};
use super::fields::canonical_uuid;
use super::python_json::{self, PyValue};
use crate::http::{Services, peek_body};
use crate::model::account::KeyState;
use crate::model::order::Vendor;
use crate::services::accounts::{Account, reason_not_admitted};
use crate::services::journal::JournalEntry;

/// What is refused for a key.
pub const AUTH_ERRORS: [ErrorCode; 3] = [
    ErrorCode::UserVerificationFailed,
    ErrorCode::UserNotFound,
    ErrorCode::TooManyRequests,
];

/// The account whose key stands in the header; the request is its own from now on.
///
/// # Errors
/// As [`authenticate_key`].
pub async fn authenticate_header(
    state: &Services,
    headers: &HeaderMap,
    entry: &JournalEntry,
) -> Result<Arc<Account>, ApiError> {
    authenticate_key(state, "apikey", header_key(headers), entry).await
}

fn header_key(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("apikey")?;
    std::str::from_utf8(value.as_bytes()).ok()
}

/// The account of that key, which stood in `place`; the request is its own from now on.
///
/// # Errors
/// If there is no key, nobody has it, the control plane says that it does not work, or it was
/// used too often this minute.
pub async fn authenticate_key(
    state: &Services,
    place: &str,
    key: Option<&str>,
    entry: &JournalEntry,
) -> Result<Arc<Account>, ApiError> {
    let refused = |code, line: &str| Err(ApiError::new(code, format!("{place}: {line}")));
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return refused(ErrorCode::UserVerificationFailed, "missing or empty");
    };
    let Some(account) = state.accounts.authenticate(key).await? else {
        entry.set_unknown_key(key);
        return refused(ErrorCode::UserVerificationFailed, reason_not_admitted(key));
    };
    entry.set_account(&account);
    let code = match account.settings().state {
        KeyState::Active => {
            account.check_rate_limit()?;
            return Ok(account);
        }
        KeyState::Expired | KeyState::Forbidden => ErrorCode::UserVerificationFailed,
        KeyState::Unknown => ErrorCode::UserNotFound,
    };
    refused(code, "the key's state was set so by the control plane")
}

/// Whose a request is: by the body's key where pictures are sent or asked for, by the document where
/// one is queried, else by the header's key.
pub fn resolve_account<'r>(
    state: &'r Services,
    request: &'r mut Request,
) -> BoxFuture<'r, Option<Arc<Account>>> {
    Box::pin(async move {
        let (_, path) = request.uri().path().split_once('/')?;
        let first = path.split('/').next().unwrap_or_default();
        let key = match (first, path) {
            ("query", _) | (_, "bulk-upload/query") => {
                let id = field(request, "id").await?;
                let id = canonical_uuid(&id).unwrap_or(id);
                let found = state.orders.find(Vendor::Undetectable, &id).await;
                return state.accounts.by_id(found.ok()??.account);
            }
            ("detect" | "bulk-upload" | "preview" | "heatmap" | "_s3", _) => {
                field(request, "key").await?
            }
            _ => header_key(request.headers())?.to_owned(),
        };
        let key = Some(key).filter(|key| !key.is_empty())?;
        state.accounts.authenticate(&key).await.ok()?
    })
}

/// Returns the text in the field `name` of a JSON body. `None` if the body has no such text.
async fn field(request: &mut Request, name: &str) -> Option<String> {
    let Ok(PyValue::Object(members)) = python_json::read(&peek_body(request).await?) else {
        return None;
    };
    members.get(name)?.to_python_str()
}
