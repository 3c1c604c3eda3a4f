//! Slots: the limit on jobs that the worker runs at once.
//!
//! Only jobs that the worker runs take a slot. A claim that a request holds until its response has
//! been sent takes none, and neither does a job that waits for a retry.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::ids::ClockId;
use crate::storage::db::due_index::DueIndex;

/// Maximum number of jobs that run at once. Most of them wait for an HTTP response and cost little.
pub(super) const SLOTS: usize = 256;

/// Slots of the worker.
#[derive(Debug, Clone)]
pub(super) struct Slots(Arc<SlotsInner>);

#[derive(Debug)]
struct SlotsInner {
    state: Mutex<SlotsState>,
    due_index: DueIndex,
}

#[derive(Debug, Default)]
struct SlotsState {
    running: usize,
    /// `true` while a suspect job is running: see [`Slots::start`].
    suspect: bool,
    /// Clocks with due jobs that found no slot.
    deferred: HashSet<ClockId>,
}

/// Slot with the claim (`C`) of the job that runs in it. Dropping it frees both.
#[derive(Debug)]
pub(super) struct Slot<C> {
    slots: Slots,
    is_suspect: bool,
    /// `None` only during drop.
    claim: Option<C>,
}

/// Result of [`Slots::start`].
#[derive(Debug)]
pub(super) enum Start<C> {
    /// The job runs in this slot.
    Started(Slot<C>),
    /// The job cannot start now. Other jobs of the same clock may be able to start.
    Blocked,
    /// No slot is free.
    Full,
}

impl Slots {
    /// Creates free slots. When a slot is freed, the clocks that found none are checked again
    /// through `due_index`.
    pub(super) fn new(due_index: DueIndex) -> Self {
        Self(Arc::new(SlotsInner {
            state: Mutex::default(),
            due_index,
        }))
    }

    fn state(&self) -> MutexGuard<'_, SlotsState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot for a job of `clock`, if `claim` returns the job's claim.
    ///
    /// The check for a free slot, the claim, and the entry in `deferred` happen under one lock.
    /// Otherwise a slot that is freed between these steps would wake no clock.
    ///
    /// Suspect jobs, whose earlier start did not end, run one at a time. If one of them kills the
    /// process again, it does not count against other suspects.
    pub(super) fn start<C>(
        &self,
        clock: ClockId,
        is_suspect: bool,
        claim: impl FnOnce() -> Option<C>,
    ) -> Start<C> {
        let mut state = self.state();
        if state.running >= SLOTS {
            state.deferred.insert(clock);
            return Start::Full;
        }
        if is_suspect && state.suspect {
            state.deferred.insert(clock);
            return Start::Blocked;
        }
        let Some(claim) = claim() else {
            return Start::Blocked;
        };
        state.running += 1;
        state.suspect |= is_suspect;
        Start::Started(Slot {
            slots: self.clone(),
            is_suspect,
            claim: Some(claim),
        })
    }

    /// Returns the number of running jobs.
    pub(super) fn running(&self) -> usize {
        self.state().running
    }
}

impl<C> Drop for Slot<C> {
    fn drop(&mut self) {
        // The claim is released first, so that a task woken by the free slot can claim the job.
        drop(self.claim.take());
        let mut state = self.slots.state();
        state.running -= 1;
        if self.is_suspect {
            state.suspect = false;
        }
        let deferred = std::mem::take(&mut state.deferred);
        drop(state);
        for clock in deferred {
            self.slots.0.due_index.check_now(clock);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: ClockId = ClockId(7);

    fn start_job(slots: &Slots) -> Slot<()> {
        match slots.start(CLOCK, false, || Some(())) {
            Start::Started(slot) => slot,
            other => panic!("{other:?}"),
        }
    }

    fn woken_clocks(due_index: &DueIndex) -> Vec<ClockId> {
        due_index.take_due(|_, _| true)
    }

    #[test]
    fn start_without_a_claim_takes_no_slot() {
        let slots = Slots::new(DueIndex::default());
        let start = slots.start(CLOCK, false, || None::<()>);
        assert!(matches!(start, Start::Blocked), "{start:?}");
        assert_eq!(slots.running(), 0);
    }

    #[test]
    fn start_of_suspects_runs_one_at_a_time_beside_other_jobs() {
        let due_index = DueIndex::default();
        let slots = Slots::new(due_index.clone());
        let suspect = slots.start(CLOCK, true, || Some(()));
        assert!(matches!(suspect, Start::Started(_)), "{suspect:?}");
        let other = start_job(&slots);
        let second = slots.start(CLOCK, true, || Some(()));
        assert!(matches!(second, Start::Blocked), "{second:?}");
        assert_eq!(woken_clocks(&due_index), []);
        drop(suspect);
        assert_eq!(woken_clocks(&due_index), [CLOCK]);
        drop(other);
        assert_eq!(woken_clocks(&due_index), []);
    }

    #[test]
    fn free_during_start_wakes_the_clock_that_found_no_slot() {
        let due_index = DueIndex::default();
        let slots = Slots::new(due_index.clone());
        for _ in 0..1_000 {
            let mut all: Vec<_> = (0..SLOTS).map(|_| start_job(&slots)).collect();
            let freed = all.pop();
            let thread = std::thread::spawn(move || drop(freed));
            let start = slots.start(CLOCK, false, || Some(()));
            thread.join().expect("no panic");
            match start {
                Start::Started(_) => assert_eq!(woken_clocks(&due_index), []),
                Start::Full => assert_eq!(woken_clocks(&due_index), [CLOCK]),
                Start::Blocked => panic!("blocked although the job can be claimed"),
            }
            drop(start);
            drop(all);
        }
    }
}
