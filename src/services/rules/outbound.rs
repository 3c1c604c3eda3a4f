//! Rules on outbound calls.

use std::time::Duration;

use super::{RuleDecision, Rules};
use crate::model::rule::{MatchInput, MatchTarget, OutboundCall};
use crate::platform::outbound::CallOverrides;
use crate::services::accounts::Account;
use crate::storage::db::InternalError;

impl Rules {
    /// Evaluates the rules on an outbound call for an account, and counts the matches. `target` is
    /// the URL of a webhook delivery, or the file name of any other call. Cheap if no rule may
    /// match.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn evaluate_call(
        &self,
        account: &Account,
        call: OutboundCall,
        target: &str,
    ) -> Result<RuleDecision, InternalError> {
        match self.call_input(&account.key, call, target) {
            Some(input) => self.evaluate_and_count(input, account.now(), None).await,
            None => Ok(RuleDecision::default()),
        }
    }

    /// Returns the input for the rules on an outbound call. `None` if no rule may match.
    #[must_use]
    pub fn call_input<'a>(
        &self,
        account: &'a str,
        call: OutboundCall,
        target: &'a str,
    ) -> Option<MatchInput<'a>> {
        let is_delivery = call == OutboundCall::WebhookDelivery;
        let input = MatchInput {
            operation: call.operation(),
            account: Some(account),
            subject: MatchTarget::Outbound {
                call,
                webhook_url: is_delivery.then_some(target),
                file_name: (!is_delivery).then_some(target),
            },
        };
        self.may_match(input).then_some(input)
    }
}

impl RuleDecision {
    /// Returns the effects of the decision on the call.
    #[must_use]
    pub fn call_overrides(&self) -> CallOverrides {
        let delay_ms = self.delay_ms.unwrap_or_default();
        CallOverrides {
            delay: Duration::from_millis(delay_ms.into()),
            respond: self.respond.as_ref().map(|(_, respond)| respond.clone()),
            fault: self.fault.clone(),
        }
    }
}
