//! Retries of webhook records that could not be written.

use std::sync::Arc;

use super::Worker;
use super::retries::retry_wait;

impl Worker {
    /// Writes the records that could not be written at once
    /// ([`record_unrecorded`](crate::services::webhooks::Webhooks::record_unrecorded)) until the
    /// worker stops. Waits between attempts as between retries of a job.
    pub(super) async fn record_webhooks(self: Arc<Self>) {
        let mut errors = 0;
        loop {
            let next = async {
                self.webhooks.unrecorded().await;
                tokio::time::sleep(retry_wait(errors + 1)).await;
                self.webhooks.record_unrecorded().await
            };
            tokio::select! {
                () = self.stop.cancelled() => return,
                written = next => errors = if written.is_ok() { 0 } else { errors + 1 },
            }
        }
    }
}
