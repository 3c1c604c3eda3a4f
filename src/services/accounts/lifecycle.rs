//! The turn: while somebody has it, no account begins or ends. Who replaces many at once takes it.

use std::sync::{Arc, PoisonError};

use tokio::sync::MutexGuard;

use super::{Account, Accounts, ClockGuard, lock};
use crate::model::ids::ClockId;
use crate::platform::clock::Clock;
use crate::storage::db::accounts::AccountRow;

/// Accounts as they stand.
#[derive(Debug)]
pub struct LifecycleGuard<'a> {
    accounts: &'a Accounts,
    _guard: MutexGuard<'a, ()>,
}

impl Accounts {
    /// Takes the turn as soon as nobody else has it.
    pub async fn lock_lifecycle(&self) -> LifecycleGuard<'_> {
        LifecycleGuard {
            accounts: self,
            _guard: self.lifecycle_lock.lock().await,
        }
    }
}

impl LifecycleGuard<'_> {
    /// Ends these accounts' lives and begins those, at once for every request; their rows and
    /// blobs are seen to by who calls.
    pub fn replace(&self, ended: &[Arc<Account>], added: Vec<AccountRow>) -> Vec<Arc<Account>> {
        let accounts = self.accounts;
        let added: Vec<Arc<Account>> = added.into_iter().map(|row| accounts.account(row)).collect();
        let mut registry = accounts
            .registry
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        for account in ended {
            account.cancellation().cancel();
            registry.remove(account);
        }
        for account in &added {
            registry.insert(account);
        }
        added
    }

    /// Sets the default clock to one that was written, in the hands of who holds its lock.
    pub fn set_default_clock(&self, guard: &ClockGuard, clock: Clock) {
        debug_assert_eq!(guard.clock(), ClockId::DEFAULT);
        *lock(&self.accounts.default_clock) = clock;
    }
}
