//! What a rule settled of an order outranks its files' names and bytes.

use super::failures;
use crate::engine::verdict;
use crate::model::order::Order;
use crate::model::picture::{Label, Provenance, Verdict, VerdictSource};
use crate::model::rule::{ForcedOutcome, OutcomeOverride};
use crate::model::work::{Failure, WatermarkResult, Work};
use crate::services::rules::RuleDecision;

/// From here on a picture is taken for a machine's.
const AI_PROBABILITY_MIN: f64 = 0.5;

/// Writes on a new order what rules say to it: of a bulk, to each of its pictures. How long a bulk
/// takes is for the first of them to say.
pub(super) fn apply_rules(order: &mut Order, choices: &[RuleDecision]) {
    let describe = choices.iter().map(|choice| choice.outcome_override.clone());
    if let Work::Bulk(bulk) = &mut order.work {
        for (queued, outcome_override) in bulk.queued.iter_mut().zip(describe) {
            queued.outcome_override = outcome_override;
        }
    } else {
        order.outcome_override = describe.flatten().next();
    }
    let mut processing = choices.iter().filter_map(|choice| choice.processing);
    order.processing = processing.next().map(|(_, processing)| processing);
}

/// Writes on an order what the control plane has it come to: of a bulk, each of its pictures.
pub(super) fn apply_manual_outcome(order: &mut Order, outcome: &ForcedOutcome) {
    let by_hand = OutcomeOverride {
        rule: None,
        outcome: outcome.clone(),
    };
    if let Work::Bulk(bulk) = &mut order.work {
        for queued in &mut bulk.queued {
            queued.outcome_override = Some(by_hand.clone());
        }
    } else {
        order.outcome_override = Some(by_hand);
    }
}

/// How the order, or a picture of it, fails, if a rule has it fail.
pub(super) fn forced_failure(
    order: &Order,
    outcome_override: Option<&OutcomeOverride>,
) -> Option<Failure> {
    let outcome_override = outcome_override?;
    let ForcedOutcome::Failed { code, message } = &outcome_override.outcome else {
        return None;
    };
    let message = message.clone();
    let message = message.unwrap_or_else(|| match outcome_override.rule {
        Some(rule) => format!("failed by rule {rule}"),
        None => "failed by hand".to_owned(),
    });
    let general = failures::failure(order, message);
    Some(Failure {
        code: code.clone().unwrap_or(general.code),
        ..general
    })
}

/// What a picture is judged to be, if a rule says.
pub(super) fn forced_verdict(outcome_override: Option<&OutcomeOverride>) -> Option<Verdict> {
    let outcome_override = outcome_override?;
    let (label, probability) = match &outcome_override.outcome {
        ForcedOutcome::Failed { .. }
        | ForcedOutcome::WatermarkText { .. }
        | ForcedOutcome::DetectionStatus { .. }
        | ForcedOutcome::AnalysisFailed => return None,
        ForcedOutcome::Probability { probability } if *probability >= AI_PROBABILITY_MIN => {
            (Label::Ai, *probability)
        }
        ForcedOutcome::Probability { probability } => (Label::Human, *probability),
        ForcedOutcome::FinalResult { label, probability } => {
            let usual = || verdict::default_probability(label);
            (label.clone(), probability.unwrap_or_else(usual))
        }
    };
    Some(Verdict {
        label,
        probability,
        source: outcome_override.source(),
        provenance: Provenance::Unknown,
    })
}

/// Result of a watermark extraction that a rule forces. `None` if no rule does.
pub(super) fn forced_watermark(order: &Order) -> Option<(WatermarkResult, VerdictSource)> {
    let outcome_override = order.outcome_override.as_ref()?;
    let result = match &outcome_override.outcome {
        ForcedOutcome::WatermarkText { text } => Ok(text.clone()),
        ForcedOutcome::DetectionStatus { status } => Err(*status),
        ForcedOutcome::Failed { .. }
        | ForcedOutcome::Probability { .. }
        | ForcedOutcome::FinalResult { .. }
        | ForcedOutcome::AnalysisFailed => return None,
    };
    Some((result, outcome_override.source()))
}
