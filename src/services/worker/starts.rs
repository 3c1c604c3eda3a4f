//! Starts: a job that can kill the process counts its starts in its row before it runs.
//!
//! After the process has died, the row shows that the job did not end. The count of a start that
//! ended is undone: the job deletes or postpones its row, or the count is decremented after an
//! error and on graceful shutdown.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::Worker;
use crate::model::job::Job;
use crate::storage::db::{self, InternalError};

/// Number of unfinished starts after which a job is not started again.
const STARTS_MAX: u32 = 3;

/// Ids of the jobs whose rows count a start of this process.
#[derive(Debug, Default)]
pub(super) struct CountedStarts(Mutex<HashSet<i64>>);

impl CountedStarts {
    fn ids(&self) -> MutexGuard<'_, HashSet<i64>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Worker {
    /// Reduces `job.starts` to the starts of earlier processes, which did not end. To be called on
    /// a job that was read from its row and is not running.
    pub(super) fn exclude_own_start(&self, job: &mut Job) {
        if self.counted.ids().contains(&job.id) {
            job.starts = job.starts.saturating_sub(1);
        }
    }

    /// `true` if the job's start must be counted before it runs.
    pub(super) fn must_count_starts(job: &Job) -> bool {
        job.kind.can_kill() && !Self::has_too_many_starts(job)
    }

    /// `true` if the job was started too often without ending.
    pub(super) fn has_too_many_starts(job: &Job) -> bool {
        job.starts >= STARTS_MAX
    }

    /// Counts a start of each job that must be counted, in one commit.
    ///
    /// # Errors
    /// Returns an error if the database fails. The jobs must then not be run.
    pub(super) async fn count_starts(&self, jobs: &[&Job]) -> Result<(), InternalError> {
        let new: Vec<i64> = {
            let counted = self.counted.ids();
            let new = jobs.iter().filter(|job| Self::must_count_starts(job));
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

    /// Forgets the start of a job that has ended. Its row is deleted or postponed.
    pub(super) fn forget_start(&self, id: i64) {
        self.counted.ids().remove(&id);
    }

    /// Undoes the start of a job that ended with an error. If the database fails, the start stays
    /// counted, and the next start is not counted again.
    pub(super) async fn undo_start(&self, id: i64) {
        if self.counted.ids().contains(&id) && self.decrement_starts(&[id]).await.is_ok() {
            self.forget_start(id);
        }
    }

    /// Undoes the starts of all jobs that a graceful shutdown leaves to the next process.
    pub(super) async fn undo_starts(&self) {
        let ids: Vec<i64> = self.counted.ids().iter().copied().collect();
        if ids.is_empty() {
            return;
        }
        if let Err(error) = self.decrement_starts(&ids).await {
            tracing::warn!(%error, "cannot undo the starts of stopped jobs; they count as cut off");
        }
    }

    async fn decrement_starts(&self, ids: &[i64]) -> Result<(), InternalError> {
        let mut tx = self.db.begin().await?;
        db::starts::decrement(&mut tx, ids).await?;
        tx.commit().await
    }
}
