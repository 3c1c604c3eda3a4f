//! Advance: a clock is moved through what falls due on the way.

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

/// So many jobs are read in one go.
const BATCH_SIZE: usize = 64;

/// Longest step of an advance: 100 years.
pub const STEP_MS_MAX: i64 = 100 * 366 * DAY_MS;

/// A job that was run while a clock was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExecutedJob {
    pub at: Timestamp,
    pub kind: JobKind,
    pub subject: String,
}

/// Step of a clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdvanceStep {
    ByMs(i64),
    To(Timestamp),
}

impl AdvanceStep {
    /// Returns the instant that the step leads to from `now`.
    ///
    /// # Errors
    /// If it is out of range.
    fn target(self, now: Timestamp) -> Result<Timestamp, AdvanceError> {
        match self {
            Self::ByMs(by_ms) => Ok(now.plus_ms(by_ms)),
            Self::To(at) if (0..=STEP_MS_MAX).contains(&at.since_ms(now)) => Ok(at),
            Self::To(_) => Err(AdvanceError::OutOfRange { now }),
        }
    }
}

/// Result of an advance.
#[derive(Debug)]
pub struct Advanced {
    /// Key of the account whose clock was moved. `None` for the default clock.
    pub account: Option<String>,
    /// Instant that the clock shows in the end.
    pub now: Timestamp,
    /// First the jobs that the worker was running when the advance began.
    pub executed: Vec<ExecutedJob>,
    /// Work that clients owe orders of the clock.
    pub waiting: Vec<PendingWork>,
}

/// Why a clock was not moved.
#[derive(Debug)]
pub enum AdvanceError {
    /// The instant of [`AdvanceStep::To`] is before `now`, or more than [`STEP_MS_MAX`] after it.
    OutOfRange {
        now: Timestamp,
    },
    Store(InternalError),
}

impl From<InternalError> for AdvanceError {
    fn from(error: InternalError) -> Self {
        Self::Store(error)
    }
}

impl From<AdvanceError> for InternalError {
    /// Returns the error of a step by milliseconds, which is never out of range.
    fn from(error: AdvanceError) -> Self {
        match error {
            AdvanceError::OutOfRange { .. } => Self::broken(io::Error::other("out of range")),
            AdvanceError::Store(error) => error,
        }
    }
}

impl Worker {
    /// Moves the account's own clock, or the default clock if `account` is `None`. Runs on the way
    /// what falls due, earliest first, each job while the clock shows its due time; also what these
    /// jobs bring about in turn. An account that followed the default clock has one of its own from
    /// then on. An advance that has begun is carried through, whether anybody waits for it or not.
    ///
    /// # Errors
    /// If the step is out of range, a job cannot be run or the clock not be written, or the server
    /// stops; the clock then stands where it is.
    pub async fn advance(
        self: &Arc<Self>,
        account: Option<Arc<Account>>,
        step: AdvanceStep,
    ) -> Result<Advanced, AdvanceError> {
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
    ) -> Result<Advanced, AdvanceError> {
        // A step that is refused gives the account no clock of its own.
        let followed = account.as_ref().map(|account| account.clock_id());
        step.target(self.accounts.now(followed.unwrap_or(ClockId::DEFAULT)))?;
        let guard = match &account {
            None => self.accounts.lock_clock(ClockId::DEFAULT).await,
            Some(account) => self.accounts.own_clock(account).await?,
        };
        let clock = guard.clock();
        let target = step.target(self.accounts.now(clock))?;
        let mut executed = self.finish_running(clock).await;
        let mut ahead = DueBatch::default();
        while let Some(one) = self.run_next(&guard, target, &mut ahead).await? {
            executed.push(one);
            if self.stop.is_cancelled() {
                let stopped = io::Error::other("the server stops; the clock stands on its way");
                return Err(InternalError::broken(stopped).into());
            }
        }
        let end = self.accounts.now(clock).max(target);
        let moved = self.accounts.clock(clock).moved_to(end);
        self.accounts.write_clock(&guard, moved).await?;
        let now = self.accounts.now(clock);
        let waiting = self.owed_by_clients(account.as_deref()).await?;
        Ok(Advanced {
            account: account.map(|account| account.key.clone()),
            now,
            executed,
            waiting,
        })
    }

    /// Waits for the jobs that the worker runs by that clock, and returns those that succeed. The
    /// worker starts no others while the clock is locked.
    async fn finish_running(&self, clock: ClockId) -> Vec<ExecutedJob> {
        let mut running = self.running.list();
        running.retain(|it| {
            let account = self.accounts.by_id(it.job.account);
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

    /// Runs the first job due by `target`, the clock showing its due time. `None` if there is none.
    async fn run_next(
        &self,
        guard: &ClockGuard,
        target: Timestamp,
        ahead: &mut DueBatch,
    ) -> Result<Option<ExecutedJob>, InternalError> {
        let clock = guard.clock();
        let Some((job, claim)) = self.claim_next(clock, target, ahead).await? else {
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

    /// Claims the first job due by `target`, once nothing is in flight by the clock. `None` if there
    /// is none.
    async fn claim_next(
        &self,
        clock: ClockId,
        target: Timestamp,
        ahead: &mut DueBatch,
    ) -> Result<Option<(Job, Claim)>, InternalError> {
        let news = || self.db.agenda().version();
        // The job whose start was counted last, while it is not claimed.
        let mut unclaimed = None;
        loop {
            self.claims.wait_idle(clock).await;
            if ahead.is_used_up(news()) {
                ahead.version = news();
                let mut reader = self.db.read().await?;
                let due = db::jobs::due(&mut reader, clock, target, BATCH_SIZE).await?;
                ahead.jobs = due.into();
                if ahead.jobs.is_empty() && ahead.version == news() {
                    if let Some(id) = unclaimed {
                        self.take_start_back(id).await;
                    }
                    return Ok(None);
                }
            }
            // The job may have gone, or another come before it.
            let first = ahead.jobs.front().map(|job| job.id);
            if let Some(id) = unclaimed.take_if(|id| first != Some(*id)) {
                self.take_start_back(id).await;
            }
            // The start is counted before the claim: from the claim on nothing is awaited.
            if let Some(job) = ahead.jobs.front_mut() {
                self.without_own_start(job);
                let job = job.clone();
                if let Err(error) = self.count_starts(&[&job]).await {
                    self.after_error(&job, error).await?;
                    ahead.jobs.clear();
                    continue;
                }
                unclaimed = Some(job.id);
            }
            if let Some(claimed) = ahead.claim_first(|job| self.claim(job), news) {
                return Ok(Some(claimed));
            }
            tokio::task::yield_now().await;
        }
    }
}

/// The next jobs, in order of due time and id, read in advance.
#[derive(Debug, Default)]
struct DueBatch {
    jobs: VecDeque<Job>,
    /// The agenda's count of news before the jobs were read.
    version: u64,
}

impl DueBatch {
    /// Returns `true` if the jobs have to be read again: there is none left, or jobs were committed
    /// since they were read.
    fn is_used_up(&self, news: u64) -> bool {
        self.jobs.is_empty() || self.version != news
    }

    /// Claims the first job. `None` if it is not the first any more, is not there, or cannot be
    /// claimed; then the jobs have to be read again.
    ///
    /// The news are counted again after the claim. From there to the job's start nothing is awaited,
    /// so that no job whose commit has been answered comes before it.
    fn claim_first<C>(
        &mut self,
        claim: impl FnOnce(&Job) -> Option<C>,
        news: impl FnOnce() -> u64,
    ) -> Option<(Job, C)> {
        let job = self.jobs.pop_front()?;
        let claimed = claim(&job).filter(|_| news() == self.version);
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

    fn ahead(news: u64) -> DueBatch {
        DueBatch {
            jobs: [job(1), job(2)].into(),
            version: news,
        }
    }

    #[test]
    fn claim_first_without_news_takes_one_job_after_the_other() {
        let (mut ahead, news) = (ahead(7), || 7);
        for id in 1..=2 {
            assert!(!ahead.is_used_up(7));
            let claimed = ahead.claim_first(|job| Some(job.id), news);
            assert_eq!(claimed, Some((job(id), id)));
        }
        assert!(ahead.is_used_up(7));
        assert_eq!(ahead.claim_first(|job| Some(job.id), news), None);
    }

    #[test]
    fn claim_first_while_another_job_is_committed_gives_the_claim_back_and_reads_again() {
        let (mut ahead, news) = (ahead(7), Cell::new(7));
        let claims = Arc::new(());
        let claim = |_: &Job| {
            // Committed between the look at the news before the claim, and the claim.
            news.set(8);
            Some(Arc::clone(&claims))
        };
        assert!(ahead.claim_first(claim, || news.get()).is_none());
        assert_eq!(Arc::strong_count(&claims), 1, "the claim is released");
        assert!(ahead.is_used_up(8));
    }

    #[test]
    fn claim_first_of_a_job_that_somebody_has_reads_again() {
        let mut ahead = ahead(7);
        assert_eq!(ahead.claim_first(|_| None::<()>, || 7), None);
        assert!(ahead.is_used_up(7));
    }
}
