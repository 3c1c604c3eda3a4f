//! Orders that the control plane ends.
//!
//! The order's job is claimed and run as the worker would run it. Webhooks are paused until the
//! response has been written.

use std::sync::Arc;

use super::end_log::log_order_end;
use super::{Orders, overrides};
use crate::model::job::JobKind;
use crate::model::order::{Order, OrderState};
use crate::model::rule::{ForcedOutcome, OutcomeOverride, ResultKind};
use crate::services::accounts::{Account, UploadSubject};
use crate::services::claims::Claim;
use crate::storage::db::{self, InternalError, run_to_completion};

/// Way in which the control plane ends an order.
#[derive(Debug, Clone)]
pub enum ManualEnd {
    /// Completes the order with the given outcome. `None` means the outcome by rules, names and
    /// files.
    Complete(Option<ForcedOutcome>),
    /// Fails the order, even if uploads are pending.
    Fail(ForcedOutcome),
    /// Expires the order as if its retention had passed.
    Expire,
}

/// Reason why an order could not be ended.
#[derive(Debug)]
pub enum ManualEndError {
    NotFound,
    /// The order has already ended, with this status.
    AlreadyEnded(&'static str),
    /// Uploads are pending, in this number.
    UploadsPending(usize),
    /// Orders of this type cannot have this outcome.
    OutcomeNotApplicable,
    Internal(InternalError),
}

impl From<InternalError> for ManualEndError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

impl Orders {
    /// Ends the order `id` of any account. Returns claims that pause the account's webhooks.
    /// The caller drops them when the response has been written. `operation` is the name of the control
    /// plane's operation, for the order's history.
    ///
    /// # Errors
    /// Returns the reason why the order was not ended. The order does not change then.
    pub async fn force_end(
        self: &Arc<Self>,
        id: &str,
        end: ManualEnd,
        operation: &'static str,
    ) -> Result<(Arc<Order>, Vec<Claim>), ManualEndError> {
        let order = self.db.order(id).await?.ok_or(ManualEndError::NotFound)?;
        let account = self
            .accounts
            .by_id(order.account)
            .ok_or(ManualEndError::NotFound)?;
        if let ManualEnd::Complete(Some(outcome)) = &end
            && !outcome.is_applicable_to(ResultKind::for_work(&order.work, order.api))
        {
            return Err(ManualEndError::OutcomeNotApplicable);
        }
        let this = Arc::clone(self);
        run_to_completion(async move {
            let paused_deliveries = match end {
                ManualEnd::Complete(outcome) => {
                    this.complete_now(&account, &order.id, outcome, operation)
                        .await?
                }
                ManualEnd::Fail(outcome) => {
                    this.fail(&account, &order.id, outcome, operation).await?
                }
                ManualEnd::Expire => this.expire_now(&account, &order, operation).await?,
            };
            let order = this.db.order(&order.id).await?;
            Ok((order.ok_or(ManualEndError::NotFound)?, paused_deliveries))
        })
        .await
    }

    /// Fails the order now, without running its task.
    async fn fail(
        &self,
        account: &Arc<Account>,
        id: &str,
        outcome: ForcedOutcome,
        by: &'static str,
    ) -> Result<Vec<Claim>, ManualEndError> {
        let _claim = self.claims.claim(account, JobKind::Process, id).await;
        let paused_deliveries = self.webhooks.pause_deliveries(account).await?;
        let mut tx = self.db.begin().await?;
        let mut order = db::orders::find(&mut tx, id)
            .await?
            .ok_or(ManualEndError::NotFound)?;
        let manual = OutcomeOverride {
            rule: None,
            outcome,
        };
        let failure = overrides::forced_failure(&order, Some(&manual))
            .ok_or(ManualEndError::OutcomeNotApplicable)?;
        let (now, status) = (account.now(), order.state.status());
        let failed = Arc::make_mut(&mut order);
        if !(failed.fail_pending(failure.clone(), by, now) || failed.finish(Err(failure), by, now))
        {
            return Err(ManualEndError::AlreadyEnded(status));
        }
        db::orders::update(&mut tx, Arc::clone(&order)).await?;
        for kind in [JobKind::Process, JobKind::ExpireUploads, JobKind::Sunset] {
            db::jobs::remove(&mut tx, kind, id).await?;
        }
        self.webhooks.publish(&mut tx, account, &order, now).await?;
        tx.commit().await?;
        let subject = UploadSubject::Order(order.number);
        self.accounts.settle_upload(account, subject);
        self.puts.remove(id);
        log_order_end(account, &order, true);
        Ok(paused_deliveries)
    }

    /// Runs the order's processing job now.
    async fn complete_now(
        &self,
        account: &Arc<Account>,
        id: &str,
        outcome: Option<ForcedOutcome>,
        by: &'static str,
    ) -> Result<Vec<Claim>, ManualEndError> {
        let _claim = self.claims.claim(account, JobKind::Process, id).await;
        let paused_deliveries = self.webhooks.pause_deliveries(account).await?;
        let mut tx = self.db.begin().await?;
        let mut order = db::orders::find(&mut tx, id)
            .await?
            .ok_or(ManualEndError::NotFound)?;
        let now = account.now();
        let pending_uploads = order
            .files
            .iter()
            .filter(|file| file.is_upload_pending())
            .count();
        let status = order.state.status();
        let released = Arc::make_mut(&mut order);
        if !released.release(by, now) {
            return Err(match released.state {
                OrderState::Pending => ManualEndError::UploadsPending(pending_uploads),
                _ => ManualEndError::AlreadyEnded(status),
            });
        }
        if let Some(outcome) = outcome {
            overrides::apply_manual_outcome(released, &outcome);
        }
        db::orders::update(&mut tx, order).await?;
        db::jobs::upsert(&mut tx, account.id, JobKind::Process, id, now).await?;
        for kind in [JobKind::ExpireUploads, JobKind::Sunset] {
            db::jobs::remove(&mut tx, kind, id).await?;
        }
        tx.commit().await?;
        let job = db::jobs::find(&mut self.db.read().await?, JobKind::Process, id).await?;
        if let Some(job) = job {
            self.process_by(&job, by).await?;
        }
        Ok(paused_deliveries)
    }

    /// Expires the order now. The job is made due first, so that the worker expires the order even
    /// if this call is interrupted.
    async fn expire_now(
        &self,
        account: &Arc<Account>,
        order: &Order,
        by: &'static str,
    ) -> Result<Vec<Claim>, ManualEndError> {
        let _claim = self.claims.claim(account, JobKind::Expire, &order.id).await;
        let mut tx = self.db.begin().await?;
        let job = db::jobs::find(&mut tx, JobKind::Expire, &order.id)
            .await?
            .ok_or(ManualEndError::AlreadyEnded("expired"))?;
        db::jobs::upsert(&mut tx, account.id, job.kind, &order.id, account.now()).await?;
        tx.commit().await?;
        self.expire_by(&job, by).await?;
        Ok(Vec::new())
    }
}
