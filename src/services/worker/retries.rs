//! Retries: when a job that failed by a fault of the server, or was cut off by the death of the process,
//! is run again.
//!
//! The wait grows from 1 s to 60 s of real time, whatever the account's clock shows. It is kept in
//! memory: a restart begins anew. A job that waits holds neither its claim nor a slot.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::ids::AccountId;
use crate::model::job::Job;

/// Errors after which an order or a report fails instead of being tried again.
pub(super) const ERRORS_MAX: u32 = 10;
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_mins(1);
/// An entry whose job was not run again for so long is dropped: the job is gone, or its clock was set
/// back.
const FORGOTTEN_AFTER: Duration = Duration::from_mins(10);

/// Jobs that have failed or were cut off, and have not succeeded since, by id.
#[derive(Debug, Default)]
pub(super) struct Retries(Mutex<HashMap<i64, Retry>>);

#[derive(Debug)]
struct Retry {
    account: AccountId,
    errors: u32,
    /// When the wait is over.
    at: Instant,
    /// The worker has been told that the wait is over.
    is_over: bool,
}

/// Returns how long a job waits after so many errors.
pub(super) fn wait_after(errors: u32) -> Duration {
    let doubled = 1_u32.checked_shl(errors.saturating_sub(1));
    let wait = doubled.and_then(|factor| WAIT_MIN.checked_mul(factor));
    wait.unwrap_or(WAIT_MAX).min(WAIT_MAX)
}

impl Retries {
    fn jobs(&self) -> MutexGuard<'_, HashMap<i64, Retry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes that the job has failed. Returns the number of its errors so far.
    pub(super) fn failed(&self, job: &Job) -> u32 {
        let now = Instant::now();
        let mut jobs = self.jobs();
        jobs.retain(|_, retry| !retry.is_over || now < retry.at + FORGOTTEN_AFTER);
        let errors = jobs.get(&job.id).map_or(0, |retry| retry.errors) + 1;
        let retry = Retry {
            account: job.account,
            errors,
            at: now + wait_after(errors),
            is_over: false,
        };
        jobs.insert(job.id, retry);
        errors
    }

    /// Has a job that was cut off in an earlier process wait, from `process_start` on, as after so many
    /// errors. Returns false if it has waited long enough.
    ///
    /// A process that is killed again and again from outside thus does not take the same jobs with it each
    /// time: they are not started before it has lived for a while.
    pub(super) fn hold_back(&self, job: &Job, process_start: Instant) -> bool {
        let at = process_start + wait_after(job.starts);
        if at <= Instant::now() {
            return false;
        }
        self.jobs().entry(job.id).or_insert(Retry {
            account: job.account,
            errors: 0,
            at,
            is_over: false,
        });
        true
    }

    /// Notes that the job has ended.
    pub(super) fn ended(&self, id: i64) {
        self.jobs().remove(&id);
    }

    /// Returns true if the job is not to be run yet.
    pub(super) fn is_waiting(&self, id: i64) -> bool {
        let jobs = self.jobs();
        jobs.get(&id).is_some_and(|retry| Instant::now() < retry.at)
    }

    /// Number of jobs that have failed or were cut off.
    pub(super) fn len(&self) -> usize {
        self.jobs().len()
    }

    /// Returns the accounts of jobs whose wait is over, each job once.
    pub(super) fn take_over(&self) -> Vec<AccountId> {
        let now = Instant::now();
        let mut jobs = self.jobs();
        let over = jobs.values_mut();
        over.filter(|retry| !retry.is_over && retry.at <= now)
            .map(|retry| {
                retry.is_over = true;
                retry.account
            })
            .collect()
    }

    /// Returns when the next wait is over. `None` if no job waits.
    pub(super) fn next_at(&self) -> Option<Instant> {
        let jobs = self.jobs();
        let waiting = jobs.values().filter(|retry| !retry.is_over);
        waiting.map(|retry| retry.at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_from_one_second_to_a_minute() {
        let seconds: Vec<u64> = [1, 2, 3, 6, 7, 10, 40, u32::MAX]
            .map(|errors| wait_after(errors).as_secs())
            .into();
        assert_eq!(seconds, [1, 2, 4, 32, 60, 60, 60, 60]);
    }
}
