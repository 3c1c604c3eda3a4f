//! Orders are read.

use super::{KeyOwner, Orders, key_owner};
use crate::accounts::Account;
use crate::model::order::{Order, Vendor};
use crate::model::time::Timestamp;
use crate::store::{self, StoreError};

/// Whose object it is.
#[derive(Debug, Clone)]
pub struct Owner {
    pub account: std::sync::Arc<Account>,
    /// The order that waits for it, or made it; none for Undetectable's uploads.
    pub order_id: Option<String>,
}

impl Orders {
    /// The order of that id and vendor, whosever it is.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn find(&self, vendor: Vendor, id: &str) -> Result<Option<Order>, StoreError> {
        let found = store::orders::find(&mut self.db.read().await?, id).await?;
        Ok(found.filter(|order| order.vendor == vendor))
    }

    /// The account, and the order if there is one, that an object belongs to.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn owner(&self, key: &str) -> Result<Option<Owner>, StoreError> {
        let Some(named) = key_owner(key) else {
            return Ok(None);
        };
        let mut reader = self.db.read().await?;
        let (id, order_id) = match named {
            KeyOwner::Order(id) => {
                let found = store::orders::find(&mut reader, id).await?;
                (found.map(|order| order.account), Some(id.to_owned()))
            }
            KeyOwner::Upload(id) => (
                store::uploads::find(&mut reader, id)
                    .await?
                    .map(|upload| upload.account),
                None,
            ),
        };
        let account = id.and_then(|id| self.accounts.by_id(id));
        Ok(account.map(|account| Owner { account, order_id }))
    }

    /// The client is told for the first time that the document is done, at `now`: the order as
    /// it stood before that, and stands from now on.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn told(&self, mut order: Order, now: Timestamp) -> Result<Order, StoreError> {
        if !order.tell(now) {
            return Ok(order);
        }
        let mut tx = self.db.begin().await?;
        let Some(mut current) = store::orders::find(&mut tx, &order.id).await? else {
            return Err(StoreError::AccountGone);
        };
        if current.tell(now) {
            store::orders::update(&mut tx, &current).await?;
            tx.commit().await?;
        }
        Ok(current)
    }
}
