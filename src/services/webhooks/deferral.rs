//! When an attempt is made, as the rules have it.
//!
//! Rules are asked once for each attempt. Where they have it made later, or after another, what
//! they said is kept with the delivery in the transaction that counts it: the attempt is made as
//! it was ruled then, whatever has become of the rule, and is not ruled again.

use super::Webhooks;
use crate::model::job::Job;
use crate::model::rule::{OutboundCall, WebhookEffect};
use crate::model::time::Timestamp;
use crate::model::webhook::{DeferredAttempt, Delivery, Endpoint};
use crate::services::accounts::Account;
use crate::services::rules::RuleDecision;
use crate::storage::db::{self, InternalError};

/// An attempt that is to come after the next one comes then at the latest: milliseconds.
const OUT_OF_ORDER_MS: i64 = 10_000;

impl Webhooks {
    /// What the rules say to an attempt that is due; none: it is put off, and its job set to what
    /// comes next.
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
        let choice = self.rules.evaluate(&tx, input);
        let put_off = deferral(&choice, account.now());
        if let Some((until, deferred)) = &put_off {
            db::webhooks::defer(&mut tx, delivery.id, *until, deferred).await?;
            db::jobs::reschedule_endpoint(&mut tx, job.id, endpoint.id).await?;
        }
        let counted = std::slice::from_ref(&choice);
        self.rules.record_hits(&mut tx, counted).await?;
        tx.commit().await?;
        choice.log_applied(&input);
        Ok(put_off.is_none().then_some(choice))
    }

    /// What they say to one that is made by hand, and so at once.
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
        let stated =
            rules.evaluate_call(&account.key, OutboundCall::WebhookDelivery, &endpoint.url);
        stated.await
    }
}

/// Until when an attempt is put off that was to be made at `now`, and what is kept of what the
/// rules said; none: it is made at once.
fn deferral(choice: &RuleDecision, now: Timestamp) -> Option<(Timestamp, DeferredAttempt)> {
    let (title, on) = choice.webhook.as_ref()?;
    let ms = match on {
        WebhookEffect {
            delay_ms: Some(ms), ..
        } => i64::from(*ms),
        WebhookEffect {
            out_of_order: true, ..
        } => OUT_OF_ORDER_MS,
        _ => return None,
    };
    let deferred = DeferredAttempt {
        rule: choice.rule,
        rule_label: title.clone(),
        webhook: on.clone(),
        delay_ms: choice.delay_ms,
        respond: choice.respond.clone(),
        fault: choice.fault.clone(),
    };
    Some((now.plus_ms(ms), deferred))
}

/// What the rules had said.
fn restore_effects(deferred: &DeferredAttempt) -> RuleDecision {
    let mut choice = RuleDecision::default();
    choice.rule = deferred.rule;
    choice.webhook = Some((deferred.rule_label.clone(), deferred.webhook.clone()));
    choice.delay_ms = deferred.delay_ms;
    choice.respond.clone_from(&deferred.respond);
    choice.fault.clone_from(&deferred.fault);
    choice
}
