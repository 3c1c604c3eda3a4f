//! The journal: requests and their responses, on which tests can assert.
//!
//! Every request has a sequence number within its account, which `X-Mock-Request` carries. The
//! journal stores a request as soon as its account is known, and completes the entry with the
//! response. A request without an account is stored when that is certain: at the latest with its
//! response. Requests to the control plane are numbered but not stored.
//!
//! An entry is numbered and stored in one step under one lock. Entries of an account therefore
//! appear in the order of their numbers, and a reader that follows by number misses none.
//!
//! Entries are in memory. Their number is limited per account, and their bytes in total (see
//! `exchange_store`). The oldest are evicted first, and evicted entries are counted. Entries are
//! serialised only when they are read, and no lock is held across an await.

mod exchange;
mod exchange_store;
mod json;
mod query;
mod recording;
mod status;
mod verify;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::model::clip::clip;
use crate::model::ids::AccountId;
use crate::model::rule::{Fault, RuleId};
use crate::platform::change_log::{ChangeLog, Subject};
use crate::platform::clock;
use crate::services::accounts::Account;
use exchange::{Attribution, ExchangeState, Side};
pub use exchange::{
    BodyDigest, Exchange, ExchangeSummary, JournalBody, PackedHeaders, RequestHead,
};
use exchange_store::ExchangeStore;
pub use query::RequestQuery;
pub use recording::Recording;
pub use status::StatusFilter;
pub use verify::{CountRange, NearMiss, RequestMatcher, VerifyVerdict};

/// Characters stored of an unknown API key.
const UNKNOWN_KEY_CHARS_MAX: usize = 100;
/// Longest recorded id of an order. Clients send what they like in its place.
const ORDER_ID_BYTES_MAX: usize = 64;

/// Limits of the journal.
#[derive(Debug, Clone, Copy)]
pub struct JournalLimits {
    /// Maximum number of entries per account. 0 disables the journal.
    pub requests: usize,
    /// Maximum size of all entries in bytes.
    pub bytes: usize,
}

/// Store of requests and responses. Clones share the store.
#[derive(Debug, Clone)]
pub struct Journal(Arc<JournalInner>);

#[derive(Debug)]
struct JournalInner {
    limits: JournalLimits,
    changes: ChangeLog,
    unattributed_seq: AtomicU64,
    store: Mutex<ExchangeStore>,
    /// Approximate size of all stored entries.
    bytes: AtomicUsize,
    /// Notified when an entry was stored or changed.
    changed: Notify,
}

/// Entry of a request that is in flight. Clones refer to the same request.
#[derive(Debug, Clone)]
pub struct JournalEntry {
    journal: Journal,
    exchange: Arc<Exchange>,
    is_recorded: bool,
}

impl Journal {
    /// Creates an empty journal, whose changes are recorded in `changes`.
    #[must_use]
    pub fn new(limits: JournalLimits, changes: ChangeLog) -> Self {
        Self(Arc::new(JournalInner {
            limits,
            changes,
            unattributed_seq: AtomicU64::new(0),
            store: Mutex::default(),
            bytes: AtomicUsize::new(0),
            changed: Notify::new(),
        }))
    }

    /// `true` if the journal stores requests.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.0.limits.requests > 0
    }

    /// Starts the entry of a request. The entry is stored if `is_stored` is `true` and the journal
    /// is enabled.
    #[must_use]
    pub fn start_entry<'r>(
        &self,
        operation: &'static str,
        is_stored: bool,
        request_head: impl FnOnce() -> RequestHead<'r>,
    ) -> JournalEntry {
        let is_recorded = is_stored && self.is_enabled();
        JournalEntry {
            journal: self.clone(),
            exchange: Arc::new(Exchange::new(operation, is_recorded.then(request_head))),
            is_recorded,
        }
    }

    fn store(&self) -> MutexGuard<'_, ExchangeStore> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Numbers the exchange, and stores it if it is to be recorded. Both happen under one lock, so
    /// that entries of an account are stored in the order of their numbers. Does nothing if the
    /// exchange is numbered already.
    fn number(&self, entry: &JournalEntry, account: Option<&Arc<Account>>) {
        let inner = &self.0;
        let exchange = &entry.exchange;
        if exchange.is_numbered() {
            return;
        }
        let owner = || Attribution {
            seq: match account {
                Some(account) => account.next_request(),
                None => inner.unattributed_seq.fetch_add(1, Ordering::Relaxed) + 1,
            },
            account: account.cloned(),
            at: account.map_or_else(clock::real_now, |account| account.now()),
        };
        if !entry.is_recorded {
            exchange.set_attribution(owner);
            return;
        }
        let mut store = self.store();
        if !exchange.set_attribution(owner) {
            return;
        }
        let removed = store.push(exchange, account, inner.limits, &inner.bytes);
        drop(store);
        drop(removed);
        exchange.push_change(&inner.changes);
        inner.changed.notify_waiters();
    }

    /// Changes an exchange, and evicts the oldest exchanges if the journal then exceeds its limit.
    fn update(&self, exchange: &Exchange, change: impl FnOnce(&mut ExchangeState)) {
        let inner = &self.0;
        exchange.update(&inner.bytes, change);
        if inner.bytes.load(Ordering::Relaxed) > inner.limits.bytes {
            let removed = self.store().evict_excess(inner.limits, &inner.bytes);
            drop(removed);
        }
        inner.changed.notify_waiters();
    }

    /// Returns the stored exchanges that match the query, newest last, and the number of evicted
    /// exchanges of these accounts. With `since`, these are the first exchanges after that number,
    /// so that a reader that continues after the last one misses none.
    #[must_use]
    pub fn list(&self, query: &RequestQuery) -> (Vec<Arc<Exchange>>, u64) {
        let store = self.store();
        let matching = store
            .newest_first(query.account.as_deref())
            .filter(|exchange| query.matches(exchange));
        let taken_max = query.since.map_or(query.limit, |_| usize::MAX);
        let mut exchanges: Vec<_> = matching.take(taken_max).cloned().collect();
        let evicted = store.evicted(query.account.as_deref());
        drop(store);
        exchanges.reverse();
        exchanges.truncate(query.limit);
        (exchanges, evicted)
    }

    /// Returns the exchange with that number of the account with the key `account`, or of no account
    /// if it is `None`. `None` if it is not stored, or not any more.
    #[must_use]
    pub fn find(&self, account: Option<&str>, seq: u64) -> Option<Arc<Exchange>> {
        let store = self.store();
        match account {
            Some(key) => store.find_by_key(key, seq).cloned(),
            None => store.find(AccountId::UNOWNED, seq).cloned(),
        }
    }

    /// Like [`Self::find`], by the id of the account.
    #[must_use]
    pub fn find_by_id(&self, account: Option<AccountId>, seq: u64) -> Option<Arc<Exchange>> {
        let account = account.unwrap_or(AccountId::UNOWNED);
        self.store().find(account, seq).cloned()
    }

    /// Returns the number of evicted requests of one account, or of all.
    #[must_use]
    pub fn evicted(&self, account: Option<&str>) -> u64 {
        self.store().evicted(account)
    }

    /// Returns the number of stored requests, and their size in bytes.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let requests = self.store().count();
        (requests, self.0.bytes.load(Ordering::Relaxed))
    }

    /// Removes the entries of one account, or all entries. Returns their number.
    #[expect(
        clippy::must_use_candidate,
        reason = "most callers do not need the number"
    )]
    pub fn clear(&self, account: Option<&str>) -> usize {
        let cleared = self.store().clear(account, &self.0.bytes);
        // Of one account or of all: readers read again what they show.
        self.0.changes.push(None, Subject::Requests);
        cleared
    }

    /// Removes the entries of accounts that have ended. Returns their number.
    #[expect(
        clippy::must_use_candidate,
        reason = "most callers do not need the number"
    )]
    pub fn drop_ended_accounts(&self) -> usize {
        self.store().drop_ended_accounts(&self.0.bytes)
    }
}

impl JournalEntry {
    /// Attributes the request to `account`. Does nothing if the request is attributed already.
    pub fn set_account(&self, account: &Arc<Account>) {
        self.journal.number(self, Some(account));
    }

    /// Records the rule that was applied to the request, and the fault that it injects into the
    /// response. Only the first rule and fault are recorded.
    pub fn set_rule(&self, rule: Option<RuleId>, fault: Option<Fault>) {
        if rule.is_some() {
            self.journal.update(&self.exchange, |state| {
                state.rule = state.rule.or(rule);
                state.fault = state.fault.or(fault);
            });
        }
    }

    /// Records an API key in the request that belongs to no account.
    pub fn set_unknown_key(&self, key: &str) {
        let key = clip(key, UNKNOWN_KEY_CHARS_MAX);
        self.journal.update(&self.exchange, |state| {
            state.unknown_key = Some(key.as_ref().into());
        });
    }

    /// Records the id of the order that the request is about. Only the first one is recorded, and none that
    /// is longer than `ORDER_ID_BYTES_MAX`.
    pub fn set_order(&self, order_id: &str) {
        if self.is_recorded && order_id.len() <= ORDER_ID_BYTES_MAX {
            self.exchange.update(&self.journal.0.bytes, |state| {
                state.order_id.get_or_insert_with(|| order_id.into());
            });
        }
    }

    /// Returns the API key of the request's account. `None` if the request has no account so far.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.exchange.account()
    }

    /// Returns the key recorded by [`JournalEntry::set_unknown_key`].
    #[must_use]
    pub fn unknown_key(&self) -> Option<Box<str>> {
        self.exchange.unknown_key()
    }

    /// Starts recording the request's body. `None` if the entry is not stored.
    #[must_use]
    pub fn record_request(&self) -> Option<Recording> {
        if !self.is_recorded {
            return None;
        }
        self.exchange.expect_request_body();
        Some(Recording::new(self.clone(), Side::Request))
    }

    /// Starts recording the response's body. `None` if the entry is not stored.
    #[must_use]
    pub fn record_response(&self) -> Option<Recording> {
        self.is_recorded
            .then(|| Recording::new(self.clone(), Side::Response))
    }

    /// Returns the request's number. A request without an account cannot be attributed to an
    /// account later.
    #[must_use]
    pub fn ensure_seq(&self) -> u64 {
        self.journal.number(self, None);
        self.exchange.seq()
    }

    /// Completes the entry with the response. `head` is called only if the entry is stored.
    pub fn complete(&self, status: u16, duration_ms: u64, head: impl FnOnce() -> PackedHeaders) {
        if self.is_recorded {
            let head = head();
            self.journal.update(&self.exchange, |state| {
                state.response = Some((status, head));
                state.duration_ms = duration_ms;
            });
            self.exchange.push_change(&self.journal.0.changes);
        }
    }

    fn set_body(&self, side: Side, body: JournalBody) {
        self.journal.update(&self.exchange, |state| match side {
            Side::Request => state.request_body = body,
            Side::Response => state.response_body = body,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Requests without an account that each thread sends.
    const REQUESTS: u64 = 5_000;
    const THREADS: u64 = 4;

    #[test]
    fn follow_by_since_while_requests_arrive_misses_none() {
        let limits = JournalLimits {
            requests: 1_000_000,
            bytes: usize::MAX,
        };
        let journal = Journal::new(limits, ChangeLog::default());
        let request_head = || RequestHead {
            method: "GET",
            path: "/",
            query: None,
            head: PackedHeaders::default(),
        };
        let mut query = RequestQuery {
            since: Some(0),
            limit: 100,
            ..RequestQuery::default()
        };
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    for _ in 0..REQUESTS {
                        let _ = journal.start_entry("x", true, request_head).ensure_seq();
                    }
                });
            }
            let mut last = 0;
            while last < THREADS * REQUESTS {
                for exchange in journal.list(&query).0 {
                    assert_eq!(exchange.seq(), last + 1);
                    last = exchange.seq();
                }
                query.since = Some(last);
            }
        });
    }
}
