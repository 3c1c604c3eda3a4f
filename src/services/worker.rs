//! The worker: runs the jobs that are due.
//!
//! The worker takes no input. The worker reads which jobs are due by which clock, claims them, and
//! runs each in a task of its own. It then sleeps until the next due time or a signal. Signals only say
//! when to read. A job records its result in the transaction that deletes its row. A job that was
//! interrupted by a crash or an error is therefore due again.
//!
//! [`Worker::advance`] moves a clock step by step through the due times of its jobs, and runs each
//! job at its own due time. A clock in mode `jump` is moved in the same way whenever none of its jobs
//! is running.

mod advance;
mod drain;
mod jump;
mod list_jobs;
mod queue_depth;
mod records;
mod retries;
mod run;
mod running;
mod slots;
mod starts;
mod waiting;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::model::ids::ClockId;
use crate::model::job::Job;
use crate::platform::metrics::Metrics;
use crate::services::accounts::Accounts;
use crate::services::claims::{Claim, Claims};
use crate::services::orders::Orders;
use crate::services::webhooks::Webhooks;
use crate::storage::db::due_index::NextDue;
use crate::storage::db::{self, Db, InternalError};
pub use advance::{AdvanceError, AdvanceStep, AdvanceSummary, ExecutedJob, STEP_MS_MAX};
pub use drain::{AdvanceNeeded, DrainOutcome};
pub use list_jobs::ListedJob;
pub use queue_depth::QueueDepth;
use retries::Retries;
use running::{RunningEntry, RunningJobs};
use slots::{SLOTS, Slot, Slots, Start};
use starts::CountedStarts;
pub use waiting::{PendingWork, WaitTarget};

/// Wait after an error in reading the due jobs.
const ERROR_BACKOFF: Duration = Duration::from_secs(1);
/// Longest sleep until a job is due. Real time may step forward during a sleep (see
/// [`crate::platform::clock`]).
const SLEEP_MS_MAX: u64 = 5_000;

/// Runs jobs in the background.
#[derive(Debug)]
pub struct Worker {
    db: Db,
    accounts: Arc<Accounts>,
    orders: Arc<Orders>,
    webhooks: Arc<Webhooks>,
    claims: Claims,
    metrics: Metrics,
    process_start: Instant,
    slots: Slots,
    retries: Retries,
    counted: CountedStarts,
    running: RunningJobs,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Worker {
    /// Creates a worker that is not started.
    #[must_use]
    pub fn new(
        db: Db,
        accounts: Arc<Accounts>,
        orders: Arc<Orders>,
        webhooks: Arc<Webhooks>,
        claims: Claims,
        metrics: Metrics,
    ) -> Arc<Self> {
        let slots = Slots::new(db.due_index().clone());
        Arc::new(Self {
            db,
            accounts,
            orders,
            webhooks,
            claims,
            metrics,
            process_start: Instant::now(),
            slots,
            retries: Retries::default(),
            counted: CountedStarts::default(),
            running: RunningJobs::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Starts the worker. Jobs that an earlier process left unfinished are due like any other.
    ///
    /// # Errors
    /// Returns an error if the jobs cannot be read.
    pub async fn start(self: &Arc<Self>) -> Result<(), InternalError> {
        for (clock, at) in db::jobs::next_due_by_clock(&mut self.db.read().await?).await? {
            self.db.due_index().schedule(clock, at);
        }
        self.tasks.spawn(Arc::clone(self).run());
        self.tasks.spawn(Arc::clone(self).record_webhooks());
        Ok(())
    }

    /// Stops the worker: starts no more jobs, and waits up to `grace` for running jobs. Jobs that
    /// are still running then do not count as started.
    pub async fn stop(&self, grace: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::info!(
                jobs = self.slots.running(),
                "shutting down with jobs still running; they resume at the next start"
            );
        }
        self.undo_starts().await;
    }

    async fn run(self: Arc<Self>) {
        loop {
            let due_index = self.db.due_index();
            // A clock that jumps does not wait for the due time of a new job.
            let is_due = |clock, due: NextDue| {
                let clock = self.accounts.clock(clock);
                due.at <= clock.now() || (due.is_new && clock.jumps())
            };
            for clock in due_index.take_due(is_due) {
                if let Err(error) = self.dispatch_due(clock).await {
                    tracing::error!(%error, clock = clock.0, "reading the due jobs failed");
                    tokio::time::sleep(ERROR_BACKOFF).await;
                    due_index.check_now(clock);
                }
            }
            let wait = due_index.min_wait(|clock, at| self.accounts.clock(clock).real_ms_until(at));
            let next = async {
                match wait {
                    Some(ms) => {
                        let ms = ms.min(SLEEP_MS_MAX);
                        tokio::time::sleep(Duration::from_millis(ms)).await;
                    }
                    None => std::future::pending().await,
                }
            };
            let retry_at = self.retries.next_at();
            let retry = async {
                match retry_at {
                    Some(at) => tokio::time::sleep_until(at).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = due_index.changed() => {}
                () = next => {}
                () = retry => self.dispatch_retries(),
            }
        }
    }

    /// Makes the worker check the clocks of jobs whose wait after an error is over.
    fn dispatch_retries(&self) {
        for account in self.retries.take_ready() {
            if let Some(account) = self.accounts.by_id(account) {
                self.db.due_index().check_now(account.clock_id());
            }
        }
    }

    /// Starts the clock's due jobs while slots are free, and schedules the next due time. The clock
    /// is locked during the call, so an advance starts before or after all of these jobs.
    async fn dispatch_due(self: &Arc<Self>, clock: ClockId) -> Result<(), InternalError> {
        let Some(guard) = self.accounts.try_lock_clock(clock) else {
            return Ok(());
        };
        let now = self.accounts.now(clock);
        // Due jobs may be claimed by a request, or wait for a retry. The limit has room for these,
        // so that the jobs behind them are read as well.
        let passed_over = self.claims.count() + self.retries.len();
        let limit = 2 * SLOTS + passed_over;
        let mut reader = self.db.read().await?;
        let due = db::jobs::due(&mut reader, clock, now, limit).await?;
        if let Some(at) = db::jobs::next_after(&mut reader, clock, now).await? {
            self.db.due_index().wait_until(clock, at);
        }
        drop(reader);
        if due.is_empty() && self.accounts.clock(clock).jumps() {
            return self.jump_to_next_due(&guard).await;
        }
        self.start_all(clock, due);
        Ok(())
    }

    /// Starts those of the due jobs that can start now, while slots are free.
    fn start_all(self: &Arc<Self>, clock: ClockId, due: Vec<Job>) {
        let mut counted = Vec::new();
        for mut job in due {
            if self.retries.is_waiting(job.id) {
                continue;
            }
            self.exclude_own_start(&mut job);
            let is_suspect = job.starts > 0;
            if is_suspect
                && Self::must_count_starts(&job)
                && self.retries.delay_cut_off(&job, self.process_start)
            {
                continue;
            }
            let slot = match self.slots.start(clock, is_suspect, || self.claim_due(&job)) {
                Start::Started(slot) => slot,
                Start::Blocked => continue,
                Start::Full => break,
            };
            let running = self.running.add(&job);
            if Self::must_count_starts(&job) {
                counted.push((job, slot, running));
            } else {
                let run = Arc::clone(self).run_in(job, slot, running);
                self.tasks.spawn(run);
            }
        }
        if !counted.is_empty() {
            self.tasks.spawn(Arc::clone(self).run_counted(counted));
        }
    }

    /// Counts a start of each job in one commit, and then runs the jobs concurrently.
    async fn run_counted(self: Arc<Self>, jobs: Vec<(Job, Slot<Claim>, RunningEntry)>) {
        let ids: Vec<&Job> = jobs.iter().map(|(job, ..)| job).collect();
        let counted = self.count_starts(&ids).await;
        for (job, slot, running) in jobs {
            match &counted {
                // `undo_starts` takes these starts back.
                Ok(()) if self.stop.is_cancelled() => {}
                Ok(()) => {
                    let run = Arc::clone(&self).run_in(job, slot, running);
                    self.tasks.spawn(run);
                }
                // `handle_error` has scheduled a retry.
                Err(error) => {
                    if self.handle_error(&job, error.clone()).await.is_ok() {
                        running.mark_done();
                    }
                }
            }
        }
    }

    /// Claims a job that is still due. `None` if it is claimed, if its account has ended, or if the
    /// clock was set back.
    fn claim_due(&self, job: &Job) -> Option<Claim> {
        let account = self.accounts.by_id(job.account)?;
        let is_due = job.due_at <= account.now();
        is_due.then(|| self.claim(job)).flatten()
    }

    /// Claims a job. `None` if it is claimed, or its account has ended.
    fn claim(&self, job: &Job) -> Option<Claim> {
        let account = self.accounts.by_id(job.account)?;
        self.claims.try_claim(&account, job.kind, &job.subject)
    }

    async fn run_in(self: Arc<Self>, job: Job, slot: Slot<Claim>, running: RunningEntry) {
        // `run_job` has scheduled a retry after an error.
        if self.run_job(&job).await.is_ok() {
            running.mark_done();
        }
        // The claim is released last: the next owner of the job enters it in `running` again.
        drop(running);
        drop(slot);
    }
}
