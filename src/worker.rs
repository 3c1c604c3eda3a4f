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
mod depths;
mod drain;
mod jump;
mod running;

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::Accounts;
use crate::claims::{Claim, Claims};
use crate::metrics::Metrics;
use crate::model::ids::ClockId;
use crate::model::job::{Job, Kind};
use crate::orders::Orders;
use crate::store::agenda::Due;
use crate::store::{self, Db, StoreError};
use crate::webhooks::Webhooks;
pub use advance::Ran;
pub use depths::Depth;
use running::{RunningEntry, RunningJobs};

/// So many jobs are under way at once; those that wait for an answer cost little.
const UNDER_WAY_MAX: usize = 256;
/// An error of ours does not spin.
const AFTER_ERROR: Duration = Duration::from_secs(1);
/// Longest sleep until a job is due. Real time may step forward meanwhile (see [`crate::clock`]).
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
        Arc::new(Self {
            db,
            accounts,
            orders,
            webhooks,
            claims,
            metrics,
            running: RunningJobs::default(),
            tasks: TaskTracker::new(),
            stop: CancellationToken::new(),
        })
    }

    /// Begins: what an earlier process left undone is due like anything else.
    ///
    /// # Errors
    /// If the jobs cannot be read.
    pub async fn start(self: &Arc<Self>) -> Result<(), StoreError> {
        for (clock, at) in store::jobs::earliest(&mut self.db.read().await?).await? {
            self.db.agenda().note(clock, at);
        }
        self.tasks.spawn(Arc::clone(self).run());
        Ok(())
    }

    /// Stops: no job begins any more; those under way have until `patience` is over.
    pub async fn stop(&self, patience: Duration) {
        self.stop.cancel();
        self.tasks.close();
        if tokio::time::timeout(patience, self.tasks.wait())
            .await
            .is_err()
        {
            tracing::info!(
                jobs = self.claims.count(),
                "left jobs under way to the next start"
            );
        }
    }

    async fn run(self: Arc<Self>) {
        loop {
            let agenda = self.db.agenda();
            // A clock that jumps does not wait for what is new to it.
            let is_due = |clock, due: Due| {
                let clock = self.accounts.clock(clock);
                due.at <= clock.now() || (due.is_new && clock.jumps())
            };
            for clock in agenda.take_due(is_due) {
                if let Err(error) = self.look(clock).await {
                    tracing::error!(%error, clock = clock.0, "cannot look for due jobs");
                    tokio::time::sleep(AFTER_ERROR).await;
                    agenda.look(clock);
                }
            }
            let wait = agenda.shortest(|clock, at| self.accounts.clock(clock).real_ms_until(at));
            let next = async {
                match wait {
                    Some(ms) => {
                        let ms = ms.min(SLEEP_MS_MAX);
                        tokio::time::sleep(Duration::from_millis(ms)).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = self.stop.cancelled() => return,
                () = agenda.changed() => {}
                () = next => {}
            }
        }
    }

    /// Starts what is due by that clock, as far as there is room, and notes what comes next. The
    /// clock is locked meanwhile: an advance starts before all of these jobs, or after.
    async fn look(self: &Arc<Self>, clock: ClockId) -> Result<(), StoreError> {
        let Some(guard) = self.accounts.try_lock_clock(clock) else {
            return Ok(());
        };
        let now = self.accounts.now(clock);
        let mut reader = self.db.read().await?;
        let due = store::jobs::due(&mut reader, clock, now, 2 * UNDER_WAY_MAX).await?;
        if let Some(at) = store::jobs::next_after(&mut reader, clock, now).await? {
            self.db.agenda().wait_until(clock, at);
        }
        drop(reader);
        if due.is_empty() && self.accounts.clock(clock).jumps() {
            return self.leap(&guard).await;
        }
        for job in due {
            if self.claims.count() >= UNDER_WAY_MAX {
                self.claims.starve(clock);
                break;
            }
            if let Some(claim) = self.claim_due(&job) {
                let running = self.running.enter(&job);
                let run = Arc::clone(self).run_claimed(job, claim, running);
                self.tasks.spawn(run);
            }
        }
        Ok(())
    }

    /// None also where the clock has been set back since the job was found to be due.
    fn claim_due(&self, job: &Job) -> Option<Claim> {
        let account = self.accounts.by_id(job.account)?;
        let is_due = job.due_at <= account.now();
        is_due.then(|| self.claim(job)).flatten()
    }

    /// None: somebody has it, or its account's life has just ended.
    fn claim(&self, job: &Job) -> Option<Claim> {
        let account = self.accounts.by_id(job.account)?;
        self.claims.claim(&account, job.kind, &job.subject)
    }

    async fn run_claimed(self: Arc<Self>, job: Job, claim: Claim, running: RunningEntry) {
        if self.run_job(&job).await.is_ok() {
            running.done();
        } else {
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(AFTER_ERROR) => {}
            }
        }
        // The claim goes last: whoever claims the job next enters it anew.
        drop(running);
        drop(claim);
    }

    async fn run_job(&self, job: &Job) -> Result<(), StoreError> {
        let done = match job.kind {
            Kind::Process => self.orders.process(job).await,
            Kind::Expire => self.orders.expire(job).await,
            Kind::UnusedUpload => self.orders.expire_upload(job).await,
            Kind::ExpireUploads => self.orders.expire_uploads(job).await,
            Kind::Sunset => self.orders.sunset(job).await,
            Kind::Report => self.orders.make_report(job).await,
            Kind::Deliver => self.webhooks.deliver(job).await,
        };
        self.metrics.ran(job.kind, done.is_ok());
        done.inspect_err(|error| {
            tracing::error!(%error, kind = job.kind.name(), subject = job.subject, "a job failed and is tried again");
        })
    }
}
