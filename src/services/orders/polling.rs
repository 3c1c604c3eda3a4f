//! Orders that wait for their client to read them so often.

use std::sync::Arc;

use super::Orders;
use crate::model::job::JobKind;
use crate::model::order::Order;
use crate::services::accounts::Account;
use crate::services::claims::Claim;
use crate::storage::db::{self, InternalError};

impl Orders {
    /// Its client reads an order: what it is to be told. The last read that the order waits for
    /// still finds it in progress, and what is answered then keeps it from moving on; the next one
    /// finds it at its end.
    ///
    /// # Errors
    /// If it cannot be read or written.
    pub async fn record_poll(
        &self,
        account: &Arc<Account>,
        order: Arc<Order>,
    ) -> Result<(Arc<Order>, Option<Claim>), InternalError> {
        if order.is_released() {
            return Ok((self.wait_for_completion(account, &order.id).await?, None));
        }
        if !order.is_held() {
            return Ok((order, None));
        }
        let mut tx = self.db.begin().await?;
        let found = db::orders::find(&mut tx, &order.id).await?;
        let mut order = found.ok_or(InternalError::AccountGone)?;
        let polled = Arc::make_mut(&mut order).poll();
        let Some(is_last) = polled else {
            tx.commit().await?;
            return if order.is_released() {
                Ok((self.wait_for_completion(account, &order.id).await?, None))
            } else {
                Ok((order, None))
            };
        };
        db::orders::update(&mut tx, Arc::clone(&order)).await?;
        let mut hold = None;
        if is_last {
            hold = self.claims.try_claim(account, JobKind::Process, &order.id);
            let now = account.now();
            db::jobs::upsert(&mut tx, account.id, JobKind::Process, &order.id, now).await?;
        }
        tx.commit().await?;
        Ok((order, hold))
    }

    /// The order, once the work that its last read has made due is done: it is waited for, or done
    /// here, if the worker has not come to it. It goes on where that has not brought it to its end.
    async fn wait_for_completion(
        &self,
        account: &Arc<Account>,
        id: &str,
    ) -> Result<Arc<Order>, InternalError> {
        let _turn = self.claims.claim(account, JobKind::Process, id).await;
        let job = db::jobs::find(&mut self.db.read().await?, JobKind::Process, id).await?;
        if let Some(job) = job.filter(|job| job.due_at <= account.now()) {
            self.process(&job).await?;
        }
        let order = self.db.order(id).await?;
        order.ok_or(InternalError::AccountGone)
    }
}
