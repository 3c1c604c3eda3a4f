//! Orders that complete after a number of reads by their client.

use std::sync::Arc;

use super::Orders;
use crate::model::job::JobKind;
use crate::model::order::Order;
use crate::services::accounts::Account;
use crate::services::claims::Claim;
use crate::storage::db::{self, InternalError};

impl Orders {
    /// Records that the client reads an order, and returns the order to respond with. The last read
    /// that a rule requires still finds the order in progress. This read returns a claim that keeps
    /// the order from completing until the response has been written. The read after that finds the
    /// order complete or failed.
    ///
    /// # Errors
    /// Returns an error if the database fails.
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
        let row = db::orders::find(&mut tx, &order.id).await?;
        let mut order = row.ok_or(InternalError::AccountGone)?;
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
        let mut claim = None;
        if is_last {
            claim = self.claims.try_claim(account, JobKind::Process, &order.id);
            let now = account.now();
            db::jobs::upsert(&mut tx, account.id, JobKind::Process, &order.id, now).await?;
        }
        tx.commit().await?;
        Ok((order, claim))
    }

    /// Returns the order after its processing job, if due, has been run. Waits for the worker if it
    /// is running the job, and else runs the job. The order is still in progress if a zero-copy
    /// delivery is to be retried.
    async fn wait_for_completion(
        &self,
        account: &Arc<Account>,
        id: &str,
    ) -> Result<Arc<Order>, InternalError> {
        let _claim = self.claims.claim(account, JobKind::Process, id).await;
        let job = db::jobs::find(&mut self.db.read().await?, JobKind::Process, id).await?;
        if let Some(job) = job.filter(|job| job.due_at <= account.now()) {
            self.process(&job).await?;
        }
        let order = self.db.order(id).await?;
        order.ok_or(InternalError::AccountGone)
    }
}
