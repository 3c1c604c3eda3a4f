//! Zero copy: PUT responses that are not recorded yet.
//!
//! An output whose response could not be recorded is not put again. The next run of the order's job
//! finds the response here.

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

/// Responses by order id and 0-based output index.
#[derive(Debug, Default)]
pub(super) struct OutputPuts(Mutex<HashMap<String, OrderPuts>>);

#[derive(Debug)]
struct OrderPuts {
    /// Cancelled when the account is reset or removed. The responses are then no longer needed.
    ended: CancellationToken,
    outputs: HashMap<usize, PutOutcome>,
}

impl OutputPuts {
    fn orders(&self) -> MutexGuard<'_, HashMap<String, OrderPuts>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the response to the PUT of an output. `None` if the output was not put since the
    /// order's responses were last recorded.
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

    /// Removes the responses of an order whose responses are recorded, or which has ended.
    pub(super) fn remove(&self, order_id: &str) {
        self.orders().remove(order_id);
    }
}
