//! The journal: what was asked and answered, for tests to assert on.
//!
//! Every request has a number, one an account; it is what `X-Mock-Request` carries. A request is
//! written down when it is known whose it is, and completed when it has been answered; one that
//! nobody owns is written down among its like when it is answered. Requests to the control plane
//! are numbered and not kept.
//!
//! What is kept is in memory and bounded, by count for each account and by bytes for all together
//! (see `kept`): the oldest go first, and how many went is told. Nothing is written out until it
//! is read, and no lock is held while anything is awaited.

mod exchange;
mod kept;
mod verify;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::accounts::Account;
use crate::clock;
use crate::model::rule::RuleId;
pub use exchange::{Asked, Body, Digested, Exchange, Head, Recording};
use exchange::{Owner, Side};
use kept::Kept;
pub use verify::{Count, NearMiss, Verdict, Wanted};

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Requests of one account; 0: none are kept.
    pub requests: usize,
    /// Bytes of all together.
    pub bytes: usize,
}

/// Requests, numbered and kept. Clones share them.
#[derive(Debug, Clone)]
pub struct Journal(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    limits: Limits,
    nobodys: AtomicU64,
    kept: Mutex<Kept>,
    /// Of all that is kept, about.
    bytes: AtomicUsize,
    /// Something was written down, or completed.
    changed: Notify,
}

/// A request under way. Clones are the same request.
#[derive(Debug, Clone)]
pub struct Entry {
    journal: Journal,
    exchange: Arc<Exchange>,
    is_kept: bool,
}

/// What a listing is of; the texts are globs.
#[derive(Debug, Clone, Default)]
pub struct Query {
    pub account: Option<String>,
    pub operation: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    pub status: Option<u16>,
    /// Those after that number.
    pub since: Option<u64>,
    /// The last so many.
    pub limit: usize,
}

impl Journal {
    /// An empty one.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Inner {
            limits,
            nobodys: AtomicU64::new(0),
            kept: Mutex::default(),
            bytes: AtomicUsize::new(0),
            changed: Notify::new(),
        }))
    }

    /// Whether any requests are kept.
    #[must_use]
    pub fn is_kept(&self) -> bool {
        self.0.limits.requests > 0
    }

    /// A request has come to an operation; it is kept, if it is to be.
    #[must_use]
    pub fn begin<'r>(
        &self,
        operation: &'static str,
        is_kept: bool,
        asked: impl FnOnce() -> Asked<'r>,
    ) -> Entry {
        let is_kept = is_kept && self.is_kept();
        Entry {
            journal: self.clone(),
            exchange: Arc::new(Exchange::new(operation, is_kept.then(asked))),
            is_kept,
        }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, exchange: &Arc<Exchange>, account: Option<&Arc<Account>>) {
        let inner = &self.0;
        let gone = self
            .kept()
            .push(exchange, account, inner.limits, &inner.bytes);
        drop(gone);
        self.0.changed.notify_waiters();
    }

    /// What is kept of the query, the newest last, and how many of such accounts' requests were let
    /// go.
    #[must_use]
    pub fn list(&self, query: &Query) -> (Vec<Arc<Exchange>>, u64) {
        let kept = self.kept();
        let mut found: Vec<_> = kept
            .newest_first(query.account.as_deref())
            .filter(|exchange| query.takes(exchange))
            .take(query.limit)
            .cloned()
            .collect();
        found.reverse();
        (found, kept.evicted(query.account.as_deref()))
    }

    /// How many requests are kept, and their bytes.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let requests = self.kept().count();
        (requests, self.0.bytes.load(Ordering::Relaxed))
    }

    /// Lets go of what is kept, of one account or of all.
    pub fn clear(&self, account: Option<&str>) {
        self.kept().clear(account, &self.0.bytes);
    }

    /// Lets go of what is kept of accounts whose life has ended.
    pub fn sweep(&self) {
        self.kept().sweep(&self.0.bytes);
    }

    /// Whether so many requests as wanted are kept, of one account or of all.
    #[must_use]
    pub fn verify(&self, account: Option<&str>, wanted: &Wanted, count: Count) -> Verdict {
        let kept = self.kept();
        let all: Vec<_> = kept.newest_first(account).cloned().collect();
        let evicted = kept.evicted(account);
        drop(kept);
        verify::verdict(&all, evicted, wanted, count)
    }

    /// The same as soon as it is certain, or else when so much real time is over.
    pub async fn verify_within(
        &self,
        account: Option<&str>,
        wanted: &Wanted,
        count: Count,
        within: Duration,
    ) -> Verdict {
        let over = tokio::time::Instant::now() + within;
        loop {
            let changed = self.0.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let verdict = self.verify(account, wanted, count);
            if verdict.is_final(count) || tokio::time::timeout_at(over, changed).await.is_err() {
                return verdict;
            }
        }
    }
}

impl Query {
    fn takes(&self, exchange: &Exchange) -> bool {
        let fits = |pattern: Option<&String>, text: &str| {
            pattern.is_none_or(|pattern| crate::model::glob::glob(pattern, text))
        };
        fits(self.operation.as_ref(), exchange.operation)
            && fits(self.method.as_ref(), exchange.method())
            && fits(self.path.as_ref(), exchange.path())
            && self.since.is_none_or(|since| exchange.seq() > since)
            && self
                .status
                .is_none_or(|status| exchange.status() == Some(status))
    }
}

impl Entry {
    /// The request is this account's. What is said first counts.
    pub fn belongs_to(&self, account: &Arc<Account>) {
        let owner = || Owner {
            seq: account.next_request(),
            key: Some(account.key.clone()),
            at: account.now(),
        };
        if self.exchange.own(owner) && self.is_kept {
            self.journal.keep(&self.exchange, Some(account));
        }
    }

    /// A rule was applied to the request.
    pub fn ruled_by(&self, rule: Option<RuleId>) {
        self.exchange.tell(|told| told.rule = told.rule.or(rule));
    }

    /// A recording of the request's body, none where none is kept.
    #[must_use]
    pub fn record_request(&self) -> Option<Recording> {
        self.is_kept
            .then(|| Recording::new(self.clone(), Side::Request))
    }

    /// A recording of the answer's body, none where none is kept.
    #[must_use]
    pub fn record_response(&self) -> Option<Recording> {
        self.is_kept
            .then(|| Recording::new(self.clone(), Side::Response))
    }

    /// The request's number; if it is nobody's by now, it will be.
    #[must_use]
    pub fn number(&self) -> u64 {
        let inner = &self.journal.0;
        let nobodys = || Owner {
            seq: inner.nobodys.fetch_add(1, Ordering::Relaxed) + 1,
            key: None,
            at: clock::real_now(),
        };
        if self.exchange.own(nobodys) && self.is_kept {
            self.journal.keep(&self.exchange, None);
        }
        self.exchange.seq()
    }

    /// The request was answered; `head` is called where that is kept.
    pub fn answered(&self, status: u16, duration_ms: u64, head: impl FnOnce() -> Head) {
        let (seq, operation) = (self.exchange.seq(), self.exchange.operation);
        let account = self.exchange.account().unwrap_or_default();
        tracing::debug!(operation, account, seq, status, duration_ms, "answered");
        if self.is_kept {
            self.exchange.tell(|told| {
                told.answer = Some((status, head()));
                told.duration_ms = duration_ms;
            });
            self.journal.0.changed.notify_waiters();
        }
    }

    fn recorded(&self, side: Side, body: Body) {
        self.exchange.tell(|told| match side {
            Side::Request => told.request_body = body,
            Side::Response => told.response_body = body,
        });
        let inner = &self.journal.0;
        self.exchange.count_anew(&inner.bytes);
        inner.changed.notify_waiters();
    }
}
