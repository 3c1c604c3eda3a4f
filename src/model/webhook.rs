//! Webhooks: endpoint (where to), event (what happened), delivery (an event on its way to an
//! endpoint). An attempt is one HTTP try of a delivery.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::ids::{AccountId, DeliveryId, WebhookId};
use super::rule::{Fault, RuleId, StubResponse, WebhookEffect};
use super::time::Timestamp;
use super::vendor::Vendor;

/// Where an account wants its events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    pub id: WebhookId,
    pub account: AccountId,
    /// Vendor whose events the endpoint gets.
    pub vendor: Vendor,
    /// Number of its account's generator with which the secret was drawn.
    pub snowflake: u64,
    pub name: Option<String>,
    pub url: String,
    /// `whsec_…`; signs as it stands, prefix included.
    pub secret: String,
    /// Gets test orders' events, and no others.
    pub test: bool,
    pub active: bool,
    /// The one of its account that the legacy route knows.
    pub legacy: bool,
    pub last_sent_at: Option<Timestamp>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
}

/// Something that happened to an order. The body is made once: the same bytes are stored,
/// signed and sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// A UUID, the same through all endpoints and attempts.
    pub id: String,
    /// Vendor whose format the body has.
    pub vendor: Vendor,
    pub kind: String,
    pub body: String,
}

/// How a delivery stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum DeliveryStatus {
    /// No attempt yet.
    Pending,
    /// Answered 2xx.
    Sent,
    /// At least one attempt failed, another is due.
    Retrying,
    /// The ladder is at its end.
    Failed,
}

impl DeliveryStatus {
    /// Every status.
    pub const ALL: [Self; 4] = [Self::Pending, Self::Sent, Self::Retrying, Self::Failed];

    /// The vendor's word, which is ours too.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Pending => "PENDING",
            Self::Sent => "SENT",
            Self::Retrying => "RETRYING",
            Self::Failed => "FAILED",
        }
    }

    /// The status of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }
}

/// An event on its way to an endpoint: one row through all attempts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivery {
    pub id: DeliveryId,
    pub event: Event,
    pub status: DeliveryStatus,
    /// Attempts after the first.
    pub retries: u32,
    pub last_sent_at: Option<Timestamp>,
    pub created_at: Timestamp,
    /// A rule has its next attempt made later than it was due, and so.
    pub deferred: Option<DeferredAttempt>,
}

/// What rules have decided of an attempt that is put off.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeferredAttempt {
    pub rule: Option<RuleId>,
    /// What the rule is called that puts it off.
    pub rule_label: String,
    pub webhook: WebhookEffect,
    pub delay_ms: Option<u32>,
    pub respond: Option<(String, StubResponse)>,
    pub fault: Option<(String, Fault)>,
}

/// One HTTP try of a delivery, as it was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// The how-manieth of its delivery, from 1; where a rule has it sent several times, theirs.
    pub number: u32,
    pub at: Timestamp,
    pub url: String,
    pub request_headers: BTreeMap<String, String>,
    /// Else one line on why there was none.
    pub response: Result<ReceiverResponse, String>,
    /// Real milliseconds.
    pub duration_ms: u64,
    /// When the next one is due; none: there is none to come.
    pub next_at: Option<Timestamp>,
    /// How the delivery stands after it.
    pub delivery_status: DeliveryStatus,
    /// The first rule that was applied to it.
    pub rule: Option<RuleId>,
}

/// Response of a receiver, with headers and body within limits.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReceiverResponse {
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
    /// `true` if headers or body were longer than what is kept.
    #[serde(default)]
    pub is_clipped: bool,
}

/// Milliseconds from a failed attempt made by hand to the one that follows it.
pub const MANUAL_RETRY_DELAY_MS: i64 = 1_800_000;

impl Delivery {
    /// The attempt made at `now` was answered 2xx.
    pub fn succeed(&mut self, now: Timestamp) {
        self.record_attempt(now);
        self.status = DeliveryStatus::Sent;
    }

    /// Records that the attempt made at `now` failed. Returns the due time of the next one by
    /// `retry_schedule_ms`. `None` if the schedule is at its end: the delivery has failed.
    pub fn fail(&mut self, now: Timestamp, retry_schedule_ms: &[i64]) -> Option<Timestamp> {
        self.record_attempt(now);
        let step = usize::try_from(self.retries)
            .ok()
            .and_then(|step| retry_schedule_ms.get(step));
        self.status = if step.is_some() {
            DeliveryStatus::Retrying
        } else {
            DeliveryStatus::Failed
        };
        step.map(|ms| now.plus_ms(*ms))
    }

    /// The attempt made by hand at `now`, after the ladder's end, failed: when the one that
    /// follows is due. For that one [`Self::fail`] finds no step left.
    pub fn fail_manual(&mut self, now: Timestamp) -> Timestamp {
        self.record_attempt(now);
        self.status = DeliveryStatus::Retrying;
        now.plus_ms(MANUAL_RETRY_DELAY_MS)
    }

    /// A rule has dropped the attempt due at `now`: it is not made, and none after it.
    pub fn fail_permanently(&mut self, now: Timestamp) {
        self.record_attempt(now);
        self.status = DeliveryStatus::Failed;
    }

    /// What was sent was sent once more at `now`, and stays sent whatever came of it.
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
    fn seven_attempts_fail_along_the_ladder_and_two_more_from_one_by_hand() {
        let start = Timestamp::from_ms(0);
        let mut delivery = Delivery {
            id: DeliveryId(1),
            event: Event {
                id: "e".into(),
                vendor: Vendor::Bizmori,
                kind: "k".into(),
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
        let by_hand = Timestamp::from_ms(30_000_000);
        let next = delivery.fail_manual(by_hand);
        assert_eq!(next.ms(), 31_800_000);
        assert_eq!(delivery.status, DeliveryStatus::Retrying);
        assert_eq!(
            delivery.fail(next, &SCHEDULE),
            None,
            "one more, and no ladder"
        );
        assert_eq!(
            (delivery.status, delivery.retries),
            (DeliveryStatus::Failed, 8)
        );
    }
}
