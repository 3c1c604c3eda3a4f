//! Keys: in the header `apikey`, or in a body's field `key`.

use std::sync::Arc;

use axum::http::HeaderMap;

use super::error::{Code, Refusal};
use crate::accounts::Account;
use crate::journal::Entry;
use crate::model::account::KeyState;
use crate::web::Verbs;

/// The account whose key stands in the header; the request is its own from now on.
///
/// # Errors
/// As [`by_key`].
pub async fn by_header(
    verbs: &Verbs,
    headers: &HeaderMap,
    entry: &Entry,
) -> Result<Arc<Account>, Refusal> {
    let key = headers.get("apikey").and_then(|value| value.to_str().ok());
    by_key(verbs, "apikey", key, entry).await
}

/// The account of that key, which stood in `place`; the request is its own from now on.
///
/// # Errors
/// If there is no key, nobody has it, the control plane says that it does not work, or it was
/// used too often this minute.
pub async fn by_key(
    verbs: &Verbs,
    place: &str,
    key: Option<&str>,
    entry: &Entry,
) -> Result<Arc<Account>, Refusal> {
    let refused = |code, line: &str| Err(Refusal::new(code, format!("{place}: {line}")));
    let Some(key) = key.filter(|key| !key.is_empty()) else {
        return refused(Code::UserVerificationFailed, "missing or empty");
    };
    let Some(account) = verbs.accounts.admit(key).await? else {
        return refused(
            Code::UserVerificationFailed,
            "no account has this key, and the mode is strict",
        );
    };
    entry.belongs_to(&account);
    let code = match account.settings().state {
        KeyState::Active => {
            account.count_call()?;
            return Ok(account);
        }
        KeyState::Expired | KeyState::Forbidden => Code::UserVerificationFailed,
        KeyState::Unknown => Code::UserNotFound,
    };
    refused(code, "the key's state was set so by the control plane")
}
