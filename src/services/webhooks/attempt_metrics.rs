//! What is counted of attempts and deliveries.

use super::Webhooks;
use super::attempt::AttemptResult;
use crate::model::webhook::DeliveryStatus;
use crate::platform::metrics::{AttemptOutcome, DeliveryOutcome};
use crate::storage::db::{self, InternalError};

impl Webhooks {
    /// Counts an attempt that was made and written down, at a delivery that stood so before and
    /// stands so now.
    pub(super) fn record_metrics(
        &self,
        result: &AttemptResult,
        before: DeliveryStatus,
        now: DeliveryStatus,
    ) {
        for attempt in &result.attempts {
            self.metrics.record_attempt(match &attempt.response {
                _ if result.is_dropped => AttemptOutcome::Dropped,
                Ok(response) if (200..300).contains(&response.status) => AttemptOutcome::Accepted,
                Ok(_) => AttemptOutcome::Refused,
                Err(_) => AttemptOutcome::Unanswered,
            });
        }
        let ended = match now {
            _ if before == now => None,
            DeliveryStatus::Sent => Some(DeliveryOutcome::Sent),
            DeliveryStatus::Failed => Some(DeliveryOutcome::Failed),
            DeliveryStatus::Pending | DeliveryStatus::Retrying => None,
        };
        if let Some(ended) = ended {
            self.metrics.record_delivery(ended);
        }
    }

    /// How many deliveries have an attempt to come.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn pending_deliveries(&self) -> Result<u64, InternalError> {
        db::webhooks::count_pending(&mut self.db.read().await?).await
    }
}
