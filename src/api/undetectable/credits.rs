//! `GET /check-user-credits`. An image costs one credit, charged when it is queued.

use axum::extract::State;
use axum::http::{HeaderMap, Method};
use axum::response::IntoResponse;
use schemars::JsonSchema;
use serde::Serialize;

use super::UndetectableResult;
use super::accept::accepts_json;
use super::auth::{AUTH_ERRORS, Authenticator};
use super::openapi::{INTERNAL_ERRORS, with_errors};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Routes};
use crate::services::accounts::Account;

/// Base credits. Credits of an account beyond them are boost credits.
const BASE_CREDITS: u64 = 10_000;
/// Credits of an account without a setting.
const DEFAULT_CREDITS: u64 = BASE_CREDITS + 1_000;

/// Adds the operation that reads the balance.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "undetectable.checkUserCredits",
            Method::GET,
            "/check-user-credits",
            accepts_json(check),
        )
        .docs(describe)
        .reject_head()
}

/// Returns the credits of an account, used ones included.
pub fn credit_limit(account: &Account) -> u64 {
    account.settings().credits.unwrap_or(DEFAULT_CREDITS)
}

/// Response to `GET /check-user-credits`.
#[derive(Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Credits")]
struct CreditBalance {
    base_credits: u64,
    boost_credits: u64,
    /// Sum of both.
    credits: u64,
}

impl CreditBalance {
    /// Base credits are used first.
    fn new(limit: u64, used: u64) -> Self {
        let base = limit.min(BASE_CREDITS);
        let credits = limit.saturating_sub(used);
        let base_credits = base.saturating_sub(used);
        Self {
            base_credits,
            boost_credits: credits - base_credits,
            credits,
        }
    }
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get remaining credits",
            "Base and boost credits that the account of the key has left.",
        )
        .security()
        .response::<CreditBalance>(200, "The credits left.");
    with_errors(doc, &[&AUTH_ERRORS, &INTERNAL_ERRORS])
}

async fn check(
    State(state): State<AppState>,
    authenticator: Authenticator,
    headers: HeaderMap,
) -> UndetectableResult {
    let account = authenticator.authenticate_header(&headers).await?;
    let used = state.accounts.credits_used(&account).await?;
    Ok(Json(CreditBalance::new(credit_limit(&account), used)).into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credit_balance_uses_base_credits_first() {
        let balance = |limit, used| {
            let balance = CreditBalance::new(limit, used);
            (balance.base_credits, balance.boost_credits, balance.credits)
        };
        assert_eq!(balance(DEFAULT_CREDITS, 0), (10_000, 1_000, 11_000));
        assert_eq!(balance(DEFAULT_CREDITS, 1), (9_999, 1_000, 10_999));
        assert_eq!(balance(DEFAULT_CREDITS, 10_001), (0, 999, 999));
        assert_eq!(balance(2, 1), (1, 0, 1));
        assert_eq!(balance(1, 5), (0, 0, 0));
    }
}
