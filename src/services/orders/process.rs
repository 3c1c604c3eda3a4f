//! Orders come to their end: the record of it.

use std::sync::Arc;

use super::ended::log_order_end;
use super::zero_copy::{ZeroCopyResult, delivery_failure, retry_delay_ms};
use super::{Orders, billing, blob_keys, failures, upload};
use crate::model::job::Job;
use crate::model::order::{Order, OrderState};
use crate::model::work::Outcome;
use crate::services::accounts::{Account, UploadFor};
use crate::storage::db::{self, StoreError};

/// How far a run of an order's job has come.
enum ProcessResult {
    Finished(failures::Result),
    /// Its outputs are made, and not yet where they should be.
    RetryLater {
        delivered_files: Vec<u64>,
        why: String,
    },
}

impl Orders {
    /// Runs the job that brings an order to its end: does the work, then records what came of
    /// it and publishes the event, at once or not at all.
    ///
    /// # Errors
    /// If it cannot be done by a fault of ours; the order then stands as it did.
    pub async fn process(&self, job: &Job) -> Result<(), StoreError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let order = match self.db.order(&job.subject).await? {
            Some(order) if matches!(order.state, OrderState::InProgress { .. }) => order,
            over => {
                self.puts.remove(&job.subject);
                self.remove_leftover_blobs(&account, over.as_deref())
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
                delivered_files: delivered,
                why,
            } => {
                if self.schedule_retry(job, &account, &delivered).await? {
                    self.puts.remove(&job.subject);
                    return Ok(());
                }
                Err(delivery_failure(why))
            }
        };
        let now = account.now();
        let finished = self
            .complete_job(job, |order| order.finish(result, now), &account)
            .await?;
        self.puts.remove(&job.subject);
        if !finished {
            // It expired meanwhile: what was fetched and made for it since is nobody's.
            self.remove_blobs(&account, &order, blob_keys::all_keys(&order))
                .await?;
        }
        Ok(())
    }

    /// Removes what was made of an order by work that was under way when it expired, and broke
    /// off.
    async fn remove_leftover_blobs(
        &self,
        account: &Account,
        order: Option<&Order>,
    ) -> Result<(), StoreError> {
        match order {
            Some(order) if matches!(order.state, OrderState::Expired { .. }) => {
                let keys = blob_keys::all_keys(order);
                self.remove_blobs(account, order, keys).await
            }
            _ => Ok(()),
        }
    }

    /// Does the work, and hands over what came of it where that is asked for.
    async fn execute(&self, account: &Account, order: &Order) -> Result<ProcessResult, StoreError> {
        let outputs = match self.run_task(account, order).await? {
            Ok(Outcome::Outputs(outputs)) => outputs,
            over => return Ok(ProcessResult::Finished(over)),
        };
        if !order.uses_zero_copy() {
            return Ok(ProcessResult::Finished(Ok(Outcome::Outputs(outputs))));
        }
        Ok(match self.deliver_outputs(account, order, outputs).await? {
            ZeroCopyResult::Delivered(outcome) => ProcessResult::Finished(Ok(outcome)),
            ZeroCopyResult::Rejected(failure) => ProcessResult::Finished(Err(failure)),
            ZeroCopyResult::RetryLater {
                delivered_files: delivered,
                why,
            } => ProcessResult::RetryLater {
                delivered_files: delivered,
                why,
            },
        })
    }

    /// Whether the job is due still: who has found it due may have come by it only after it was
    /// run and postponed.
    async fn is_due(&self, job: &Job, account: &Account) -> Result<bool, StoreError> {
        let due_at = db::jobs::due_at(&mut self.db.read().await?, job.id).await?;
        Ok(due_at.is_some_and(|at| at <= account.now()))
    }

    /// Has the order's job run again later, unless it has been tried often enough: false.
    async fn schedule_retry(
        &self,
        job: &Job,
        account: &Account,
        delivered: &[u64],
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        let Some(mut order) = db::orders::find(&mut tx, &job.subject).await? else {
            return Ok(true);
        };
        let attempts = Arc::make_mut(&mut order).record_delivery_attempt(delivered);
        let Some(after_ms) = attempts.and_then(retry_delay_ms) else {
            return Ok(false);
        };
        let due_at = account.now().plus_ms(after_ms);
        db::orders::update(&mut tx, order).await?;
        db::jobs::postpone(&mut tx, job.id, due_at).await?;
        tx.commit().await?;
        Ok(true)
    }

    /// Runs the job that lets an order's retention pass: it is expired, its files go, and then
    /// the job is done.
    ///
    /// # Errors
    /// If it cannot be done by a fault of ours; it is then done again.
    pub async fn expire(&self, job: &Job) -> Result<(), StoreError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let mut tx = self.db.begin().await?;
        let found = db::orders::find(&mut tx, &job.subject).await?;
        let found = found.filter(|order| order.account == account.id);
        if let Some(mut order) = found.clone()
            && Arc::make_mut(&mut order).expire(account.now())
        {
            upload::expire_uploads_of(&mut tx, &order).await?;
            db::orders::update(&mut tx, order).await?;
        }
        tx.commit().await?;
        if let Some(order) = found {
            let subject = UploadFor::Order(order.number);
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
    ) -> Result<(), StoreError> {
        for key in keys {
            self.blobs
                .remove(account.id, order.vendor.bucket(), key.as_ref())
                .await
                .map_err(StoreError::broken)?;
        }
        Ok(())
    }

    /// Takes the job and moves its order on, in one transaction, returns the credits that are not billed,
    /// and tells what became of it. False if the order was not moved.
    pub(super) async fn complete_job(
        &self,
        job: &Job,
        step: impl FnOnce(&mut Order) -> bool,
        account: &Account,
    ) -> Result<bool, StoreError> {
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
            // An order that has ended takes no uploads.
            let subject = UploadFor::Order(order.number);
            self.accounts.settle_upload(account, subject);
            log_order_end(account, order, false);
        }
        Ok(ended.is_some())
    }
}
