//! `Authorization: Bearer KEY`, and how often a minute.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use futures_util::future::BoxFuture;

use super::error::{ApiError, ErrorCode};
use super::test_uploads;
use super::token::{Purpose, SAMPLES_PATH, Token};
use crate::http::{AppState, Services};
use crate::model::account::KeyState;
use crate::model::order::Vendor;
use crate::services::accounts::{Account, reason_not_admitted};
use crate::services::journal::JournalEntry;

/// The account whose key the request shows.
#[derive(Debug, Clone)]
pub struct AuthenticatedAccount(pub Arc<Account>);

impl FromRequestParts<AppState> for AuthenticatedAccount {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, context: &AppState) -> Result<Self, ApiError> {
        let Some(value) = parts.headers.get(AUTHORIZATION) else {
            return Err(ApiError::new(
                ErrorCode::AuthNotAuthenticated,
                "Authorization: missing",
            ));
        };
        let key = value.to_str().ok().and_then(parse_bearer).ok_or_else(|| {
            ApiError::new(
                ErrorCode::AuthTokenInvalidFormat,
                "Authorization: is not of the form Bearer KEY",
            )
        })?;
        let Some(account) = context.accounts.authenticate(key).await? else {
            let line = format!("Authorization: {}", reason_not_admitted(key));
            return Err(ApiError::new(ErrorCode::AuthTokenInvalid, line));
        };
        if let Some(entry) = parts.extensions.get::<JournalEntry>() {
            entry.set_account(&account);
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
            "Authorization: the key's state was set so by the control plane",
        ))
    }
}

/// Whose a request is: by the token of a test upload or sample, else by the key it shows.
pub fn resolve_account<'r>(
    state: &'r Services,
    request: &'r mut Request,
) -> BoxFuture<'r, Option<Arc<Account>>> {
    Box::pin(async move {
        let path = request.uri().path();
        for (prefix, purposes) in [
            (
                test_uploads::TEST_UPLOAD_PATH_PREFIX,
                &[Purpose::Upload][..],
            ),
            (SAMPLES_PATH, &[Purpose::Sample, Purpose::Report]),
        ] {
            if let Some(token) = path.strip_prefix(prefix) {
                let secret = &state.config.storage.s3_secret;
                let read = |purpose: &Purpose| Token::parse(secret, *purpose, token);
                let token = purposes.iter().find_map(read)?;
                let found = state.orders.find(Vendor::Bizmori, token.order_id).await;
                return state.accounts.by_id(found.ok()??.account);
            }
        }
        let value = request.headers().get(AUTHORIZATION)?.to_str().ok()?;
        state
            .accounts
            .authenticate(parse_bearer(value)?)
            .await
            .ok()?
    })
}

/// The key in the header's value.
pub fn parse_bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    let key = key.trim();
    let fits = scheme.eq_ignore_ascii_case("bearer") && !key.is_empty() && !key.contains(' ');
    fits.then_some(key)
}
