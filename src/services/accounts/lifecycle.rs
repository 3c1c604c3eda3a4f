//! Lifecycle lock: while it is held, no account is created or deleted.

use std::sync::{Arc, PoisonError};

use tokio::sync::MutexGuard;

use super::{Account, Accounts, ClockGuard, lock};
use crate::model::ids::ClockId;
use crate::platform::clock::Clock;
use crate::storage::db::accounts::AccountRow;

/// Guard of the lifecycle lock. Needed to replace several accounts at once.
#[derive(Debug)]
pub struct LifecycleGuard<'a> {
    accounts: &'a Accounts,
    _guard: MutexGuard<'a, ()>,
}

impl Accounts {
    /// Waits for the lifecycle lock.
    pub async fn lock_lifecycle(&self) -> LifecycleGuard<'_> {
        LifecycleGuard {
            accounts: self,
            _guard: self.lifecycle_lock.lock().await,
        }
    }
}

impl LifecycleGuard<'_> {
    /// Ends the accounts `ended` and adds the accounts `added`, in one step for all requests. The
    /// caller takes care of rows and blobs.
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
        drop(registry);
        accounts.push_change(None);
        added
    }

    /// Sets the default clock in memory, after it was written. `guard` proves that its lock is
    /// held.
    pub fn set_default_clock(&self, guard: &ClockGuard, clock: Clock) {
        debug_assert_eq!(guard.clock(), ClockId::DEFAULT);
        *lock(&self.accounts.default_clock) = clock;
        self.accounts.push_clock_change(ClockId::DEFAULT);
    }
}
