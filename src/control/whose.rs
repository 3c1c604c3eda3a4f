//! Whose things a call is about: the account that it names.

use std::borrow::Cow;
use std::ops::Deref;
use std::sync::Arc;

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::error::Refusal;
use super::query::Query;
use crate::accounts::{Account, KEY_CHARS_MAX, is_too_long};
use crate::config::Mode;
use crate::web::{Verbs, is_inbox_delivery};

/// The key of an account that a body names. Never empty: an empty key is a variable that was not set,
/// and must not stand for an account, let alone for all of them.
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountKey(String);

/// Message about an empty key.
pub(super) const EMPTY_KEY: &str = "the key is empty";

/// Refuses a call with an empty `account` in its query, also if the operation takes none. Messages to
/// the inbox are not calls: their senders' queries are their own.
pub(super) fn refuse_empty_account(request: &Request) -> Option<Response> {
    let query = request.uri().query().unwrap_or_default();
    let mut pairs = url::form_urlencoded::parse(query.as_bytes());
    let is_empty = pairs.any(|(name, key)| name == "account" && key.is_empty());
    if !is_empty || is_inbox_delivery(request.method(), request.uri().path()) {
        return None;
    }
    let message = format!("account: {EMPTY_KEY}");
    let hint = "give a key, or leave account out";
    Some(Refusal::bad("bad_query", message, hint).into_response())
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

/// There is no account of that key, and looking makes none.
#[derive(Debug)]
pub struct Unknown;

fn refused(key: &str) -> Refusal {
    if is_too_long(key) {
        let hint = format!("a key has {KEY_CHARS_MAX} characters at most");
        return Refusal::not_found("unknown_account", "account: too long", hint);
    }
    Refusal::not_found(
        "unknown_account",
        format!("no account {key}"),
        "set it up with PUT /_mock/accounts/{key}: the mode is strict",
    )
}

/// The account that is meant, made where it is not there yet; none means all, or all that
/// follow the default clock.
pub async fn account(verbs: &Verbs, key: Option<&str>) -> Result<Option<Arc<Account>>, Refusal> {
    let Some(key) = key else {
        return Ok(None);
    };
    let found = verbs.accounts.admit(key).await?;
    found.map(Some).ok_or_else(|| refused(key))
}

/// The account that is looked at, if it is there already; one whose key nobody has used yet is not
/// made, and follows the default clock.
///
/// # Errors
/// If no account is made by that key's use.
pub fn seen(verbs: &Verbs, key: &str) -> Result<Option<Arc<Account>>, Refusal> {
    match verbs.accounts.get(key) {
        None if verbs.config.mode == Mode::Strict => Err(refused(key)),
        found => Ok(found),
    }
}

/// The account that is looked at, which is not made by that; none means all.
///
/// # Errors
/// If there is none of that key.
pub fn looked_at(verbs: &Verbs, key: Option<&str>) -> Result<Option<Arc<Account>>, Unknown> {
    let found = key.map(|key| verbs.accounts.get(key).ok_or(Unknown));
    found.transpose()
}

/// The `account` of a query that has no other parameter.
///
/// # Errors
/// Names the other parameter.
pub fn account_of(query: Option<&str>) -> Result<Option<String>, Refusal> {
    Ok(Query::read(query, &["account"])?.text("account"))
}
