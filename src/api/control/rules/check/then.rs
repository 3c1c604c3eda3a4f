//! Checks of a rule's effects.

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
/// Statuses of responses without a body (RFC 9110 §15).
const BODYLESS_STATUSES: [u16; 3] = [204, 205, 304];
const THEN_HINT: &str = "set one of: delayMs, respond, fault, outcome, processing, webhook";
const WEBHOOK_HINT: &str = "set one of: drop, duplicate, delayMs, signature, outOfOrder";

/// Returns the effects if there is at least one and they can be combined.
///
/// # Errors
/// Returns an error if an effect is invalid. The hint has the valid values.
pub(super) fn check_action(then: RuleActionSpec) -> CheckedRule<rule::RuleAction> {
    let then = rule::RuleAction {
        delay_ms: then.delay_ms.map(delay_ms).transpose()?,
        respond: then
            .respond
            .map(|JsonObject(spec)| respond(spec))
            .transpose()?,
        fault: fault(then.fault, then.bytes_per_second)?,
        outcome: then
            .outcome
            .map(|JsonObject(spec)| outcome(spec, "then.outcome."))
            .transpose()?,
        processing: then.processing.map(processing).transpose()?,
        webhook: then
            .webhook
            .map(|JsonObject(spec)| webhook(spec))
            .transpose()?,
    };
    let is_dropped = then.webhook.as_ref().is_some_and(|webhook| webhook.drop);
    if is_dropped && (then.delay_ms.is_some() || then.respond.is_some() || then.fault.is_some()) {
        return bad_rule(
            "then: a dropped webhook cannot have a delay, response or fault",
            "omit webhook.drop, or omit delayMs, respond and fault",
        );
    }
    match (then.affects_calls(), then.affects_orders()) {
        (false, false) => bad_rule("then: at least one effect is required", THEN_HINT),
        (true, true) => bad_rule(
            "then: delayMs, respond, fault and webhook are for calls, outcome and processing are for orders",
            "create two rules, each with its own counts",
        ),
        _ => Ok(then),
    }
}

fn fault(
    spec: Option<FaultName>,
    bytes_per_second: Option<u32>,
) -> CheckedRule<Option<rule::Fault>> {
    let fault = match (spec, bytes_per_second) {
        (Some(FaultName::Drip), Some(0)) => {
            return bad_rule(
                "then.bytesPerSecond: must be at least 1",
                format!("omit bytesPerSecond for {DRIP_BYTES_PER_SECOND}"),
            );
        }
        (Some(FaultName::Drip), rate) => rule::Fault::Drip {
            bytes_per_second: rate.unwrap_or(DRIP_BYTES_PER_SECOND),
        },
        (_, Some(_)) => {
            return bad_rule(
                "then.bytesPerSecond: only allowed with the fault drip",
                "omit bytesPerSecond, or set the fault drip",
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

fn processing(spec: ProcessingMode) -> CheckedRule<ProcessingMode> {
    match spec {
        ProcessingMode::AfterPolls(polls) if !(1..=POLLS_MAX).contains(&polls) => bad_rule(
            format!("then.processing.polls: expected 1 to {POLLS_MAX}, got {polls}"),
            "polls is the number of reads after which the order ends",
        ),
        other => Ok(other),
    }
}

fn webhook(spec: WebhookEffect) -> CheckedRule<WebhookEffect> {
    if spec == WebhookEffect::default() {
        return bad_rule(
            "then.webhook: at least one effect is required",
            WEBHOOK_HINT,
        );
    }
    let alone = WebhookEffect {
        drop: true,
        ..WebhookEffect::default()
    };
    if spec.drop && spec != alone {
        return bad_rule(
            "then.webhook: drop excludes all other effects",
            "omit drop, or omit all other effects",
        );
    }
    if let Some(times) = spec.duplicate
        && !(2..=DUPLICATES_MAX).contains(&times)
    {
        return bad_rule(
            format!("then.webhook.duplicate: expected 2 to {DUPLICATES_MAX}, got {times}"),
            "duplicate is the total number of times that the webhook is sent",
        );
    }
    Ok(spec)
}

fn delay_ms(ms: u64) -> CheckedRule<u32> {
    let fits = u32::try_from(ms).ok().filter(|ms| *ms <= DELAY_MS_MAX);
    fits.map_or_else(
        || {
            let message = format!("then.delayMs: expected at most {DELAY_MS_MAX}, got {ms}");
            bad_rule(message, "send a shorter delay")
        },
        Ok,
    )
}

fn respond(spec: StubResponseSpec) -> CheckedRule<rule::StubResponse> {
    let status = spec.status;
    if !(200..600).contains(&status) {
        return bad_rule(
            format!("then.respond.status: expected 200 to 599, got {status}"),
            "use 200 to 599",
        );
    }
    for (name, HeaderText(value)) in &spec.headers {
        let Ok(known) = HeaderName::try_from(name.as_str()) else {
            let message = format!("then.respond.headers: invalid header name {name}");
            return bad_rule(message, "use a name such as retry-after");
        };
        if RESERVED_HEADERS.contains(&known.as_str()) {
            let message = format!("then.respond.headers: {name} is set by the server");
            return bad_rule(
                message,
                format!("use any header except {}", RESERVED_HEADERS.join(", ")),
            );
        }
        if HeaderValue::try_from(value.as_str()).is_err() {
            let message = format!("then.respond.headers: invalid value of {name}");
            return bad_rule(message, "use one line of text");
        }
    }
    if spec.body.is_some() && BODYLESS_STATUSES.contains(&status) {
        let message = format!("then.respond.body: a response with status {status} has no body");
        return bad_rule(message, "omit body, or use another status");
    }
    Ok(rule::StubResponse {
        status,
        headers: (spec.headers.into_iter())
            .map(|(name, HeaderText(value))| (name, value))
            .collect(),
        body: spec.body.as_deref().map(body),
    })
}

/// Returns the body to send: the text of a JSON string, or any other value as JSON.
fn body(raw: &RawValue) -> rule::StubBody {
    serde_json::from_str(raw.get()).map_or_else(
        |_| rule::StubBody::Json(raw.get().to_owned()),
        rule::StubBody::Text,
    )
}
