//! Attempts that a client asks for, made while its request waits.
//!
//! What has failed for good is sent once more, and where that fails once again 30 minutes
//! later. A request waits for its turn at the endpoint as the worker does (see
//! [`crate::services::claims`]), so that the endpoint's attempts stay one at a time. Once begun it is
//! carried through, whether its client still listens or not. If the process dies meanwhile,
//! the delivery stands as it did: failed, to be sent again by hand.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::attempt::AttemptResult;
use super::record::AttemptRecording;
use super::{AttemptRecord, Webhooks};
use crate::model::ids::{AccountId, DeliveryId, WebhookId};
use crate::model::job::JobKind;
use crate::model::time::Timestamp;
use crate::model::webhook::{Delivery, DeliveryStatus, Endpoint};
use crate::services::accounts::Account;
use crate::services::claims::Claim;
use crate::storage::db::{self, InternalError, run_to_completion};

/// So many deliveries are sent again by one request.
const RETRY_BATCH_MAX: u32 = 50;

/// What came of an attempt made by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryResult {
    /// The event's UUID.
    pub event_id: String,
    /// The status of a 2xx answer, else one line on what came.
    pub sent: Result<u16, String>,
}

/// What came of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RetrySummary {
    pub succeeded: u32,
    pub failed: u32,
}

/// Why nothing was sent.
#[derive(Debug, Clone)]
pub enum RetryError {
    /// The account has no endpoint of that id.
    NoEndpoint(WebhookId),
    /// The endpoint has no delivery of that id.
    NoDelivery(DeliveryId),
    /// The delivery of that id was sent, or will be.
    NotFailed(DeliveryId, DeliveryStatus),
    Store(InternalError),
}

impl From<InternalError> for RetryError {
    fn from(error: InternalError) -> Self {
        Self::Store(error)
    }
}

impl Webhooks {
    /// Sends a failed delivery once more.
    ///
    /// # Errors
    /// Says why it was not sent, or that what came of it could not be written.
    pub async fn retry(
        self: &Arc<Self>,
        account: &Arc<Account>,
        endpoint: WebhookId,
        delivery: DeliveryId,
    ) -> Result<RetryResult, RetryError> {
        let (this, account) = (Arc::clone(self), Arc::clone(account));
        run_to_completion(async move {
            // What is refused is refused at once, and what is not is looked at again in turn.
            this.find_failed_delivery(&account, endpoint, delivery)
                .await?;
            let _turn = this.lock_endpoint(&account, endpoint).await?;
            this.retry_one(&account, endpoint, delivery).await
        })
        .await
    }

    /// Sends once more what was made for an endpoint in `window` and has failed, the oldest
    /// first, 50 at most.
    ///
    /// # Errors
    /// If the account has no such endpoint or has lost it meanwhile, or what came of an attempt
    /// could not be written.
    pub async fn retry_failed(
        self: &Arc<Self>,
        account: &Arc<Account>,
        endpoint: WebhookId,
        window: RangeInclusive<Timestamp>,
    ) -> Result<RetrySummary, RetryError> {
        let (this, account) = (Arc::clone(self), Arc::clone(account));
        run_to_completion(async move {
            this.find_endpoint(&account, endpoint).await?;
            let _turn = this.lock_endpoint(&account, endpoint).await?;
            let mut reader = this.db.read().await?;
            let failed =
                db::webhooks::failed(&mut reader, endpoint, &window, RETRY_BATCH_MAX).await?;
            drop(reader);
            let mut tally = RetrySummary::default();
            for delivery in failed {
                let retried = this.retry_one(&account, endpoint, delivery).await?;
                match retried.sent {
                    Ok(_) => tally.succeeded += 1,
                    Err(_) => tally.failed += 1,
                }
            }
            Ok(tally)
        })
        .await
    }

    async fn find_endpoint(
        &self,
        account: &Account,
        endpoint: WebhookId,
    ) -> Result<Endpoint, RetryError> {
        let found = self.endpoint(account, endpoint).await?;
        found.ok_or_else(|| RetryError::NoEndpoint(endpoint))
    }

    async fn find_failed_delivery(
        &self,
        account: &Account,
        endpoint: WebhookId,
        delivery: DeliveryId,
    ) -> Result<(Endpoint, Delivery), RetryError> {
        let endpoint = self.find_endpoint(account, endpoint).await?;
        let mut reader = self.db.read().await?;
        let found = db::webhooks::delivery(&mut reader, endpoint.id, delivery).await?;
        match found {
            None => {
                // A reset or a removal between the two reads took the endpoint as well.
                drop(reader);
                self.find_endpoint(account, endpoint.id).await?;
                Err(RetryError::NoDelivery(delivery))
            }
            Some(found) if found.status == DeliveryStatus::Failed => Ok((endpoint, found)),
            Some(found) => Err(RetryError::NotFailed(found.id, found.status)),
        }
    }

    /// Waits until nothing else is under way to the endpoint, and all that was is recorded.
    async fn lock_endpoint(
        &self,
        account: &Arc<Account>,
        endpoint: WebhookId,
    ) -> Result<Claim, RetryError> {
        let subject = endpoint.to_string();
        let turn = tokio::select! {
            biased;
            () = account.cancellation().cancelled() => return Err(InternalError::AccountGone.into()),
            claim = self.claims.claim(account, JobKind::Deliver, &subject) => claim,
        };
        self.record_earlier(endpoint).await?;
        Ok(turn)
    }

    /// Makes the attempt at what has failed, and records it; to be called in turn.
    async fn retry_one(
        &self,
        account: &Arc<Account>,
        endpoint: WebhookId,
        delivery: DeliveryId,
    ) -> Result<RetryResult, RetryError> {
        let (endpoint, mut delivery) = self
            .find_failed_delivery(account, endpoint, delivery)
            .await?;
        let result = self.send_now(account, &endpoint, &mut delivery).await?;
        Ok(RetryResult {
            event_id: delivery.event.id,
            sent: result.result,
        })
    }

    /// Sends a delivery once more, however it stands: what was sent stays sent, what is yet to be
    /// sent goes on from there. Answers the last of what was sent. `owner` is the account that has
    /// to own the delivery; `None` for any.
    ///
    /// # Errors
    /// If there is none of that id, or what came of it could not be written.
    pub async fn resend(
        self: &Arc<Self>,
        owner: Option<AccountId>,
        delivery: DeliveryId,
    ) -> Result<AttemptRecord, RetryError> {
        let not_found = || RetryError::NoDelivery(delivery);
        let mut reader = self.db.read().await?;
        let found = db::webhooks::delivery_account(&mut reader, delivery).await?;
        drop(reader);
        let is_owned = |(account, _): &(AccountId, _)| owner.is_none_or(|it| it == *account);
        let (account, endpoint) = found.filter(is_owned).ok_or_else(not_found)?;
        let account = self.accounts.by_id(account).ok_or_else(not_found)?;
        let this = Arc::clone(self);
        run_to_completion(async move {
            let _turn = this.lock_endpoint(&account, endpoint).await?;
            let endpoint = this.find_endpoint(&account, endpoint).await?;
            let mut reader = this.db.read().await?;
            let found = db::webhooks::delivery(&mut reader, endpoint.id, delivery).await?;
            drop(reader);
            let mut found = found.ok_or(RetryError::NoDelivery(delivery))?;
            let result = this.send_now(&account, &endpoint, &mut found).await?;
            let last = result.attempts.into_iter().next_back();
            let attempt = last.ok_or(RetryError::NoDelivery(delivery))?;
            Ok(AttemptRecord::of(&account, endpoint.id, found, attempt))
        })
        .await
    }

    /// Makes an attempt and records it; to be called in turn.
    async fn send_now(
        &self,
        account: &Arc<Account>,
        endpoint: &Endpoint,
        delivery: &mut Delivery,
    ) -> Result<AttemptResult, RetryError> {
        let choice = self
            .rules_for_manual_attempt(account, endpoint, delivery)
            .await?;
        let mut result = tokio::select! {
            biased;
            () = account.cancellation().cancelled() => return Err(InternalError::AccountGone.into()),
            result = self.attempt(account, endpoint, delivery, &choice) => result,
        };
        let before = delivery.status;
        let now = account.now();
        let next = next_after_manual(delivery, &result, now);
        result.set_delivery_state(delivery, next);
        result.log(account, delivery, true);
        let record = AttemptRecording {
            account: Arc::clone(account),
            endpoint: endpoint.id,
            attempt: result,
            delivery: delivery.clone(),
            before,
            sent_at: now,
            next_at: next,
        };
        let recorded = self.record_attempt(record, None).await?;
        recorded.ok_or(RetryError::NoEndpoint(endpoint.id))
    }
}

/// How a delivery stands after an attempt made by hand at `now`: when the next one is due.
fn next_after_manual(
    delivery: &mut Delivery,
    result: &AttemptResult,
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
        (DeliveryStatus::Pending | DeliveryStatus::Retrying, Err(_)) => delivery.fail(now),
    }
}
