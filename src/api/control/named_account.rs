//! Account that a call names by `account` in the query, in the body, or in both.
//!
//! One middleware reads the account for every operation, so that no operation can ignore it: a
//! reset that overlooks the `account` of the query would reset everything. Handlers get a
//! [`NamedAccount`]. The same middleware marks responses about accounts that do not exist yet.

pub(super) mod known;

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::body::Body;
use axum::extract::{FromRequestParts, Request, State};
use axum::http::request::Parts;
use axum::http::{Method, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::MethodRouter;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::error::{ControlError, parse};
use super::error_code::ControlErrorCode;
use crate::http::{AppState, Services, is_inbox_delivery, read_json};
use crate::services::accounts::{Account, KEY_CHARS_MAX, is_too_long};
use crate::settings::KeyMode;

/// Path of the operation whose body the middleware does not read: the body is large, and its errors
/// have a format of their own.
const FIXTURES_PATH: &str = "/_mock/fixtures";
/// Message about an empty key.
pub(super) const EMPTY_KEY: &str = "the key is empty";

/// Key of an account in a body. Never empty: an empty key comes from a variable that was not set,
/// and must not select an account, let alone all accounts.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountKey(String);

/// Account that a call names. Every handler of the control plane can extract it.
#[derive(Debug, Clone, Default)]
pub struct NamedAccount {
    key: Option<String>,
    /// `true` if this call created the account.
    is_created: Arc<AtomicBool>,
}

/// Accounts that a call concerns.
#[derive(Debug, Clone)]
pub enum Scope {
    /// The call names no account.
    All,
    Account(Arc<Account>),
    /// The call names an account that does not exist yet. Reading does not create accounts.
    Unknown,
}

/// Part of a body that this module reads.
#[derive(Deserialize)]
struct BodyWithAccount {
    account: Option<AccountKey>,
}

/// Adds the middleware that reads the account of a request.
pub(super) fn add_middleware(
    state: &AppState,
    route: MethodRouter<AppState>,
) -> MethodRouter<AppState> {
    route.layer(from_fn_with_state(Arc::clone(state), read_account))
}

/// Reads the account of a request, and marks the response if the account does not exist yet.
async fn read_account(
    State(state): State<AppState>,
    request: Request,
    next: Next,
) -> Result<Response, ControlError> {
    let (mut parts, mut body) = request.into_parts();
    // Query and body of a message to an inbox belong to its sender.
    if is_inbox_delivery(&parts.method, parts.uri.path()) {
        return Ok(next.run(Request::from_parts(parts, body)).await);
    }
    let mut named = account_in_query(&parts.uri)?;
    // The document of fixtures names its accounts itself, and may be large.
    if parts.uri.path() != FIXTURES_PATH || parts.method != Method::PUT {
        let (bytes, _) = read_json(&parts.headers, body).await?;
        named = merge(named, account_in_body(&bytes)?)?;
        body = Body::from(bytes);
    }
    let named = NamedAccount {
        key: named,
        is_created: Arc::default(),
    };
    let was_used = named.is_used(&state);
    parts.extensions.insert(named.clone());
    let response = next.run(Request::from_parts(parts, body)).await;
    // Another call may have used the account while this one waited.
    let is_unknown =
        !was_used && (named.is_created.load(Ordering::Relaxed) || !named.is_used(&state));
    Ok(if is_unknown {
        known::mark_unknown(response)
    } else {
        response
    })
}

fn account_in_query(uri: &Uri) -> Result<Option<String>, ControlError> {
    let query = uri.query().unwrap_or_default();
    let pairs = url::form_urlencoded::parse(query.as_bytes());
    let keys = pairs.filter(|(name, _)| name == "account");
    keys.map(|(_, key)| key.into_owned())
        .try_fold(None, |named, key| {
            if key.is_empty() {
                let message = format!("account: {EMPTY_KEY}");
                let hint = "set a key, or omit account";
                return Err(ControlError::new(ControlErrorCode::BadQuery, message, hint));
            }
            merge(named, Some(key))
        })
}

/// Returns the account of a body. A body of `null` names no account; operations that read a body
/// refuse it.
fn account_in_body(bytes: &[u8]) -> Result<Option<String>, ControlError> {
    if bytes.trim_ascii() == b"null" {
        return Ok(None);
    }
    let BodyWithAccount { account } = parse(bytes)?;
    Ok(account.map(String::from))
}

/// Returns the key that the call names once or twice.
///
/// # Errors
/// Returns an error if the call names two different keys.
pub(super) fn merge(
    first: Option<String>,
    second: Option<String>,
) -> Result<Option<String>, ControlError> {
    match (first, second) {
        (Some(first), Some(second)) if first != second => {
            let message = format!("the call names two accounts, {first} and {second}");
            let hint = "name one account, in the query, the path or the body";
            Err(ControlError::new(
                ControlErrorCode::TwoAccounts,
                message,
                hint,
            ))
        }
        (first, second) => Ok(first.or(second)),
    }
}

impl NamedAccount {
    /// Returns the account's key. `None` if the call names no account.
    pub fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    /// `true` if the account exists, or the call names no account.
    fn is_used(&self, state: &Services) -> bool {
        self.key()
            .is_none_or(|key| state.accounts.by_key(key).is_some())
    }

    /// Adds the key that the path or the body of the call names.
    ///
    /// # Errors
    /// Returns an error if the call already names a different key.
    pub fn merged_with(self, key: Option<String>) -> Result<Self, ControlError> {
        let key = merge(self.key, key)?;
        Ok(Self { key, ..self })
    }

    /// Returns the accounts that the call concerns. Creates no account.
    pub fn scope(&self, state: &Services) -> Scope {
        match self.key().map(|key| state.accounts.by_key(key)) {
            None => Scope::All,
            Some(Some(account)) => Scope::Account(account),
            Some(None) => Scope::Unknown,
        }
    }

    /// Returns the same as [`NamedAccount::scope`], but refuses an account that cannot be created
    /// by use.
    ///
    /// # Errors
    /// Returns an error if the account does not exist and the mode is strict.
    pub fn usable_scope(&self, state: &Services) -> Result<Scope, ControlError> {
        match (self.scope(state), self.key()) {
            (Scope::Unknown, Some(key)) if state.config.mode == KeyMode::Strict => {
                Err(unknown_account(key))
            }
            (scope, _) => Ok(scope),
        }
    }

    /// Returns the account, creating it if needed. `None` if the call names no account.
    ///
    /// # Errors
    /// Returns an error if the account does not exist and the mode is strict, or the database cannot be
    /// written.
    pub async fn create_account(
        &self,
        state: &Services,
    ) -> Result<Option<Arc<Account>>, ControlError> {
        let Some(key) = self.key() else {
            return Ok(None);
        };
        let is_new = state.accounts.by_key(key).is_none();
        let found = state.accounts.authenticate(key).await?;
        self.is_created.fetch_or(is_new, Ordering::Relaxed);
        found.map(Some).ok_or_else(|| unknown_account(key))
    }
}

impl FromRequestParts<AppState> for NamedAccount {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ControlError> {
        Ok(parts.extensions.get().cloned().unwrap_or_default())
    }
}

impl Scope {
    /// `true` if a call with this scope may see and change `account`.
    pub fn includes(&self, account: &Account) -> bool {
        match self {
            Self::All => true,
            Self::Account(named) => named.id == account.id,
            Self::Unknown => false,
        }
    }

    /// Returns the account. `None` if the call concerns all accounts or an unknown one.
    pub fn account(&self) -> Option<&Arc<Account>> {
        match self {
            Self::Account(account) => Some(account),
            Self::All | Self::Unknown => None,
        }
    }
}

fn unknown_account(key: &str) -> ControlError {
    if is_too_long(key) {
        let hint = format!("a key has at most {KEY_CHARS_MAX} characters");
        return ControlError::new(
            ControlErrorCode::UnknownAccount,
            "account: key too long",
            hint,
        );
    }
    ControlError::new(
        ControlErrorCode::UnknownAccount,
        format!("no account {key}"),
        "set the account up with PUT /_mock/accounts/{key}, since the mode is strict",
    )
}

impl TryFrom<String> for AccountKey {
    type Error = &'static str;

    fn try_from(key: String) -> Result<Self, Self::Error> {
        if key.is_empty() {
            return Err(EMPTY_KEY);
        }
        Ok(Self(key))
    }
}

impl From<AccountKey> for String {
    fn from(AccountKey(key): AccountKey) -> Self {
        key
    }
}

impl Deref for AccountKey {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl JsonSchema for AccountKey {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "AccountKey".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "minLength": 1})
    }
}
