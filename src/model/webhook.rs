//! Webhooks. An endpoint receives events. A delivery is one event for one endpoint. An attempt is one
//! HTTP request of a delivery.
//!
//! [`Delivery::fail`] schedules the next attempt by the vendor's retry schedule.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{AccountId, DeliveryId, WebhookId};
use super::rule::{Fault, RuleId, StubResponse, WebhookEffect};
use super::time::Timestamp;
use super::vendor::Vendor;

/// Receiver of an account's events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub id: WebhookId,
    pub account: AccountId,
    /// Vendor whose events the endpoint gets.
    pub vendor: Vendor,
    /// Number by which the secret is derived from the account's generator.
    pub snowflake: u64,
    pub name: Option<String>,
    pub url: String,
    /// Signing secret, `whsec_…`. The prefix is part of the HMAC key.
    pub secret: String,
    /// `true` if the endpoint receives only events of test orders, `false` if it receives only
    /// events of other orders.
    pub test: bool,
    pub active: bool,
    /// `true` for the endpoint of the account that the legacy route reads and sets.
    pub legacy: bool,
    pub last_sent_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// An event of an order. The body is serialised once: the same bytes are stored, signed and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// UUID, the same for all endpoints and attempts.
    pub id: String,
    /// Vendor whose format the body has.
    pub vendor: Vendor,
    pub event_type: String,
    /// Order that the event is about.
    pub order_id: String,
    pub body: String,
}

/// Status of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryStatus {
    /// No attempt has been made yet.
    Pending,
    /// The receiver answered 2xx.
    Sent,
    /// At least one attempt failed, and another is scheduled.
    Retrying,
    /// The retry schedule is exhausted, or a rule dropped the delivery.
    Failed,
}

impl DeliveryStatus {
    pub const ALL: [Self; 4] = [Self::Pending, Self::Sent, Self::Retrying, Self::Failed];

    /// Returns BIZ MORI's word, which SQL and the control API use as well.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Sent => "SENT",
            Self::Retrying => "RETRYING",
            Self::Failed => "FAILED",
        }
    }

    /// Returns the status of this name. `None` if there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// Delivery of an event to an endpoint. All attempts share one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub event: Event,
    pub status: DeliveryStatus,
    /// Number of attempts after the first.
    pub retries: u32,
    pub last_sent_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// Effects for the next attempt, which a rule has deferred. `None` if no rule did.
    pub deferred: Option<DeferredAttempt>,
}

/// Rule decision for a deferred attempt. Stored, so that the rules are not evaluated again.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeferredAttempt {
    pub rule: Option<RuleId>,
    /// Label of the rule that deferred the attempt.
    pub rule_label: String,
    pub webhook: WebhookEffect,
    pub delay_ms: Option<u32>,
    pub respond: Option<(String, StubResponse)>,
    pub fault: Option<(String, Fault)>,
}

/// One HTTP request of a delivery, and its result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Ordinal of the attempt in its delivery, from 1. Duplicates sent by a rule share the number.
    pub number: u32,
    pub at: Timestamp,
    pub url: String,
    pub request_headers: BTreeMap<String, String>,
    /// The response, or a message if there was none.
    pub response: Result<ReceiverResponse, String>,
    /// Duration in real milliseconds.
    pub duration_ms: u64,
    /// Due time of the next attempt. `None` if there is none.
    pub next_at: Option<Timestamp>,
    /// Status of the delivery after the attempt.
    pub delivery_status: DeliveryStatus,
    /// The first rule that was applied to the attempt.
    pub rule: Option<RuleId>,
}

/// Response of a receiver, with headers and body within limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiverResponse {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// `true` if headers or body exceeded the limits and were cut.
    #[serde(default)]
    pub is_clipped: bool,
}

/// Delay from a failed manual attempt to the automatic attempt that follows it.
pub const MANUAL_RETRY_DELAY_MS: i64 = 1_800_000;

impl Delivery {
    /// Records that the attempt at `now` was answered 2xx.
    pub fn succeed(&mut self, now: Timestamp) {
        self.record_attempt(now);
        self.status = DeliveryStatus::Sent;
    }

    /// Records that the attempt made at `now` failed. Returns the due time of the next one by
    /// `retry_schedule_ms`. `None` if the schedule is at its end: the delivery has failed.
    pub fn fail(&mut self, now: Timestamp, retry_schedule_ms: &[i64]) -> Option<Timestamp> {
        self.record_attempt(now);
        let delay_ms = usize::try_from(self.retries)
            .ok()
            .and_then(|index| retry_schedule_ms.get(index));
        self.status = if delay_ms.is_some() {
            DeliveryStatus::Retrying
        } else {
            DeliveryStatus::Failed
        };
        delay_ms.map(|ms| now.plus_ms(*ms))
    }

    /// Records that a manual attempt at `now` failed, after the retry schedule was exhausted. Returns
    /// the due time of the one attempt that follows: when that fails, [`Self::fail`] returns `None`.
    pub fn fail_manual(&mut self, now: Timestamp) -> Timestamp {
        self.record_attempt(now);
        self.status = DeliveryStatus::Retrying;
        now.plus_ms(MANUAL_RETRY_DELAY_MS)
    }

    /// Records that a rule dropped the attempt due at `now`. The delivery has failed, without retries.
    pub fn fail_permanently(&mut self, now: Timestamp) {
        self.record_attempt(now);
        self.status = DeliveryStatus::Failed;
    }

    /// Records another attempt at `now` of a delivery that has been sent. The status stays as it is,
    /// even if the attempt failed.
    pub fn resend(&mut self, now: Timestamp) {
        self.record_attempt(now);
    }

    fn record_attempt(&mut self, now: Timestamp) {
        if self.status != DeliveryStatus::Pending {
            self.retries += 1;
        }
        self.last_sent_at = Some(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SCHEDULE: [i64; 6] = [1_000, 2_000, 4_000, 1_800_000, 7_200_000, 14_400_000];

    #[test]
    fn fail_follows_the_retry_schedule_and_fail_manual_adds_one_attempt() {
        let start = Timestamp::from_ms(0);
        let mut delivery = Delivery {
            id: DeliveryId(1),
            event: Event {
                id: "e".into(),
                vendor: Vendor::Bizmori,
                event_type: "k".into(),
                order_id: "o".into(),
                body: "{}".into(),
            },
            status: DeliveryStatus::Pending,
            retries: 0,
            last_sent_at: None,
            created_at: start,
            deferred: None,
        };
        let mut due = Some(start);
        let mut attempts = Vec::new();
        while let Some(now) = due {
            attempts.push(now.ms());
            due = delivery.fail(now, &SCHEDULE);
        }
        assert_eq!(
            attempts,
            [0, 1_000, 3_000, 7_000, 1_807_000, 9_007_000, 23_407_000]
        );
        assert_eq!(
            (delivery.status, delivery.retries),
            (DeliveryStatus::Failed, 6)
        );
        let next = delivery.fail_manual(Timestamp::from_ms(30_000_000));
        assert_eq!(next.ms(), 31_800_000);
        assert_eq!(delivery.status, DeliveryStatus::Retrying);
        assert_eq!(
            delivery.fail(next, &SCHEDULE),
            None,
            "a retry after the last attempt"
        );
        assert_eq!(
            (delivery.status, delivery.retries),
            (DeliveryStatus::Failed, 8)
        );
    }
}
