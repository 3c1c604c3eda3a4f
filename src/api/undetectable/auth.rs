//! API keys: in the header `apikey`, or in the field `key` of a body.

use std::sync::Arc;

use axum::Extension;
use axum::extract::rejection::ExtensionRejection;
use axum::extract::{FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::request::Parts;
use futures_util::future::BoxFuture;

use super::error::{ApiError, ErrorCode};
use super::fields::canonical_uuid;
use super::python_json::{self, PyValue};
use crate::http::{AppState, ResolvedAccount, Services, peek_body};
use crate::model::account::KeyState;
use crate::model::order::Vendor;
use crate::services::accounts::{Account, reason_not_admitted};
use crate::services::journal::JournalEntry;

/// Errors of authentication.
pub const AUTH_ERRORS: [ErrorCode; 3] = [
    ErrorCode::UserVerificationFailed,
    ErrorCode::UserNotFound,
    ErrorCode::TooManyRequests,
];

/// Finds the account of a request once its key is known.
pub struct Authenticator {
    state: AppState,
    entry: JournalEntry,
    /// Account that was found before, if any.
    resolved: Option<ResolvedAccount>,
}

impl FromRequestParts<AppState> for Authenticator {
    type Rejection = ExtensionRejection;

    async fn from_request_parts(
        parts: &mut Parts,
        state: &AppState,
    ) -> Result<Self, ExtensionRejection> {
        let Extension(entry) = Extension::from_request_parts(parts, state).await?;
        Ok(Self {
            state: AppState::clone(state),
            entry,
            resolved: parts.extensions.get().cloned(),
        })
    }
}

impl Authenticator {
    /// Returns the account of the key in the header `apikey`, and records it in the journal.
    ///
    /// # Errors
    /// Returns the errors of [`Authenticator::authenticate_key`].
    pub async fn authenticate_header(&self, headers: &HeaderMap) -> Result<Arc<Account>, ApiError> {
        self.authenticate_key("apikey", header_key(headers)).await
    }

    /// Returns the account of `key`, and records it in the journal. The account is created if the key mode
    /// allows. `location` names the header or field of the key in errors.
    ///
    /// # Errors
    /// Returns one of [`AUTH_ERRORS`] if there is no key, no account has it, the control plane has
    /// disabled it, or its rate limit is exceeded.
    pub async fn authenticate_key(
        &self,
        location: &str,
        key: Option<&str>,
    ) -> Result<Arc<Account>, ApiError> {
        let error = |code, message: &str| ApiError::new(code, format!("{location}: {message}"));
        let key = key
            .filter(|key| !key.is_empty())
            .ok_or_else(|| error(ErrorCode::UserVerificationFailed, "missing or empty"))?;
        let Some(account) = self.find_account(key).await? else {
            self.entry.set_unknown_key(key);
            let message = reason_not_admitted(key);
            return Err(error(ErrorCode::UserVerificationFailed, message));
        };
        self.entry.set_account(&account);
        let code = match account.settings().state {
            KeyState::Active => {
                account.check_rate_limit()?;
                return Ok(account);
            }
            KeyState::Expired | KeyState::Forbidden => ErrorCode::UserVerificationFailed,
            KeyState::Unknown => ErrorCode::UserNotFound,
        };
        Err(error(code, "key state overridden via /_mock/accounts"))
    }

    /// Records in the journal that the request is about the document `id`.
    pub fn record_order(&self, id: &str) {
        self.entry.set_order(id);
    }

    async fn find_account(&self, key: &str) -> Result<Option<Arc<Account>>, ApiError> {
        let resolved = self.resolved.as_ref().and_then(ResolvedAccount::account);
        match resolved.filter(|account| account.key == key) {
            Some(account) => Ok(Some(account)),
            None => Ok(self.state.accounts.authenticate(key).await?),
        }
    }
}

fn header_key(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get("apikey")?;
    std::str::from_utf8(value.as_bytes()).ok()
}

/// Returns the account of a request: by the document on the query routes, by the key in the body on the
/// other POST routes, else by the header.
pub fn resolve_account<'r>(
    state: &'r Services,
    request: &'r mut Request,
) -> BoxFuture<'r, Option<Arc<Account>>> {
    Box::pin(async move {
        let (_, path) = request.uri().path().split_once('/')?;
        let first_segment = path.split('/').next().unwrap_or_default();
        let key = match (first_segment, path) {
            ("query", _) | (_, "bulk-upload/query") => {
                let sent_id = body_field(request, "id").await?;
                let id = canonical_uuid(&sent_id).unwrap_or(sent_id);
                let order = state.orders.find(Vendor::Undetectable, &id).await;
                return state.accounts.by_id(order.ok()??.account);
            }
            ("detect" | "bulk-upload" | "preview" | "heatmap" | "_s3", _) => {
                body_field(request, "key").await?
            }
            _ => header_key(request.headers())?.to_owned(),
        };
        if key.is_empty() {
            return None;
        }
        state.accounts.authenticate(&key).await.ok()?
    })
}

/// Returns the text in the field `name` of a JSON body. `None` if the body has no such text.
async fn body_field(request: &mut Request, name: &str) -> Option<String> {
    let Ok(PyValue::Object(members)) = python_json::read(&peek_body(request).await?) else {
        return None;
    };
    members.get(name)?.to_python_str()
}
