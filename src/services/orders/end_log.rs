//! Log lines for orders and reports that have ended.

use crate::model::clip::clip;
use crate::model::order::{Order, OrderState};
use crate::model::rule::ForcedOutcome;
use crate::services::accounts::Account;

/// Characters logged of a failure's message, which may contain a file name or a URL.
const REASON_CHARS_MAX: usize = 500;
/// Characters logged of an API key.
const KEY_CHARS_MAX: usize = 100;

/// Logs an order that has ended, after the commit: a warning if it failed, else a debug line.
/// `is_manual` is `true` if the control plane failed it.
pub(super) fn log_order_end(account: &Account, order: &Order, is_manual: bool) {
    let (id, vendor, kind) = (order.id.as_str(), order.vendor.name(), order.work.name());
    let OrderState::Failed {
        started_at,
        failure,
        ..
    } = &order.state
    else {
        let status = order.state.status();
        tracing::debug!(order = id, vendor, r#type = kind, status, "order ended");
        return;
    };
    // The override of an order that never started did not cause its failure.
    let by = match order
        .outcome_override
        .as_ref()
        .filter(|_| started_at.is_some())
    {
        _ if is_manual => Some("manual".to_owned()),
        Some(outcome_override)
            if matches!(outcome_override.outcome, ForcedOutcome::Failed { .. }) =>
        {
            let rule = outcome_override.rule.map(|rule| format!("rule {rule}"));
            Some(rule.unwrap_or_else(|| "manual".to_owned()))
        }
        _ => None,
    };
    tracing::warn!(
        order = id,
        vendor,
        r#type = kind,
        key = &*clip(&account.key, KEY_CHARS_MAX),
        code = failure.code,
        reason = &*clip(&failure.message, REASON_CHARS_MAX),
        by,
        "order failed"
    );
}

/// Logs a failed report, after the commit.
pub(super) fn log_failed_report(account: &Account, order: &Order, locale: &str, code: &str) {
    tracing::warn!(
        order = order.id,
        vendor = order.vendor.name(),
        locale,
        key = &*clip(&account.key, KEY_CHARS_MAX),
        code,
        "report failed"
    );
}
