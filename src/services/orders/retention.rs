//! The limit on the expired orders and uploads of an account whose rows are kept.

use super::Orders;
use crate::services::accounts::Account;
use crate::storage::db::{self, InternalError};

impl Orders {
    /// Removes the rows of the account's oldest expired orders and uploads: those whose number is more
    /// than the setting's behind the last number. Each request that creates an order draws a number,
    /// also if it repeats an earlier one or is refused. Rows are not counted: that would read as many
    /// index entries as the setting says at each expiry. A read of a removed order answers as if the
    /// order had never been.
    ///
    /// # Errors
    /// If they cannot be removed. The next expiry tries again.
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
