//! The worker: runs what is due.
//!
//! It takes no input. It looks at which jobs are due by which clock, claims them, runs each in
//! a task of its own, and sleeps until the next is due or something stirs; signals only say
//! when to look. What a job does is recorded in the transaction that takes its row, so a job
//! that was cut short by a crash or an error is simply due again.
//!
//! [`Worker::advance`] moves a clock through what falls due on the way, in order, each piece at
//! its own due time, by running the same jobs the same way.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::accounts::{Account, Accounts};
use crate::claims::{Claim, Claims};
use crate::clock::Clock;
use crate::model::ids::ClockId;
use crate::model::job::{Job, Kind};
use crate::model::time::Timestamp;
use crate::orders::Orders;
use crate::store::{self, Db, StoreError};
use crate::webhooks::Webhooks;

/// So many jobs are under way at once; those that wait for an answer cost little.
const UNDER_WAY_MAX: usize = 256;
/// So many waiting jobs are named.
const WAITING_MAX: usize = 256;
/// An error of ours does not spin.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// A job that was run while a clock was moved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    pub at: Timestamp,
    pub kind: Kind,
    pub subject: String,
}

/// Runs jobs.
#[derive(Debug)]
pub struct Worker {
    db: Db,
    accounts: Arc<Accounts>,
    orders: Arc<Orders>,
    webhooks: Arc<Webhooks>,
    claims: Claims,
    /// Clocks that are being moved: their jobs are run by who moves them.
    stepped: Mutex<HashSet<ClockId>>,
    /// A clock is moved by one at a time; locks of clocks that nobody moves are let go.
    steps: Mutex<HashMap<ClockId, Arc<tokio::sync::Mutex<()>>>>,
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
    ) -> Arc<Self> {
        Arc::new(Self {
            db,
            accounts,
            orders,
            webhooks,
            claims,
            stepped: Mutex::default(),
            steps: Mutex::default(),
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
            for clock in agenda.take_due(|clock, at| at <= self.accounts.now(clock)) {
                if let Err(error) = self.look(clock).await {
                    tracing::error!(%error, clock = clock.0, "cannot look for due jobs");
                    tokio::time::sleep(AFTER_ERROR).await;
                    agenda.look(clock);
                }
            }
            let wait = agenda.shortest(|clock, at| self.accounts.clock(clock).real_ms_until(at));
            let next = async {
                match wait {
                    Some(ms) => tokio::time::sleep(Duration::from_millis(ms)).await,
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

    /// Starts what is due by that clock, as far as there is room, and notes what comes next.
    async fn look(self: &Arc<Self>, clock: ClockId) -> Result<(), StoreError> {
        if self.is_stepped(clock) {
            return Ok(());
        }
        let now = self.accounts.now(clock);
        let mut reader = self.db.read().await?;
        let due = store::jobs::due(&mut reader, clock, now, 2 * UNDER_WAY_MAX).await?;
        if let Some(at) = store::jobs::next_after(&mut reader, clock, now).await? {
            self.db.agenda().note(clock, at);
        }
        drop(reader);
        for job in due {
            if self.claims.count() >= UNDER_WAY_MAX {
                self.claims.starve(clock);
                break;
            }
            if let Some(claim) = self.claim(&job) {
                self.tasks.spawn(Arc::clone(self).run_claimed(job, claim));
            }
        }
        Ok(())
    }

    /// None: somebody has it, or its account's life has just ended.
    fn claim(&self, job: &Job) -> Option<Claim> {
        let account = self.accounts.by_id(job.account)?;
        self.claims.claim(&account, job.kind, &job.subject)
    }

    async fn run_claimed(self: Arc<Self>, job: Job, claim: Claim) {
        if self.run_job(&job).await.is_err() {
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = tokio::time::sleep(AFTER_ERROR) => {}
            }
        }
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
        done.inspect_err(|error| {
            tracing::error!(%error, kind = job.kind.name(), subject = job.subject, "a job failed and is tried again");
        })
    }

    fn is_stepped(&self, clock: ClockId) -> bool {
        self.stepped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .contains(&clock)
    }

    async fn step(&self, clock: ClockId) -> OwnedMutexGuard<()> {
        let step = {
            let mut steps = self.steps.lock().unwrap_or_else(PoisonError::into_inner);
            steps.retain(|_, step| Arc::strong_count(step) > 1);
            Arc::clone(steps.entry(clock).or_default())
        };
        step.lock_owned().await
    }

    /// Ends every account's life and sets the default clock to the real time, when nobody is
    /// moving that.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn reset(&self) -> Result<(), StoreError> {
        let _step = self.step(ClockId::DEFAULT).await;
        self.accounts.forget_all().await
    }

    /// Sets a clock, when nobody is moving it.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn set_clock(&self, id: ClockId, clock: Clock) -> Result<(), StoreError> {
        let _step = self.step(id).await;
        self.accounts.set_clock(id, clock).await
    }

    /// Moves a clock `by_ms` on, running on the way what falls due, earliest first, each job
    /// while the clock shows its due time; also what these jobs bring about in turn. Answers
    /// what the clock shows in the end and what was run.
    ///
    /// # Errors
    /// If a job cannot be run or the clock not be written; the clock then stands where it is.
    pub async fn advance(
        &self,
        clock: ClockId,
        by_ms: i64,
    ) -> Result<(Timestamp, Vec<Ran>), StoreError> {
        let _step = self.step(clock).await;
        let stepping = Stepping::begin(self, clock);
        let target = self.accounts.now(clock).plus_ms(by_ms);
        let mut ran = Vec::new();
        loop {
            self.claims.idle(clock).await;
            let due = store::jobs::due(&mut self.db.read().await?, clock, target, 1).await?;
            let Some(job) = due.into_iter().next() else {
                break;
            };
            let Some(claim) = self.claim(&job) else {
                tokio::task::yield_now().await;
                continue;
            };
            let before = self.accounts.now(clock);
            if before < job.due_at {
                let moved = self.accounts.clock(clock).moved_to(job.due_at);
                self.accounts.set_clock(clock, moved).await?;
            }
            self.run_job(&job).await?;
            drop(claim);
            ran.push(Ran {
                at: job.due_at.max(before),
                kind: job.kind,
                subject: job.subject,
            });
        }
        if self.accounts.now(clock) < target {
            let moved = self.accounts.clock(clock).moved_to(target);
            self.accounts.set_clock(clock, moved).await?;
        }
        drop(stepping);
        Ok((self.accounts.now(clock), ran))
    }

    /// Waits until nothing is due or under way, for one account if one is given, else for all:
    /// what still is when `timeout` is over, as kind and subject.
    ///
    /// # Errors
    /// If the jobs cannot be read.
    pub async fn drain(
        &self,
        account: Option<&Account>,
        timeout: Duration,
    ) -> Result<Vec<(Kind, String)>, StoreError> {
        let over = tokio::time::Instant::now() + timeout;
        loop {
            let progress = self.claims.progress();
            tokio::pin!(progress);
            progress.as_mut().enable();
            let waiting = self.waiting(account).await?;
            if waiting.is_empty() {
                return Ok(waiting);
            }
            if tokio::time::timeout_at(over, progress).await.is_err() {
                return self.waiting(account).await;
            }
        }
    }

    async fn waiting(&self, account: Option<&Account>) -> Result<Vec<(Kind, String)>, StoreError> {
        let mut reader = self.db.read().await?;
        let mut due = Vec::new();
        match account {
            Some(account) => {
                // The time is looked at after the rows: what was just made due is due by then.
                due = store::jobs::first_of(&mut reader, account.id, WAITING_MAX).await?;
                let now = account.now();
                due.retain(|job| job.due_at <= now);
            }
            None => {
                for (clock, at) in store::jobs::earliest(&mut reader).await? {
                    let now = self.accounts.now(clock);
                    if at <= now {
                        due.extend(store::jobs::due(&mut reader, clock, now, WAITING_MAX).await?);
                    }
                }
            }
        }
        let mut waiting = self
            .claims
            .under_way(|of| account.is_none_or(|asked| of.id == asked.id));
        waiting.extend(due.into_iter().map(|job| (job.kind, job.subject)));
        waiting.sort_by(|one, other| (one.0.name(), &one.1).cmp(&(other.0.name(), &other.1)));
        waiting.dedup();
        waiting.truncate(WAITING_MAX);
        Ok(waiting)
    }
}

/// While it lives, the jobs of a clock are left to who moves it.
struct Stepping<'w> {
    worker: &'w Worker,
    clock: ClockId,
}

impl<'w> Stepping<'w> {
    fn begin(worker: &'w Worker, clock: ClockId) -> Self {
        worker
            .stepped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(clock);
        Self { worker, clock }
    }
}

impl Drop for Stepping<'_> {
    fn drop(&mut self) {
        self.worker
            .stepped
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(&self.clock);
        self.worker.db.agenda().look(self.clock);
    }
}
