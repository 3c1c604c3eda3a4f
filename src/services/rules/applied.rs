//! Log lines of the rules that were applied to requests and to calls of the server's own: one for
//! each thing that was done, so that a client that silently retried is seen.

use super::{ActiveRule, RuleDecision};
use crate::model::clip::clip;
use crate::model::rule::{MatchInput, MatchTarget, RuleAction, Signature, WebhookEffect};

/// Characters logged of a path, a URL, or a file's name.
const SUBJECT_CHARS_MAX: usize = 300;
/// Characters logged of a key or of a rule's name.
const NAME_CHARS_MAX: usize = 100;

impl RuleDecision {
    /// Logs what the rules do to a request or a call.
    pub fn log_applied(&self, input: &MatchInput<'_>) {
        if self.rule.is_none() || !tracing::enabled!(tracing::Level::INFO) {
            return;
        }
        let mut done = AppliedEffects::default();
        for (standing, _) in self.matches.iter().filter(|(_, hit)| *hit) {
            for fault in done.add(&standing.rule.then) {
                log(standing, &fault, input);
            }
        }
    }
}

/// Kinds of effects that an earlier rule has had; of each kind the first rule that has it wins.
#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each kind")]
struct AppliedEffects {
    delay: bool,
    respond: bool,
    fault: bool,
    webhook: bool,
}

impl AppliedEffects {
    /// Returns the effects of `then` on a call that no earlier rule has had.
    fn add(&mut self, then: &RuleAction) -> Vec<String> {
        let is_first = |done: &mut bool| !std::mem::replace(done, true);
        let mut faults = Vec::new();
        if let Some(ms) = then.delay_ms
            && is_first(&mut self.delay)
        {
            faults.push(format!("delayMs {ms}"));
        }
        if let Some(respond) = &then.respond
            && is_first(&mut self.respond)
        {
            faults.push(format!("respond {}", respond.status));
        }
        if let Some(fault) = then.fault
            && is_first(&mut self.fault)
        {
            faults.push(fault.name().to_owned());
        }
        if let Some(webhook) = &then.webhook
            && is_first(&mut self.webhook)
        {
            faults.extend(webhook_faults(webhook));
        }
        faults
    }
}

fn webhook_faults(webhook: &WebhookEffect) -> Vec<String> {
    if webhook.drop {
        return vec!["drop".to_owned()];
    }
    let mut faults = Vec::new();
    faults.extend(webhook.duplicate.map(|times| format!("duplicate {times}")));
    faults.extend(webhook.delay_ms.map(|ms| format!("delayMs {ms}")));
    faults.extend(webhook.signature.map(|signature| match signature {
        Signature::Wrong => "signature wrong".to_owned(),
        Signature::Missing => "signature missing".to_owned(),
    }));
    faults.extend(webhook.out_of_order.then(|| "outOfOrder".to_owned()));
    faults
}

fn log(standing: &ActiveRule, fault: &str, input: &MatchInput<'_>) {
    let name = standing.rule.name.as_deref();
    let name = name.map(|name| clip(name, NAME_CHARS_MAX));
    let key = input.account.map(|key| clip(key, NAME_CHARS_MAX));
    let (rule, operation) = (standing.id.0, input.operation);
    let (name, key) = (name.as_deref(), key.as_deref());
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
            let url = webhook_url.map(|url| clip(url, SUBJECT_CHARS_MAX));
            let file = file_name.map(|file| clip(file, SUBJECT_CHARS_MAX));
            let (url, file) = (url.as_deref(), file.as_deref());
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
