//! Jobs that the worker is running, so that an advance can report those that end during it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::model::job::Job;

/// Registry of running jobs.
#[derive(Debug, Default, Clone)]
pub(super) struct RunningJobs(Arc<Mutex<HashMap<i64, RunningJob>>>);

/// Job that the worker has claimed.
#[derive(Debug, Clone)]
pub(super) struct RunningJob {
    pub job: Job,
    is_done: Arc<AtomicBool>,
}

/// Entry of a running job. Dropping it removes the entry.
#[derive(Debug)]
pub(super) struct RunningEntry {
    jobs: RunningJobs,
    id: i64,
    is_done: Arc<AtomicBool>,
}

impl RunningJobs {
    fn jobs(&self) -> MutexGuard<'_, HashMap<i64, RunningJob>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a job whose claim is held.
    pub(super) fn add(&self, job: &Job) -> RunningEntry {
        let is_done = Arc::new(AtomicBool::new(false));
        let running = RunningJob {
            job: job.clone(),
            is_done: Arc::clone(&is_done),
        };
        self.jobs().insert(job.id, running);
        RunningEntry {
            jobs: self.clone(),
            id: job.id,
            is_done,
        }
    }

    /// Returns the jobs that are not done, ordered by due time and id.
    pub(super) fn list(&self) -> Vec<RunningJob> {
        let jobs = self.jobs();
        let mut list: Vec<_> = jobs
            .values()
            .filter(|item| !item.is_done())
            .cloned()
            .collect();
        drop(jobs);
        list.sort_by_key(|running| (running.job.due_at, running.job.id));
        list
    }
}

impl RunningJob {
    /// `true` if the job ended without an error.
    pub(super) fn is_done(&self) -> bool {
        self.is_done.load(Ordering::SeqCst)
    }
}

impl RunningEntry {
    /// Records that the job ended without an error. To be called before its claim is released.
    pub(super) fn mark_done(&self) {
        self.is_done.store(true, Ordering::SeqCst);
    }
}

impl Drop for RunningEntry {
    fn drop(&mut self) {
        self.jobs.jobs().remove(&self.id);
    }
}
