//! Webhooks: endpoints of an account, and the delivery of events to them.
//!
//! An event is published in the transaction that caused it, so no event is lost. Its body is
//! serialised once, and the same bytes are stored, signed and sent. Delivery is at least once: a
//! delivery that the receiver has accepted is sent again only if its response was lost. An endpoint
//! receives its attempts one at a time, in the order of their due times. Endpoints do not wait for
//! one another.

mod attempt;
mod attempt_metrics;
mod attempts;
mod deferral;
mod deliver;
mod endpoints;
mod log_line;
mod publish;
mod record;
mod resend;
mod signature;

use std::sync::Arc;

use crate::model::order::{Order, Vendor};
use crate::model::time::Timestamp;
use crate::platform::metrics::Metrics;
use crate::platform::outbound::OutboundClient;
use crate::platform::rng::Entropy;
use crate::services::accounts::Accounts;
use crate::services::claims::Claims;
use crate::services::presigned_urls::PresignedUrls;
use crate::services::rules::Rules;
use crate::storage::db::Db;

pub use attempts::{AttemptFilter, AttemptRecord};
pub use endpoints::EndpointParams;
pub use resend::{RetryError, RetryResult, RetrySummary};
pub use signature::{SIGNATURE_HEADER, signature, verify};

/// Builds the event for an order that has ended. Returns `None` if the vendor sends no event for
/// it.
pub type EventBuilder =
    fn(&Order, &PresignedUrls, event_id: &str, now: Timestamp) -> Option<EventPayload>;

/// Type and body of an event, in the vendor's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPayload {
    /// For example `order.aiDetection.completed`.
    pub event_type: String,
    /// The exact text that is signed and sent.
    pub body: String,
}

/// Service for endpoints, events and deliveries.
#[derive(Debug)]
pub struct Webhooks {
    db: Db,
    accounts: Arc<Accounts>,
    rules: Arc<Rules>,
    entropy: Entropy,
    presigned_urls: PresignedUrls,
    outbound: OutboundClient,
    claims: Claims,
    metrics: Metrics,
    event_builders: Vec<(Vendor, EventBuilder)>,
    unrecorded: record::UnrecordedAttempts,
}

impl Webhooks {
    /// Creates the service. `event_builders` has at most one entry for each vendor.
    #[must_use]
    #[expect(
        clippy::too_many_arguments,
        reason = "the composition root names each once"
    )]
    pub fn new(
        db: Db,
        accounts: Arc<Accounts>,
        rules: Arc<Rules>,
        entropy: Entropy,
        presigned_urls: PresignedUrls,
        outbound: OutboundClient,
        claims: Claims,
        metrics: Metrics,
        event_builders: Vec<(Vendor, EventBuilder)>,
    ) -> Self {
        Self {
            db,
            accounts,
            rules,
            entropy,
            presigned_urls,
            outbound,
            claims,
            metrics,
            event_builders,
            unrecorded: record::UnrecordedAttempts::default(),
        }
    }
}
