//! What was sent: every attempt.

use super::Webhooks;
use crate::accounts::Account;
use crate::model::webhook::{Attempt, Delivery};
use crate::store::{self, StoreError, attempts::Filter};

/// An attempt, and what it was an attempt at.
#[derive(Debug, Clone)]
pub struct Sent {
    /// The key.
    pub account: String,
    pub endpoint: String,
    pub delivery: String,
    pub event: String,
    /// The event's type.
    pub kind: String,
    /// The raw body.
    pub body: String,
    pub attempt: Attempt,
}

impl Sent {
    pub(super) fn of(
        account: &Account,
        endpoint: String,
        delivery: Delivery,
        attempt: Attempt,
    ) -> Self {
        Self {
            account: account.key.clone(),
            endpoint,
            delivery: delivery.id,
            event: delivery.event.id,
            kind: delivery.event.kind,
            body: delivery.event.body,
            attempt,
        }
    }
}

impl Webhooks {
    /// The secrets of the webhooks whose URLs end so, of one account or whosever they are.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn secrets(
        &self,
        account: Option<&Account>,
        url_end: &str,
    ) -> Result<Vec<String>, StoreError> {
        let account = account.map(|account| account.id);
        store::endpoints::secrets(&mut self.db.read().await?, account, url_end).await
    }

    /// The last `limit` attempts, the newest last: of one account, to one endpoint, at events of
    /// one type, where these are given.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn attempts(
        &self,
        account: Option<&Account>,
        endpoint: Option<String>,
        kind: Option<String>,
        limit: u32,
    ) -> Result<Vec<Sent>, StoreError> {
        let filter = Filter {
            account: account.map(|account| account.id),
            endpoint,
            kind,
        };
        let mut reader = self.db.read().await?;
        let stored = store::attempts::list(&mut reader, &filter, limit).await?;
        let of = |stored: store::attempts::Stored| {
            let account = self.accounts.by_id(stored.account)?;
            Some(Sent {
                account: account.key.clone(),
                endpoint: stored.endpoint,
                delivery: stored.delivery,
                event: stored.event,
                kind: stored.kind,
                body: stored.body,
                attempt: stored.attempt,
            })
        };
        Ok(stored.into_iter().filter_map(of).collect())
    }
}
