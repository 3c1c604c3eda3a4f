//! Credits: one an image, taken when it is queued.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Serialize;

use super::described::{STORE, refuses};
use super::{UndetectableResult, auth};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json};
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;

/// Of an account's credits, so many are its base; what it has beyond them is its boost.
const BASE: u64 = 10_000;
/// What an account is given that nobody set up.
const GIVEN: u64 = BASE + 1_000;

/// Credits an account was given, used ones included.
pub fn given(account: &Account) -> u64 {
    account.settings().credits.unwrap_or(GIVEN)
}

/// The answer to `GET /check-user-credits`.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Credits")]
struct CreditBalance {
    base_credits: u64,
    boost_credits: u64,
    /// Their sum.
    credits: u64,
}

impl CreditBalance {
    /// The base is used up first.
    fn of(given: u64, spent: u64) -> Self {
        let base = given.min(BASE);
        let credits = given.saturating_sub(spent);
        let base_credits = base.saturating_sub(spent);
        Self {
            base_credits,
            boost_credits: credits - base_credits,
            credits,
        }
    }
}

pub fn describe(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "Credits left",
            "What the key's account has left, its base and its boost.",
        )
        .with_key()
        .answers::<CreditBalance>(200, "What is left.");
    refuses(described, &[&auth::REFUSES, &STORE])
}

pub async fn check(
    State(context): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    headers: HeaderMap,
) -> UndetectableResult {
    let account = auth::by_header(&context, &headers, &entry).await?;
    let spent = context.accounts.spent(&account).await?;
    Ok(Json(CreditBalance::of(given(&account), spent)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_goes_first_and_the_sum_is_what_is_left() {
        let left = |given, spent| {
            let left = CreditBalance::of(given, spent);
            (left.base_credits, left.boost_credits, left.credits)
        };
        assert_eq!(left(GIVEN, 0), (10_000, 1_000, 11_000));
        assert_eq!(left(GIVEN, 1), (9_999, 1_000, 10_999));
        assert_eq!(left(GIVEN, 10_001), (0, 999, 999));
        assert_eq!(left(2, 1), (1, 0, 1));
        assert_eq!(left(1, 5), (0, 0, 0));
    }
}
