//! Log lines for rules that were applied to requests and outbound calls: one line for each effect,
//! so that the log shows requests that a client retried silently.

use super::{ActiveRule, RuleDecision};
use crate::model::clip::clip;
use crate::model::rule::{MatchInput, MatchTarget, RuleAction, Signature, WebhookEffect};

/// Characters logged of a path, URL or file name.
const SUBJECT_CHARS_MAX: usize = 300;
/// Characters logged of an API key or a rule's name.
const NAME_CHARS_MAX: usize = 100;

impl RuleDecision {
    /// Logs the effects of the rules on a request or call.
    pub fn log_applied(&self, input: &MatchInput<'_>) {
        if self.rule.is_none() || !tracing::enabled!(tracing::Level::INFO) {
            return;
        }
        let mut applied = AppliedEffects::default();
        for (active, _) in self.matches.iter().filter(|(_, applied)| *applied) {
            for effect in applied.add(&active.rule.then) {
                log(active, &effect, input);
            }
        }
    }
}

/// Kinds of effects that an earlier rule has had. The first rule with an effect of a kind wins.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each kind")]
struct AppliedEffects {
    delay: bool,
    respond: bool,
    fault: bool,
    webhook: bool,
}

impl AppliedEffects {
    /// Returns the effects of `then` of kinds that no earlier rule has had.
    fn add(&mut self, then: &RuleAction) -> Vec<String> {
        let is_first = |is_used: &mut bool| !std::mem::replace(is_used, true);
        let mut effects = Vec::new();
        if let Some(ms) = then.delay_ms
            && is_first(&mut self.delay)
        {
            effects.push(format!("delayMs {ms}"));
        }
        if let Some(respond) = &then.respond
            && is_first(&mut self.respond)
        {
            effects.push(format!("respond {}", respond.status));
        }
        if let Some(fault) = then.fault
            && is_first(&mut self.fault)
        {
            effects.push(fault.name().to_owned());
        }
        if let Some(webhook) = &then.webhook
            && is_first(&mut self.webhook)
        {
            effects.extend(webhook_effects(webhook));
        }
        effects
    }
}

fn webhook_effects(webhook: &WebhookEffect) -> Vec<String> {
    if webhook.drop {
        return vec!["drop".to_owned()];
    }
    let mut effects = Vec::new();
    effects.extend(webhook.duplicate.map(|times| format!("duplicate {times}")));
    effects.extend(webhook.delay_ms.map(|ms| format!("delayMs {ms}")));
    effects.extend(webhook.signature.map(|signature| match signature {
        Signature::Wrong => "signature wrong".to_owned(),
        Signature::Missing => "signature missing".to_owned(),
    }));
    effects.extend(webhook.out_of_order.then(|| "outOfOrder".to_owned()));
    effects
}

fn log(active: &ActiveRule, fault: &str, input: &MatchInput<'_>) {
    let rule_name = active.rule.name.as_deref();
    let clipped_name = rule_name.map(|name| clip(name, NAME_CHARS_MAX));
    let clipped_key = input.account.map(|key| clip(key, NAME_CHARS_MAX));
    let rule = active.id.0;
    let operation = input.operation;
    let (name, key) = (clipped_name.as_deref(), clipped_key.as_deref());
    match input.subject {
        MatchTarget::Request { method, path } => {
            let path = &*clip(path, SUBJECT_CHARS_MAX);
            tracing::info!(
                fault,
                rule,
                name,
                operation,
                method,
                path,
                key,
                "rule applied to a request"
            );
        }
        MatchTarget::Outbound {
            webhook_url,
            file_name,
            ..
        } => {
            let clipped_url = webhook_url.map(|url| clip(url, SUBJECT_CHARS_MAX));
            let clipped_file = file_name.map(|file| clip(file, SUBJECT_CHARS_MAX));
            let (url, file) = (clipped_url.as_deref(), clipped_file.as_deref());
            tracing::info!(
                fault,
                rule,
                name,
                operation,
                url,
                file,
                key,
                "rule applied to a call"
            );
        }
        MatchTarget::Order { .. } => {}
    }
}
