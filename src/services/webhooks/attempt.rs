//! An attempt: the event's bytes, signed and sent, as the rules have it.

use std::time::Instant;

use super::Webhooks;
use super::signature::signature;
use crate::model::rule::{Signature, WebhookEffect};
use crate::model::time::Timestamp;
use crate::model::webhook::{Attempt, Delivery, Endpoint, ReceiverResponse};
use crate::platform::outbound::OutboundClient;
use crate::services::accounts::Account;
use crate::services::rules::RuleDecision;

/// What came of an attempt: each time that it was sent, and the status of a 2xx answer to one of
/// them, or else one line on what came.
#[derive(Debug)]
pub(super) struct AttemptResult {
    /// One at least.
    pub attempts: Vec<Attempt>,
    pub result: Result<u16, String>,
    /// A rule has dropped it: no other attempt is made.
    pub is_dropped: bool,
}

impl AttemptResult {
    fn single(attempt: Attempt, sent: Result<u16, String>) -> Self {
        Self {
            attempts: vec![attempt],
            result: sent,
            is_dropped: false,
        }
    }

    /// How the delivery stands after it, and when the next one is due.
    pub(super) fn set_delivery_state(&mut self, delivery: &Delivery, next_at: Option<Timestamp>) {
        for attempt in &mut self.attempts {
            attempt.number = delivery.retries + 1;
            attempt.delivery_status = delivery.status;
            attempt.next_at = next_at;
        }
    }
}

impl Webhooks {
    /// Makes the attempt, as the rules have it; when, is not asked here.
    pub(super) async fn attempt(
        &self,
        account: &Account,
        endpoint: &Endpoint,
        delivery: &Delivery,
        choice: &RuleDecision,
    ) -> AttemptResult {
        let on = choice.webhook.as_ref();
        if let Some((title, WebhookEffect { drop: true, .. })) = on {
            let line = format!("{title}: dropped");
            let mut attempt = new_attempt(account, endpoint, delivery, choice);
            attempt.response = Err(line.clone());
            let is_dropped = true;
            return AttemptResult {
                is_dropped,
                ..AttemptResult::single(attempt, Err(line))
            };
        }
        let post = || self.send(account, endpoint, delivery, choice);
        let (attempt, sent) = post().await;
        let mut result = AttemptResult::single(attempt, sent);
        for _ in 1..on.and_then(|(_, on)| on.duplicate).unwrap_or(1) {
            let (attempt, sent) = post().await;
            result.attempts.push(attempt);
            result.result = result.result.or(sent);
        }
        result
    }

    async fn send(
        &self,
        account: &Account,
        endpoint: &Endpoint,
        delivery: &Delivery,
        choice: &RuleDecision,
    ) -> (Attempt, Result<u16, String>) {
        let mut attempt = new_attempt(account, endpoint, delivery, choice);
        let body = &delivery.event.body;
        let on = choice.webhook.as_ref();
        let signature = signature_header(endpoint, body, on.and_then(|(_, on)| on.signature));
        let headers: Vec<(&str, &str)> = signature
            .iter()
            .zip(self.signature_header(delivery))
            .map(|(signature, name)| (name, signature.as_str()))
            .collect();
        attempt.request_headers =
            OutboundClient::headers_of_json(&endpoint.url, &headers, body.len());
        let began = Instant::now();
        let treatment = choice.call_overrides();
        let posted = self
            .outbound
            .post_json(&endpoint.url, &headers, body.clone(), &treatment)
            .await;
        attempt.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let sent = match &posted {
            Ok(response) if (200..300).contains(&response.status) => Ok(response.status),
            Ok(response) => Err(format!("answered {}", response.status)),
            Err(line) => Err(line.clone()),
        };
        attempt.response = posted.map(|response| ReceiverResponse {
            status: response.status,
            headers: response.headers,
            body: response.body,
            is_clipped: response.is_clipped,
        });
        (attempt, sent)
    }
}

/// One that is made now, and of which nothing has come yet.
fn new_attempt(
    account: &Account,
    endpoint: &Endpoint,
    delivery: &Delivery,
    choice: &RuleDecision,
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
        rule: choice.rule,
    }
}

/// The signature, or what a rule has in its place; none: there is no header.
fn signature_header(endpoint: &Endpoint, body: &str, instead: Option<Signature>) -> Option<String> {
    match instead {
        None => Some(signature(&endpoint.secret, body.as_bytes())),
        Some(Signature::Wrong) => {
            let other = format!("{} of another", endpoint.secret);
            Some(signature(&other, body.as_bytes()))
        }
        Some(Signature::Missing) => None,
    }
}
