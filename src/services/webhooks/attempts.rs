//! Queries for attempts.

use super::Webhooks;
use crate::model::ids::{AccountId, DeliveryId, WebhookId};
use crate::model::listing::Span;
use crate::model::webhook::{Attempt, Delivery};
use crate::services::accounts::Account;
use crate::storage::db::{self, InternalError};

pub use crate::storage::db::attempts::AttemptFilter;

/// Attempt with its delivery and event.
#[derive(Debug, Clone)]
pub struct AttemptRecord {
    /// API key of the account.
    pub account: String,
    pub endpoint: WebhookId,
    pub delivery: DeliveryId,
    pub event: String,
    pub event_type: String,
    /// Order that the event is about.
    pub order: String,
    /// Body exactly as it was sent.
    pub body: String,
    pub attempt: Attempt,
}

impl AttemptRecord {
    pub(super) fn new(
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
            event_type: delivery.event.event_type,
            order: delivery.event.order_id,
            body: delivery.event.body,
            attempt,
        }
    }
}

impl Webhooks {
    /// Returns the secrets of endpoints whose URL ends with `url_end`, each with its account.
    /// `None` as `account` searches all accounts.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn secrets(
        &self,
        account: Option<&Account>,
        url_end: &str,
    ) -> Result<Vec<(AccountId, String)>, InternalError> {
        let account = account.map(|account| account.id);
        db::endpoints::secrets(&mut self.db.read().await?, account, url_end).await
    }

    /// Returns the account of the event `event`. `None` if the event does not exist.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn account_of_event(&self, event: &str) -> Result<Option<AccountId>, InternalError> {
        db::webhooks::account_of_event(&mut self.db.read().await?, event).await
    }

    /// Returns the span of the newest `limit` attempts whose number is below `before`. Attempts are
    /// numbered within `filter`. `None` if there are no such attempts.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn attempts_span(
        &self,
        filter: &AttemptFilter,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Option<Span>, InternalError> {
        let mut reader = self.db.read().await?;
        db::attempts::span(&mut reader, filter, before, limit).await
    }

    /// Returns the attempts numbered `first` to `last` with their numbers, oldest first, at most
    /// `limit`. `None` for an attempt whose account has ended since.
    ///
    /// # Errors
    /// Returns an error if the database fails.
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
                order: stored.order,
                body: stored.body,
                attempt: stored.attempt,
            })
        };
        let numbered = |(number, stored)| (number, sent(stored));
        Ok(stored.into_iter().map(numbered).collect())
    }
}
