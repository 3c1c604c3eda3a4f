//! Effects of the rules on one input: for each kind of effect, that of the first rule that applies.

use std::sync::Arc;

use super::ActiveRule;
use crate::model::rule::{
    Fault, OutcomeOverride, ProcessingMode, RuleAction, RuleId, StubResponse, WebhookEffect,
};

/// Effects that the rules have on a request, call or order, and the rules that matched.
#[derive(Debug, Default)]
pub struct RuleDecision {
    pub delay_ms: Option<u32>,
    /// Label of the rule, and its stub response.
    pub respond: Option<(String, StubResponse)>,
    /// Label of the rule, and its fault.
    pub fault: Option<(String, Fault)>,
    pub outcome_override: Option<OutcomeOverride>,
    pub processing: Option<(RuleId, ProcessingMode)>,
    /// Label of the rule, and its webhook effect.
    pub webhook: Option<(String, WebhookEffect)>,
    /// First rule that applies.
    pub rule: Option<RuleId>,
    /// Rules that matched. `true` if the rule was applied.
    pub(super) matches: Vec<(Arc<ActiveRule>, bool)>,
}

impl RuleDecision {
    /// `true` if `then` has an effect that no earlier rule decided.
    pub(super) fn wants(&self, then: &RuleAction) -> bool {
        (then.delay_ms.is_some() && self.delay_ms.is_none())
            || (then.respond.is_some() && self.respond.is_none())
            || (then.fault.is_some() && self.fault.is_none())
            || (then.outcome.is_some() && self.outcome_override.is_none())
            || (then.processing.is_some() && self.processing.is_none())
            || (then.webhook.is_some() && self.webhook.is_none())
    }

    /// Takes the effects of a rule that no earlier rule decided.
    pub(super) fn apply(&mut self, active: &ActiveRule) {
        let then = &active.rule.then;
        self.rule = self.rule.or(Some(active.id));
        self.delay_ms = self.delay_ms.or(then.delay_ms);
        if let (None, Some(respond)) = (&self.respond, &then.respond) {
            self.respond = Some((active.label(), respond.clone()));
        }
        if let (None, Some(fault)) = (&self.fault, then.fault) {
            self.fault = Some((active.label(), fault));
        }
        if let (None, Some(processing)) = (self.processing, then.processing) {
            self.processing = Some((active.id, processing));
        }
        if let (None, Some(webhook)) = (&self.webhook, &then.webhook) {
            self.webhook = Some((active.label(), webhook.clone()));
        }
        if let (None, Some(outcome)) = (&self.outcome_override, &then.outcome) {
            self.outcome_override = Some(OutcomeOverride {
                rule: Some(active.id),
                outcome: outcome.clone(),
            });
        }
    }
}
