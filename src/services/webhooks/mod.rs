//! Webhooks: where an account's events go, and that they get there.
//!
//! An event is published in the transaction that made it happen, so none is lost; its body is
//! serialised once, and those bytes are stored, signed and sent. Deliveries go out at least
//! once: a second time only where the answer to the first was lost. Each endpoint gets its
//! attempts one at a time, in the order in which they fall due; endpoints do not wait for one
//! another.

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

/// What a vendor tells of an order that has come to its end; none for vendors that do not tell.
pub type EventBuilder =
    fn(&Order, &PresignedUrls, event_id: &str, now: Timestamp) -> Option<EventPayload>;

/// An event in the vendor's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPayload {
    /// `order.aiDetection.completed`.
    pub event_type: String,
    /// The body, as it is signed and sent.
    pub body: String,
}

/// Endpoints, events and deliveries.
#[derive(Debug)]
pub struct Webhooks {
    db: Db,
    accounts: Arc<Accounts>,
    rules: Arc<Rules>,
    entropy: Entropy,
    links: PresignedUrls,
    outbound: OutboundClient,
    claims: Claims,
    metrics: Metrics,
    projections: Vec<(Vendor, EventBuilder)>,
    unrecorded: record::UnrecordedAttempts,
}

impl Webhooks {
    /// Webhooks that speak as `projections` say.
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
        links: PresignedUrls,
        outbound: OutboundClient,
        claims: Claims,
        metrics: Metrics,
        projections: Vec<(Vendor, EventBuilder)>,
    ) -> Self {
        Self {
            db,
            accounts,
            rules,
            entropy,
            links,
            outbound,
            claims,
            metrics,
            projections,
            unrecorded: record::UnrecordedAttempts::default(),
        }
    }
}
