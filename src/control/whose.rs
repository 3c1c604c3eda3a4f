//! Whose things a call is about: the account that it names.

use std::sync::Arc;

use super::error::Refusal;
use super::query::Query;
use crate::accounts::Account;
use crate::config::Mode;
use crate::web::Verbs;

/// There is no account of that key, and looking makes none.
#[derive(Debug)]
pub struct Unknown;

fn refused(key: &str) -> Refusal {
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
