//! Records of webhooks that could not be written are written later.

use std::sync::Arc;

use super::Worker;
use super::retries::wait_after;

impl Worker {
    /// Writes the records that are kept ([`record_unrecorded`](crate::services::webhooks::Webhooks::record_kept)) as soon
    /// as it can be done, until the worker stops. The wait between two tries grows as that of jobs.
    pub(super) async fn record_webhooks(self: Arc<Self>) {
        let mut errors = 0;
        loop {
            let next = async {
                self.webhooks.unrecorded().await;
                tokio::time::sleep(wait_after(errors + 1)).await;
                self.webhooks.record_unrecorded().await
            };
            tokio::select! {
                () = self.stop.cancelled() => return,
                written = next => errors = if written.is_ok() { 0 } else { errors + 1 },
            }
        }
    }
}
