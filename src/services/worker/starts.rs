//! Starts: a job that can kill the process counts its starts in its row before it runs.
//!
//! The row then knows, when the process has died, that the job did not end. A start that ended is taken
//! back: the row is deleted or postponed with what the job did, or the count is reduced after an error
//! and on a graceful stop.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Worker;
use crate::model::job::Job;
use crate::storage::db::{self, InternalError};

/// Starts without an end after which a job is not started again.
const STARTS_MAX: u32 = 3;

/// The jobs whose row has a start of this process that has not been taken back, by id.
#[derive(Debug, Default)]
pub(super) struct Counted(Mutex<HashSet<i64>>);

impl Counted {
    fn ids(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    /// Sets the job's starts to those of earlier processes, which did not end. To be called on a job that
    /// was read from its row and does not run.
    pub(super) fn without_own_start(&self, job: &mut Job) {
        if self.counted.ids().contains(&job.id) {
            job.starts = job.starts.saturating_sub(1);
        }
    }

    /// Returns true if the job's start is to be counted before it runs.
    pub(super) fn is_counted(job: &Job) -> bool {
        job.kind.can_kill() && !Self::is_given_up(job)
    }

    /// Returns true if the job was started too often without an end.
    pub(super) fn is_given_up(job: &Job) -> bool {
        job.starts >= STARTS_MAX
    }

    /// Counts a start of each of the jobs that are counted, in one commit.
    ///
    /// # Errors
    /// If it cannot be written. The jobs must not be run then.
    pub(super) async fn count_starts(&self, jobs: &[&Job]) -> Result<(), InternalError> {
        let new: Vec<i64> = {
            let counted = self.counted.ids();
            let new = jobs.iter().filter(|job| Self::is_counted(job));
            new.map(|job| job.id)
                .filter(|id| !counted.contains(id))
                .collect()
        };
        if new.is_empty() {
            return Ok(());
        }
        let mut tx = self.db.begin().await?;
        db::starts::add(&mut tx, &new).await?;
        tx.commit().await?;
        self.counted.ids().extend(new);
        Ok(())
    }

    /// Forgets the start of a job that has ended; its row is gone or was postponed.
    pub(super) fn start_ended(&self, id: i64) {
        self.counted.ids().remove(&id);
    }

    /// Takes the start of a job back that has ended with an error. If it cannot be written, the start
    /// stays counted, and is not counted again.
    pub(super) async fn take_start_back(&self, id: i64) {
        if self.counted.ids().contains(&id) && self.uncount_start(&[id]).await.is_ok() {
            self.start_ended(id);
        }
    }

    /// Takes back the starts of all jobs that a graceful stop leaves to the next process.
    pub(super) async fn take_starts_back(&self) {
        let ids: Vec<i64> = self.counted.ids().iter().copied().collect();
        if ids.is_empty() {
            return;
        }
        if let Err(error) = self.uncount_start(&ids).await {
            tracing::warn!(%error, "cannot note that jobs were stopped; they count as cut off");
        }
    }

    async fn uncount_start(&self, ids: &[i64]) -> Result<(), InternalError> {
        let mut tx = self.db.begin().await?;
        db::starts::decrement(&mut tx, ids).await?;
        tx.commit().await
    }
}
