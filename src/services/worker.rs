//! The worker: runs what is due.
//!
//! It takes no input. It looks at which jobs are due by which clock, claims them, runs each in
//! a task of its own, and sleeps until the next is due or something stirs; signals only say
//! when to look. What a job does is recorded in the transaction that takes its row, so a job
//! that was cut short by a crash or an error is simply due again.
//!
//! [`Worker::advance`] moves a clock through what falls due on the way, in order, each piece at
//! its own due time, by running the same jobs the same way; a clock that jumps is moved on like
//! that whenever nothing is under way.

mod advance;
mod drain;
mod jump;
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
pub use advance::{AdvanceError, AdvanceStep, Advanced, ExecutedJob, STEP_MS_MAX};
pub use drain::{AdvanceNeeded, DrainOutcome};
pub use queue_depth::QueueDepth;
use retries::Retries;
use running::{RunningEntry, RunningJobs};
use slots::{SLOTS, Slot, Slots, Start};
use starts::Counted;
pub use waiting::{Awaited, PendingWork};

/// Wait after the due jobs could not be read.
const ERROR_BACKOFF: Duration = Duration::from_secs(1);
/// Longest sleep until a job is due. Real time may step forward meanwhile (see [`crate::platform::clock`]).
const SLEEP_MS_MAX: u64 = 5_000;

/// Runs jobs.
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
    counted: Counted,
    running: RunningJobs,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Worker {
    /// A worker that has not begun.
    #[must_use]
    pub fn new(
        db: Db,
        accounts: Arc<Accounts>,
        orders: Arc<Orders>,
        webhooks: Arc<Webhooks>,
        claims: Claims,
        metrics: Metrics,
    ) -> Arc<Self> {
        let slots = Slots::new(db.agenda().clone());
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
            counted: Counted::default(),
            running: RunningJobs::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Begins: what an earlier process left undone is due like anything else.
    ///
    /// # Errors
    /// If the jobs cannot be read.
    pub async fn start(self: &Arc<Self>) -> Result<(), InternalError> {
        for (clock, at) in db::jobs::next_due_by_clock(&mut self.db.read().await?).await? {
            self.db.agenda().schedule(clock, at);
        }
        self.tasks.spawn(Arc::clone(self).run());
        self.tasks.spawn(Arc::clone(self).record_webhooks());
        Ok(())
    }

    /// Stops: no job begins any more; those that run have until `patience` is over. What is left to the
    /// next start does not count as started.
    pub async fn stop(&self, patience: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::info!(
                jobs = self.slots.running(),
                "left jobs under way to the next start"
            );
        }
        self.take_starts_back().await;
    }

    async fn run(self: Arc<Self>) {
        loop {
            let agenda = self.db.agenda();
            // A clock that jumps does not wait for what is new to it.
            let is_due = |clock, due: NextDue| {
                let clock = self.accounts.clock(clock);
                due.at <= clock.now() || (due.is_new && clock.jumps())
            };
            for clock in agenda.take_due(is_due) {
                if let Err(error) = self.dispatch_due(clock).await {
                    tracing::error!(%error, clock = clock.0, "cannot look for due jobs");
                    tokio::time::sleep(ERROR_BACKOFF).await;
                    agenda.check_now(clock);
                }
            }
            let wait = agenda.min_wait(|clock, at| self.accounts.clock(clock).real_ms_until(at));
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
                () = agenda.changed() => {}
                () = next => {}
                () = retry => self.dispatch_retries(),
            }
        }
    }

    /// Has the clocks looked at whose jobs have waited long enough after an error.
    fn dispatch_retries(&self) {
        for account in self.retries.take_over() {
            if let Some(account) = self.accounts.by_id(account) {
                self.db.agenda().check_now(account.clock_id());
            }
        }
    }

    /// Starts what is due by that clock, as far as there are slots, and notes what comes next. The clock
    /// is locked meanwhile: an advance starts before all of these jobs, or after.
    async fn dispatch_due(self: &Arc<Self>, clock: ClockId) -> Result<(), InternalError> {
        let Some(guard) = self.accounts.try_lock_clock(clock) else {
            return Ok(());
        };
        let now = self.accounts.now(clock);
        // As many may be due and not be started, because a request has them or they wait for their next
        // try: none of those behind them waits for that.
        let passed_over = self.claims.count() + self.retries.len();
        let limit = 2 * SLOTS + passed_over;
        let mut reader = self.db.read().await?;
        let due = db::jobs::due(&mut reader, clock, now, limit).await?;
        if let Some(at) = db::jobs::next_after(&mut reader, clock, now).await? {
            self.db.agenda().wait_until(clock, at);
        }
        drop(reader);
        if due.is_empty() && self.accounts.clock(clock).jumps() {
            return self.jump_to_next_due(&guard).await;
        }
        self.start_all(clock, due);
        Ok(())
    }

    /// Starts those of the due jobs that can be started now, as far as there are slots.
    fn start_all(self: &Arc<Self>, clock: ClockId, due: Vec<Job>) {
        let mut counted = Vec::new();
        for mut job in due {
            if self.retries.is_waiting(job.id) {
                continue;
            }
            self.without_own_start(&mut job);
            let is_suspect = job.starts > 0;
            if is_suspect
                && Self::is_counted(&job)
                && self.retries.hold_back(&job, self.process_start)
            {
                continue;
            }
            let slot = match self.slots.start(clock, is_suspect, || self.claim_due(&job)) {
                Start::Started(slot) => slot,
                Start::Not => continue,
                Start::Full => break,
            };
            let running = self.running.enter(&job);
            if Self::is_counted(&job) {
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

    /// Counts a start of each of these jobs, in one commit, and then runs them side by side.
    async fn run_counted(self: Arc<Self>, jobs: Vec<(Job, Slot<Claim>, RunningEntry)>) {
        let ids: Vec<&Job> = jobs.iter().map(|(job, ..)| job).collect();
        let counted = self.count_starts(&ids).await;
        for (job, slot, running) in jobs {
            match &counted {
                // The stop takes their starts back.
                Ok(()) if self.stop.is_cancelled() => {}
                Ok(()) => {
                    let run = Arc::clone(&self).run_in(job, slot, running);
                    self.tasks.spawn(run);
                }
                // The error has been noted: the job is run again later.
                Err(error) => {
                    if self.after_error(&job, error.clone()).await.is_ok() {
                        running.done();
                    }
                }
            }
        }
    }

    /// `None` also if the clock has been set back since the job was found to be due.
    fn claim_due(&self, job: &Job) -> Option<Claim> {
        let account = self.accounts.by_id(job.account)?;
        let is_due = job.due_at <= account.now();
        is_due.then(|| self.claim(job)).flatten()
    }

    /// `None` if somebody has it, or its account's life has just ended.
    fn claim(&self, job: &Job) -> Option<Claim> {
        let account = self.accounts.by_id(job.account)?;
        self.claims.try_claim(&account, job.kind, &job.subject)
    }

    async fn run_in(self: Arc<Self>, job: Job, slot: Slot<Claim>, running: RunningEntry) {
        // An error has been noted: the job is run again later.
        if self.run_job(&job).await.is_ok() {
            running.done();
        }
        // The claim goes last: whoever claims the job next enters it anew.
        drop(running);
        drop(slot);
    }
}
