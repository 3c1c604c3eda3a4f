//! Steps: a clock is set or moved by one at a time, and its jobs are left to who does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedMutexGuard;

use crate::model::ids::ClockId;
use crate::store::agenda::Agenda;

/// Who may move which clock; locks of clocks that nobody moves are let go.
#[derive(Debug, Default)]
pub(super) struct Steps(Mutex<HashMap<ClockId, Arc<tokio::sync::Mutex<()>>>>);

/// A clock in one's hands; when it is let go, the worker looks at it again.
#[derive(Debug)]
pub struct Step {
    clock: ClockId,
    turn: Option<OwnedMutexGuard<()>>,
    agenda: Agenda,
}

impl Steps {
    fn locks(&self) -> MutexGuard<'_, HashMap<ClockId, Arc<tokio::sync::Mutex<()>>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self, clock: ClockId) -> Arc<tokio::sync::Mutex<()>> {
        let mut locks = self.locks();
        locks.retain(|_, lock| Arc::strong_count(lock) > 1);
        Arc::clone(locks.entry(clock).or_default())
    }

    /// Takes the clock as soon as nobody else has it.
    pub(super) async fn take(&self, clock: ClockId, agenda: &Agenda) -> Step {
        Step {
            clock,
            turn: Some(self.lock(clock).lock_owned().await),
            agenda: agenda.clone(),
        }
    }

    /// Takes the clock if nobody has it. Who has it makes the worker look again.
    pub(super) fn try_take(&self, clock: ClockId) -> Option<OwnedMutexGuard<()>> {
        self.lock(clock).try_lock_owned().ok()
    }

    /// Whether somebody has it.
    pub(super) fn is_taken(&self, clock: ClockId) -> bool {
        let locks = self.locks();
        let lock = locks.get(&clock);
        lock.is_some_and(|lock| lock.try_lock().is_err())
    }
}

impl Drop for Step {
    fn drop(&mut self) {
        drop(self.turn.take());
        self.agenda.look(self.clock);
    }
}
