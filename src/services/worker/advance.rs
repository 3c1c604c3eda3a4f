//! Advance: a clock is moved through the due times of its jobs.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use super::Worker;
use super::running::RunningJob;
use super::waiting::PendingWork;
use crate::model::ids::ClockId;
use crate::model::job::{Job, JobKind};
use crate::model::time::{DAY_MS, Timestamp};
use crate::services::accounts::{Account, ClockGuard};
use crate::services::claims::Claim;
use crate::storage::db::{self, InternalError};

/// Number of jobs read at once.
const BATCH_SIZE: usize = 64;

/// Longest step of an advance: 100 years.
pub const STEP_MS_MAX: i64 = 100 * 366 * DAY_MS;

/// Job that was run during an advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutedJob {
    pub at: Timestamp,
    pub kind: JobKind,
    pub subject: String,
}

/// Distance or target of an advance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdvanceStep {
    ByMs(i64),
    To(Timestamp),
    /// To the due time of the clock's next job. The clock stays if no job is due.
    ToNext,
}

impl AdvanceStep {
    /// Returns the target of the step from `now`. For [`Self::ToNext`] `now`: what is due by then runs
    /// before the next job is known.
    ///
    /// # Errors
    /// Returns [`AdvanceError::OutOfRange`] if the target of [`Self::To`] is out of range.
    fn target(self, now: Timestamp) -> Result<Timestamp, AdvanceError> {
        match self {
            Self::ByMs(by_ms) => Ok(now.plus_ms(by_ms)),
            Self::ToNext => Ok(now),
            Self::To(at) if (0..=STEP_MS_MAX).contains(&at.since_ms(now)) => Ok(at),
            Self::To(_) => Err(AdvanceError::OutOfRange { now }),
        }
    }
}

/// Result of an advance.
#[derive(Debug)]
pub struct AdvanceSummary {
    /// API key of the account whose clock was moved. `None` for the default clock.
    pub account: Option<String>,
    /// Time of the clock after the advance.
    pub now: Timestamp,
    /// Jobs that were run. Jobs that the worker was already running come first.
    pub executed: Vec<ExecutedJob>,
    /// Work that waits for a client, of orders that follow the clock.
    pub waiting: Vec<PendingWork>,
}

/// Reason why a clock was not moved.
#[derive(Debug)]
pub enum AdvanceError {
    /// The target of [`AdvanceStep::To`] is before `now`, or more than [`STEP_MS_MAX`] after it.
    OutOfRange {
        now: Timestamp,
    },
    Internal(InternalError),
}

impl From<InternalError> for AdvanceError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

impl From<AdvanceError> for InternalError {
    /// Converts the error of a step by milliseconds, which is never out of range.
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::OutOfRange { .. } => Self::broken(io::Error::other("out of range")),
            AdvanceError::Internal(error) => error,
        }
    }
}

impl Worker {
    /// Moves the account's clock, or the default clock if `account` is `None`. Runs each job that
    /// falls due on the way, earliest first, at its own due time, including jobs that these jobs
    /// create. An account that followed the default clock then has its own clock. An advance runs
    /// to completion even if the caller is cancelled.
    ///
    /// # Errors
    /// Returns an error if the step is out of range, a job fails, the clock cannot be written, or
    /// the server stops. The clock then keeps the time that it has reached.
    pub async fn advance(
        self: &Arc<Self>,
        account: Option<Arc<Account>>,
        step: AdvanceStep,
    ) -> Result<AdvanceSummary, AdvanceError> {
        let this = Arc::clone(self);
        let moved = self
            .tasks
            .spawn(async move { this.advance_inner(account, step).await });
        moved
            .await
            .unwrap_or_else(|error| Err(InternalError::broken(error).into()))
    }

    async fn advance_inner(
        &self,
        account: Option<Arc<Account>>,
        step: AdvanceStep,
    ) -> Result<AdvanceSummary, AdvanceError> {
        // Checked first, so that a rejected step does not give the account its own clock.
        let current_clock = account.as_ref().map(|account| account.clock_id());
        step.target(self.accounts.now(current_clock.unwrap_or(ClockId::DEFAULT)))?;
        let guard = match &account {
            None => self.accounts.lock_clock(ClockId::DEFAULT).await,
            Some(account) => self.accounts.lock_own_clock(account).await?,
        };
        let clock = guard.clock();
        let mut target = Some(step.target(self.accounts.now(clock))?);
        let mut executed = self.finish_running(clock).await;
        if step == AdvanceStep::ToNext {
            let overdue_by = self.accounts.now(clock);
            self.run_until(&guard, overdue_by, &mut executed).await?;
            let mut reader = self.db.read().await?;
            let now = self.accounts.now(clock);
            target = db::jobs::next_after(&mut reader, clock, now).await?;
        }
        if let Some(target) = target {
            self.run_until(&guard, target, &mut executed).await?;
            let end = self.accounts.now(clock).max(target);
            let moved = self.accounts.clock(clock).moved_to(end);
            self.accounts.write_clock(&guard, moved).await?;
        }
        let now = self.accounts.now(clock);
        let waiting = self.waiting_for_clients(account.as_deref()).await?;
        Ok(AdvanceSummary {
            account: account.map(|account| account.key.clone()),
            now,
            executed,
            waiting,
        })
    }

    /// Runs the jobs due by `target`, and adds them to `executed`.
    async fn run_until(
        &self,
        guard: &ClockGuard,
        target: Timestamp,
        executed: &mut Vec<ExecutedJob>,
    ) -> Result<(), InternalError> {
        let mut batch = DueBatch::default();
        while let Some(job) = self.run_next(guard, target, &mut batch).await? {
            executed.push(job);
            if self.stop.is_cancelled() {
                let stopped = io::Error::other(
                    "the server is stopping; the clock was moved only part of the way",
                );
                return Err(InternalError::broken(stopped));
            }
        }
        Ok(())
    }

    /// Waits for the clock's running jobs, and returns the jobs that succeed. The worker starts no
    /// other jobs while the clock is locked.
    async fn finish_running(&self, clock: ClockId) -> Vec<ExecutedJob> {
        let mut running = self.running.list();
        running.retain(|running| {
            let account = self.accounts.by_id(running.job.account);
            account.is_some_and(|account| account.clock_id() == clock)
        });
        self.claims.wait_idle(clock).await;
        running.retain(RunningJob::is_done);
        let report = |RunningJob { job, .. }| ExecutedJob {
            at: job.due_at,
            kind: job.kind,
            subject: job.subject,
        };
        running.into_iter().map(report).collect()
    }

    /// Runs the first job due by `target`, with the clock at its due time. `None` if there is none.
    async fn run_next(
        &self,
        guard: &ClockGuard,
        target: Timestamp,
        batch: &mut DueBatch,
    ) -> Result<Option<ExecutedJob>, InternalError> {
        let clock = guard.clock();
        let Some((job, claim)) = self.claim_next(clock, target, batch).await? else {
            return Ok(None);
        };
        let before = self.accounts.now(clock);
        if before < job.due_at {
            self.accounts.advance_clock(guard, job.due_at);
        }
        self.run_job(&job).await?;
        drop(claim);
        Ok(Some(ExecutedJob {
            at: job.due_at.max(before),
            kind: job.kind,
            subject: job.subject,
        }))
    }

    /// Claims the first job due by `target`, once no job of the clock is claimed. `None` if there
    /// is no job.
    async fn claim_next(
        &self,
        clock: ClockId,
        target: Timestamp,
        batch: &mut DueBatch,
    ) -> Result<Option<(Job, Claim)>, InternalError> {
        let current_version = || self.db.due_index().version();
        // Id of the job whose start was counted last and which is not claimed yet.
        let mut unclaimed = None;
        loop {
            self.claims.wait_idle(clock).await;
            if batch.is_used_up(current_version()) {
                batch.version = current_version();
                let mut reader = self.db.read().await?;
                let due = db::jobs::due(&mut reader, clock, target, BATCH_SIZE).await?;
                batch.jobs = due.into();
                if batch.jobs.is_empty() && batch.version == current_version() {
                    if let Some(id) = unclaimed {
                        self.undo_start(id).await;
                    }
                    return Ok(None);
                }
            }
            // The job may have been deleted, or an earlier job may have been added.
            let first = batch.jobs.front().map(|job| job.id);
            if let Some(id) = unclaimed.take_if(|id| first != Some(*id)) {
                self.undo_start(id).await;
            }
            // The start is counted before the claim: nothing may be awaited between claim and
            // start.
            if let Some(job) = batch.jobs.front_mut() {
                self.exclude_own_start(job);
                let job = job.clone();
                if let Err(error) = self.count_starts(&[&job]).await {
                    self.handle_error(&job, error).await?;
                    batch.jobs.clear();
                    continue;
                }
                unclaimed = Some(job.id);
            }
            if let Some(claimed) = batch.claim_first(|job| self.claim(job), current_version) {
                return Ok(Some(claimed));
            }
            tokio::task::yield_now().await;
        }
    }
}

/// Next jobs, ordered by due time and id.
#[derive(Debug, Default)]
struct DueBatch {
    jobs: VecDeque<Job>,
    /// Version of the due index before the jobs were read.
    version: u64,
}

impl DueBatch {
    /// `true` if the jobs have to be read again: none is left, or jobs were committed since.
    fn is_used_up(&self, version: u64) -> bool {
        self.jobs.is_empty() || self.version != version
    }

    /// Claims the first job. `None` if there is no job, it cannot be claimed, or another job may
    /// have come before it. The jobs then have to be read again.
    ///
    /// The version is read again after the claim. Nothing is awaited between the claim and the
    /// job's start, so a job that was committed before cannot be overtaken.
    fn claim_first<C>(
        &mut self,
        claim: impl FnOnce(&Job) -> Option<C>,
        current_version: impl FnOnce() -> u64,
    ) -> Option<(Job, C)> {
        let job = self.jobs.pop_front()?;
        let claimed = claim(&job).filter(|_| current_version() == self.version);
        if claimed.is_none() {
            self.jobs.clear();
        }
        Some((job, claimed?))
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::model::ids::AccountId;

    fn job(id: i64) -> Job {
        Job {
            id,
            account: AccountId(1),
            kind: JobKind::Process,
            subject: id.to_string(),
            due_at: Timestamp::from_ms(id),
            starts: 0,
        }
    }

    fn batch(version: u64) -> DueBatch {
        DueBatch {
            jobs: [job(1), job(2)].into(),
            version,
        }
    }

    #[test]
    fn claim_first_with_unchanged_version_returns_the_jobs_in_order() {
        let (mut batch, version) = (batch(7), || 7);
        for id in 1..=2 {
            assert!(!batch.is_used_up(7));
            let claimed = batch.claim_first(|job| Some(job.id), version);
            assert_eq!(claimed, Some((job(id), id)));
        }
        assert!(batch.is_used_up(7));
        assert_eq!(batch.claim_first(|job| Some(job.id), version), None);
    }

    #[test]
    fn claim_first_while_another_job_is_committed_releases_the_claim_and_reads_again() {
        let (mut batch, version) = (batch(7), Cell::new(7));
        let claims = Arc::new(());
        let claim = |_: &Job| {
            // A commit between the first version check and the claim.
            version.set(8);
            Some(Arc::clone(&claims))
        };
        assert!(batch.claim_first(claim, || version.get()).is_none());
        assert_eq!(Arc::strong_count(&claims), 1, "the claim is released");
        assert!(batch.is_used_up(8));
    }

    #[test]
    fn claim_first_of_a_claimed_job_reads_again() {
        let mut batch = batch(7);
        assert_eq!(batch.claim_first(|_| None::<()>, || 7), None);
        assert!(batch.is_used_up(7));
    }
}
