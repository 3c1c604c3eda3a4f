//! Outcomes that a rule or the control plane forces. Forced outcomes take precedence over file names
//! and content.

use super::failures;
use crate::engine::verdict;
use crate::model::order::Order;
use crate::model::picture::{Label, Provenance, Verdict, VerdictSource};
use crate::model::rule::{ForcedOutcome, OutcomeOverride};
use crate::model::work::{Failure, WatermarkResult, Work};
use crate::services::rules::RuleDecision;

/// Probability from which an image is labelled as AI-generated.
const AI_PROBABILITY_MIN: f64 = 0.5;

/// Sets the outcomes and the processing mode that rules force on a new order. In a bulk, each image
/// has an outcome of its own. The first rule with a processing mode decides the order's.
pub(super) fn apply_rules(order: &mut Order, decisions: &[RuleDecision]) {
    let overrides = decisions
        .iter()
        .map(|decision| decision.outcome_override.clone());
    if let Work::Bulk(bulk) = &mut order.work {
        for (entry, outcome_override) in bulk.queued.iter_mut().zip(overrides) {
            entry.outcome_override = outcome_override;
        }
    } else {
        order.outcome_override = overrides.flatten().next();
    }
    let mut modes = decisions.iter().filter_map(|decision| decision.processing);
    order.processing = modes.next().map(|(_, mode)| mode);
}

/// Sets the outcome that the control plane forces on an order. In a bulk, on each of its images.
pub(super) fn apply_manual_outcome(order: &mut Order, outcome: &ForcedOutcome) {
    let manual = OutcomeOverride {
        rule: None,
        outcome: outcome.clone(),
    };
    if let Work::Bulk(bulk) = &mut order.work {
        for entry in &mut bulk.queued {
            entry.outcome_override = Some(manual.clone());
        }
    } else {
        order.outcome_override = Some(manual);
    }
}

/// Returns the failure that `outcome_override` forces on the order or bulk item. `None` if it
/// forces no failure.
pub(super) fn forced_failure(
    order: &Order,
    outcome_override: Option<&OutcomeOverride>,
) -> Option<Failure> {
    let outcome_override = outcome_override?;
    let ForcedOutcome::Failed { code, message } = &outcome_override.outcome else {
        return None;
    };
    let default_message = || match outcome_override.rule {
        Some(rule) => format!("failed by rule {rule}"),
        None => "failed manually".to_owned(),
    };
    let message = message.clone().unwrap_or_else(default_message);
    let general = failures::failure(order, message);
    Some(Failure {
        code: code.clone().unwrap_or(general.code),
        ..general
    })
}

/// Returns the verdict that `outcome_override` forces on an image. `None` if it forces none.
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
            let default = || verdict::default_probability(label);
            (label.clone(), probability.unwrap_or_else(default))
        }
    };
    Some(Verdict {
        label,
        probability,
        source: outcome_override.source(),
        provenance: Provenance::Unknown,
    })
}

/// Returns the forced result of a watermark extraction. `None` if no result is forced.
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
