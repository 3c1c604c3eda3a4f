//! Attempts that a rule has made later, or after another.

use crate::model::rule::OnWebhook;
use crate::model::time::Timestamp;
use crate::model::webhook::PutOff;
use crate::rules::Choice;

/// An attempt that is to come after the next one comes then at the latest: milliseconds.
const OUT_OF_ORDER_MS: i64 = 10_000;

/// Until when an attempt is put off that was to be made at `now`, and what is kept of what the
/// rules said; none: it is made at once.
pub(super) fn put_off(choice: &Choice, now: Timestamp) -> Option<(Timestamp, PutOff)> {
    let (title, on) = choice.webhook.as_ref()?;
    let ms = match on {
        OnWebhook {
            delay_ms: Some(ms), ..
        } => i64::from(*ms),
        OnWebhook {
            out_of_order: true, ..
        } => OUT_OF_ORDER_MS,
        _ => return None,
    };
    let decided = PutOff {
        rule: choice.rule,
        title: title.clone(),
        webhook: on.clone(),
        delay_ms: choice.delay_ms,
        respond: choice.respond.clone(),
        fault: choice.fault.clone(),
    };
    Some((now.plus_ms(ms), decided))
}

/// What the rules had said.
pub(super) fn decided(kept: &PutOff) -> Choice {
    let mut choice = Choice::default();
    choice.rule = kept.rule;
    choice.webhook = Some((kept.title.clone(), kept.webhook.clone()));
    choice.delay_ms = kept.delay_ms;
    choice.respond.clone_from(&kept.respond);
    choice.fault.clone_from(&kept.fault);
    choice
}
