//! Files come in, and the client says go.

use std::sync::Arc;

use super::deadline::upload_deadline;
use super::{Orders, V2_SUNSET};
use crate::model::ids::AccountId;
use crate::model::job::JobKind;
use crate::model::order::{ConfirmRejection, Order, OrderState, Vendor};
use crate::model::time::Timestamp;
use crate::services::accounts::{Account, UploadFor};
use crate::services::claims::Claim;
use crate::storage::db::{self, InternalError, Tx};

/// An order that was confirmed, now or before.
#[derive(Debug)]
pub struct ConfirmedOrder {
    pub order: Arc<Order>,
    /// Keeps the order from moving on; to be let go when the answer has been written.
    pub claim: Option<Claim>,
}

/// Why an order was not started.
#[derive(Debug)]
pub enum ConfirmError {
    NotFound,
    /// It is another key's.
    NotOwner,
    /// It is an order of another type, or of one that starts by itself.
    TypeNotMatch,
    Rejected(ConfirmRejection, Arc<Order>),
    Store(InternalError),
}

impl From<InternalError> for ConfirmError {
    fn from(error: InternalError) -> Self {
        Self::Store(error)
    }
}

impl Orders {
    /// Records at an order that the object under `key` is there, of that many bytes. The order starts if
    /// it was waiting for this object alone. Returns a claim that keeps the order from moving on, to be
    /// dropped when the upload's response has been written.
    ///
    /// # Errors
    /// If the order is gone, or cannot be written.
    pub async fn record_upload(
        &self,
        account: AccountId,
        order_id: &str,
        key: &str,
        bytes: u64,
    ) -> Result<Option<Claim>, InternalError> {
        let mut tx = self.db.begin().await?;
        let found = db::orders::find(&mut tx, order_id).await?;
        let found = found.filter(|order| order.account == account);
        let found = found.zip(self.accounts.by_id(account));
        let (mut order, account) = found.ok_or(InternalError::AccountGone)?;
        if matches!(order.state, OrderState::Expired { .. }) {
            // Its files have gone, and this one has come after them.
            drop(tx);
            return self
                .remove_blobs(&account, &order, &[key])
                .await
                .map(|()| None);
        }
        // Orders of other kinds start when they are confirmed.
        let (claim, now) = if order.work.is_watermark() {
            self.claim_start(&account, &order)
        } else {
            (None, account.now())
        };
        let step = Arc::make_mut(&mut order);
        if !step.mark_uploaded(key, bytes, now) {
            return Ok(None);
        }
        let (number, is_whole) = (step.number, !step.has_pending_uploads());
        let has_ended = now >= V2_SUNSET && self.is_subject_to_sunset(&account, step);
        let hold = if has_ended {
            let hold = self.claims.try_claim(&account, JobKind::Sunset, &order.id);
            db::orders::update(&mut tx, Arc::clone(&order)).await?;
            db::jobs::upsert(&mut tx, account.id, JobKind::Sunset, &order.id, now).await?;
            hold
        } else if step.start(now) {
            self.start_processing(&mut tx, &account, order, (claim, now))
                .await?
        } else {
            db::orders::update(&mut tx, order).await?;
            None
        };
        tx.commit().await?;
        if is_whole {
            self.accounts
                .settle_upload(&account, UploadFor::Order(number));
        }
        Ok(hold)
    }

    /// Claims the processing of an order that may start now, and then reads the account's clock. In this
    /// order, so that a clock in mode `jump` does not leap between the start and the commit of the
    /// order's job. The claim is `None` if the order cannot start.
    fn claim_start(&self, account: &Arc<Account>, order: &Order) -> (Option<Claim>, Timestamp) {
        let may_start = order.state == OrderState::Pending;
        let claim = may_start.then(|| self.claims.try_claim(account, JobKind::Process, &order.id));
        (claim.flatten(), account.now())
    }

    /// Writes an order that has just started, and the job that brings it to its end. Removes the job
    /// that would have failed the order if it had not started. Takes what [`Self::claim_start`] returned,
    /// and returns the claim. `None` if the order is held and has no such job.
    async fn start_processing(
        &self,
        tx: &mut Tx,
        account: &Arc<Account>,
        order: Arc<Order>,
        (claim, now): (Option<Claim>, Timestamp),
    ) -> Result<Option<Claim>, InternalError> {
        db::orders::update(tx, Arc::clone(&order)).await?;
        let claim = claim.filter(|_| !order.is_held());
        if !order.is_held() {
            let due_at = self.processing_due_at(account, &order, now);
            db::jobs::upsert(tx, account.id, JobKind::Process, &order.id, due_at).await?;
        }
        let over = if upload_deadline(&order).is_some() {
            Some(JobKind::ExpireUploads)
        } else {
            self.is_subject_to_sunset(account, &order)
                .then_some(JobKind::Sunset)
        };
        if let Some(kind) = over {
            db::jobs::remove(tx, kind, &order.id).await?;
        }
        Ok(claim)
    }

    /// Starts an order on its client's word.
    ///
    /// # Errors
    /// Says why it cannot start; it stands as it did.
    pub async fn confirm(
        &self,
        account: &Arc<Account>,
        order_id: &str,
        confirm_key: &str,
        of_type: impl Fn(&Order) -> bool,
    ) -> Result<ConfirmedOrder, ConfirmError> {
        let mut tx = self.db.begin().await?;
        let found = db::orders::find(&mut tx, order_id).await?;
        let found = found.filter(|order| order.vendor == Vendor::Bizmori);
        let mut order = found.ok_or(ConfirmError::NotFound)?;
        ensure_owner(account.id, &order)?;
        if !of_type(&order) {
            return Err(ConfirmError::TypeNotMatch);
        }
        let (claim, now) = self.claim_start(account, &order);
        match Arc::make_mut(&mut order).confirm(confirm_key, now) {
            // What is told may be of a write that is still to be committed: it is waited for.
            Err(refusal) => {
                tx.commit().await?;
                Err(ConfirmError::Rejected(refusal, order))
            }
            Ok(false) => {
                tx.commit().await?;
                Ok(ConfirmedOrder { order, claim: None })
            }
            Ok(true) => {
                let started_order = Arc::clone(&order);
                let hold = self
                    .start_processing(&mut tx, account, started_order, (claim, now))
                    .await?;
                tx.commit().await?;
                Ok(ConfirmedOrder { order, claim: hold })
            }
        }
    }
}

fn ensure_owner(account: AccountId, order: &Order) -> Result<(), ConfirmError> {
    if order.account == account {
        Ok(())
    } else {
        Err(ConfirmError::NotOwner)
    }
}
