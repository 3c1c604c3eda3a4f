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
    let said = choices.iter().map(|choice| choice.outcome_override.clone());
    if let Work::Bulk(bulk) = &mut order.work {
        for (queued, ruled) in bulk.queued.iter_mut().zip(said) {
            queued.outcome_override = ruled;
        }
    } else {
        order.outcome_override = said.flatten().next();
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
pub(super) fn forced_failure(order: &Order, ruled: Option<&OutcomeOverride>) -> Option<Failure> {
    let ruled = ruled?;
    let ForcedOutcome::Failed { code, message } = &ruled.outcome else {
        return None;
    };
    let message = message.clone();
    let message = message.unwrap_or_else(|| match ruled.rule {
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
pub(super) fn forced_verdict(ruled: Option<&OutcomeOverride>) -> Option<Verdict> {
    let ruled = ruled?;
    let (label, probability) = match &ruled.outcome {
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
        source: ruled.basis(),
        provenance: Provenance::Unknown,
    })
}

/// Result of a watermark extraction that a rule forces. `None` if no rule does.
pub(super) fn forced_watermark(order: &Order) -> Option<(WatermarkResult, VerdictSource)> {
    let ruled = order.outcome_override.as_ref()?;
    let result = match &ruled.outcome {
        ForcedOutcome::WatermarkText { text } => Ok(text.clone()),
        ForcedOutcome::DetectionStatus { status } => Err(*status),
        ForcedOutcome::Failed { .. }
        | ForcedOutcome::Probability { .. }
        | ForcedOutcome::FinalResult { .. }
        | ForcedOutcome::AnalysisFailed => return None,
    };
    Some((result, ruled.basis()))
}
