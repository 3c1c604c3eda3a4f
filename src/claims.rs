//! Claims: who has a job under way.
//!
//! One process owns the data directory, so a claim is memory and no row: when the process
//! dies, every job is free again, which is just what should become of it. The worker claims a
//! job while it runs it. A request that starts an order claims the order's job before it
//! commits, and lets go when its answer has been written, so that nothing the order brings
//! about can reach the client before the answer does.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::accounts::Account;
use crate::model::ids::{AccountId, ClockId};
use crate::model::job::Kind;
use crate::store::agenda::Agenda;

type Subject = (Kind, String);

/// All claims.
#[derive(Debug, Clone)]
pub struct Claims(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    held: Mutex<HashMap<Subject, Arc<Account>>>,
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
            released: Notify::new(),
            agenda,
        }))
    }

    /// Claims a job of the account's, if nobody has.
    #[must_use]
    pub fn claim(&self, account: &Arc<Account>, kind: Kind, subject: &str) -> Option<Claim> {
        let subject = (kind, subject.to_owned());
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

    /// What is under way by that clock, as kind and subject; of one account only, if one is given.
    #[must_use]
    pub fn under_way(&self, clock: ClockId, account: Option<AccountId>) -> Vec<Subject> {
        let asked =
            |of: &Account| of.clock_id() == clock && account.is_none_or(|account| of.id == account);
        let held = self.0.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.iter()
            .filter(|(_, of)| asked(of))
            .map(|(subject, _)| subject.clone())
            .collect()
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
            if self.under_way(clock, None).is_empty() {
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
        inner.released.notify_waiters();
    }
}
