//! What a rule settled of an order outranks its files' names and bytes.

use super::work;
use crate::engine::verdict;
use crate::model::order::Order;
use crate::model::picture::{Basis, Label, Provenance, Verdict};
use crate::model::rule::{Outcome, Ruled};
use crate::model::work::{Failure, Work};
use crate::rules::Choice;

/// From here on a picture is taken for a machine's.
const AI_PROBABILITY_MIN: f64 = 0.5;

/// Writes on a new order what rules say to it: of a bulk, to each of its pictures.
pub(super) fn settle(order: &mut Order, choices: &[Choice]) {
    let said = choices.iter().map(|choice| choice.ruled.clone());
    if let Work::Bulk(bulk) = &mut order.work {
        for (queued, ruled) in bulk.queued.iter_mut().zip(said) {
            queued.ruled = ruled;
        }
    } else {
        order.ruled = said.flatten().next();
    }
}

/// How the order, or a picture of it, fails, if a rule has it fail.
pub(super) fn failure(order: &Order, ruled: Option<&Ruled>) -> Option<Failure> {
    let ruled = ruled?;
    let Outcome::Failed { code, message } = &ruled.outcome else {
        return None;
    };
    let message = message.clone();
    let message = message.unwrap_or_else(|| format!("failed by rule {}", ruled.rule));
    let general = work::failure(order, message);
    Some(Failure {
        code: code.clone().unwrap_or(general.code),
        ..general
    })
}

/// What a picture is judged to be, if a rule says.
pub(super) fn verdict(ruled: Option<&Ruled>) -> Option<Verdict> {
    let ruled = ruled?;
    let (label, probability) = match &ruled.outcome {
        Outcome::Failed { .. } | Outcome::WatermarkText { .. } => return None,
        Outcome::Probability { probability } if *probability >= AI_PROBABILITY_MIN => {
            (Label::Ai, *probability)
        }
        Outcome::Probability { probability } => (Label::Human, *probability),
        Outcome::FinalResult { label, probability } => {
            let usual = || verdict::usual_probability(label);
            (label.clone(), probability.unwrap_or_else(usual))
        }
    };
    Some(Verdict {
        label,
        probability,
        basis: Basis::Rule(ruled.rule),
        provenance: Provenance::Unknown,
    })
}

/// The watermark found, if a rule says.
pub(super) fn watermark(order: &Order) -> Option<(Option<String>, Basis)> {
    let ruled = order.ruled.as_ref()?;
    match &ruled.outcome {
        Outcome::WatermarkText { text } => Some((text.clone(), Basis::Rule(ruled.rule))),
        Outcome::Failed { .. } | Outcome::Probability { .. } | Outcome::FinalResult { .. } => None,
    }
}
