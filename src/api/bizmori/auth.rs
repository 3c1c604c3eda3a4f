//! API keys: `Authorization: Bearer KEY`, and the rate limit of the key's account.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use futures_util::future::BoxFuture;

use super::error::{ApiError, ErrorCode};
use super::token::{Purpose, SAMPLES_PATH_PREFIX, Token, UPLOADS_PATH_PREFIX};
use crate::http::{AppState, ResolvedAccount, Services};
use crate::model::account::KeyState;
use crate::model::order::Vendor;
use crate::services::accounts::{Account, reason_not_admitted};
use crate::services::journal::JournalEntry;

/// Account of the key that the request shows. The key is active, and within its rate limit.
#[derive(Debug, Clone)]
pub struct AuthenticatedAccount(pub Arc<Account>);

impl FromRequestParts<AppState> for AuthenticatedAccount {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ApiError> {
        let account = account_of_key(parts, state).await?;
        if let Some(entry) = parts.extensions.get::<JournalEntry>() {
            entry.set_account(&account);
            if let Some(id) = order_in_path(parts.uri.path()) {
                entry.set_order(id);
            }
        }
        let code = match account.settings().state {
            KeyState::Active => {
                account.check_rate_limit()?;
                return Ok(Self(account));
            }
            KeyState::Expired => ErrorCode::AuthTokenExpired,
            KeyState::Forbidden => ErrorCode::AuthForbidden,
            KeyState::Unknown => ErrorCode::AuthTokenInvalid,
        };
        Err(ApiError::new(
            code,
            "Authorization: key state overridden via /_mock/accounts",
        ))
    }
}

/// Returns the account of the key that the request shows, creating it if the key mode allows. Keeps it
/// in the request's extensions.
///
/// # Errors
/// Returns `AUTH_NOT_AUTHENTICATED` without a key, `AUTH_TOKEN_INVALID_FORMAT` if the header is
/// malformed, `AUTH_TOKEN_INVALID` if no account has the key.
pub async fn account_of_key(parts: &mut Parts, state: &Services) -> Result<Arc<Account>, ApiError> {
    if let Some(account) = ResolvedAccount::get(&parts.extensions) {
        return Ok(account);
    }
    let key = bearer_key(&parts.headers)?;
    let Some(account) = state.accounts.authenticate(key).await? else {
        let message = format!("Authorization: {}", reason_not_admitted(key));
        return Err(ApiError::new(ErrorCode::AuthTokenInvalid, message));
    };
    ResolvedAccount::insert(&mut parts.extensions, &account);
    Ok(account)
}

/// Returns the account of a request: by the token of a test upload or sample, else by the key.
pub fn resolve_account<'r>(
    state: &'r Services,
    request: &'r mut Request,
) -> BoxFuture<'r, Option<Arc<Account>>> {
    Box::pin(async move {
        let path = request.uri().path();
        for (prefix, purposes) in [
            (UPLOADS_PATH_PREFIX, &[Purpose::Upload][..]),
            (SAMPLES_PATH_PREFIX, &[Purpose::Sample, Purpose::Report]),
        ] {
            if let Some(token) = path.strip_prefix(prefix) {
                let secret = &state.config.storage.s3_secret;
                let parse = |purpose: &Purpose| Token::parse(secret, *purpose, token);
                let token = purposes.iter().find_map(parse)?;
                let order = state.orders.find(Vendor::Bizmori, token.order_id).await;
                return state.accounts.by_id(order.ok()??.account);
            }
        }
        let key = bearer_key(request.headers()).ok()?;
        state.accounts.authenticate(key).await.ok()?
    })
}

/// Returns the id of the order that a path below `/api/v2/orders` or `/api/v3/orders` names. `None` if the
/// path names no order.
fn order_in_path(path: &str) -> Option<&str> {
    let (_version, rest) = path.strip_prefix("/api/")?.split_once('/')?;
    let id = rest.strip_prefix("orders/")?.split('/').next()?;
    let is_id = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    is_id.then_some(id)
}

fn bearer_key(headers: &HeaderMap) -> Result<&str, ApiError> {
    let value = headers
        .get(AUTHORIZATION)
        .ok_or_else(|| ApiError::new(ErrorCode::AuthNotAuthenticated, "Authorization: missing"))?;
    value.to_str().ok().and_then(parse_bearer).ok_or_else(|| {
        ApiError::new(
            ErrorCode::AuthTokenInvalidFormat,
            "Authorization: expected Bearer KEY",
        )
    })
}

fn parse_bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    let key = key.trim();
    let is_bearer = scheme.eq_ignore_ascii_case("bearer");
    (is_bearer && !key.is_empty() && !key.contains(' ')).then_some(key)
}
