//! What a rule does: one thing at least, that can be done.

use axum::http::{HeaderName, HeaderValue};
use serde_json::value::RawValue;

use super::super::wire::{FINAL_RESULTS, Fault, Outcome, Respond, Then, label};
use super::{Checked, bad, text};
use crate::model::rule::{self, OnWebhook, Processing};
use crate::web::Object;

const DELAY_MS_MAX: u32 = 600_000;
const DRIP_BYTES_PER_SECOND: u32 = 1_024;
const POLLS_MAX: u32 = 1_000;
const DUPLICATES_MAX: u32 = 10;
/// Headers that the server sets itself.
const HEADERS_OURS: [&str; 5] = [
    "connection",
    "content-length",
    "transfer-encoding",
    "x-mock-request",
    "x-mock-reason",
];
/// Statuses whose answers have no body.
const STATUSES_BARE: [u16; 3] = [204, 205, 304];
const THEN: &str = "there is: delayMs, respond, fault, outcome, processing, webhook";
const OUTCOMES: &str = "one of: status failed with or without errorCode, probability, watermarkText, detectionStatus, finalResult, analysis failed";
const WEBHOOK: &str = "there is: drop, duplicate, delayMs, signature, outOfOrder";

/// The effects, if there is one and they go together.
///
/// # Errors
/// Says what is wrong with them, and what there is.
pub(super) fn then(then: Then) -> Checked<rule::Then> {
    let then = rule::Then {
        delay_ms: then.delay_ms.map(delay_ms).transpose()?,
        respond: then.respond.map(|Object(sent)| respond(sent)).transpose()?,
        fault: fault(then.fault, then.bytes_per_second)?,
        outcome: then.outcome.map(|Object(sent)| outcome(sent)).transpose()?,
        processing: then.processing.map(processing).transpose()?,
        webhook: then.webhook.map(|Object(sent)| webhook(sent)).transpose()?,
    };
    match (then.is_to_calls(), then.is_to_orders()) {
        (false, false) => bad("then: says nothing", THEN),
        (true, true) => bad(
            "then: delayMs, respond, fault and webhook are for calls, outcome and processing are for orders",
            "make two rules, each with counts of its own",
        ),
        _ => Ok(then),
    }
}

fn fault(sent: Option<Fault>, bytes_per_second: Option<u32>) -> Checked<Option<rule::Fault>> {
    let fault = match (sent, bytes_per_second) {
        (Some(Fault::Drip), Some(0)) => {
            return bad(
                "then.bytesPerSecond: 0 is never done",
                format!("1 at least; left out, it is {DRIP_BYTES_PER_SECOND}"),
            );
        }
        (Some(Fault::Drip), rate) => rule::Fault::Drip {
            bytes_per_second: rate.unwrap_or(DRIP_BYTES_PER_SECOND),
        },
        (_, Some(_)) => {
            return bad(
                "then.bytesPerSecond: only drip has it",
                "leave it out, or add the fault drip",
            );
        }
        (None, None) => return Ok(None),
        (Some(Fault::Reset), None) => rule::Fault::Reset,
        (Some(Fault::Empty), None) => rule::Fault::Empty,
        (Some(Fault::Truncate), None) => rule::Fault::Truncate,
        (Some(Fault::Garbage), None) => rule::Fault::Garbage,
    };
    Ok(Some(fault))
}

fn processing(sent: Processing) -> Checked<Processing> {
    match sent {
        Processing::Polls(polls) if !(1..=POLLS_MAX).contains(&polls) => bad(
            format!("then.processing.polls: {polls} is none"),
            format!("1 to {POLLS_MAX}"),
        ),
        other => Ok(other),
    }
}

fn webhook(sent: OnWebhook) -> Checked<OnWebhook> {
    if sent == OnWebhook::default() {
        return bad("then.webhook: says nothing", WEBHOOK);
    }
    let alone = OnWebhook {
        drop: true,
        ..OnWebhook::default()
    };
    if sent.drop && sent != alone {
        return bad(
            "then.webhook: what is dropped is not sent in any other way",
            "leave drop out, or all else",
        );
    }
    if let Some(times) = sent.duplicate
        && !(2..=DUPLICATES_MAX).contains(&times)
    {
        return bad(
            format!("then.webhook.duplicate: {times} is no number of times"),
            format!("2 to {DUPLICATES_MAX}: so often it is sent in all"),
        );
    }
    Ok(sent)
}

fn delay_ms(ms: u64) -> Checked<u32> {
    let fits = u32::try_from(ms).ok().filter(|ms| *ms <= DELAY_MS_MAX);
    fits.map_or_else(
        || {
            let hint = format!("{DELAY_MS_MAX} at most");
            bad(format!("then.delayMs: {ms} is too long"), hint)
        },
        Ok,
    )
}

fn respond(sent: Respond) -> Checked<rule::Respond> {
    let status = sent.status;
    if !(200..600).contains(&status) {
        return bad(
            format!("then.respond.status: {status} ends no request"),
            "200 to 599",
        );
    }
    for (name, value) in &sent.headers {
        let Ok(known) = HeaderName::try_from(name.as_str()) else {
            let message = format!("then.respond.headers: {name} is no header's name");
            return bad(message, "such as retry-after");
        };
        if HEADERS_OURS.contains(&known.as_str()) {
            let message = format!("then.respond.headers: {name} is set by the server");
            return bad(message, format!("any but {}", HEADERS_OURS.join(", ")));
        }
        if HeaderValue::try_from(value.as_str()).is_err() {
            let message = format!("then.respond.headers: {name} cannot have this value");
            return bad(message, "one line of text");
        }
    }
    if sent.body.is_some() && STATUSES_BARE.contains(&status) {
        let message = format!("then.respond.body: an answer of status {status} has none");
        return bad(message, "leave one of the two out");
    }
    Ok(rule::Respond {
        status,
        headers: sent.headers,
        body: sent.body.as_deref().map(body),
    })
}

/// A string is sent as it is, anything else as JSON.
fn body(raw: &RawValue) -> rule::Body {
    serde_json::from_str(raw.get())
        .map_or_else(|_| rule::Body::Json(raw.get().to_owned()), rule::Body::Text)
}

/// The outcome, if it says one thing.
///
/// # Errors
/// Says what is wrong with it, and what there is.
pub fn outcome(sent: Outcome) -> Checked<rule::Outcome> {
    let field = "then.outcome";
    if let Some(chance) = sent.probability
        && !(0.0..=1.0).contains(&chance)
    {
        return bad(
            format!("{field}.probability: {chance} is none"),
            "from 0 to 1",
        );
    }
    text(&format!("{field}.errorCode"), sent.error_code.as_deref())?;
    text(
        &format!("{field}.errorMessage"),
        sent.error_message.as_deref(),
    )?;
    text(
        &format!("{field}.finalResult"),
        sent.final_result.as_deref(),
    )?;
    let found = sent.watermark_text.as_ref().and_then(Option::as_deref);
    text(&format!("{field}.watermarkText"), found)?;
    match sent {
        Outcome {
            status: Some(status),
            error_code: code,
            error_message: message,
            probability: None,
            watermark_text: None,
            detection_status: None,
            final_result: None,
            analysis: None,
        } if status == "failed" => Ok(rule::Outcome::Failed { code, message }),
        Outcome {
            status: None,
            error_code: None,
            error_message: None,
            probability,
            watermark_text,
            detection_status,
            final_result,
            analysis: None,
        } => match (probability, watermark_text, detection_status, final_result) {
            (Some(probability), None, None, None) => Ok(rule::Outcome::Probability { probability }),
            (None, Some(text), None, None) => Ok(rule::Outcome::WatermarkText { text }),
            (None, None, Some(status), None) => Ok(rule::Outcome::DetectionStatus { status }),
            (probability, None, None, Some(word)) => label(&word).map_or_else(
                || {
                    let known = FINAL_RESULTS.join(", ");
                    let hint = format!("there is: {known}, or a generator's name, such as Grok");
                    bad(
                        format!("{field}.finalResult: {word} is no final result"),
                        hint,
                    )
                },
                |label| Ok(rule::Outcome::FinalResult { label, probability }),
            ),
            _ => bad(format!("{field}: does not say one thing"), OUTCOMES),
        },
        Outcome {
            analysis: Some(analysis),
            ..
        } if analysis != "failed" => bad(
            format!("{field}.analysis: {analysis} is not an end that can be forced"),
            "the only value is failed",
        ),
        sent if sent == of_failed_analysis() => Ok(rule::Outcome::AnalysisFailed),
        Outcome {
            status: Some(status),
            ..
        } if status != "failed" => bad(
            format!("{field}.status: {status} is none"),
            "there is: failed",
        ),
        _ => bad(format!("{field}: does not say one thing"), OUTCOMES),
    }
}

/// The outcome that has the analysis fail, and nothing else.
fn of_failed_analysis() -> Outcome {
    (&rule::Outcome::AnalysisFailed).into()
}
