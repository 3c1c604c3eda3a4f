//! Retries: the wait after which a job is run again that failed because of an internal error, or
//! was cut off by the death of the process.
//!
//! The wait grows from 1 s to 60 s of real time, regardless of the account's clock. The wait is held in
//! memory and starts over after a restart. A waiting job holds neither a claim nor a slot.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::model::ids::AccountId;
use crate::model::job::Job;

/// Number of errors after which an order or report fails instead of being retried.
pub(super) const ERRORS_MAX: u32 = 10;
const WAIT_MIN: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_mins(1);
/// Time after which the entry of a job that was not run again is dropped. The job was deleted, or
/// its clock was set back.
const FORGET_AFTER: Duration = Duration::from_mins(10);

/// Jobs that failed or were cut off and have not succeeded since, by id.
#[derive(Debug, Default)]
pub(super) struct Retries(Mutex<HashMap<i64, Retry>>);

#[derive(Debug)]
struct Retry {
    account: AccountId,
    errors: u32,
    /// End of the wait.
    at: Instant,
    /// `true` after the worker has been notified of the end of the wait.
    is_reported: bool,
}

/// Returns the wait after the given number of errors.
pub(super) fn retry_wait(errors: u32) -> Duration {
    let doubled = 1_u32.checked_shl(errors.saturating_sub(1));
    let wait = doubled.and_then(|factor| WAIT_MIN.checked_mul(factor));
    wait.unwrap_or(WAIT_MAX).min(WAIT_MAX)
}

impl Retries {
    fn jobs(&self) -> MutexGuard<'_, HashMap<i64, Retry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Records an error of the job. Returns the number of its errors so far.
    pub(super) fn record_error(&self, job: &Job) -> u32 {
        let now = Instant::now();
        let mut jobs = self.jobs();
        jobs.retain(|_, retry| !retry.is_reported || now < retry.at + FORGET_AFTER);
        let errors = jobs.get(&job.id).map_or(0, |retry| retry.errors) + 1;
        let retry = Retry {
            account: job.account,
            errors,
            at: now + retry_wait(errors),
            is_reported: false,
        };
        jobs.insert(job.id, retry);
        errors
    }

    /// Makes a job that was cut off in an earlier process wait from `process_start` on, as after
    /// `job.starts` errors. Returns `false` if that time has passed.
    ///
    /// Without this wait, a process that is killed again and again from outside would lose the same
    /// jobs each time. With the wait, these jobs start only after the process has run for some time.
    pub(super) fn delay_cut_off(&self, job: &Job, process_start: Instant) -> bool {
        let at = process_start + retry_wait(job.starts);
        if at <= Instant::now() {
            return false;
        }
        self.jobs().entry(job.id).or_insert(Retry {
            account: job.account,
            errors: 0,
            at,
            is_reported: false,
        });
        true
    }

    /// Removes a job that has ended.
    pub(super) fn remove(&self, id: i64) {
        self.jobs().remove(&id);
    }

    /// `true` if the job must not be run yet.
    pub(super) fn is_waiting(&self, id: i64) -> bool {
        let jobs = self.jobs();
        jobs.get(&id).is_some_and(|retry| Instant::now() < retry.at)
    }

    /// Returns the number of jobs that failed or were cut off.
    pub(super) fn len(&self) -> usize {
        self.jobs().len()
    }

    /// Returns the accounts of jobs whose wait is over, once per job and wait.
    pub(super) fn take_ready(&self) -> Vec<AccountId> {
        let now = Instant::now();
        let mut jobs = self.jobs();
        let retries = jobs.values_mut();
        retries
            .filter(|retry| !retry.is_reported && retry.at <= now)
            .map(|retry| {
                retry.is_reported = true;
                retry.account
            })
            .collect()
    }

    /// Returns the end of the next wait. `None` if no job waits.
    pub(super) fn next_at(&self) -> Option<Instant> {
        let jobs = self.jobs();
        let waiting = jobs.values().filter(|retry| !retry.is_reported);
        waiting.map(|retry| retry.at).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn retry_wait_grows_from_one_second_to_a_minute() {
        let seconds: Vec<u64> = [1, 2, 3, 6, 7, 10, 40, u32::MAX]
            .map(|errors| retry_wait(errors).as_secs())
            .into();
        assert_eq!(seconds, [1, 2, 4, 32, 60, 60, 60, 60]);
    }
}
