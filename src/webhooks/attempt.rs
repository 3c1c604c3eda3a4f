//! An attempt: the event's bytes, signed and sent, as the rules have it.
//!
//! Rules are asked once for each attempt. What they say of when it is made puts it off: what they
//! said then is kept with the delivery, and the attempt is made as it was ruled, not ruled again.

use std::collections::BTreeMap;
use std::time::Instant;

use super::signature::{SIGNATURE_HEADER, signature};
use super::{Webhooks, put_off};
use crate::accounts::Account;
use crate::model::rule::{OnWebhook, Outgoing, Signature};
use crate::model::time::Timestamp;
use crate::model::webhook::{Answer, Attempt, Delivery, Endpoint};
use crate::outbound::Outbound;
use crate::rules::Choice;
use crate::store::StoreError;

/// What came of an attempt: each time that it was sent, and the status of a 2xx answer, or else
/// one line on what came.
#[derive(Debug)]
pub(super) struct Made {
    pub attempts: Vec<Attempt>,
    pub sent: Result<u16, String>,
    /// A rule has dropped it: no other attempt is made.
    pub is_dropped: bool,
}

impl Made {
    /// How the delivery stands after it, and when the next one is due.
    pub(super) fn settle(&mut self, delivery: &Delivery, next_at: Option<Timestamp>) {
        for attempt in &mut self.attempts {
            delivery
                .status
                .name()
                .clone_into(&mut attempt.delivery_status);
            attempt.next_at = next_at;
        }
    }
}

impl Webhooks {
    /// What the rules say to an attempt at that endpoint, or have said when it was put off.
    pub(super) async fn ruled(
        &self,
        account: &Account,
        endpoint: &Endpoint,
        delivery: &Delivery,
    ) -> Result<Choice, StoreError> {
        if let Some(decided) = &delivery.put_off {
            return Ok(put_off::decided(decided));
        }
        let rules = &self.rules;
        let said = rules.to_call(&account.key, Outgoing::Delivery, &endpoint.url);
        said.await
    }

    /// Makes the attempt, as the rules have it.
    pub(super) async fn attempt(
        &self,
        account: &Account,
        endpoint: &Endpoint,
        delivery: &Delivery,
        choice: &Choice,
    ) -> Made {
        let (title, on) = match &choice.webhook {
            Some((title, on)) => (title.as_str(), on.clone()),
            None => ("", OnWebhook::default()),
        };
        let blank = || Attempt {
            at: account.now(),
            url: endpoint.url.clone(),
            request_headers: BTreeMap::new(),
            answer: Err(format!("{title}: dropped")),
            duration_ms: 0,
            next_at: None,
            delivery_status: String::new(),
            rule: choice.rule,
        };
        if on.drop {
            let dropped = blank();
            return Made {
                sent: Err(format!("{title}: dropped")),
                attempts: vec![dropped],
                is_dropped: true,
            };
        }
        let mut made = Made {
            attempts: Vec::new(),
            sent: Err(String::new()),
            is_dropped: false,
        };
        for _ in 0..on.duplicate.unwrap_or(1) {
            let mut attempt = blank();
            let sent = self
                .send(endpoint, delivery, choice, &on, &mut attempt)
                .await;
            if made.sent.is_err() {
                made.sent = sent;
            }
            made.attempts.push(attempt);
        }
        made
    }

    async fn send(
        &self,
        endpoint: &Endpoint,
        delivery: &Delivery,
        choice: &Choice,
        on: &OnWebhook,
        attempt: &mut Attempt,
    ) -> Result<u16, String> {
        let body = &delivery.event.body;
        let signature = match on.signature {
            None => Some(signature(&endpoint.secret, body.as_bytes())),
            Some(Signature::Wrong) => {
                let other = format!("{} of another", endpoint.secret);
                Some(signature(&other, body.as_bytes()))
            }
            Some(Signature::Missing) => None,
        };
        let headers: Vec<(&str, &str)> = signature
            .iter()
            .map(|signature| (SIGNATURE_HEADER, signature.as_str()))
            .collect();
        let began = Instant::now();
        let treatment = choice.treatment();
        let posted = self
            .outbound
            .post_json(&endpoint.url, &headers, body.clone(), &treatment)
            .await;
        attempt.duration_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        attempt.request_headers = Outbound::headers_of_json(&headers);
        let sent = match &posted {
            Ok(answer) if (200..300).contains(&answer.status) => Ok(answer.status),
            Ok(answer) => Err(format!("answered {}", answer.status)),
            Err(line) => Err(line.clone()),
        };
        attempt.answer = posted.map(|answer| Answer {
            status: answer.status,
            headers: answer.headers,
            body: answer.body,
        });
        sent
    }
}
