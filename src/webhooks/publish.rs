//! An order has come to its end: the event, and its way to every endpoint that takes it.

use super::Webhooks;
use crate::accounts::Account;
use crate::model::job::Kind;
use crate::model::order::Order;
use crate::model::time::Timestamp;
use crate::model::webhook::Event;
use crate::store::{self, StoreError, Tx};

impl Webhooks {
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
    ) -> Result<(), StoreError> {
        let Some((_, project)) = self
            .projections
            .iter()
            .find(|(vendor, _)| *vendor == order.vendor)
        else {
            return Ok(());
        };
        let draw = |purpose: &str| self.entropy.draw(&account.key, purpose, 0).uuid();
        let id = draw(&format!("event of {}", order.id));
        let Some(told) = project(order, &self.links, &id, now) else {
            return Ok(());
        };
        let event = Event {
            id,
            kind: told.kind,
            body: told.body,
        };
        let delivery_id = |endpoint: &str| draw(&format!("delivery of {} to {endpoint}", event.id));
        let endpoints =
            store::webhooks::publish(tx, account.id, order.test, &event, delivery_id, now).await?;
        for endpoint in &endpoints {
            store::jobs::put(tx, account.id, Kind::Deliver, endpoint, now).await?;
        }
        Ok(())
    }
}
