//! Attempts: an event's bytes, signed and sent, with the effects that rules have on the call.

use std::time::Instant;

use super::Webhooks;
use super::signature::signature;
use crate::model::rule::{Signature, WebhookEffect};
use crate::model::time::Timestamp;
use crate::model::webhook::{Attempt, Delivery, Endpoint, ReceiverResponse};
use crate::platform::outbound::OutboundClient;
use crate::services::accounts::Account;
use crate::services::rules::RuleDecision;

/// Result of an attempt. A rule can duplicate the request, so that one attempt sends several.
#[derive(Debug)]
pub(super) struct AttemptResult {
    /// One entry per request, at least one.
    pub attempts: Vec<Attempt>,
    /// Status of a 2xx response to one of the requests, else the reason of the failure.
    pub result: Result<u16, String>,
    /// `true` if a rule dropped the attempt. The delivery is then not retried.
    pub is_dropped: bool,
}

impl AttemptResult {
    fn single(attempt: Attempt, result: Result<u16, String>) -> Self {
        Self {
            attempts: vec![attempt],
            result,
            is_dropped: false,
        }
    }

    /// Stores the delivery's state after the attempt, and the due time of the next attempt.
    pub(super) fn set_delivery_state(&mut self, delivery: &Delivery, next_at: Option<Timestamp>) {
        for attempt in &mut self.attempts {
            attempt.number = delivery.retries + 1;
            attempt.delivery_status = delivery.status;
            attempt.next_at = next_at;
        }
    }
}

impl Webhooks {
    /// Makes the attempt with the effects of `decision`. A rule that defers the attempt is
    /// handled in [`super::deferral`].
    pub(super) async fn attempt(
        &self,
        account: &Account,
        endpoint: &Endpoint,
        delivery: &Delivery,
        decision: &RuleDecision,
    ) -> AttemptResult {
        let effect = decision.webhook.as_ref();
        if let Some((label, WebhookEffect { drop: true, .. })) = effect {
            let message = format!("{label}: dropped");
            let mut attempt = new_attempt(account, endpoint, delivery, decision);
            attempt.response = Err(message.clone());
            return AttemptResult {
                is_dropped: true,
                ..AttemptResult::single(attempt, Err(message))
            };
        }
        let send = || self.send(account, endpoint, delivery, decision);
        let (first, status) = send().await;
        let mut result = AttemptResult::single(first, status);
        for _ in 1..effect.and_then(|(_, effect)| effect.duplicate).unwrap_or(1) {
            let (copy, status) = send().await;
            result.attempts.push(copy);
            result.result = result.result.or(status);
        }
        result
    }

    async fn send(
        &self,
        account: &Account,
        endpoint: &Endpoint,
        delivery: &Delivery,
        decision: &RuleDecision,
    ) -> (Attempt, Result<u16, String>) {
        let mut attempt = new_attempt(account, endpoint, delivery, decision);
        let body = &delivery.event.body;
        let effect = decision.webhook.as_ref();
        let signature = signature_header(
            endpoint,
            body,
            effect.and_then(|(_, effect)| effect.signature),
        );
        let headers: Vec<(&str, &str)> = signature
            .iter()
            .zip(self.signature_header(delivery))
            .map(|(signature, name)| (name, signature.as_str()))
            .collect();
        attempt.request_headers =
            OutboundClient::headers_of_json(&endpoint.url, &headers, body.len());
        let started_at = Instant::now();
        let overrides = decision.call_overrides();
        let response = self
            .outbound
            .post_json(&endpoint.url, &headers, body.clone(), &overrides)
            .await;
        attempt.duration_ms = u64::try_from(started_at.elapsed().as_millis()).unwrap_or(u64::MAX);
        let result = match &response {
            Ok(response) if (200..300).contains(&response.status) => Ok(response.status),
            Ok(response) => Err(format!("answered {}", response.status)),
            Err(message) => Err(message.clone()),
        };
        attempt.response = response.map(|response| ReceiverResponse {
            status: response.status,
            headers: response.headers,
            body: response.body,
            is_clipped: response.is_clipped,
        });
        (attempt, result)
    }
}

/// Returns an attempt that starts now and has no response yet.
fn new_attempt(
    account: &Account,
    endpoint: &Endpoint,
    delivery: &Delivery,
    decision: &RuleDecision,
) -> Attempt {
    Attempt {
        number: delivery.retries + 1,
        at: account.now(),
        url: endpoint.url.clone(),
        request_headers: std::collections::BTreeMap::new(),
        response: Err(String::new()),
        duration_ms: 0,
        next_at: None,
        delivery_status: delivery.status,
        rule: decision.rule,
    }
}

/// Returns the signature header, as the rule's effect changes it. `None` if the header is left out.
fn signature_header(endpoint: &Endpoint, body: &str, effect: Option<Signature>) -> Option<String> {
    match effect {
        None => Some(signature(&endpoint.secret, body.as_bytes())),
        Some(Signature::Wrong) => {
            let wrong_secret = format!("{} of another", endpoint.secret);
            Some(signature(&wrong_secret, body.as_bytes()))
        }
        Some(Signature::Missing) => None,
    }
}
