//! Credits: one an image, taken when it is queued.

use axum::Extension;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Serialize;

use super::openapi::{INTERNAL_ERRORS, with_errors};
use super::{UndetectableResult, auth};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json};
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;

/// Of an account's credits, so many are its base; what it has beyond them is its boost.
const BASE_CREDITS: u64 = 10_000;
/// What an account is given that nobody set up.
const DEFAULT_CREDITS: u64 = BASE_CREDITS + 1_000;

/// Credits an account was given, used ones included.
pub fn credit_limit(account: &Account) -> u64 {
    account.settings().credits.unwrap_or(DEFAULT_CREDITS)
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
    fn of(limit: u64, spent: u64) -> Self {
        let base = limit.min(BASE_CREDITS);
        let credits = limit.saturating_sub(spent);
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
        .summary(
            "Credits left",
            "What the key's account has left, its base and its boost.",
        )
        .security()
        .response::<CreditBalance>(200, "What is left.");
    with_errors(described, &[&auth::AUTH_ERRORS, &INTERNAL_ERRORS])
}

pub async fn check(
    State(context): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    headers: HeaderMap,
) -> UndetectableResult {
    let account = auth::authenticate_header(&context, &headers, &entry).await?;
    let spent = context.accounts.credits_used(&account).await?;
    Ok(Json(CreditBalance::of(credit_limit(&account), spent)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_base_goes_first_and_the_sum_is_what_is_left() {
        let left = |limit, spent| {
            let left = CreditBalance::of(limit, spent);
            (left.base_credits, left.boost_credits, left.credits)
        };
        assert_eq!(left(DEFAULT_CREDITS, 0), (10_000, 1_000, 11_000));
        assert_eq!(left(DEFAULT_CREDITS, 1), (9_999, 1_000, 10_999));
        assert_eq!(left(DEFAULT_CREDITS, 10_001), (0, 999, 999));
        assert_eq!(left(2, 1), (1, 0, 1));
        assert_eq!(left(1, 5), (0, 0, 0));
    }
}
