//! Orders that the control plane brings to their end.
//!
//! What is done is what the worker does, in its turn: the order's job is claimed, and run. What is
//! told of it by webhook is kept back until the answer has been written.

use std::sync::Arc;

use super::ended::log_order_end;
use super::{Orders, overrides};
use crate::model::job::JobKind;
use crate::model::order::{Order, OrderState};
use crate::model::rule::{ForcedOutcome, OutcomeOverride, ResultKind};
use crate::services::accounts::{Account, UploadFor};
use crate::services::claims::Claim;
use crate::storage::db::{self, StoreError, run_to_completion};

/// What an order is brought to.
#[derive(Debug, Clone)]
pub enum ManualEnd {
    /// Its work is done, and comes to that; none: to what it would have come to.
    Complete(Option<ForcedOutcome>),
    /// It fails so, whatever is still to come.
    Fail(ForcedOutcome),
    /// Its retention has passed.
    Expire,
}

/// Why it was not.
#[derive(Debug)]
pub enum ManualEndError {
    NotFound,
    /// It is at its end already, as this status says.
    Ended(&'static str),
    /// Uploads are still to come: of so many files.
    Awaiting(usize),
    /// Such an order does not come to such an outcome.
    Unfit,
    Store(StoreError),
}

impl From<StoreError> for ManualEndError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl Orders {
    /// Brings the order of that id to that end, whosever it is. What is answered keeps its webhooks
    /// from leaving, and is to be let go when the answer has been written.
    ///
    /// # Errors
    /// Says why it was not brought there; it stands as it did.
    pub async fn force_end(
        self: &Arc<Self>,
        id: &str,
        end: ManualEnd,
    ) -> Result<(Arc<Order>, Vec<Claim>), ManualEndError> {
        let order = self.db.order(id).await?.ok_or(ManualEndError::NotFound)?;
        let account = self.accounts.by_id(order.account);
        let account = account.ok_or(ManualEndError::NotFound)?;
        if let ManualEnd::Complete(Some(outcome)) = &end
            && !outcome.is_applicable_to(ResultKind::for_work(&order.work, order.api))
        {
            return Err(ManualEndError::Unfit);
        }
        let this = Arc::clone(self);
        run_to_completion(async move {
            let hold = match end {
                ManualEnd::Complete(outcome) => {
                    this.complete_now(&account, &order.id, outcome).await?
                }
                ManualEnd::Fail(outcome) => this.fail(&account, &order.id, outcome).await?,
                ManualEnd::Expire => this.expire_now(&account, &order).await?,
            };
            let order = this.db.order(&order.id).await?;
            Ok((order.ok_or(ManualEndError::NotFound)?, hold))
        })
        .await
    }

    /// Has the order fail now; its work is not done.
    async fn fail(
        &self,
        account: &Arc<Account>,
        id: &str,
        outcome: ForcedOutcome,
    ) -> Result<Vec<Claim>, ManualEndError> {
        let _turn = self.claims.claim(account, JobKind::Process, id).await;
        let hold = self.webhooks.pause_deliveries(account).await?;
        let mut tx = self.db.begin().await?;
        let found = db::orders::find(&mut tx, id).await?;
        let mut order = found.ok_or(ManualEndError::NotFound)?;
        let by_hand = OutcomeOverride {
            rule: None,
            outcome,
        };
        let failure = overrides::forced_failure(&order, Some(&by_hand));
        let failure = failure.ok_or(ManualEndError::Unfit)?;
        let (now, status) = (account.now(), order.state.status());
        let failing = Arc::make_mut(&mut order);
        if !(failing.fail_pending(failure.clone(), now) || failing.finish(Err(failure), now)) {
            return Err(ManualEndError::Ended(status));
        }
        db::orders::update(&mut tx, Arc::clone(&order)).await?;
        for kind in [JobKind::Process, JobKind::ExpireUploads, JobKind::Sunset] {
            db::jobs::remove(&mut tx, kind, id).await?;
        }
        self.webhooks.publish(&mut tx, account, &order, now).await?;
        tx.commit().await?;
        let subject = UploadFor::Order(order.number);
        self.accounts.settle_upload(account, subject);
        self.puts.remove(id);
        log_order_end(account, &order, true);
        Ok(hold)
    }

    /// Has the order's work done now, in its job's turn.
    async fn complete_now(
        &self,
        account: &Arc<Account>,
        id: &str,
        outcome: Option<ForcedOutcome>,
    ) -> Result<Vec<Claim>, ManualEndError> {
        let _turn = self.claims.claim(account, JobKind::Process, id).await;
        let hold = self.webhooks.pause_deliveries(account).await?;
        let mut tx = self.db.begin().await?;
        let found = db::orders::find(&mut tx, id).await?;
        let mut order = found.ok_or(ManualEndError::NotFound)?;
        let now = account.now();
        let awaited = order
            .files
            .iter()
            .filter(|file| file.is_upload_pending())
            .count();
        let status = order.state.status();
        let going = Arc::make_mut(&mut order);
        if !going.release(now) {
            return Err(match going.state {
                OrderState::Pending => ManualEndError::Awaiting(awaited),
                _ => ManualEndError::Ended(status),
            });
        }
        if let Some(outcome) = outcome {
            overrides::apply_manual_outcome(going, &outcome);
        }
        db::orders::update(&mut tx, order).await?;
        db::jobs::upsert(&mut tx, account.id, JobKind::Process, id, now).await?;
        for kind in [JobKind::ExpireUploads, JobKind::Sunset] {
            db::jobs::remove(&mut tx, kind, id).await?;
        }
        tx.commit().await?;
        let job = db::jobs::find(&mut self.db.read().await?, JobKind::Process, id).await?;
        if let Some(job) = job {
            self.process(&job).await?;
        }
        Ok(hold)
    }

    /// Lets the order's retention pass now. Its job is made due first: whatever happens on the way,
    /// its files go.
    async fn expire_now(
        &self,
        account: &Arc<Account>,
        order: &Order,
    ) -> Result<Vec<Claim>, ManualEndError> {
        let _turn = self.claims.claim(account, JobKind::Expire, &order.id).await;
        let mut tx = self.db.begin().await?;
        let job = db::jobs::find(&mut tx, JobKind::Expire, &order.id).await?;
        let job = job.ok_or(ManualEndError::Ended("expired"))?;
        db::jobs::upsert(&mut tx, account.id, job.kind, &order.id, account.now()).await?;
        tx.commit().await?;
        self.expire(&job).await?;
        Ok(Vec::new())
    }
}
