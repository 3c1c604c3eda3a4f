//! What rules say to calls of ours, and what that makes of them.

use std::time::Duration;

use super::{RuleDecision, Rules};
use crate::model::rule::{MatchInput, MatchTarget, OutboundCall};
use crate::platform::outbound::CallOverrides;
use crate::storage::db::InternalError;

impl Rules {
    /// What the rules say to a call that is about to be made for the account of that key, counted;
    /// `about` is the URL of a delivery, and the file's name of any other. Cheap where no rule is
    /// about such calls.
    ///
    /// # Errors
    /// If the counts cannot be written.
    pub async fn evaluate_call(
        &self,
        account: &str,
        call: OutboundCall,
        about: &str,
    ) -> Result<RuleDecision, InternalError> {
        match self.call_input(account, call, about) {
            Some(input) => self.evaluate_and_count(input).await,
            None => Ok(RuleDecision::default()),
        }
    }

    /// Such a call, to be decided on; none where no rule is about any.
    #[must_use]
    pub fn call_input<'a>(
        &self,
        account: &'a str,
        call: OutboundCall,
        about: &'a str,
    ) -> Option<MatchInput<'a>> {
        let is_delivery = call == OutboundCall::WebhookDelivery;
        let input = MatchInput {
            operation: call.operation(),
            account: Some(account),
            subject: MatchTarget::Outbound {
                call,
                webhook_url: is_delivery.then_some(about),
                file_name: (!is_delivery).then_some(about),
            },
        };
        self.may_match(input).then_some(input)
    }
}

impl RuleDecision {
    /// What is to be done to the call that it was made for.
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
