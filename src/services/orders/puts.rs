//! Zero copy: responses of the clients' storages that are not recorded yet.
//!
//! An output that was put and whose response could not be recorded is not put again: the next run of the
//! order's job, after the error, takes the response from here.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::services::accounts::Account;

/// Result of one PUT to a client's storage.
#[derive(Debug, Clone)]
pub(super) enum PutOutcome {
    /// Status code of the response.
    Status(u16),
    /// No response was received. The text says why.
    NoResponse(String),
}

/// Responses by order, and by the place of the output among the order's outputs.
#[derive(Debug, Default)]
pub(super) struct OutputPuts(Mutex<HashMap<String, OrderPuts>>);

#[derive(Debug)]
struct OrderPuts {
    /// When the account's life has ended, nobody asks for the responses any more.
    ended: CancellationToken,
    outputs: HashMap<usize, PutOutcome>,
}

impl OutputPuts {
    fn orders(&self) -> MutexGuard<'_, HashMap<String, OrderPuts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the response to the put of that output. `None` if it was not put since the order's responses
    /// were last recorded.
    pub(super) fn find(&self, order_id: &str, output: usize) -> Option<PutOutcome> {
        self.orders().get(order_id)?.outputs.get(&output).cloned()
    }

    /// Keeps a response until it is recorded.
    pub(super) fn insert(&self, account: &Account, order_id: &str, output: usize, put: PutOutcome) {
        let mut orders = self.orders();
        orders.retain(|_, order| !order.ended.is_cancelled());
        let order = orders
            .entry(order_id.to_owned())
            .or_insert_with(|| OrderPuts {
                ended: account.cancellation().clone(),
                outputs: HashMap::new(),
            });
        order.outputs.insert(output, put);
    }

    /// Forgets the responses of an order: they are recorded, or the order has ended otherwise.
    pub(super) fn remove(&self, order_id: &str) {
        self.orders().remove(order_id);
    }
}
