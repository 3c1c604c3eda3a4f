//! What was sent: every attempt.

use super::Webhooks;
use crate::model::ids::{AccountId, DeliveryId, WebhookId};
use crate::model::listing::Span;
use crate::model::webhook::{Attempt, Delivery};
use crate::services::accounts::Account;
use crate::storage::db::{self, InternalError};

pub use crate::storage::db::attempts::AttemptFilter;

/// An attempt, and what it was an attempt at.
#[derive(Debug, Clone)]
pub struct AttemptRecord {
    /// The key.
    pub account: String,
    pub endpoint: WebhookId,
    pub delivery: DeliveryId,
    pub event: String,
    /// The event's type.
    pub event_type: String,
    /// The raw body.
    pub body: String,
    pub attempt: Attempt,
}

impl AttemptRecord {
    pub(super) fn of(
        account: &Account,
        endpoint: WebhookId,
        delivery: Delivery,
        attempt: Attempt,
    ) -> Self {
        Self {
            account: account.key.clone(),
            endpoint,
            delivery: delivery.id,
            event: delivery.event.id,
            event_type: delivery.event.kind,
            body: delivery.event.body,
            attempt,
        }
    }
}

impl Webhooks {
    /// Returns the secrets of the webhooks whose URLs end with `url_end`, each with its account: of
    /// one account, or of all if it is `None`.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn secrets(
        &self,
        account: Option<&Account>,
        url_end: &str,
    ) -> Result<Vec<(AccountId, String)>, InternalError> {
        let account = account.map(|account| account.id);
        db::endpoints::secrets(&mut self.db.read().await?, account, url_end).await
    }

    /// Returns the account of an event. `None` if there is no such event.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn account_of_event(&self, event: &str) -> Result<Option<AccountId>, InternalError> {
        db::webhooks::account_of_event(&mut self.db.read().await?, event).await
    }

    /// Returns the newest `limit` attempts of those older than attempt number `before`. `None` if
    /// there are none. The numbers are those of this filter.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn attempts_span(
        &self,
        filter: &AttemptFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Option<Span>, InternalError> {
        let mut reader = self.db.read().await?;
        db::attempts::span(&mut reader, filter, before, limit).await
    }

    /// Returns the attempts numbered `first` to `last` with their numbers, the oldest first, `limit`
    /// of them at most. `None` stands for an attempt whose account's life has just ended.
    ///
    /// # Errors
    /// If they cannot be read.
    pub async fn attempts_in_span(
        &self,
        filter: &AttemptFilter,
        (first, last): (i64, i64),
        limit: u32,
    ) -> Result<Vec<(i64, Option<AttemptRecord>)>, InternalError> {
        let mut reader = self.db.read().await?;
        let stored = db::attempts::in_span(&mut reader, filter, (first, last), limit).await?;
        let sent = |stored: db::attempts::AttemptRow| {
            let account = self.accounts.by_id(stored.account)?;
            Some(AttemptRecord {
                account: account.key.clone(),
                endpoint: stored.endpoint,
                delivery: stored.delivery,
                event: stored.event,
                event_type: stored.event_type,
                body: stored.body,
                attempt: stored.attempt,
            })
        };
        let numbered = |(number, stored)| (number, sent(stored));
        Ok(stored.into_iter().map(numbered).collect())
    }
}
