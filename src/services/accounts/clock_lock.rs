//! Clock locks: whoever sets or moves a clock, or claims jobs by it, holds its lock.
//!
//! An account that begins or ends to follow the default clock takes its jobs along. Whoever
//! changes that holds both locks: first the account's, then the default clock's.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use super::Accounts;
use crate::model::ids::ClockId;
use crate::storage::db::due_index::DueIndex;

/// The locks of the clocks that somebody holds or waits for.
#[derive(Debug, Default)]
pub(super) struct ClockLocks(Mutex<HashMap<ClockId, Arc<tokio::sync::Mutex<()>>>>);

/// Exclusive right to change a clock. Dropping it makes the worker look for due jobs.
#[derive(Debug)]
pub struct ClockGuard {
    clock: ClockId,
    lock: Option<OwnedMutexGuard<()>>,
    /// `None` in the hands of the worker, which has just looked.
    agenda: Option<DueIndex>,
}

impl ClockLocks {
    fn locks(&self) -> MutexGuard<'_, HashMap<ClockId, Arc<tokio::sync::Mutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock_of(&self, clock: ClockId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks();
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(locks.entry(clock).or_default())
    }
}

impl Accounts {
    /// `true` if somebody holds the lock of that clock, or waits for it.
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
            lock: Some(self.clock_locks.lock_of(clock).lock_owned().await),
            agenda: Some(self.db.agenda().clone()),
        }
    }

    /// Takes the lock of a clock for the worker. `None` if somebody holds it, who makes the
    /// worker look again.
    #[must_use]
    pub fn try_lock_clock(&self, clock: ClockId) -> Option<ClockGuard> {
        let lock = self.clock_locks.lock_of(clock).try_lock_owned().ok()?;
        Some(ClockGuard {
            clock,
            lock: Some(lock),
            agenda: None,
        })
    }
}

impl ClockGuard {
    /// Returns the clock that is locked.
    #[must_use]
    pub const fn clock(&self) -> ClockId {
        self.clock
    }
}

impl Drop for ClockGuard {
    fn drop(&mut self) {
        drop(self.lock.take());
        if let Some(agenda) = &self.agenda {
            agenda.check_now(self.clock);
        }
    }
}
