//! Limit on the rows of expired orders and uploads that an account keeps.

use super::Orders;
use crate::services::accounts::Account;
use crate::storage::db::{self, InternalError};

impl Orders {
    /// Deletes the rows of the account's oldest expired orders and uploads: those whose number is
    /// at least [`OrderServiceSettings::expired_max`](super::OrderServiceSettings::expired_max)
    /// below the last number. Every request to create an order uses a number, even if it is
    /// rejected or repeats an earlier one. Rows are not counted, because that would read all their
    /// index entries at each expiry. A deleted order reads as if it had never existed.
    ///
    /// # Errors
    /// Returns an error if the database fails. The next expiry tries again.
    pub(super) async fn remove_oldest_expired(
        &self,
        account: &Account,
    ) -> Result<(), InternalError> {
        let expired_max = u64::from(self.settings.expired_max);
        let order_max = account.last_order().saturating_sub(expired_max);
        let upload_max = account.last_upload().saturating_sub(expired_max);
        if order_max == 0 && upload_max == 0 {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        let removed = db::retention::remove_expired_orders(&mut tx, account.id, order_max).await?;
        self.webhooks
            .remove_events(&mut tx, account, &removed)
            .await?;
        db::retention::remove_expired_uploads(&mut tx, account.id, upload_max).await?;
        tx.commit().await
    }
}
