//! The agenda: which clock has work due when, as far as anyone has said.
//!
//! A hint and no more: it is noted when a job's transaction commits, read by the worker, and
//! made again from the rows at start. Its size is that of the set of clocks.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

use crate::model::ids::ClockId;
use crate::model::time::Timestamp;

/// Shared by whoever writes jobs and the worker.
#[derive(Debug, Clone, Default)]
pub struct DueIndex(Arc<DueIndexInner>);

#[derive(Debug, Default)]
struct DueIndexInner {
    due: Mutex<HashMap<ClockId, NextDue>>,
    changed: Notify,
    version: AtomicU64,
}

/// What is known of a clock's work.
#[derive(Debug, Clone, Copy)]
pub struct NextDue {
    /// When the first of it is due.
    pub at: Timestamp,
    /// Some of it was not there when the worker looked last.
    pub is_new: bool,
}

impl DueIndex {
    /// Something new is due at `at`, by that clock.
    pub fn schedule(&self, clock: ClockId, at: Timestamp) {
        self.0.version.fetch_add(1, Ordering::SeqCst);
        self.merge(clock, NextDue { at, is_new: true });
    }

    /// Jobs have gone that nobody has done, or go by another clock, or have come unnoted.
    pub(super) fn invalidate(&self) {
        self.0.version.fetch_add(1, Ordering::SeqCst);
    }

    /// How often it was noted that jobs are others than before; a job that is done is not.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.0.version.load(Ordering::SeqCst)
    }

    /// Of what was just looked at, the first is due at `at`.
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

    /// Something may be due by that clock at once.
    pub fn check_now(&self, clock: ClockId) {
        let at = Timestamp::from_ms(i64::MIN);
        self.merge(clock, NextDue { at, is_new: true });
    }

    /// Forgets the clocks for which `keep` returns false, because they are no more.
    pub fn retain(&self, keep: impl Fn(ClockId) -> bool) {
        let mut due = self.0.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.retain(|clock, _| keep(*clock));
    }

    /// Takes out the clocks for which `is_due` says so.
    pub fn take_due(&self, is_due: impl Fn(ClockId, NextDue) -> bool) -> Vec<ClockId> {
        let mut due = self.0.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.extract_if(|clock, due| is_due(*clock, *due))
            .map(|(clock, _)| clock)
            .collect()
    }

    /// The smallest of what `wait_ms` says of each entry, none where it says none of all.
    pub fn min_wait(&self, wait_ms: impl Fn(ClockId, Timestamp) -> Option<u64>) -> Option<u64> {
        let due = self.0.due.lock().unwrap_or_else(PoisonError::into_inner);
        due.iter()
            .filter_map(|(clock, due)| wait_ms(*clock, due.at))
            .min()
    }

    /// Returns when something was noted since the last time, or a clock was moved.
    pub async fn changed(&self) {
        self.0.changed.notified().await;
    }

    /// A clock was moved: what is due must be judged again.
    pub fn wake(&self) {
        self.0.changed.notify_one();
    }
}
