//! Checks of outcomes: an outcome sets exactly one result that the vendor supports.

use super::super::super::suggestion::did_you_mean;
use super::super::wire::{FINAL_RESULTS, OutcomeSpec, label};
use super::{CheckedRule, bad_rule, text};
use crate::model::order::Vendor;
use crate::model::rule;
use crate::services::vendors::Vendors;

const OUTCOMES_HINT: &str = "set one of: status failed with or without errorCode, probability, watermarkText, detectionStatus, finalResult, analysis failed";

/// Returns the outcome if it sets exactly one result. `place` is the prefix of fields in messages,
/// such as `then.outcome.`.
///
/// # Errors
/// Returns an error if a field is invalid. The hint has the valid values.
pub fn outcome(spec: OutcomeSpec, place: &str) -> CheckedRule<rule::ForcedOutcome> {
    if let Some(probability) = spec.probability
        && !(0.0..=1.0).contains(&probability)
    {
        return bad_rule(
            format!("{place}probability: expected 0 to 1, got {probability}"),
            "send a number from 0 to 1",
        );
    }
    text(&format!("{place}errorCode"), spec.error_code.as_deref())?;
    text(
        &format!("{place}errorMessage"),
        spec.error_message.as_deref(),
    )?;
    text(&format!("{place}finalResult"), spec.final_result.as_deref())?;
    let found = spec.watermark_text.as_ref().and_then(Option::as_deref);
    text(&format!("{place}watermarkText"), found)?;
    one_of(spec, place)
}

fn one_of(spec: OutcomeSpec, place: &str) -> CheckedRule<rule::ForcedOutcome> {
    match spec {
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
                    let hint =
                        format!("valid values: {known}, or the name of a generator, such as Grok");
                    bad_rule(
                        format!("{place}finalResult: unknown final result {word}"),
                        hint,
                    )
                },
                |label| Ok(rule::ForcedOutcome::FinalResult { label, probability }),
            ),
            _ => not_one_result(place),
        },
        OutcomeSpec {
            analysis: Some(analysis),
            ..
        } if analysis != "failed" => bad_rule(
            format!("{place}analysis: {analysis} is not supported"),
            "the only value is failed",
        ),
        spec if spec == failed_analysis() => Ok(rule::ForcedOutcome::AnalysisFailed),
        OutcomeSpec {
            status: Some(status),
            ..
        } if status != "failed" => bad_rule(
            format!("{place}status: {status} is not supported"),
            "the only value is failed",
        ),
        _ => not_one_result(place),
    }
}

/// Returns an outcome that only makes the analysis fail.
fn failed_analysis() -> OutcomeSpec {
    (&rule::ForcedOutcome::AnalysisFailed).into()
}

fn not_one_result<T>(place: &str) -> CheckedRule<T> {
    let message = match place.trim_end_matches('.') {
        "" => "the outcome must set exactly one result".to_owned(),
        field => format!("{field}: must set exactly one result"),
    };
    bad_rule(message, OUTCOMES_HINT)
}

/// Checks the error code of an outcome: one of `vendors` must have the code.
///
/// # Errors
/// Returns an error if no vendor has the code. The hint lists the valid codes.
pub fn check_code(
    outcome: &rule::ForcedOutcome,
    registry: &Vendors,
    vendors: &[Vendor],
    place: &str,
) -> CheckedRule<()> {
    let rule::ForcedOutcome::Failed {
        code: Some(code), ..
    } = outcome
    else {
        return Ok(());
    };
    let codes = |vendor: &Vendor| registry.profile(*vendor).failure_codes;
    let known: Vec<&str> = vendors.iter().flat_map(codes).copied().collect();
    if known.contains(&code.as_str()) {
        return Ok(());
    }
    let names: Vec<&str> = vendors.iter().map(|vendor| vendor.name()).collect();
    let names = names.join(" and ");
    let mut others = Vendor::ALL.into_iter().filter(|it| !vendors.contains(it));
    let other = others.find(|it| codes(it).contains(&code.as_str()));
    let message = match other {
        Some(other) => format!(
            "{place}errorCode: {code} is a code of {}, not of {names}",
            other.name()
        ),
        None => format!(
            "{place}errorCode: {names} {} no code {code}{}",
            if vendors.len() == 1 { "has" } else { "have" },
            did_you_mean(code, known.iter().copied())
        ),
    };
    if known.is_empty() {
        let hint =
            format!("omit errorCode, since orders of {names} fail with an errorMessage alone");
        return bad_rule(message, hint);
    }
    bad_rule(message, format!("valid values: {}", known.join(", ")))
}
