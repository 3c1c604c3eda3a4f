//! What was sent: every attempt.

use super::Webhooks;
use crate::accounts::Account;
use crate::model::webhook::Attempt;
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

impl Webhooks {
    /// The secrets of the webhooks whose URLs end so, whosever they are.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn secrets(&self, url_end: &str) -> Result<Vec<String>, StoreError> {
        store::endpoints::secrets(&mut self.db.read().await?, url_end).await
    }

    /// The last `limit` attempts, the newest last: of one account, to one endpoint, at events of
    /// one type, at one delivery, where these are given.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn attempts(
        &self,
        account: Option<&Account>,
        endpoint: Option<String>,
        kind: Option<String>,
        delivery: Option<String>,
        limit: u32,
    ) -> Result<Vec<Sent>, StoreError> {
        let filter = Filter {
            account: account.map(|account| account.id),
            endpoint,
            kind,
            delivery,
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
