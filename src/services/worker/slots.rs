//! Slots: how many jobs the worker runs at once.
//!
//! Only jobs that the worker runs take a slot. A claim that a request holds until its response has been
//! read does not, nor does a job that waits for its next try.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::ids::ClockId;
use crate::storage::db::due_index::DueIndex;

/// Jobs that are run at once at most; those that wait for a response cost little.
pub(super) const SLOTS: usize = 256;

/// All slots.
#[derive(Debug, Clone)]
pub(super) struct Slots(Arc<SlotsInner>);

#[derive(Debug)]
struct SlotsInner {
    state: Mutex<SlotsState>,
    agenda: DueIndex,
}

#[derive(Debug, Default)]
struct SlotsState {
    running: usize,
    /// A job that did not end when it was started before is running: see [`Slots::start`].
    suspect: bool,
    /// Clocks with due jobs for which there was no slot.
    deferred: HashSet<ClockId>,
}

/// A slot with the claim (`C`) of the job that runs in it. Dropping it frees both.
#[derive(Debug)]
pub(super) struct Slot<C> {
    slots: Slots,
    is_suspect: bool,
    /// `None` only while the slot is dropped.
    claim: Option<C>,
}

/// Result of [`Slots::start`].
#[derive(Debug)]
pub(super) enum Start<C> {
    /// The job runs in this slot.
    Started(Slot<C>),
    /// This job cannot be started now. Others by the same clock may be.
    Not,
    /// All slots are taken.
    Full,
}

impl Slots {
    /// Free slots. The worker looks at a clock again, through `agenda`, when a slot that its jobs lacked
    /// is freed.
    pub(super) fn new(agenda: DueIndex) -> Self {
        Self(Arc::new(SlotsInner {
            state: Mutex::default(),
            agenda,
        }))
    }

    fn state(&self) -> MutexGuard<'_, SlotsState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a slot for a job that goes by `clock`, if `claim` returns the job's claim.
    ///
    /// Looking for a free slot, claiming the job, and noting that the clock lacks a slot are one step: a
    /// slot that is freed meanwhile would wake nobody.
    ///
    /// Jobs that did not end when they were started before (`is_suspect`) run one at a time: if one of
    /// them kills the process again, it does not take others with it that it only ran beside.
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
            return Start::Not;
        }
        let Some(claim) = claim() else {
            return Start::Not;
        };
        state.running += 1;
        state.suspect |= is_suspect;
        Start::Started(Slot {
            slots: self.clone(),
            is_suspect,
            claim: Some(claim),
        })
    }

    /// Number of jobs that run.
    pub(super) fn running(&self) -> usize {
        self.state().running
    }
}

impl<C> Drop for Slot<C> {
    fn drop(&mut self) {
        // The claim goes first: whoever is woken by the free slot finds the job unclaimed.
        drop(self.claim.take());
        let mut state = self.slots.state();
        state.running -= 1;
        if self.is_suspect {
            state.suspect = false;
        }
        let starved = std::mem::take(&mut state.deferred);
        drop(state);
        for clock in starved {
            self.slots.0.agenda.check_now(clock);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: ClockId = ClockId(7);

    fn started(slots: &Slots) -> Slot<()> {
        match slots.start(CLOCK, false, || Some(())) {
            Start::Started(slot) => slot,
            other => panic!("{other:?}"),
        }
    }

    fn woken(agenda: &DueIndex) -> Vec<ClockId> {
        agenda.take_due(|_, _| true)
    }

    #[test]
    fn start_without_a_claim_takes_no_slot() {
        let slots = Slots::new(DueIndex::default());
        let start = slots.start(CLOCK, false, || None::<()>);
        assert!(matches!(start, Start::Not), "{start:?}");
        assert_eq!(slots.running(), 0);
    }

    #[test]
    fn suspects_run_one_at_a_time_and_beside_others() {
        let agenda = DueIndex::default();
        let slots = Slots::new(agenda.clone());
        let suspect = slots.start(CLOCK, true, || Some(()));
        assert!(matches!(suspect, Start::Started(_)), "{suspect:?}");
        let other = started(&slots);
        let second = slots.start(CLOCK, true, || Some(()));
        assert!(matches!(second, Start::Not), "{second:?}");
        assert_eq!(woken(&agenda), []);
        drop(suspect);
        assert_eq!(woken(&agenda), [CLOCK]);
        drop(other);
        assert_eq!(woken(&agenda), []);
    }

    #[test]
    fn slot_freed_while_another_is_asked_for_wakes_whoever_got_none() {
        let agenda = DueIndex::default();
        let slots = Slots::new(agenda.clone());
        for _ in 0..1_000 {
            let mut all: Vec<_> = (0..SLOTS).map(|_| started(&slots)).collect();
            let freed = all.pop();
            let thread = std::thread::spawn(move || drop(freed));
            let start = slots.start(CLOCK, false, || Some(()));
            thread.join().expect("no panic");
            match start {
                Start::Started(_) => assert_eq!(woken(&agenda), []),
                Start::Full => assert_eq!(woken(&agenda), [CLOCK]),
                Start::Not => panic!("there was a claim"),
            }
            drop(start);
            drop(all);
        }
    }
}
