//! Claims: exclusive rights to jobs.
//!
//! One process owns the data directory, so a claim is held in memory and not in a row. When the
//! process dies, every job is free again. The worker claims a job while it runs it. A request that
//! starts an order claims the order's job before it commits, and releases the claim when its
//! response has been written. So nothing that the order causes can reach the client before the
//! response does. A request that sends to an endpoint itself waits for the endpoint's job, and gets
//! it before the worker can claim it again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::model::ids::{AccountId, ClockId};
use crate::model::job::JobKind;
use crate::services::accounts::Account;
use crate::storage::db::due_index::DueIndex;

/// Account, kind and subject of a job.
type ClaimKey = (AccountId, JobKind, String);

/// Registry of all claims.
#[derive(Debug, Clone)]
pub struct Claims(Arc<ClaimsInner>);

#[derive(Debug)]
struct ClaimsInner {
    table: Mutex<ClaimTable>,
    released: Notify,
    due_index: DueIndex,
}

#[derive(Debug, Default)]
struct ClaimTable {
    jobs: HashMap<ClaimKey, JobSlot>,
    /// Number of tickets issued so far.
    tickets: u64,
}

/// Job that is claimed or waited for.
#[derive(Debug)]
struct JobSlot {
    account: Arc<Account>,
    is_claimed: bool,
    /// Tickets of the waiting callers, first come first.
    queue: VecDeque<u64>,
}

/// Exclusive right to a job. Dropping it releases the job.
#[derive(Debug)]
pub struct Claim {
    claims: Claims,
    subject: ClaimKey,
}

/// Entry in a job's queue. Dropping it leaves the queue.
struct QueueEntry<'c> {
    claims: &'c Claims,
    subject: ClaimKey,
    ticket: u64,
}

impl Claims {
    /// Creates an empty registry. A release wakes the worker through `due_index`.
    #[must_use]
    pub fn new(due_index: DueIndex) -> Self {
        Self(Arc::new(ClaimsInner {
            table: Mutex::default(),
            released: Notify::new(),
            due_index,
        }))
    }

    /// Claims a job of the account. `None` if the job is claimed or waited for.
    #[must_use]
    pub fn try_claim(&self, account: &Arc<Account>, kind: JobKind, subject: &str) -> Option<Claim> {
        let subject = (account.id, kind, subject.to_owned());
        let mut table = self.table();
        if table.jobs.contains_key(&subject) {
            return None;
        }
        let job = JobSlot {
            account: Arc::clone(account),
            is_claimed: true,
            queue: VecDeque::new(),
        };
        table.jobs.insert(subject.clone(), job);
        Some(Claim {
            claims: self.clone(),
            subject,
        })
    }

    /// Claims a job of the account, after all earlier callers have released it.
    pub async fn claim(&self, account: &Arc<Account>, kind: JobKind, subject: &str) -> Claim {
        let entry = self.enqueue(account, (account.id, kind, subject.to_owned()));
        loop {
            let released = self.released();
            tokio::pin!(released);
            released.as_mut().enable();
            if let Some(claim) = entry.try_promote() {
                return claim;
            }
            released.await;
        }
    }

    fn enqueue(&self, account: &Arc<Account>, subject: ClaimKey) -> QueueEntry<'_> {
        let mut table = self.table();
        table.tickets += 1;
        let ticket = table.tickets;
        let job = table
            .jobs
            .entry(subject.clone())
            .or_insert_with(|| JobSlot {
                account: Arc::clone(account),
                is_claimed: false,
                queue: VecDeque::new(),
            });
        job.queue.push_back(ticket);
        QueueEntry {
            claims: self,
            subject,
            ticket,
        }
    }

    fn table(&self) -> MutexGuard<'_, ClaimTable> {
        self.0.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of jobs that are claimed or waited for.
    #[must_use]
    pub fn count(&self) -> usize {
        self.table().jobs.len()
    }

    /// Returns kind and subject of the jobs that are claimed or waited for, of accounts for which
    /// `filter` returns `true`.
    #[must_use]
    pub fn running(&self, filter: impl Fn(&Account) -> bool) -> Vec<(JobKind, String)> {
        let table = self.table();
        let jobs = table.jobs.iter().filter(|(_, job)| filter(&job.account));
        jobs.map(|((_, kind, subject), _)| (*kind, subject.clone()))
            .collect()
    }

    /// Calls `act` and returns its result if no job of the clock is claimed or waited for. No job
    /// can be claimed during the call.
    ///
    /// `act` must neither claim a job nor release a claim.
    pub fn if_idle<T>(&self, clock: ClockId, act: impl FnOnce() -> T) -> Option<T> {
        let table = self.table();
        let mut jobs = table.jobs.values();
        let is_idle = !jobs.any(|job| job.account.clock_id() == clock);
        is_idle.then(act)
    }

    /// Completes when the next claim is released.
    pub fn released(&self) -> Notified<'_> {
        self.0.released.notified()
    }

    /// Waits until no job of the clock is claimed or waited for.
    pub async fn wait_idle(&self, clock: ClockId) {
        loop {
            let released = self.released();
            tokio::pin!(released);
            released.as_mut().enable();
            if self
                .running(|account| account.clock_id() == clock)
                .is_empty()
            {
                return;
            }
            released.await;
        }
    }

    /// Changes a job's slot. Removes the slot if the job is then neither claimed nor waited for,
    /// and wakes the worker.
    fn release(&self, subject: &ClaimKey, change: impl FnOnce(&mut JobSlot)) {
        let mut table = self.table();
        let Some(job) = table.jobs.get_mut(subject) else {
            return;
        };
        change(job);
        let is_free = !job.is_claimed && job.queue.is_empty();
        let removed = is_free.then(|| table.jobs.remove(subject)).flatten();
        drop(table);
        let inner = &self.0;
        // The account's current clock: it may have received a clock of its own since the claim.
        if let Some(job) = removed {
            inner.due_index.check_now(job.account.clock_id());
        }
        inner.released.notify_waiters();
    }
}

impl QueueEntry<'_> {
    /// Claims the job if it is free and this entry is the first in the queue.
    fn try_promote(&self) -> Option<Claim> {
        let mut table = self.claims.table();
        let job = table.jobs.get_mut(&self.subject)?;
        if job.is_claimed || job.queue.front() != Some(&self.ticket) {
            return None;
        }
        job.queue.pop_front();
        job.is_claimed = true;
        Some(Claim {
            claims: self.claims.clone(),
            subject: self.subject.clone(),
        })
    }
}

impl Drop for QueueEntry<'_> {
    fn drop(&mut self) {
        self.claims.release(&self.subject, |job| {
            job.queue.retain(|ticket| *ticket != self.ticket);
        });
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.claims
            .release(&self.subject, |job| job.is_claimed = false);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::account::AccountSettings;
    use crate::model::time::Timestamp;
    use crate::platform::clock::Clock;
    use crate::platform::rng::Entropy;
    use crate::storage::db::accounts::AccountRow;

    /// Returns an account that follows the default clock.
    fn account() -> Arc<Account> {
        let row = AccountRow {
            id: AccountId(1),
            key: "key".to_owned(),
            settings: AccountSettings::default(),
            clock: None,
            created_at: Timestamp::from_ms(0),
            orders: 0,
            uploads: 0,
            snowflake: 0,
        };
        let clock = Arc::new(Mutex::new(Clock::REAL));
        Arc::new(Account::from_row(row, &Entropy::new("seed"), clock))
    }

    #[test]
    fn if_idle_acts_only_if_no_job_of_the_clock_is_claimed() {
        let (claims, account) = (Claims::new(DueIndex::default()), account());
        let act = |clock| claims.if_idle(clock, || "acted");
        assert_eq!(act(ClockId::DEFAULT), Some("acted"));
        let claim = claims.try_claim(&account, JobKind::Process, "1");
        assert!(claim.is_some());
        assert_eq!(act(ClockId::DEFAULT), None);
        assert_eq!(act(ClockId(7)), Some("acted"), "another clock");
        drop(claim);
        assert_eq!(act(ClockId::DEFAULT), Some("acted"));
    }

    #[test]
    fn if_idle_holds_the_lock_that_a_claim_takes() {
        let claims = Claims::new(DueIndex::default());
        let is_locked = || claims.0.table.try_lock().is_err();
        assert!(!is_locked());
        assert_eq!(claims.if_idle(ClockId::DEFAULT, is_locked), Some(true));
        assert!(!is_locked());
    }
}
