//! Claims: who has a job under way.
//!
//! One process owns the data directory, so a claim is memory and no row: when the process
//! dies, every job is free again, which is just what should become of it. The worker claims a
//! job while it runs it. A request that starts an order claims the order's job before it
//! commits, and lets go when its answer has been written, so that nothing the order brings
//! about can reach the client before the answer does.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::accounts::Account;
use crate::model::ids::{AccountId, ClockId};
use crate::model::job::Kind;
use crate::store::agenda::Agenda;

/// Whose job, of what kind, on what.
type Subject = (AccountId, Kind, String);

/// All claims.
#[derive(Debug, Clone)]
pub struct Claims(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    held: Mutex<HashMap<Subject, Arc<Account>>>,
    /// Clocks with due jobs for which there was no room.
    starved: Mutex<HashSet<ClockId>>,
    released: Notify,
    agenda: Agenda,
}

/// A claim; dropping it lets the job go.
#[derive(Debug)]
pub struct Claim {
    claims: Claims,
    subject: Subject,
}

impl Claims {
    /// No claims; whoever lets one go has the worker look again.
    #[must_use]
    pub fn new(agenda: Agenda) -> Self {
        Self(Arc::new(Inner {
            held: Mutex::default(),
            starved: Mutex::default(),
            released: Notify::new(),
            agenda,
        }))
    }

    /// Claims a job of the account's, if nobody has.
    #[must_use]
    pub fn claim(&self, account: &Arc<Account>, kind: Kind, subject: &str) -> Option<Claim> {
        let subject = (account.id, kind, subject.to_owned());
        let mut held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.contains_key(&subject) {
            return None;
        }
        held.insert(subject.clone(), Arc::clone(account));
        Some(Claim {
            claims: self.clone(),
            subject,
        })
    }

    /// How many are held.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0
            .held
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .len()
    }

    /// What is under way for those accounts, as kind and subject.
    #[must_use]
    pub fn under_way(&self, whose: impl Fn(&Account) -> bool) -> Vec<(Kind, String)> {
        let held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter()
            .filter(|(_, of)| whose(of))
            .map(|((_, kind, subject), _)| (*kind, subject.clone()))
            .collect()
    }

    /// There was no room for what is due by that clock: it is looked at again when a claim is
    /// let go.
    pub fn starve(&self, clock: ClockId) {
        self.0
            .starved
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(clock);
    }

    /// Is done when the next claim is let go.
    pub fn progress(&self) -> Notified<'_> {
        self.0.released.notified()
    }

    /// Returns when nothing is under way by that clock.
    pub async fn idle(&self, clock: ClockId) {
        loop {
            let progress = self.progress();
            tokio::pin!(progress);
            progress.as_mut().enable();
            if self.under_way(|of| of.clock_id() == clock).is_empty() {
                return;
            }
            progress.await;
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        let inner = &self.claims.0;
        let mut held = inner.held.lock().unwrap_or_else(PoisonError::into_inner);
        let account = held.remove(&self.subject);
        drop(held);
        // The clock the account goes by now: it may have been given one of its own meanwhile.
        if let Some(account) = account {
            inner.agenda.look(account.clock_id());
        }
        let mut starved = inner.starved.lock().unwrap_or_else(PoisonError::into_inner);
        for clock in starved.drain() {
            inner.agenda.look(clock);
        }
        drop(starved);
        inner.released.notify_waiters();
    }
}
