//! What a rule does: one thing at least, that can be done.

use axum::http::{HeaderName, HeaderValue};
use serde_json::value::RawValue;

use super::super::wire::{FaultName, HeaderText, RuleActionSpec, StubResponseSpec};
use super::outcome::outcome;
use super::{CheckedRule, bad_rule};
use crate::http::JsonObject;
use crate::model::rule::{self, ProcessingMode, WebhookEffect};

const DELAY_MS_MAX: u32 = 600_000;
const DRIP_BYTES_PER_SECOND: u32 = 1_024;
const POLLS_MAX: u32 = 1_000;
const DUPLICATES_MAX: u32 = 10;
/// Headers that the server sets itself.
const RESERVED_HEADERS: [&str; 5] = [
    "connection",
    "content-length",
    "transfer-encoding",
    "x-mock-request",
    "x-mock-reason",
];
/// Statuses whose answers have no body.
const BODYLESS_STATUSES: [u16; 3] = [204, 205, 304];
const THEN_HINT: &str = "there is: delayMs, respond, fault, outcome, processing, webhook";
const WEBHOOK_HINT: &str = "there is: drop, duplicate, delayMs, signature, outOfOrder";

/// The effects, if there is one and they go together.
///
/// # Errors
/// Says what is wrong with them, and what there is.
pub(super) fn check_action(then: RuleActionSpec) -> CheckedRule<rule::RuleAction> {
    let then = rule::RuleAction {
        delay_ms: then.delay_ms.map(delay_ms).transpose()?,
        respond: then
            .respond
            .map(|JsonObject(sent)| respond(sent))
            .transpose()?,
        fault: fault(then.fault, then.bytes_per_second)?,
        outcome: then
            .outcome
            .map(|JsonObject(sent)| outcome(sent, "then.outcome."))
            .transpose()?,
        processing: then.processing.map(processing).transpose()?,
        webhook: then
            .webhook
            .map(|JsonObject(sent)| webhook(sent))
            .transpose()?,
    };
    let is_dropped = then.webhook.as_ref().is_some_and(|webhook| webhook.drop);
    if is_dropped && (then.delay_ms.is_some() || then.respond.is_some() || then.fault.is_some()) {
        return bad_rule(
            "then: a webhook that is dropped has no delay, response or fault",
            "leave webhook.drop out, or delayMs, respond and fault",
        );
    }
    match (then.affects_calls(), then.affects_orders()) {
        (false, false) => bad_rule("then: says nothing", THEN_HINT),
        (true, true) => bad_rule(
            "then: delayMs, respond, fault and webhook are for calls, outcome and processing are for orders",
            "make two rules, each with counts of its own",
        ),
        _ => Ok(then),
    }
}

fn fault(
    sent: Option<FaultName>,
    bytes_per_second: Option<u32>,
) -> CheckedRule<Option<rule::Fault>> {
    let fault = match (sent, bytes_per_second) {
        (Some(FaultName::Drip), Some(0)) => {
            return bad_rule(
                "then.bytesPerSecond: 0 is never done",
                format!("1 at least; left out, it is {DRIP_BYTES_PER_SECOND}"),
            );
        }
        (Some(FaultName::Drip), rate) => rule::Fault::Drip {
            bytes_per_second: rate.unwrap_or(DRIP_BYTES_PER_SECOND),
        },
        (_, Some(_)) => {
            return bad_rule(
                "then.bytesPerSecond: only drip has it",
                "leave it out, or add the fault drip",
            );
        }
        (None, None) => return Ok(None),
        (Some(FaultName::Reset), None) => rule::Fault::Reset,
        (Some(FaultName::Empty), None) => rule::Fault::Empty,
        (Some(FaultName::Truncate), None) => rule::Fault::Truncate,
        (Some(FaultName::Garbage), None) => rule::Fault::Garbage,
    };
    Ok(Some(fault))
}

fn processing(sent: ProcessingMode) -> CheckedRule<ProcessingMode> {
    match sent {
        ProcessingMode::AfterPolls(polls) if !(1..=POLLS_MAX).contains(&polls) => bad_rule(
            format!("then.processing.polls: {polls} is none"),
            format!("1 to {POLLS_MAX}"),
        ),
        other => Ok(other),
    }
}

fn webhook(sent: WebhookEffect) -> CheckedRule<WebhookEffect> {
    if sent == WebhookEffect::default() {
        return bad_rule("then.webhook: says nothing", WEBHOOK_HINT);
    }
    let alone = WebhookEffect {
        drop: true,
        ..WebhookEffect::default()
    };
    if sent.drop && sent != alone {
        return bad_rule(
            "then.webhook: what is dropped is not sent in any other way",
            "leave drop out, or all else",
        );
    }
    if let Some(times) = sent.duplicate
        && !(2..=DUPLICATES_MAX).contains(&times)
    {
        return bad_rule(
            format!("then.webhook.duplicate: {times} is no number of times"),
            format!("2 to {DUPLICATES_MAX}: so often it is sent in all"),
        );
    }
    Ok(sent)
}

fn delay_ms(ms: u64) -> CheckedRule<u32> {
    let fits = u32::try_from(ms).ok().filter(|ms| *ms <= DELAY_MS_MAX);
    fits.map_or_else(
        || {
            let hint = format!("{DELAY_MS_MAX} at most");
            bad_rule(format!("then.delayMs: {ms} is too long"), hint)
        },
        Ok,
    )
}

fn respond(sent: StubResponseSpec) -> CheckedRule<rule::StubResponse> {
    let status = sent.status;
    if !(200..600).contains(&status) {
        return bad_rule(
            format!("then.respond.status: {status} ends no request"),
            "200 to 599",
        );
    }
    for (name, HeaderText(value)) in &sent.headers {
        let Ok(known) = HeaderName::try_from(name.as_str()) else {
            let message = format!("then.respond.headers: {name} is no header's name");
            return bad_rule(message, "such as retry-after");
        };
        if RESERVED_HEADERS.contains(&known.as_str()) {
            let message = format!("then.respond.headers: {name} is set by the server");
            return bad_rule(message, format!("any but {}", RESERVED_HEADERS.join(", ")));
        }
        if HeaderValue::try_from(value.as_str()).is_err() {
            let message = format!("then.respond.headers: {name} cannot have this value");
            return bad_rule(message, "one line of text");
        }
    }
    if sent.body.is_some() && BODYLESS_STATUSES.contains(&status) {
        let message = format!("then.respond.body: an answer of status {status} has none");
        return bad_rule(message, "leave one of the two out");
    }
    Ok(rule::StubResponse {
        status,
        headers: (sent.headers.into_iter())
            .map(|(name, HeaderText(value))| (name, value))
            .collect(),
        body: sent.body.as_deref().map(body),
    })
}

/// A string is sent as it is, anything else as JSON.
fn body(raw: &RawValue) -> rule::StubBody {
    serde_json::from_str(raw.get()).map_or_else(
        |_| rule::StubBody::Json(raw.get().to_owned()),
        rule::StubBody::Text,
    )
}
