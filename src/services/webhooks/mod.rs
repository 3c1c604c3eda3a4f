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

use crate::model::webhook::Delivery;
use crate::platform::metrics::Metrics;
use crate::platform::outbound::OutboundClient;
use crate::platform::rng::Entropy;
use crate::services::accounts::Accounts;
use crate::services::claims::Claims;
use crate::services::presigned_urls::PresignedUrls;
use crate::services::rules::Rules;
use crate::services::vendors::Vendors;
use crate::storage::db::Db;

pub use attempts::{AttemptFilter, AttemptRecord};
pub use endpoints::EndpointParams;
pub use resend::{RetryError, RetryResult, RetrySummary};
pub use signature::{signature, verify};

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
    vendors: Vendors,
    unrecorded: record::UnrecordedAttempts,
}

impl Webhooks {
    /// Creates the service for the webhooks of `vendors`.
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
        vendors: Vendors,
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
            vendors,
            unrecorded: record::UnrecordedAttempts::default(),
        }
    }

    /// Retry schedule of the vendor whose event `delivery` is of. Empty if that vendor has no webhooks.
    fn retry_schedule_ms(&self, delivery: &Delivery) -> &'static [i64] {
        let profile = self.vendors.profile(delivery.event.vendor);
        profile
            .webhooks
            .map_or(&[], |webhooks| webhooks.retry_schedule_ms)
    }

    /// Name of the header that carries the signature of `delivery`.
    fn signature_header(&self, delivery: &Delivery) -> Option<&'static str> {
        let profile = self.vendors.profile(delivery.event.vendor);
        Some(profile.webhooks?.signature_header)
    }
}
