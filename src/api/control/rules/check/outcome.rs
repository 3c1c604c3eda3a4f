//! Outcomes of orders: one thing each, that the vendors have.

use super::super::super::suggestion::did_you_mean;
use super::super::wire::{FINAL_RESULTS, OutcomeSpec, label};
use super::{CheckedRule, bad_rule, text};
use crate::model::order::Vendor;
use crate::model::rule;

const OUTCOMES_HINT: &str = "one of: status failed with or without errorCode, probability, watermarkText, detectionStatus, finalResult, analysis failed";

/// Returns the outcome if it says one thing. `place` is what stands before its fields in messages,
/// such as `then.outcome.`.
///
/// # Errors
/// Names the field that does not fit, and the values that it can have.
pub fn outcome(sent: OutcomeSpec, place: &str) -> CheckedRule<rule::ForcedOutcome> {
    if let Some(chance) = sent.probability
        && !(0.0..=1.0).contains(&chance)
    {
        return bad_rule(
            format!("{place}probability: {chance} is none"),
            "from 0 to 1",
        );
    }
    text(&format!("{place}errorCode"), sent.error_code.as_deref())?;
    text(
        &format!("{place}errorMessage"),
        sent.error_message.as_deref(),
    )?;
    text(&format!("{place}finalResult"), sent.final_result.as_deref())?;
    let found = sent.watermark_text.as_ref().and_then(Option::as_deref);
    text(&format!("{place}watermarkText"), found)?;
    one_of(sent, place)
}

fn one_of(sent: OutcomeSpec, place: &str) -> CheckedRule<rule::ForcedOutcome> {
    match sent {
        OutcomeSpec {
            status: Some(status),
            error_code: code,
            error_message: message,
            probability: None,
            watermark_text: None,
            detection_status: None,
            final_result: None,
            analysis: None,
        } if status == "failed" => Ok(rule::ForcedOutcome::Failed { code, message }),
        OutcomeSpec {
            status: None,
            error_code: None,
            error_message: None,
            probability,
            watermark_text,
            detection_status,
            final_result,
            analysis: None,
        } => match (probability, watermark_text, detection_status, final_result) {
            (Some(probability), None, None, None) => {
                Ok(rule::ForcedOutcome::Probability { probability })
            }
            (None, Some(text), None, None) => Ok(rule::ForcedOutcome::WatermarkText { text }),
            (None, None, Some(status), None) => Ok(rule::ForcedOutcome::DetectionStatus { status }),
            (probability, None, None, Some(word)) => label(&word).map_or_else(
                || {
                    let known = FINAL_RESULTS.join(", ");
                    let hint = format!("there is: {known}, or a generator's name, such as Grok");
                    bad_rule(
                        format!("{place}finalResult: {word} is no final result"),
                        hint,
                    )
                },
                |label| Ok(rule::ForcedOutcome::FinalResult { label, probability }),
            ),
            _ => several(place),
        },
        OutcomeSpec {
            analysis: Some(analysis),
            ..
        } if analysis != "failed" => bad_rule(
            format!("{place}analysis: {analysis} is not an end that can be forced"),
            "the only value is failed",
        ),
        sent if sent == check_failed_analysis() => Ok(rule::ForcedOutcome::AnalysisFailed),
        OutcomeSpec {
            status: Some(status),
            ..
        } if status != "failed" => bad_rule(
            format!("{place}status: {status} is none"),
            "there is: failed",
        ),
        _ => several(place),
    }
}

/// The outcome that has the analysis fail, and nothing else.
fn check_failed_analysis() -> OutcomeSpec {
    (&rule::ForcedOutcome::AnalysisFailed).into()
}

fn several<T>(place: &str) -> CheckedRule<T> {
    let message = match place.trim_end_matches('.') {
        "" => "the outcome does not say one thing".to_owned(),
        field => format!("{field}: does not say one thing"),
    };
    bad_rule(message, OUTCOMES_HINT)
}

/// Checks that orders of one of `vendors` can fail with the code of the outcome, if it has one.
///
/// # Errors
/// If they cannot. The hint lists the codes with which they fail.
pub fn check_code(
    outcome: &rule::ForcedOutcome,
    vendors: &[Vendor],
    place: &str,
) -> CheckedRule<()> {
    let rule::ForcedOutcome::Failed {
        code: Some(code), ..
    } = outcome
    else {
        return Ok(());
    };
    let known: Vec<&str> = vendors
        .iter()
        .flat_map(|it| it.failure_codes())
        .copied()
        .collect();
    if known.contains(&code.as_str()) {
        return Ok(());
    }
    let names: Vec<&str> = vendors.iter().map(|vendor| vendor.name()).collect();
    let names = names.join(" and ");
    let mut others = Vendor::ALL.into_iter().filter(|it| !vendors.contains(it));
    let other = others.find(|it| it.failure_codes().contains(&code.as_str()));
    let message = match other {
        Some(other) => format!(
            "{place}errorCode: {code} is a code of {}, and not of {names}",
            other.name()
        ),
        None => format!(
            "{place}errorCode: {names} {} no code {code}{}",
            if vendors.len() == 1 { "has" } else { "have" },
            did_you_mean(code, known.iter().copied())
        ),
    };
    if known.is_empty() {
        let hint = format!("leave it out: orders of {names} fail with an errorMessage alone");
        return bad_rule(message, hint);
    }
    bad_rule(message, format!("there is: {}", known.join(", ")))
}
