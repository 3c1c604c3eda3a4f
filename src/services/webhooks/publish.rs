//! An order has come to its end: the event, and its way to every endpoint that takes it.

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
    /// Keeps back what goes to the account's endpoints, until what is answered is let go; what is
    /// under way to them is waited for.
    ///
    /// # Errors
    /// If the endpoints cannot be read.
    pub async fn pause_deliveries(
        &self,
        account: &Arc<Account>,
    ) -> Result<Vec<Claim>, InternalError> {
        let ids = db::endpoints::ids(&mut self.db.read().await?, account.id).await?;
        let mut claims = Vec::with_capacity(ids.len());
        // In one order always: of two that hold at once, none waits for the other's.
        for id in ids {
            let subject = id.to_string();
            claims.push(self.claims.claim(account, JobKind::Deliver, &subject).await);
        }
        Ok(claims)
    }

    /// Id of the one event of an order, derived from the order's own.
    fn event_id(&self, account: &Account, order: &str) -> String {
        let purpose = format!("event of {order}");
        self.entropy.rng(&account.key, &purpose, 0).uuid()
    }

    /// Removes the events of orders that are removed, with their deliveries and attempts.
    ///
    /// # Errors
    /// If they cannot be removed.
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

    /// Publishes what became of the order, in the transaction that writes it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn publish(
        &self,
        tx: &mut Tx,
        account: &Account,
        order: &Order,
        now: Timestamp,
    ) -> Result<(), InternalError> {
        let Some((_, project)) = self
            .projections
            .iter()
            .find(|(vendor, _)| *vendor == order.vendor)
        else {
            return Ok(());
        };
        let id = self.event_id(account, &order.id);
        let Some(rendered) = project(order, &self.links, &id, now) else {
            return Ok(());
        };
        let event = Event {
            id,
            kind: rendered.event_type,
            body: rendered.body,
        };
        let endpoints = db::webhooks::publish(tx, account.id, order.test, &event, now).await?;
        for endpoint in endpoints {
            let subject = endpoint.to_string();
            db::jobs::upsert(tx, account.id, JobKind::Deliver, &subject, now).await?;
        }
        Ok(())
    }
}
