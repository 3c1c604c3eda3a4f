//! Processing of orders: the jobs that end an order, and the record of the result.

use std::sync::Arc;

use super::end_log::log_order_end;
use super::failures::TaskError;
use super::zero_copy::{ZeroCopyResult, delivery_failure, retry_delay_ms};
use super::{Orders, billing, blob_keys, upload};
use crate::model::job::Job;
use crate::model::order::{Order, OrderState};
use crate::model::work::{Failure, Outcome};
use crate::services::accounts::{Account, UploadSubject};
use crate::storage::db::{self, InternalError};

/// Result of one run of a processing job.
enum ProcessResult {
    Finished(Result<Outcome, Failure>),
    /// The outputs are not all delivered, and the job is to be run again.
    RetryLater {
        delivered_files: Vec<u64>,
        reason: String,
    },
}

impl Orders {
    /// Runs an order's processing job: runs the task, then records the result and publishes the
    /// event in one transaction.
    ///
    /// # Errors
    /// Returns an error of the server. The order does not change then.
    pub async fn process(&self, job: &Job) -> Result<(), InternalError> {
        self.process_by(job, job.kind.name()).await
    }

    /// Runs an order's processing job like [`Self::process`]. `by` is the cause in the order's
    /// history.
    pub(super) async fn process_by(
        &self,
        job: &Job,
        by: &'static str,
    ) -> Result<(), InternalError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let order = match self.db.order(&job.subject).await? {
            Some(order) if matches!(order.state, OrderState::InProgress { .. }) => order,
            other => {
                self.puts.remove(&job.subject);
                self.remove_leftover_blobs(&account, other.as_deref())
                    .await?;
                return self.complete_job(job, |_| false, &account).await.map(drop);
            }
        };
        if order.uses_zero_copy() && !self.is_due(job, &account).await? {
            let mut tx = self.db.begin().await?;
            db::starts::decrement(&mut tx, &[job.id]).await?;
            return tx.commit().await;
        }
        let run = tokio::select! {
            biased;
            () = account.cancellation().cancelled() => return Ok(()),
            run = self.execute(&account, &order) => run?,
        };
        let result = match run {
            ProcessResult::Finished(result) => result,
            ProcessResult::RetryLater {
                delivered_files,
                reason,
            } => {
                if self.schedule_retry(job, &account, &delivered_files).await? {
                    self.puts.remove(&job.subject);
                    return Ok(());
                }
                Err(delivery_failure(reason))
            }
        };
        let now = account.now();
        let finished = self
            .complete_job(job, |order| order.finish(result, by, now), &account)
            .await?;
        self.puts.remove(&job.subject);
        if !finished {
            // The order was expired or removed during the work, so no request can read its blobs.
            self.remove_blobs(&account, &order, blob_keys::all_keys(&order))
                .await?;
        }
        Ok(())
    }

    /// Removes the blobs of an expired order whose work was interrupted.
    async fn remove_leftover_blobs(
        &self,
        account: &Account,
        order: Option<&Order>,
    ) -> Result<(), InternalError> {
        match order {
            Some(order) if matches!(order.state, OrderState::Expired { .. }) => {
                let keys = blob_keys::all_keys(order);
                self.remove_blobs(account, order, keys).await
            }
            _ => Ok(()),
        }
    }

    /// Runs the order's task, and delivers the outputs if the order uses zero copy.
    async fn execute(
        &self,
        account: &Account,
        order: &Order,
    ) -> Result<ProcessResult, InternalError> {
        let outputs = match self.run_task(account, order).await {
            Ok(Outcome::Outputs(outputs)) if order.uses_zero_copy() => outputs,
            Ok(outcome) => return Ok(ProcessResult::Finished(Ok(outcome))),
            Err(TaskError::Failed(failure)) => return Ok(ProcessResult::Finished(Err(failure))),
            Err(TaskError::Internal(error)) => return Err(error),
        };
        Ok(match self.deliver_outputs(account, order, outputs).await? {
            ZeroCopyResult::Delivered(outcome) => ProcessResult::Finished(Ok(outcome)),
            ZeroCopyResult::Rejected(failure) => ProcessResult::Finished(Err(failure)),
            ZeroCopyResult::RetryLater {
                delivered_files,
                reason,
            } => ProcessResult::RetryLater {
                delivered_files,
                reason,
            },
        })
    }

    /// Returns `true` if the job is still due. Another run may have postponed the job since it was
    /// read.
    async fn is_due(&self, job: &Job, account: &Account) -> Result<bool, InternalError> {
        let due_at = db::jobs::due_at(&mut self.db.read().await?, job.id).await?;
        Ok(due_at.is_some_and(|at| at <= account.now()))
    }

    /// Schedules another run of the job. Returns `false` if no attempt is left.
    async fn schedule_retry(
        &self,
        job: &Job,
        account: &Account,
        delivered_files: &[u64],
    ) -> Result<bool, InternalError> {
        let mut tx = self.db.begin().await?;
        let Some(mut order) = db::orders::find(&mut tx, &job.subject).await? else {
            return Ok(true);
        };
        let attempts = Arc::make_mut(&mut order).record_delivery_attempt(delivered_files);
        let Some(after_ms) = attempts.and_then(retry_delay_ms) else {
            return Ok(false);
        };
        let due_at = account.now().plus_ms(after_ms);
        db::orders::update(&mut tx, order).await?;
        db::jobs::postpone(&mut tx, job.id, due_at).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Runs the job that ends an order's retention: expires the order, deletes its blobs, and
    /// removes the job.
    ///
    /// # Errors
    /// Returns an error if the database or the disk fails. The job is then run again.
    pub async fn expire(&self, job: &Job) -> Result<(), InternalError> {
        self.expire_by(job, job.kind.name()).await
    }

    /// Expires an order like [`Self::expire`]. `by` is the cause in the order's history.
    pub(super) async fn expire_by(&self, job: &Job, by: &'static str) -> Result<(), InternalError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let mut tx = self.db.begin().await?;
        let order = db::orders::find(&mut tx, &job.subject).await?;
        let own_order = order.filter(|order| order.account == account.id);
        if let Some(mut order) = own_order.clone()
            && Arc::make_mut(&mut order).expire(by, account.now())
        {
            upload::expire_uploads_of(&mut tx, &order).await?;
            db::orders::update(&mut tx, order).await?;
        }
        tx.commit().await?;
        if let Some(order) = own_order {
            let subject = UploadSubject::Order(order.number);
            self.accounts.settle_upload(&account, subject);
            let keys = blob_keys::all_keys(&order);
            self.remove_blobs(&account, &order, keys).await?;
        }
        self.complete_job(job, |_| false, &account).await?;
        self.remove_oldest_expired(&account).await
    }

    /// Removes blobs of an order.
    pub(super) async fn remove_blobs(
        &self,
        account: &Account,
        order: &Order,
        keys: impl IntoIterator<Item = impl AsRef<str>>,
    ) -> Result<(), InternalError> {
        for key in keys {
            self.blobs
                .remove(account.id, order.vendor.bucket(), key.as_ref())
                .await
                .map_err(InternalError::broken)?;
        }
        Ok(())
    }

    /// Deletes the job and applies `step` to its order in one transaction. If `step` returns
    /// `true`, the transaction also refunds credits that are not billed and publishes the order's
    /// event. Returns `false` if the order did not change or the job does not exist.
    pub(super) async fn complete_job(
        &self,
        job: &Job,
        step: impl FnOnce(&mut Order) -> bool,
        account: &Account,
    ) -> Result<bool, InternalError> {
        let mut tx = self.db.begin().await?;
        if !db::jobs::delete(&mut tx, job.id).await? {
            return Ok(false);
        }
        let mut ended = None;
        if let Some(mut order) = db::orders::find(&mut tx, &job.subject).await?
            && step(Arc::make_mut(&mut order))
        {
            let credits = billing::credits_to_return(&order);
            if credits > 0 {
                Arc::make_mut(&mut order).charged -= credits;
                db::accounts::refund_credits(&mut tx, account.id, credits).await?;
            }
            db::orders::update(&mut tx, Arc::clone(&order)).await?;
            self.webhooks
                .publish(&mut tx, account, &order, account.now())
                .await?;
            ended = Some(order);
        }
        tx.commit().await?;
        if let Some(order) = &ended {
            // An order that has ended accepts no uploads, so the clock need not wait for any.
            let subject = UploadSubject::Order(order.number);
            self.accounts.settle_upload(account, subject);
            log_order_end(account, order, false);
        }
        Ok(ended.is_some())
    }
}
