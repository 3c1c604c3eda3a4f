//! Events of orders that have ended, and their deliveries.

use std::sync::Arc;

use super::Webhooks;
use crate::model::job::JobKind;
use crate::model::order::Order;
use crate::model::time::Timestamp;
use crate::model::webhook::Event;
use crate::services::accounts::Account;
use crate::services::claims::Claim;
use crate::storage::db::{self, InternalError, Tx};

impl Webhooks {
    /// Pauses deliveries to the account's endpoints until the claims are dropped. Waits for
    /// attempts that are in flight.
    ///
    /// # Errors
    /// Returns an error if the endpoints cannot be read.
    pub async fn pause_deliveries(
        &self,
        account: &Arc<Account>,
    ) -> Result<Vec<Claim>, InternalError> {
        let ids = db::endpoints::ids(&mut self.db.read().await?, account.id).await?;
        let mut claims = Vec::with_capacity(ids.len());
        // Claimed in the order of their ids, so that two callers cannot wait for each other.
        for id in ids {
            let subject = id.to_string();
            claims.push(self.claims.claim(account, JobKind::Deliver, &subject).await);
        }
        Ok(claims)
    }

    /// Returns the id of an order's event. An order has one event, so its id is derived from the
    /// order's.
    #[must_use]
    pub fn event_id(&self, account: &Account, order: &str) -> String {
        let purpose = format!("event of {order}");
        self.entropy.rng(&account.key, &purpose, 0).uuid()
    }

    /// Returns the due time of the next attempt at a delivery of the order's event. `None` if none is
    /// due.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn next_attempt_at(
        &self,
        account: &Account,
        order: &str,
    ) -> Result<Option<Timestamp>, InternalError> {
        let event = self.event_id(account, order);
        db::webhooks::next_attempt_at(&mut self.db.read().await?, &event).await
    }

    /// Deletes the events of deleted orders, with their deliveries and attempts.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn remove_events(
        &self,
        tx: &mut Tx,
        account: &Account,
        orders: &[String],
    ) -> Result<(), InternalError> {
        for order in orders {
            let event = self.event_id(account, order);
            db::retention::remove_event(tx, account.id, &event).await?;
        }
        Ok(())
    }

    /// Publishes the event of an order in the transaction that ends the order.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn publish(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), InternalError> {
        let profile = self.vendors.profile(order.vendor);
        let Some(webhooks) = &profile.webhooks else {
            return Ok(());
        };
        let id = self.event_id(account, &order.id);
        let Some(payload) = (webhooks.build_event)(order, &self.presigned_urls, &id, now) else {
            return Ok(());
        };
        let event = Event {
            id,
            vendor: order.vendor,
            event_type: payload.event_type,
            order_id: order.id.clone(),
            body: payload.body,
        };
        let endpoints = db::webhooks::publish(tx, account.id, order.test, &event, now).await?;
        for endpoint in endpoints {
            let subject = endpoint.to_string();
            db::jobs::upsert(tx, account.id, JobKind::Deliver, &subject, now).await?;
        }
        Ok(())
    }
}
