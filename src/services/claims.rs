//! Claims: who has a job under way.
//!
//! One process owns the data directory, so a claim is memory and no row: when the process
//! dies, every job is free again, which is just what should become of it. The worker claims a
//! job while it runs it. A request that starts an order claims the order's job before it
//! commits, and lets go when its answer has been written, so that nothing the order brings
//! about can reach the client before the answer does. A request that sends to an endpoint
//! itself waits for the endpoint's job, and has it before the worker can have it again.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::model::ids::{AccountId, ClockId};
use crate::model::job::JobKind;
use crate::services::accounts::Account;
use crate::storage::db::due_index::DueIndex;

/// Whose job, of what kind, on what.
type ClaimKey = (AccountId, JobKind, String);

/// All claims.
#[derive(Debug, Clone)]
pub struct Claims(Arc<ClaimsInner>);

#[derive(Debug)]
struct ClaimsInner {
    table: Mutex<ClaimTable>,
    released: Notify,
    agenda: DueIndex,
}

#[derive(Debug, Default)]
struct ClaimTable {
    jobs: HashMap<ClaimKey, JobSlot>,
    /// How many have ever waited.
    tickets: u64,
}

/// A job that somebody has, or waits for.
#[derive(Debug)]
struct JobSlot {
    account: Arc<Account>,
    held: bool,
    /// The tickets of those who wait, the first to come in front.
    queue: VecDeque<u64>,
}

/// A claim; dropping it lets the job go.
#[derive(Debug)]
pub struct Claim {
    claims: Claims,
    subject: ClaimKey,
}

/// A place in a job's queue; dropping it leaves the queue.
struct QueueEntry<'c> {
    claims: &'c Claims,
    subject: ClaimKey,
    ticket: u64,
}

impl Claims {
    /// No claims; whoever lets one go has the worker look again.
    #[must_use]
    pub fn new(agenda: DueIndex) -> Self {
        Self(Arc::new(ClaimsInner {
            table: Mutex::default(),
            released: Notify::new(),
            agenda,
        }))
    }

    /// Claims a job of the account's, if nobody has it or waits for it.
    #[must_use]
    pub fn try_claim(&self, account: &Arc<Account>, kind: JobKind, subject: &str) -> Option<Claim> {
        let subject = (account.id, kind, subject.to_owned());
        let mut wanted = self.table();
        if wanted.jobs.contains_key(&subject) {
            return None;
        }
        let job = JobSlot {
            account: Arc::clone(account),
            held: true,
            queue: VecDeque::new(),
        };
        wanted.jobs.insert(subject.clone(), job);
        Some(Claim {
            claims: self.clone(),
            subject,
        })
    }

    /// Claims a job of the account's as soon as those who came before have let it go.
    pub async fn claim(&self, account: &Arc<Account>, kind: JobKind, subject: &str) -> Claim {
        let place = self.enqueue(account, (account.id, kind, subject.to_owned()));
        loop {
            let progress = self.released();
            tokio::pin!(progress);
            progress.as_mut().enable();
            if let Some(claim) = place.try_promote() {
                return claim;
            }
            progress.await;
        }
    }

    fn enqueue(&self, account: &Arc<Account>, subject: ClaimKey) -> QueueEntry<'_> {
        let mut wanted = self.table();
        wanted.tickets += 1;
        let ticket = wanted.tickets;
        let job = wanted
            .jobs
            .entry(subject.clone())
            .or_insert_with(|| JobSlot {
                account: Arc::clone(account),
                held: false,
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

    /// How many jobs are held, or waited for.
    #[must_use]
    pub fn count(&self) -> usize {
        self.table().jobs.len()
    }

    /// What is under way for those accounts, as kind and subject.
    #[must_use]
    pub fn running(&self, account_resolver: impl Fn(&Account) -> bool) -> Vec<(JobKind, String)> {
        let wanted = self.table();
        let jobs = wanted
            .jobs
            .iter()
            .filter(|(_, job)| account_resolver(&job.account));
        jobs.map(|((_, kind, subject), _)| (*kind, subject.clone()))
            .collect()
    }

    /// Runs `act` if nothing is in flight by that clock. Nobody claims a job meanwhile. `None` if
    /// something is in flight.
    ///
    /// `act` must neither claim a job nor release a claim.
    pub fn if_idle<T>(&self, clock: ClockId, act: impl FnOnce() -> T) -> Option<T> {
        let wanted = self.table();
        let mut jobs = wanted.jobs.values();
        let is_idle = !jobs.any(|job| job.account.clock_id() == clock);
        is_idle.then(act)
    }

    /// Is done when the next claim is let go.
    pub fn released(&self) -> Notified<'_> {
        self.0.released.notified()
    }

    /// Returns when nothing is under way by that clock.
    pub async fn wait_idle(&self, clock: ClockId) {
        loop {
            let progress = self.released();
            tokio::pin!(progress);
            progress.as_mut().enable();
            if self.running(|of| of.clock_id() == clock).is_empty() {
                return;
            }
            progress.await;
        }
    }

    /// Changes who has a job or waits for it; where nobody does any more, the worker may.
    fn release(&self, subject: &ClaimKey, change: impl FnOnce(&mut JobSlot)) {
        let mut wanted = self.table();
        let Some(job) = wanted.jobs.get_mut(subject) else {
            return;
        };
        change(job);
        let free = !job.held && job.queue.is_empty();
        let account = free.then(|| wanted.jobs.remove(subject)).flatten();
        drop(wanted);
        let inner = &self.0;
        // The clock the account goes by now: it may have been given one of its own meanwhile.
        if let Some(job) = account {
            inner.agenda.check_now(job.account.clock_id());
        }
        inner.released.notify_waiters();
    }
}

impl QueueEntry<'_> {
    /// The job, if it is this one's turn.
    fn try_promote(&self) -> Option<Claim> {
        let mut wanted = self.claims.table();
        let job = wanted.jobs.get_mut(&self.subject)?;
        if job.held || job.queue.front() != Some(&self.ticket) {
            return None;
        }
        job.queue.pop_front();
        job.held = true;
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
        self.claims.release(&self.subject, |job| job.held = false);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::model::account::AccountSettings;
    use crate::platform::clock::Clock;
    use crate::platform::rng::Entropy;
    use crate::storage::db::accounts::AccountRow;

    /// Returns an account that goes by the default clock.
    fn account() -> Arc<Account> {
        let row = AccountRow {
            id: AccountId(1),
            key: "key".to_owned(),
            settings: AccountSettings::default(),
            clock: None,
            orders: 0,
            uploads: 0,
            snowflake: 0,
        };
        let clock = Arc::new(Mutex::new(Clock::REAL));
        Arc::new(Account::from_row(row, &Entropy::new("seed"), clock))
    }

    #[test]
    fn if_idle_acts_only_if_nothing_is_in_flight_by_that_clock() {
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
