//! Work that has not come to its end, and what has to happen for it to end.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Worker;
use crate::model::ids::{AccountId, ClockId};
use crate::model::job::{Job, JobKind};
use crate::model::order::{Order, OrderState};
use crate::model::rule::ProcessingMode;
use crate::model::time::Timestamp;
use crate::platform::clock::Clock;
use crate::services::accounts::Account;
use crate::storage::db::{self, DbReader, InternalError};

/// Number of pieces of work that are listed at most.
const WAITING_MAX: usize = 256;
/// Statuses of orders that have not come to their end.
const OPEN: [&str; 2] = ["pending", "inProgress"];
const IN_PROGRESS: [&str; 1] = ["inProgress"];

/// A piece of work that has not come to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingWork {
    pub what: Awaited,
    /// Id of the job's subject, or of the order.
    pub subject: String,
    /// Due time by the account's clock. `None` if no clock brings it.
    pub at: Option<Timestamp>,
    pub(super) ends_by: EndsBy,
}

/// Step that has not happened yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaited {
    Job(JobKind),
    /// A client owes the order an upload.
    Upload,
    /// A client owes the order its confirm.
    Confirm,
    /// A rule has the order in progress until a client has read it more often.
    Poll,
    /// A rule holds the order until the control plane releases it.
    Release,
}

/// Cause that brings a piece of work to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum EndsBy {
    /// In flight, or will be as real time passes.
    Itself,
    /// Its frozen clock has to be advanced.
    Advance(ClockId),
    /// Somebody has to call.
    Call,
}

/// The time that a drain has.
#[derive(Debug, Clone, Copy)]
pub(super) struct DueWindow {
    pub total: Duration,
    pub left: Duration,
}

impl Awaited {
    /// Every one.
    pub const ALL: [Self; 11] = [
        Self::Job(JobKind::Process),
        Self::Job(JobKind::Expire),
        Self::Job(JobKind::ExpireUpload),
        Self::Job(JobKind::ExpireUploads),
        Self::Job(JobKind::Sunset),
        Self::Job(JobKind::Report),
        Self::Job(JobKind::Deliver),
        Self::Upload,
        Self::Confirm,
        Self::Poll,
        Self::Release,
    ];

    /// Name in the control plane's answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Job(kind) => kind.name(),
            Self::Upload => "order.upload",
            Self::Confirm => "order.confirm",
            Self::Poll => "order.poll",
            Self::Release => "order.release",
        }
    }
}

impl DueWindow {
    /// Due time up to which a drain waits for work by `clock`, which shows `now`.
    fn deadline(self, clock: Clock, now: Timestamp) -> Timestamp {
        // A frozen clock does not come nearer to the deadline while the drain waits.
        let window = match clock {
            Clock::Frozen { .. } => self.total,
            Clock::Running { .. } | Clock::Jump { .. } => self.left,
        };
        now.plus_ms(i64::try_from(window.as_millis()).unwrap_or(i64::MAX))
    }
}

impl PendingWork {
    fn of_job(job: Job, clock_id: ClockId, clock: Clock) -> Self {
        let is_frozen = matches!(clock, Clock::Frozen { at } if job.due_at > at);
        Self {
            what: Awaited::Job(job.kind),
            subject: job.subject,
            at: Some(job.due_at),
            ends_by: if is_frozen {
                EndsBy::Advance(clock_id)
            } else {
                EndsBy::Itself
            },
        }
    }

    /// An order that has no processing job.
    fn of_order(order: &Order) -> Self {
        let (what, ends_by) = match (&order.state, order.processing) {
            (OrderState::Pending, _) if order.has_pending_uploads() => {
                (Awaited::Upload, EndsBy::Call)
            }
            (OrderState::Pending, _) => (Awaited::Confirm, EndsBy::Call),
            (_, Some(ProcessingMode::AfterPolls(1..))) => (Awaited::Poll, EndsBy::Call),
            (_, Some(ProcessingMode::UntilReleased)) => (Awaited::Release, EndsBy::Call),
            // Its job is about to be written.
            _ => (Awaited::Job(JobKind::Process), EndsBy::Itself),
        };
        let subject = order.id.clone();
        Self {
            what,
            subject,
            at: None,
            ends_by,
        }
    }
}

impl Worker {
    /// Returns the jobs that a drain of the account, or of all accounts if it is `None`, waits for:
    /// those in flight and those due, orders and reports in progress, and webhooks due in `window`.
    pub(super) async fn awaited_jobs(
        &self,
        account: Option<&Account>,
        window: DueWindow,
    ) -> Result<Vec<PendingWork>, InternalError> {
        let mut reader = self.db.read().await?;
        let clocks = if let Some(account) = account {
            vec![account.clock_id()]
        } else {
            let earliest = db::jobs::next_due_by_clock(&mut reader).await?;
            earliest.into_iter().map(|(clock, _)| clock).collect()
        };
        let mut waiting = BTreeMap::new();
        for clock_id in clocks {
            let of = account.map(|account| account.id);
            let jobs = self.candidates(&mut reader, clock_id, of).await?;
            // The clock is read after the rows: a job that was just written is due by then.
            let clock = self.accounts.clock(clock_id);
            let now = clock.now();
            let deadline = window.deadline(clock, now);
            for job in jobs {
                let is_waited_for = match job.kind {
                    JobKind::Process | JobKind::Report => true,
                    JobKind::Deliver => clock.jumps() || job.due_at <= deadline,
                    _ => job.due_at <= now,
                };
                if is_waited_for {
                    let key = (job.kind.name(), job.subject.clone());
                    waiting.insert(key, PendingWork::of_job(job, clock_id, clock));
                }
            }
        }
        let in_flight = self
            .claims
            .running(|of| account.is_none_or(|account| of.id == account.id));
        for (kind, subject) in in_flight {
            let entry = waiting.entry((kind.name(), subject.clone()));
            let entry = entry.or_insert(PendingWork {
                what: Awaited::Job(kind),
                subject,
                at: None,
                ends_by: EndsBy::Itself,
            });
            entry.ends_by = EndsBy::Itself;
        }
        Ok(waiting.into_values().take(WAITING_MAX).collect())
    }

    /// Returns the first jobs by that clock that somebody waits for, and the first of all.
    async fn candidates(
        &self,
        reader: &mut DbReader,
        clock: ClockId,
        account: Option<AccountId>,
    ) -> Result<Vec<Job>, InternalError> {
        let mut jobs = db::jobs::awaited(reader, clock, account, WAITING_MAX).await?;
        let first = if let Some(account) = account {
            db::jobs::by_account(reader, account, WAITING_MAX).await?
        } else {
            let now = self.accounts.now(clock);
            db::jobs::due(reader, clock, now, WAITING_MAX).await?
        };
        jobs.extend(first);
        Ok(jobs)
    }

    /// Returns the orders in progress that no job brings to their end, of the account or of all.
    pub(super) async fn held_orders(
        &self,
        account: Option<&Account>,
    ) -> Result<Vec<PendingWork>, InternalError> {
        let account = account.map(|account| account.id);
        self.orders_without_job(account, &IN_PROGRESS, |_| true)
            .await
    }

    /// Returns what clients owe to the orders that go by a clock: of the account, or of all accounts
    /// that follow the default clock.
    pub(super) async fn owed_by_clients(
        &self,
        account: Option<&Account>,
    ) -> Result<Vec<PendingWork>, InternalError> {
        let follows = |of: &Account| account.is_some() || of.clock_id() == ClockId::DEFAULT;
        let account = account.map(|account| account.id);
        let mut owed = self.orders_without_job(account, &OPEN, follows).await?;
        owed.retain(|waiting| waiting.ends_by == EndsBy::Call);
        Ok(owed)
    }

    async fn orders_without_job(
        &self,
        account: Option<AccountId>,
        statuses: &[&str],
        is_wanted: impl Fn(&Account) -> bool,
    ) -> Result<Vec<PendingWork>, InternalError> {
        let mut reader = self.db.read().await?;
        let accounts = db::open_orders::accounts_having(&mut reader, account, statuses).await?;
        let mut waiting = Vec::new();
        for id in accounts {
            let room = WAITING_MAX - waiting.len();
            let account = self.accounts.by_id(id);
            if room == 0 || !account.is_some_and(|account| is_wanted(&account)) {
                continue;
            }
            let orders = db::open_orders::without_job(&mut reader, id, statuses, room).await?;
            waiting.extend(orders.iter().map(PendingWork::of_order));
        }
        Ok(waiting)
    }

    /// Returns the next due job of the account, or of the accounts that follow the default clock.
    ///
    /// # Errors
    /// If the jobs cannot be read.
    pub async fn next_job(&self, account: Option<&Account>) -> Result<Option<Job>, InternalError> {
        let mut reader = self.db.read().await?;
        let jobs = if let Some(account) = account {
            db::jobs::by_account(&mut reader, account.id, 1).await?
        } else {
            let end = Timestamp::from_ms(i64::MAX);
            db::jobs::due(&mut reader, ClockId::DEFAULT, end, 1).await?
        };
        Ok(jobs.into_iter().next())
    }

    /// Returns the job, of whatever account, that is due next, each by its own clock.
    pub(super) async fn next_job_of_all(&self) -> Result<Option<Job>, InternalError> {
        let mut reader = self.db.read().await?;
        let earliest = db::jobs::next_due_by_clock(&mut reader).await?;
        let wait_ms = |(clock, at): &(ClockId, Timestamp)| at.since_ms(self.accounts.now(*clock));
        let Some((clock, at)) = earliest.into_iter().min_by_key(wait_ms) else {
            return Ok(None);
        };
        let jobs = db::jobs::due(&mut reader, clock, at, 1).await?;
        Ok(jobs.into_iter().next())
    }
}
