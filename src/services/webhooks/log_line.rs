//! Log lines for webhook attempts: a warning for each failed attempt, a debug line for each other.

use super::attempt::AttemptResult;
use crate::model::clip::clip;
use crate::model::webhook::{Attempt, Delivery};
use crate::platform::clock::iso;
use crate::services::accounts::Account;

/// Characters logged of a URL.
const URL_CHARS_MAX: usize = 300;
/// Characters logged of an API key.
const KEY_CHARS_MAX: usize = 100;
/// Characters logged of the reason, which may contain text that the receiver sent.
const REASON_CHARS_MAX: usize = 500;

impl AttemptResult {
    /// Logs each request of the attempt. An attempt that a rule dropped is not logged here, because
    /// the rule logs it. `attempts_max` is the number of attempts by the retry schedule.
    pub(super) fn log(
        &self,
        account: &Account,
        delivery: &Delivery,
        attempts_max: usize,
        is_manual: bool,
    ) {
        if self.is_dropped {
            return;
        }
        for attempt in &self.attempts {
            if let Some(reason) = failure(attempt) {
                let of = Some(attempts_max).filter(|max| attempt.number as usize <= *max);
                log_failed(account, delivery, (attempt, of), &reason, is_manual);
            } else {
                tracing::debug!(
                    url = attempt.url,
                    event = delivery.event.event_type,
                    delivery = %delivery.id,
                    attempt = attempt.number,
                    "webhook delivered"
                );
            }
        }
    }
}

/// Returns the reason why a request failed. `None` if the response status is 2xx.
fn failure(attempt: &Attempt) -> Option<String> {
    match &attempt.response {
        Ok(response) if (200..300).contains(&response.status) => None,
        Ok(response) => Some(format!("answered {}", response.status)),
        Err(line) => Some(line.clone()),
    }
}

fn log_failed(
    account: &Account,
    delivery: &Delivery,
    // Manual attempts can be more than the retry schedule has.
    (attempt, of): (&Attempt, Option<usize>),
    reason: &str,
    is_manual: bool,
) {
    let url = &*clip(&attempt.url, URL_CHARS_MAX);
    let key = &*clip(&account.key, KEY_CHARS_MAX);
    let reason = &*clip(reason, REASON_CHARS_MAX);
    let (event, number) = (delivery.event.event_type.as_str(), attempt.number);
    let by = is_manual.then_some("manual");
    let delivery = delivery.id.0;
    if let Some(next) = attempt.next_at.map(iso) {
        tracing::warn!(
            url,
            event,
            attempt = number,
            of,
            reason,
            next,
            key,
            delivery,
            by,
            "webhook attempt failed; a retry is scheduled"
        );
    } else {
        tracing::warn!(
            url,
            event,
            attempt = number,
            of,
            reason,
            key,
            delivery,
            by,
            "webhook attempt failed; no retry is scheduled"
        );
    }
}
