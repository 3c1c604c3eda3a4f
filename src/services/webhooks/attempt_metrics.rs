//! Metrics of attempts and deliveries.

use super::Webhooks;
use super::attempt::AttemptResult;
use crate::model::webhook::DeliveryStatus;
use crate::platform::metrics::{AttemptOutcome, DeliveryOutcome};
use crate::storage::db::{self, InternalError};

impl Webhooks {
    /// Counts a recorded attempt, and its delivery if the attempt ended it. `before` and `now` are
    /// the delivery's status before and after the attempt.
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

    /// Returns the number of deliveries that have a next attempt.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn pending_deliveries(&self) -> Result<u64, InternalError> {
        db::webhooks::count_pending(&mut self.db.read().await?).await
    }
}
