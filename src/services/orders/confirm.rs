//! Uploaded files are recorded, and orders are confirmed.

use std::sync::Arc;

use super::deadline::upload_deadline;
use super::{Orders, V2_SUNSET};
use crate::model::ids::AccountId;
use crate::model::job::JobKind;
use crate::model::order::{ConfirmRejection, Order, OrderState, Vendor};
use crate::model::time::Timestamp;
use crate::services::accounts::{Account, UploadSubject};
use crate::services::claims::Claim;
use crate::storage::db::{self, InternalError, Tx};

/// Order that this request or an earlier one confirmed.
#[derive(Debug)]
pub struct ConfirmedOrder {
    pub order: Arc<Order>,
    /// Keeps the order from being processed. The caller releases the claim when the response has
    /// been written.
    pub claim: Option<Claim>,
}

/// Reason why an order could not be confirmed.
#[derive(Debug)]
pub enum ConfirmError {
    NotFound,
    /// The order belongs to another API key.
    NotOwner,
    /// The order is of another type than the route, or starts without confirmation.
    TypeNotMatch,
    Rejected(ConfirmRejection, Arc<Order>),
    Internal(InternalError),
}

impl From<InternalError> for ConfirmError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

impl Orders {
    /// Records that the object `key` with `bytes` bytes was uploaded. Starts the order if this was
    /// the last missing upload and orders of its type need no confirmation. Returns a claim that
    /// keeps the order's next job from running. The caller drops it when the upload's response has
    /// been written. `operation` is the name of the operation, for the order's history.
    ///
    /// # Errors
    /// Returns [`InternalError::AccountGone`] if the order does not exist any more, or an error if
    /// the database fails.
    pub async fn record_upload(
        &self,
        account: AccountId,
        order_id: &str,
        key: &str,
        bytes: u64,
        operation: &'static str,
    ) -> Result<Option<Claim>, InternalError> {
        let mut tx = self.db.begin().await?;
        let (mut order, account) = db::orders::find(&mut tx, order_id)
            .await?
            .filter(|order| order.account == account)
            .zip(self.accounts.by_id(account))
            .ok_or(InternalError::AccountGone)?;
        if matches!(order.state, OrderState::Expired { .. }) {
            // The files of an expired order are deleted, so this one is deleted as well.
            drop(tx);
            return self
                .remove_blobs(&account, &order, &[key])
                .await
                .map(|()| None);
        }
        // Orders of other types start when they are confirmed.
        let (start_claim, now) = if order.work.is_watermark() {
            self.claim_start(&account, &order)
        } else {
            (None, account.now())
        };
        let updated = Arc::make_mut(&mut order);
        if !updated.mark_uploaded(key, bytes, now) {
            return Ok(None);
        }
        let (number, has_all_uploads) = (updated.number, !updated.has_pending_uploads());
        let has_ended = now >= V2_SUNSET && self.is_subject_to_sunset(&account, updated);
        let claim = if has_ended {
            let claim = self.claims.try_claim(&account, JobKind::Sunset, &order.id);
            db::orders::update(&mut tx, Arc::clone(&order)).await?;
            db::jobs::upsert(&mut tx, account.id, JobKind::Sunset, &order.id, now).await?;
            claim
        } else if updated.start(operation, now) {
            self.start_processing(&mut tx, &account, order, (start_claim, now))
                .await?
        } else {
            db::orders::update(&mut tx, order).await?;
            None
        };
        tx.commit().await?;
        if has_all_uploads {
            self.accounts
                .settle_upload(&account, UploadSubject::Order(number));
        }
        Ok(claim)
    }

    /// Claims the processing of an order that may start now, and then reads the account's clock.
    /// The claim comes first so that a clock in mode `jump` does not jump between the start and the
    /// commit of the order's job. The claim is `None` if the order cannot start.
    fn claim_start(&self, account: &Arc<Account>, order: &Order) -> (Option<Claim>, Timestamp) {
        let may_start = order.state == OrderState::Pending;
        let claim = may_start.then(|| self.claims.try_claim(account, JobKind::Process, &order.id));
        (claim.flatten(), account.now())
    }

    /// Writes an order that has just started, and adds its processing job. Removes the job that
    /// would have failed the order if it had not started. Takes the result of [`Self::claim_start`]
    /// and returns its claim. `None` if a rule holds the order, which then has no processing job.
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
        let obsolete_job = if upload_deadline(&order).is_some() {
            Some(JobKind::ExpireUploads)
        } else {
            self.is_subject_to_sunset(account, &order)
                .then_some(JobKind::Sunset)
        };
        if let Some(kind) = obsolete_job {
            db::jobs::remove(tx, kind, &order.id).await?;
        }
        Ok(claim)
    }

    /// Starts an order at its client's request. `is_type` returns `true` if the order is of the
    /// route's type. `operation` is the name of the operation, for the order's history.
    ///
    /// # Errors
    /// Returns the reason why the order cannot start. The order does not change then.
    pub async fn confirm(
        &self,
        account: &Arc<Account>,
        vendor: Vendor,
        order_id: &str,
        confirm_key: &str,
        operation: &'static str,
        is_type: impl Fn(&Order) -> bool,
    ) -> Result<ConfirmedOrder, ConfirmError> {
        let mut tx = self.db.begin().await?;
        let mut order = db::orders::find(&mut tx, order_id)
            .await?
            .filter(|order| order.vendor == vendor)
            .ok_or(ConfirmError::NotFound)?;
        ensure_owner(account.id, &order)?;
        if !is_type(&order) {
            return Err(ConfirmError::TypeNotMatch);
        }
        let (claim, now) = self.claim_start(account, &order);
        match Arc::make_mut(&mut order).confirm(confirm_key, operation, now) {
            // The response may describe a write that is not committed yet, so it waits for the
            // commit.
            Err(rejection) => {
                tx.commit().await?;
                Err(ConfirmError::Rejected(rejection, order))
            }
            Ok(false) => {
                tx.commit().await?;
                Ok(ConfirmedOrder { order, claim: None })
            }
            Ok(true) => {
                let started_order = Arc::clone(&order);
                let claim = self
                    .start_processing(&mut tx, account, started_order, (claim, now))
                    .await?;
                tx.commit().await?;
                Ok(ConfirmedOrder { order, claim })
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
