//! Index of the next due time of each clock.
//!
//! The index is a hint for the worker, with one entry per clock with work. A commit of a transaction
//! with jobs updates the index. The start rebuilds the index from the rows.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::model::ids::ClockId;
use crate::model::time::Timestamp;

/// Index of due times. Clones share it.
#[derive(Debug, Clone, Default)]
pub struct DueIndex(Arc<DueIndexInner>);

#[derive(Debug, Default)]
struct DueIndexInner {
    due: Mutex<HashMap<ClockId, NextDue>>,
    changed: Notify,
    version: AtomicU64,
}

/// Next due time of a clock.
#[derive(Debug, Clone, Copy)]
pub struct NextDue {
    /// Due time of the first job.
    pub at: Timestamp,
    /// `true` if a job was added since the worker last dispatched.
    pub is_new: bool,
}

impl DueIndex {
    /// Records a new job that is due at `at` on `clock`.
    pub fn schedule(&self, clock: ClockId, at: Timestamp) {
        self.0.version.fetch_add(1, Ordering::SeqCst);
        self.merge(clock, NextDue { at, is_new: true });
    }

    /// Records that jobs were removed without a run, changed their clock, or were added without
    /// [`Self::schedule`].
    pub(super) fn invalidate(&self) {
        self.0.version.fetch_add(1, Ordering::SeqCst);
    }

    /// Returns the number of recorded changes. The end of a job is no change.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.version.load(Ordering::SeqCst)
    }

    /// Records that the first of the jobs already dispatched is due at `at`.
    pub fn wait_until(&self, clock: ClockId, at: Timestamp) {
        self.merge(clock, NextDue { at, is_new: false });
    }

    fn merge(&self, clock: ClockId, more: NextDue) {
        let mut due = self.0.due.lock().unwrap_or_else(PoisonError::into_inner);
        let known = due.entry(clock).or_insert(more);
        *known = NextDue {
            at: more.at.min(known.at),
            is_new: more.is_new || known.is_new,
        };
        drop(due);
        self.0.changed.notify_one();
    }

    /// Makes the worker check `clock` at once.
    pub fn check_now(&self, clock: ClockId) {
        let at = Timestamp::from_ms(i64::MIN);
        self.merge(clock, NextDue { at, is_new: true });
    }

    /// Removes the clocks for which `keep` returns `false`.
    pub fn retain(&self, keep: impl Fn(ClockId) -> bool) {
        let mut due = self.0.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.retain(|clock, _| keep(*clock));
    }

    /// Removes and returns the clocks for which `is_due` returns `true`.
    pub fn take_due(&self, is_due: impl Fn(ClockId, NextDue) -> bool) -> Vec<ClockId> {
        let mut due = self.0.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.extract_if(|clock, due| is_due(*clock, *due))
            .map(|(clock, _)| clock)
            .collect()
    }

    /// Returns the shortest wait by `wait_ms` over all entries. `None` if it returns `None` for all.
    pub fn min_wait(&self, wait_ms: impl Fn(ClockId, Timestamp) -> Option<u64>) -> Option<u64> {
        let due = self.0.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.iter()
            .filter_map(|(clock, due)| wait_ms(*clock, due.at))
            .min()
    }

    /// Waits for the next change of the index or of a clock.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// Wakes the worker because a clock was moved.
    pub fn wake(&self) {
        self.0.changed.notify_one();
    }
}
