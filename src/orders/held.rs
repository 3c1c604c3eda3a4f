//! Orders that wait for their client to read them so often.

use std::sync::Arc;
use std::time::Duration;

use super::Orders;
use crate::accounts::Account;
use crate::claims::Claim;
use crate::model::job::Kind;
use crate::model::order::Order;
use crate::store::{self, StoreError};

/// How long a read waits for an order that is about to be done; the work takes less.
const PATIENCE: Duration = Duration::from_secs(20);

impl Orders {
    /// Its client reads an order: what it is to be told. The last read that the order waits for
    /// still finds it in progress, and what is answered then keeps it from moving on; the next one
    /// finds it at its end.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub async fn polled(
        &self,
        account: &Arc<Account>,
        order: Arc<Order>,
    ) -> Result<(Arc<Order>, Option<Claim>), StoreError> {
        if order.is_let_go() {
            return Ok((self.ended(order).await?, None));
        }
        if !order.is_held() {
            return Ok((order, None));
        }
        let mut tx = self.db.begin().await?;
        let found = store::orders::find(&mut tx, &order.id).await?;
        let mut order = found.ok_or(StoreError::AccountGone)?;
        let polled = Arc::make_mut(&mut order).poll();
        let Some(is_last) = polled else {
            tx.commit().await?;
            return if order.is_let_go() {
                Ok((self.ended(order).await?, None))
            } else {
                Ok((order, None))
            };
        };
        store::orders::update(&mut tx, Arc::clone(&order)).await?;
        let mut hold = None;
        if is_last {
            hold = self.claims.claim(account, Kind::Process, &order.id);
            let now = account.now();
            store::jobs::put(&mut tx, account.id, Kind::Process, &order.id, now).await?;
        }
        tx.commit().await?;
        Ok((order, hold))
    }

    /// The order once it is at its end.
    async fn ended(&self, mut order: Arc<Order>) -> Result<Arc<Order>, StoreError> {
        let over = tokio::time::Instant::now() + PATIENCE;
        loop {
            let progress = self.claims.progress();
            tokio::pin!(progress);
            progress.as_mut().enable();
            match self.db.order(&order.id).await? {
                Some(found) => order = found,
                None => return Err(StoreError::AccountGone),
            }
            let is_late =
                order.is_let_go() && tokio::time::timeout_at(over, progress).await.is_err();
            if !order.is_let_go() || is_late {
                return Ok(order);
            }
        }
    }
}
