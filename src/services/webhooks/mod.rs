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
pub use endpoints::{EndpointParams, NAME_CHARS_MAX};
pub use resend::{RetryError, RetryResult, RetrySummary};
pub use signature::{signature, verify};

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
        presigned_urls: PresignedUrls,
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
            presigned_urls,
            outbound,
            claims,
            metrics,
            vendors,
            unrecorded: record::UnrecordedAttempts::default(),
        }
    }

    /// Returns the retry schedule of the vendor whose event is delivered. Empty if that vendor has no
    /// webhooks.
    fn retry_schedule_ms(&self, delivery: &Delivery) -> &'static [i64] {
        let profile = self.vendors.profile(delivery.event.vendor);
        let webhooks = profile.webhooks.as_ref();
        webhooks.map_or(&[], |webhooks| webhooks.retry_schedule_ms)
    }

    /// Returns the name of the header with the signature of `delivery`.
    fn signature_header(&self, delivery: &Delivery) -> Option<&'static str> {
        let profile = self.vendors.profile(delivery.event.vendor);
        Some(profile.webhooks?.signature_header)
    }
}
