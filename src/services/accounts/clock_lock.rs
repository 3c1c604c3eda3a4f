//! Clock locks: held while a clock is set or moved, or while the worker claims jobs that follow it.
//!
//! An account's jobs move with it when it starts or stops following the default clock. Such a
//! change holds two locks: first the account's, then the default clock's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::Accounts;
use crate::model::ids::ClockId;
use crate::storage::db::due_index::DueIndex;

/// Locks of the clocks whose lock is held or waited for.
#[derive(Debug, Default)]
pub(super) struct ClockLocks(Mutex<HashMap<ClockId, Arc<tokio::sync::Mutex<()>>>>);

/// Exclusive right to change a clock. Dropping it makes the worker check for due jobs.
#[derive(Debug)]
pub struct ClockGuard {
    clock: ClockId,
    lock: Option<OwnedMutexGuard<()>>,
    /// `None` for the worker, which has just checked.
    due_index: Option<DueIndex>,
}

impl ClockLocks {
    fn locks(&self) -> MutexGuard<'_, HashMap<ClockId, Arc<tokio::sync::Mutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_for(&self, clock: ClockId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks();
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(locks.entry(clock).or_default())
    }
}

impl Accounts {
    /// `true` if the lock of that clock is held or waited for.
    #[must_use]
    pub fn is_clock_in_use(&self, clock: ClockId) -> bool {
        let locks = self.clock_locks.locks();
        let lock = locks.get(&clock);
        lock.is_some_and(|lock| Arc::strong_count(lock) > 1)
    }

    /// Waits for the lock of a clock.
    pub async fn lock_clock(&self, clock: ClockId) -> ClockGuard {
        ClockGuard {
            clock,
            lock: Some(self.clock_locks.lock_for(clock).lock_owned().await),
            due_index: Some(self.db.due_index().clone()),
        }
    }

    /// Takes the lock of a clock for the worker. `None` if the lock is held; its release wakes the
    /// worker.
    #[must_use]
    pub fn try_lock_clock(&self, clock: ClockId) -> Option<ClockGuard> {
        let lock = self.clock_locks.lock_for(clock).try_lock_owned().ok()?;
        Some(ClockGuard {
            clock,
            lock: Some(lock),
            due_index: None,
        })
    }
}

impl ClockGuard {
    /// Returns the id of the locked clock.
    #[must_use]
    pub const fn clock(&self) -> ClockId {
        self.clock
    }
}

impl Drop for ClockGuard {
    fn drop(&mut self) {
        drop(self.lock.take());
        if let Some(due_index) = &self.due_index {
            due_index.check_now(self.clock);
        }
    }
}
