//! Effects of a commit besides the rows.

use std::sync::Arc;

use super::Tx;
use crate::model::ids::{AccountId, ClockId, DeliveryId};
use crate::model::time::Timestamp;
use crate::platform::change_log::Subject;
use crate::storage::db::cache::CachedOrder;

/// Effects of a transaction, which its commit makes visible.
#[derive(Debug, Default)]
pub(super) struct TxEffects {
    pub due: Vec<(ClockId, Timestamp)>,
    pub written: Vec<CachedOrder>,
    pub ended: Vec<AccountId>,
    /// Ids of removed orders.
    pub removed: Vec<String>,
    /// Deliveries whose attempts were recorded or deferred.
    pub deliveries: Vec<(AccountId, DeliveryId)>,
    /// `true` if jobs changed in a way that `due` does not show.
    pub jobs_changed: bool,
}

impl TxEffects {
    /// Returns the changes for the log of changes.
    pub(super) fn changes(&self) -> impl Iterator<Item = (Option<AccountId>, Subject)> {
        let orders = self.written.iter().map(|store| {
            let order = &store.order;
            (Some(order.account), Subject::Order(Arc::from(&*order.id)))
        });
        let deliveries = self.deliveries.iter();
        orders.chain(deliveries.map(|(account, id)| (Some(*account), Subject::Delivery(*id))))
    }
}

impl Tx {
    /// Records that an attempt at a delivery was recorded or deferred.
    pub(in crate::storage::db) fn record_delivery(&mut self, account: AccountId, id: DeliveryId) {
        self.effects.deliveries.push((account, id));
    }
}
