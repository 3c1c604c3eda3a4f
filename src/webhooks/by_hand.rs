//! Attempts that a client asks for, made while its request waits.
//!
//! What has failed for good is sent once more, and where that fails once again 30 minutes
//! later. A request waits for its turn at the endpoint as the worker does (see
//! [`crate::claims`]), so that the endpoint's attempts stay one at a time. Once begun it is
//! carried through, whether its client still listens or not. If the process dies meanwhile,
//! the delivery stands as it did: failed, to be sent again by hand.

use std::ops::RangeInclusive;
use std::sync::Arc;

use super::Webhooks;
use crate::accounts::Account;
use crate::claims::Claim;
use crate::model::job::Kind;
use crate::model::time::Timestamp;
use crate::model::webhook::{Delivery, DeliveryStatus, Endpoint};
use crate::store::{self, StoreError, apart};

/// So many deliveries are sent again by one request.
const RETRIED_MAX: u32 = 50;

/// What came of an attempt made by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retried {
    /// The event's UUID.
    pub event_id: String,
    /// The status of a 2xx answer, else one line on what came.
    pub sent: Result<u16, String>,
}

/// What came of several.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub succeeded: u32,
    pub failed: u32,
}

/// Why nothing was sent.
#[derive(Debug, Clone)]
pub enum RetryError {
    /// The account has no endpoint of that id.
    NoEndpoint(String),
    /// The endpoint has no delivery of that id.
    NoDelivery(String),
    /// The delivery of that id was sent, or will be.
    NotFailed(String, DeliveryStatus),
    Store(StoreError),
}

impl From<StoreError> for RetryError {
    fn from(error: StoreError) -> Self {
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
        endpoint: &str,
        delivery: &str,
    ) -> Result<Retried, RetryError> {
        let (this, account) = (Arc::clone(self), Arc::clone(account));
        let (endpoint, delivery) = (endpoint.to_owned(), delivery.to_owned());
        apart(async move {
            // What is refused is refused at once, and what is not is looked at again in turn.
            this.failed(&account, &endpoint, &delivery).await?;
            let _turn = this.turn(&account, &endpoint).await?;
            this.send_failed(&account, &endpoint, &delivery).await
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
        endpoint: &str,
        window: RangeInclusive<Timestamp>,
    ) -> Result<Tally, RetryError> {
        let (this, account) = (Arc::clone(self), Arc::clone(account));
        let endpoint = endpoint.to_owned();
        apart(async move {
            this.own(&account, &endpoint).await?;
            let _turn = this.turn(&account, &endpoint).await?;
            let mut reader = this.db.read().await?;
            let failed =
                store::webhooks::failed(&mut reader, &endpoint, &window, RETRIED_MAX).await?;
            drop(reader);
            let mut tally = Tally::default();
            for delivery in failed {
                let retried = this.send_failed(&account, &endpoint, &delivery).await?;
                match retried.sent {
                    Ok(_) => tally.succeeded += 1,
                    Err(_) => tally.failed += 1,
                }
            }
            Ok(tally)
        })
        .await
    }

    async fn own(&self, account: &Account, endpoint: &str) -> Result<Endpoint, RetryError> {
        let found = self.endpoint(account, endpoint).await?;
        found.ok_or_else(|| RetryError::NoEndpoint(endpoint.to_owned()))
    }

    async fn failed(
        &self,
        account: &Account,
        endpoint: &str,
        delivery: &str,
    ) -> Result<(Endpoint, Delivery), RetryError> {
        let endpoint = self.own(account, endpoint).await?;
        let mut reader = self.db.read().await?;
        let found = store::webhooks::delivery(&mut reader, &endpoint.id, delivery).await?;
        match found {
            None => Err(RetryError::NoDelivery(delivery.to_owned())),
            Some(found) if found.status == DeliveryStatus::Failed => Ok((endpoint, found)),
            Some(found) => Err(RetryError::NotFailed(found.id, found.status)),
        }
    }

    /// Waits until nothing else is under way to the endpoint.
    async fn turn(&self, account: &Arc<Account>, endpoint: &str) -> Result<Claim, RetryError> {
        tokio::select! {
            biased;
            () = account.ended().cancelled() => Err(StoreError::AccountGone.into()),
            claim = self.claims.wait_for(account, Kind::Deliver, endpoint) => Ok(claim),
        }
    }

    /// Makes the attempt at what has failed, and records it; to be called in turn.
    async fn send_failed(
        &self,
        account: &Account,
        endpoint: &str,
        delivery: &str,
    ) -> Result<Retried, RetryError> {
        let (endpoint, delivery) = self.failed(account, endpoint, delivery).await?;
        self.send_by_hand(account, &endpoint, delivery).await
    }

    /// Sends a delivery once more, however it stands: one that was sent stays sent, one that is
    /// still tried is tried on if this fails.
    ///
    /// # Errors
    /// If there is none of that id, or what came of it could not be written.
    pub async fn resend(self: &Arc<Self>, delivery: &str) -> Result<(), RetryError> {
        let gone = || RetryError::NoDelivery(delivery.to_owned());
        let mut reader = self.db.read().await?;
        let found = store::webhooks::delivery_of_any(&mut reader, delivery).await?;
        drop(reader);
        let (account, endpoint) = found.ok_or_else(gone)?;
        let account = self.accounts.by_id(account).ok_or_else(gone)?;
        let (this, delivery) = (Arc::clone(self), delivery.to_owned());
        apart(async move {
            let _turn = this.turn(&account, &endpoint).await?;
            let own = this.own(&account, &endpoint).await?;
            let mut reader = this.db.read().await?;
            let found = store::webhooks::delivery(&mut reader, &endpoint, &delivery).await?;
            drop(reader);
            let found = found.ok_or(RetryError::NoDelivery(delivery))?;
            this.send_by_hand(&account, &own, found).await.map(drop)
        })
        .await
    }

    async fn send_by_hand(
        &self,
        account: &Account,
        endpoint: &Endpoint,
        mut delivery: Delivery,
    ) -> Result<Retried, RetryError> {
        let choice = self.ruled(account, endpoint, &delivery).await?;
        let mut made = tokio::select! {
            biased;
            () = account.ended().cancelled() => return Err(StoreError::AccountGone.into()),
            made = self.attempt(account, endpoint, &delivery, &choice) => made,
        };
        let now = account.now();
        let before = delivery.status;
        let next = match (&made.sent, before) {
            (_, DeliveryStatus::Sent) => None,
            (Ok(_), _) => {
                delivery.succeed(now);
                None
            }
            (Err(_), DeliveryStatus::Failed) => Some(delivery.fail_by_hand(now)),
            (Err(_), DeliveryStatus::Pending | DeliveryStatus::Retrying) => delivery.fail(now),
        };
        made.settle(&delivery, next);
        tracing::debug!(
            endpoint = endpoint.id,
            url = endpoint.url,
            event = delivery.event.id,
            status = delivery.status.name(),
            answer = ?made.sent,
            "webhook attempted by hand"
        );
        let mut tx = self.db.begin().await?;
        if !store::webhooks::record(&mut tx, &endpoint.id, &delivery, next, now).await? {
            return Err(RetryError::NoEndpoint(endpoint.id.clone()));
        }
        for attempt in &made.attempts {
            store::attempts::insert(&mut tx, account.id, &delivery.id, attempt).await?;
        }
        if let Some(at) = next {
            store::jobs::put(&mut tx, account.id, Kind::Deliver, &endpoint.id, at).await?;
        }
        tx.commit().await?;
        Ok(Retried {
            event_id: delivery.event.id,
            sent: made.sent,
        })
    }
}
