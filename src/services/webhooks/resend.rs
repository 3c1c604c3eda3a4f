//! Manual attempts: made at a client's request, which waits for the result.
//!
//! A failed delivery is sent once more. If that fails too, another attempt is made 30 minutes
//! later. The request claims the endpoint's job as the worker does (see
//! [`crate::services::claims`]), so that the endpoint receives its attempts one at a time. An
//! attempt runs to completion even if the client disconnects. If the process dies during an
//! attempt, the delivery stays failed and can be retried.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::attempt::AttemptResult;
use super::record::AttemptRecording;
use super::{AttemptRecord, Webhooks};
use crate::model::ids::{AccountId, DeliveryId, WebhookId};
use crate::model::job::JobKind;
use crate::model::time::Timestamp;
use crate::model::vendor::Vendor;
use crate::model::webhook::{Delivery, DeliveryStatus, Endpoint};
use crate::services::accounts::Account;
use crate::services::claims::Claim;
use crate::storage::db::{self, InternalError, run_to_completion};

/// Maximum number of deliveries that one request retries.
const RETRY_BATCH_MAX: u32 = 50;

/// Result of a manual attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryResult {
    /// UUID of the event.
    pub event_id: String,
    /// Status of the 2xx response, or the reason of the failure.
    pub sent: Result<u16, String>,
}

/// Number of manual attempts of one request, by result.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetrySummary {
    pub succeeded: u32,
    pub failed: u32,
}

/// Reason why nothing was sent.
#[derive(Debug, Clone)]
pub enum RetryError {
    /// The account does not have this endpoint.
    NoEndpoint(WebhookId),
    /// The endpoint does not have this delivery.
    NoDelivery(DeliveryId),
    /// The delivery has another status than `failed`.
    NotFailed(DeliveryId, DeliveryStatus),
    Internal(InternalError),
}

impl From<InternalError> for RetryError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

impl Webhooks {
    /// Sends a failed delivery once more.
    ///
    /// # Errors
    /// Returns the reason why nothing was sent, or an error if the attempt could not be recorded.
    pub async fn retry(
        self: &Arc<Self>,
        account: &Arc<Account>,
        vendor: Vendor,
        endpoint: WebhookId,
        delivery: DeliveryId,
    ) -> Result<RetryResult, RetryError> {
        let (this, account) = (Arc::clone(self), Arc::clone(account));
        run_to_completion(async move {
            // Rejected before the wait for the claim if possible. `retry_one` checks again.
            this.find_failed_delivery(&account, Some(vendor), endpoint, delivery)
                .await?;
            let _claim = this.lock_endpoint(&account, endpoint).await?;
            this.retry_one(&account, endpoint, delivery).await
        })
        .await
    }

    /// Sends the endpoint's failed deliveries created in `window` once more, oldest first, at most
    /// 50.
    ///
    /// # Errors
    /// Returns an error if the account does not have the endpoint, or an attempt could not be
    /// recorded.
    pub async fn retry_failed(
        self: &Arc<Self>,
        account: &Arc<Account>,
        vendor: Vendor,
        endpoint: WebhookId,
        window: RangeInclusive<Timestamp>,
    ) -> Result<RetrySummary, RetryError> {
        let (this, account) = (Arc::clone(self), Arc::clone(account));
        run_to_completion(async move {
            this.find_endpoint(&account, Some(vendor), endpoint).await?;
            let _claim = this.lock_endpoint(&account, endpoint).await?;
            let mut reader = this.db.read().await?;
            let failed =
                db::webhooks::failed(&mut reader, endpoint, &window, RETRY_BATCH_MAX).await?;
            drop(reader);
            let mut summary = RetrySummary::default();
            for delivery in failed {
                let retried = this.retry_one(&account, endpoint, delivery).await?;
                match retried.sent {
                    Ok(_) => summary.succeeded += 1,
                    Err(_) => summary.failed += 1,
                }
            }
            Ok(summary)
        })
        .await
    }

    async fn find_endpoint(
        &self,
        account: &Account,
        vendor: Option<Vendor>,
        endpoint: WebhookId,
    ) -> Result<Endpoint, RetryError> {
        let found =
            db::endpoints::find(&mut self.db.read().await?, account.id, vendor, endpoint).await?;
        found.ok_or_else(|| RetryError::NoEndpoint(endpoint))
    }

    async fn find_failed_delivery(
        &self,
        account: &Account,
        vendor: Option<Vendor>,
        endpoint: WebhookId,
        delivery: DeliveryId,
    ) -> Result<(Endpoint, Delivery), RetryError> {
        let endpoint = self.find_endpoint(account, vendor, endpoint).await?;
        let mut reader = self.db.read().await?;
        match db::webhooks::delivery(&mut reader, endpoint.id, delivery).await? {
            None => {
                // A reset or removal between the two reads may have deleted the endpoint too.
                drop(reader);
                self.find_endpoint(account, None, endpoint.id).await?;
                Err(RetryError::NoDelivery(delivery))
            }
            Some(failed) if failed.status == DeliveryStatus::Failed => Ok((endpoint, failed)),
            Some(other) => Err(RetryError::NotFailed(other.id, other.status)),
        }
    }

    /// Claims the endpoint's job. Waits for attempts in flight, and writes their record if it is
    /// pending.
    async fn lock_endpoint(
        &self,
        account: &Arc<Account>,
        endpoint: WebhookId,
    ) -> Result<Claim, RetryError> {
        let subject = endpoint.to_string();
        let claim = tokio::select! {
            biased;
            () = account.cancellation().cancelled() => return Err(InternalError::AccountGone.into()),
            claim = self.claims.claim(account, JobKind::Deliver, &subject) => claim,
        };
        self.record_earlier(endpoint).await?;
        Ok(claim)
    }

    /// Sends a failed delivery once more, and records the attempt. The caller holds the endpoint's
    /// claim.
    async fn retry_one(
        &self,
        account: &Arc<Account>,
        endpoint: WebhookId,
        delivery: DeliveryId,
    ) -> Result<RetryResult, RetryError> {
        let (endpoint, mut delivery) = self
            .find_failed_delivery(account, None, endpoint, delivery)
            .await?;
        let result = self.send_now(account, &endpoint, &mut delivery).await?;
        Ok(RetryResult {
            event_id: delivery.event.id,
            sent: result.result,
        })
    }

    /// Sends a delivery once more, regardless of its status. A sent delivery stays sent. A pending
    /// delivery continues with its retry schedule. Returns the last request. `owner` is the
    /// account that must own the delivery; `None` accepts any.
    ///
    /// # Errors
    /// Returns [`RetryError::NoDelivery`] if the delivery does not exist, or an error if the
    /// attempt could not be recorded.
    pub async fn resend(
        self: &Arc<Self>,
        owner: Option<AccountId>,
        delivery: DeliveryId,
    ) -> Result<AttemptRecord, RetryError> {
        let not_found = || RetryError::NoDelivery(delivery);
        let mut reader = self.db.read().await?;
        let row = db::webhooks::delivery_account(&mut reader, delivery).await?;
        drop(reader);
        let is_owned = |(account, _): &(AccountId, _)| owner.is_none_or(|owner| owner == *account);
        let (account, endpoint) = row.filter(is_owned).ok_or_else(not_found)?;
        let account = self.accounts.by_id(account).ok_or_else(not_found)?;
        let this = Arc::clone(self);
        run_to_completion(async move {
            let _claim = this.lock_endpoint(&account, endpoint).await?;
            let endpoint = this.find_endpoint(&account, None, endpoint).await?;
            let mut reader = this.db.read().await?;
            let row = db::webhooks::delivery(&mut reader, endpoint.id, delivery).await?;
            drop(reader);
            let mut resent = row.ok_or(RetryError::NoDelivery(delivery))?;
            let result = this.send_now(&account, &endpoint, &mut resent).await?;
            let last = result.attempts.into_iter().next_back();
            let attempt = last.ok_or(RetryError::NoDelivery(delivery))?;
            Ok(AttemptRecord::new(&account, endpoint.id, resent, attempt))
        })
        .await
    }

    /// Makes a manual attempt and records it. The caller holds the endpoint's claim.
    async fn send_now(
        &self,
        account: &Arc<Account>,
        endpoint: &Endpoint,
        delivery: &mut Delivery,
    ) -> Result<AttemptResult, RetryError> {
        let decision = self
            .rules_for_manual_attempt(account, endpoint, delivery)
            .await?;
        let mut result = tokio::select! {
            biased;
            () = account.cancellation().cancelled() => return Err(InternalError::AccountGone.into()),
            result = self.attempt(account, endpoint, delivery, &decision) => result,
        };
        let status_before = delivery.status;
        let now = account.now();
        let schedule = self.retry_schedule_ms(delivery);
        let next_at = next_after_manual(delivery, &result, schedule, now);
        result.set_delivery_state(delivery, next_at);
        result.log(account, delivery, schedule.len() + 1, true);
        let record = AttemptRecording {
            account: Arc::clone(account),
            endpoint: endpoint.id,
            attempt: result,
            delivery: delivery.clone(),
            status_before,
            sent_at: now,
            next_at,
        };
        let recorded = self.record_attempt(record, None).await?;
        recorded.ok_or(RetryError::NoEndpoint(endpoint.id))
    }
}

/// Updates a delivery after a manual attempt. Returns the due time of the next attempt, or `None`
/// if there is none.
fn next_after_manual(
    delivery: &mut Delivery,
    result: &AttemptResult,
    retry_schedule_ms: &[i64],
    now: Timestamp,
) -> Option<Timestamp> {
    match (delivery.status, &result.result) {
        (DeliveryStatus::Sent, _) => {
            delivery.resend(now);
            None
        }
        (_, Ok(_)) => {
            delivery.succeed(now);
            None
        }
        (_, Err(_)) if result.is_dropped => {
            delivery.fail_permanently(now);
            None
        }
        (DeliveryStatus::Failed, Err(_)) => Some(delivery.fail_manual(now)),
        (DeliveryStatus::Pending | DeliveryStatus::Retrying, Err(_)) => {
            delivery.fail(now, retry_schedule_ms)
        }
    }
}
