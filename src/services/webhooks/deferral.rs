//! Rules on attempts, and attempts that rules defer.
//!
//! Rules are evaluated once per attempt. If a rule delays an attempt or puts it after the next one,
//! its effects are stored with the delivery, in the transaction that counts the rule. The deferred
//! attempt is made with these effects, even if the rule has changed, and is not evaluated again.

use super::Webhooks;
use crate::model::job::Job;
use crate::model::rule::{OutboundCall, WebhookEffect};
use crate::model::time::Timestamp;
use crate::model::webhook::{DeferredAttempt, Delivery, Endpoint};
use crate::services::accounts::Account;
use crate::services::rules::{MatchOccasion, RuleDecision};
use crate::storage::db::{self, InternalError};

/// Longest wait of an attempt that a rule puts after the next attempt, in milliseconds.
const OUT_OF_ORDER_MS: i64 = 10_000;

impl Webhooks {
    /// Evaluates the rules on an attempt that is due. Returns `None` if a rule defers the attempt;
    /// the job is then rescheduled to the endpoint's next attempt.
    pub(super) async fn rules_for_attempt(
        &self,
        job: &Job,
        account: &Account,
        endpoint: &Endpoint,
        delivery: &Delivery,
    ) -> Result<Option<RuleDecision>, InternalError> {
        if let Some(deferred) = &delivery.deferred {
            return Ok(Some(restore_effects(deferred)));
        }
        let call = OutboundCall::WebhookDelivery;
        let Some(input) = self.rules.call_input(&account.key, call, &endpoint.url) else {
            return Ok(Some(RuleDecision::default()));
        };
        let mut tx = self.db.begin().await?;
        let decision = self.rules.evaluate(&tx, input);
        let now = account.now();
        let deferred_until = deferral(&decision, now);
        if let Some((until, deferred)) = &deferred_until {
            db::webhooks::defer(&mut tx, account.id, delivery.id, *until, deferred).await?;
            db::jobs::reschedule_endpoint(&mut tx, job.id, endpoint.id).await?;
        }
        let counted = std::slice::from_ref(&decision);
        let occasion = MatchOccasion::new(&input, now);
        self.rules.record_hits(&mut tx, counted, occasion).await?;
        tx.commit().await?;
        decision.log_applied(&input);
        Ok(deferred_until.is_none().then_some(decision))
    }

    /// Evaluates the rules on a manual attempt, which is made at once. Uses the stored effects if
    /// the attempt was deferred.
    pub(super) async fn rules_for_manual_attempt(
        &self,
        account: &Account,
        endpoint: &Endpoint,
        delivery: &Delivery,
    ) -> Result<RuleDecision, InternalError> {
        if let Some(deferred) = &delivery.deferred {
            return Ok(restore_effects(deferred));
        }
        let rules = &self.rules;
        let decision = rules.evaluate_call(account, OutboundCall::WebhookDelivery, &endpoint.url);
        decision.await
    }
}

/// Returns the time until which a rule defers an attempt that is due at `now`, and the effects to
/// store. `None` if the attempt is not deferred.
fn deferral(decision: &RuleDecision, now: Timestamp) -> Option<(Timestamp, DeferredAttempt)> {
    let (label, effect) = decision.webhook.as_ref()?;
    let ms = match effect {
        WebhookEffect {
            delay_ms: Some(ms), ..
        } => i64::from(*ms),
        WebhookEffect {
            out_of_order: true, ..
        } => OUT_OF_ORDER_MS,
        _ => return None,
    };
    let deferred = DeferredAttempt {
        rule: decision.rule,
        rule_label: label.clone(),
        webhook: effect.clone(),
        delay_ms: decision.delay_ms,
        respond: decision.respond.clone(),
        fault: decision.fault.clone(),
    };
    Some((now.plus_ms(ms), deferred))
}

/// Returns the decision that was stored when the attempt was deferred.
fn restore_effects(deferred: &DeferredAttempt) -> RuleDecision {
    let mut decision = RuleDecision::default();
    decision.rule = deferred.rule;
    decision.webhook = Some((deferred.rule_label.clone(), deferred.webhook.clone()));
    decision.delay_ms = deferred.delay_ms;
    decision.respond.clone_from(&deferred.respond);
    decision.fault.clone_from(&deferred.fault);
    decision
}
