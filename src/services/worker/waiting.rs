//! Work that has not ended, and the cause of its wait.

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

/// Maximum number of listed items.
const WAITING_MAX: usize = 256;
/// Statuses of orders that have not ended.
const OPEN: [&str; 2] = ["pending", "inProgress"];
const IN_PROGRESS: [&str; 1] = ["inProgress"];

/// Item of work that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PendingWork {
    pub wait_target: WaitTarget,
    /// Id of the job's subject, or of the order.
    pub subject: String,
    /// Due time by the account's clock. `None` if no clock decides.
    pub at: Option<Timestamp>,
    pub(super) needed_action: NeededAction,
}

/// Step that the work waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WaitTarget {
    Job(JobKind),
    /// Upload by a client.
    Upload,
    /// Confirmation by a client.
    Confirm,
    /// Reads by a client: a rule keeps the order in progress until then.
    Poll,
    /// Release through the control plane: a rule holds the order until then.
    Release,
}

/// Action that the work needs to continue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NeededAction {
    /// No action: the work is running, or will run when real time passes.
    None,
    /// The frozen clock must be advanced.
    Advance(ClockId),
    /// A client must send a request.
    Call,
}

/// Time for which a drain waits.
#[derive(Debug, Clone, Copy)]
pub(super) struct DueWindow {
    pub total: Duration,
    pub left: Duration,
}

impl WaitTarget {
    /// All values.
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

    /// Name in the responses of the control plane.
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
    /// Returns the due time up to which a drain waits for work of `clock`, which shows `now`.
    fn deadline(self, clock: Clock, now: Timestamp) -> Timestamp {
        // A frozen clock does not move while the drain waits, so the whole time is left.
        let window = match clock {
            Clock::Frozen { .. } => self.total,
            Clock::Running { .. } | Clock::Jump { .. } => self.left,
        };
        now.plus_ms(i64::try_from(window.as_millis()).unwrap_or(i64::MAX))
    }
}

impl PendingWork {
    fn from_job(job: Job, clock_id: ClockId, clock: Clock) -> Self {
        let is_frozen = matches!(clock, Clock::Frozen { at } if job.due_at > at);
        Self {
            wait_target: WaitTarget::Job(job.kind),
            subject: job.subject,
            at: Some(job.due_at),
            needed_action: if is_frozen {
                NeededAction::Advance(clock_id)
            } else {
                NeededAction::None
            },
        }
    }

    /// Returns the item for an order that has no processing job.
    fn from_order(order: &Order) -> Self {
        let (wait_target, needed_action) = match (&order.state, order.processing) {
            (OrderState::Pending, _) if order.has_pending_uploads() => {
                (WaitTarget::Upload, NeededAction::Call)
            }
            (OrderState::Pending, _) => (WaitTarget::Confirm, NeededAction::Call),
            (_, Some(ProcessingMode::AfterPolls(1..))) => (WaitTarget::Poll, NeededAction::Call),
            (_, Some(ProcessingMode::UntilReleased)) => (WaitTarget::Release, NeededAction::Call),
            // The order's job is about to be written.
            _ => (WaitTarget::Job(JobKind::Process), NeededAction::None),
        };
        let subject = order.id.clone();
        Self {
            wait_target,
            subject,
            at: None,
            needed_action,
        }
    }
}

impl Worker {
    /// Returns the jobs that a drain waits for: running and due jobs, orders and reports in
    /// progress, and webhooks due in `window`. `None` as `account` means all accounts.
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
            let account_id = account.map(|account| account.id);
            let jobs = self.candidates(&mut reader, clock_id, account_id).await?;
            // The clock is read after the rows, so that a job that was just written is due by then.
            let clock = self.accounts.clock(clock_id);
            let now = clock.now();
            let deadline = window.deadline(clock, now);
            for job in jobs {
                let is_awaited = match job.kind {
                    JobKind::Process | JobKind::Report => true,
                    JobKind::Deliver => clock.jumps() || job.due_at <= deadline,
                    _ => job.due_at <= now,
                };
                if is_awaited {
                    let key = (job.kind.name(), job.subject.clone());
                    waiting.insert(key, PendingWork::from_job(job, clock_id, clock));
                }
            }
        }
        let in_flight = self
            .claims
            .running(|owner| account.is_none_or(|account| owner.id == account.id));
        for (kind, subject) in in_flight {
            let key = (kind.name(), subject.clone());
            let work = waiting.entry(key).or_insert(PendingWork {
                wait_target: WaitTarget::Job(kind),
                subject,
                at: None,
                needed_action: NeededAction::None,
            });
            work.needed_action = NeededAction::None;
        }
        Ok(waiting.into_values().take(WAITING_MAX).collect())
    }

    /// Returns the clock's first foreground jobs, and its first jobs of any kind.
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

    /// Returns the orders in progress that have no job, of the account or of all accounts.
    pub(super) async fn held_orders(
        &self,
        account: Option<&Account>,
    ) -> Result<Vec<PendingWork>, InternalError> {
        let account = account.map(|account| account.id);
        self.orders_without_job(account, &IN_PROGRESS, |_| true)
            .await
    }

    /// Returns the work that waits for clients: of the account, or of all accounts that follow the
    /// default clock.
    pub(super) async fn waiting_for_clients(
        &self,
        account: Option<&Account>,
    ) -> Result<Vec<PendingWork>, InternalError> {
        let follows = |owner: &Account| account.is_some() || owner.clock_id() == ClockId::DEFAULT;
        let account = account.map(|account| account.id);
        let mut waiting = self.orders_without_job(account, &OPEN, follows).await?;
        waiting.retain(|work| work.needed_action == NeededAction::Call);
        Ok(waiting)
    }

    async fn orders_without_job(
        &self,
        account: Option<AccountId>,
        statuses: &[&str],
        is_relevant: impl Fn(&Account) -> bool,
    ) -> Result<Vec<PendingWork>, InternalError> {
        let mut reader = self.db.read().await?;
        let accounts = db::open_orders::accounts_having(&mut reader, account, statuses).await?;
        let mut waiting = Vec::new();
        for id in accounts {
            let limit = WAITING_MAX - waiting.len();
            let account = self.accounts.by_id(id);
            if limit == 0 || !account.is_some_and(|account| is_relevant(&account)) {
                continue;
            }
            let orders = db::open_orders::without_job(&mut reader, id, statuses, limit).await?;
            waiting.extend(orders.iter().map(PendingWork::from_order));
        }
        Ok(waiting)
    }

    /// Returns the next job of the account, or of the accounts that follow the default clock.
    ///
    /// # Errors
    /// Returns an error if the database fails.
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

    /// Returns the next job of any account, by the time left on its clock.
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
