//! The journal: requests and their responses, for tests to assert on.
//!
//! Every request has a number, one sequence an account; `X-Mock-Request` carries it. The journal
//! stores a request as soon as its account is known, and completes the entry when the response is
//! there. A request of no account is stored when that is certain: at the latest with its response.
//! Requests to the control plane are numbered and not stored.
//!
//! The number is drawn and the entry stored in one step under one lock. Entries of an account thus
//! appear in the order of their numbers, and a reader that follows by number misses none.
//!
//! The entries are in memory and bounded, by count for each account and by bytes for all together
//! (see `kept`): the oldest go first, and how many went is told. Nothing is written out until it
//! is read, and no lock is held while anything is awaited.

mod exchange;
mod exchange_store;
mod json;
mod status;
mod verify;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use crate::model::clip::clip;
use crate::model::rule::{Fault, RuleId};
use crate::platform::clock;
use crate::services::accounts::Account;
use exchange::{Attribution, ExchangeState, Side};
pub use exchange::{BodyDigest, Exchange, JournalBody, PackedHeaders, Recording, RequestHead};
use exchange_store::ExchangeStore;
pub use status::StatusFilter;
pub use verify::{CountRange, NearMiss, RequestMatcher, VerifyVerdict};

/// Characters kept of a key that no account has.
const UNKNOWN_KEY_CHARS_MAX: usize = 100;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub struct JournalLimits {
    /// Requests of one account; 0: none are kept.
    pub requests: usize,
    /// Bytes of all together.
    pub bytes: usize,
}

/// Requests, numbered and kept. Clones share them.
#[derive(Debug, Clone)]
pub struct Journal(Arc<JournalInner>);

#[derive(Debug)]
struct JournalInner {
    limits: JournalLimits,
    unattributed_seq: AtomicU64,
    store: Mutex<ExchangeStore>,
    /// Of all that is kept, about.
    bytes: AtomicUsize,
    /// Something was written down, or completed.
    changed: Notify,
}

/// A request under way. Clones are the same request.
#[derive(Debug, Clone)]
pub struct JournalEntry {
    journal: Journal,
    exchange: Arc<Exchange>,
    is_recorded: bool,
}

/// What a listing is of; the texts are globs.
#[derive(Debug, Clone, Default)]
pub struct RequestQuery {
    pub account: Option<String>,
    pub operation: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    pub status: Option<StatusFilter>,
    /// Those after that number.
    pub since: Option<u64>,
    /// Most entries listed: the first after `since` if that is given, else the last.
    pub limit: usize,
}

impl Journal {
    /// An empty one.
    #[must_use]
    pub fn new(limits: JournalLimits) -> Self {
        Self(Arc::new(JournalInner {
            limits,
            unattributed_seq: AtomicU64::new(0),
            store: Mutex::default(),
            bytes: AtomicUsize::new(0),
            changed: Notify::new(),
        }))
    }

    /// Whether any requests are kept.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.0.limits.requests > 0
    }

    /// A request has come to an operation; it is kept, if it is to be.
    #[must_use]
    pub fn start_entry<'r>(
        &self,
        operation: &'static str,
        is_kept: bool,
        input_of: impl FnOnce() -> RequestHead<'r>,
    ) -> JournalEntry {
        let is_kept = is_kept && self.is_enabled();
        JournalEntry {
            journal: self.clone(),
            exchange: Arc::new(Exchange::new(operation, is_kept.then(input_of))),
            is_recorded: is_kept,
        }
    }

    fn store(&self) -> MutexGuard<'_, ExchangeStore> {
        self.0.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives the exchange its number, and stores it if it is to be stored. Both happen under one
    /// lock, so that entries of an account are stored in the order of their numbers. Does nothing
    /// if the exchange has its number already.
    fn number(&self, entry: &JournalEntry, account: Option<&Arc<Account>>) {
        let (inner, exchange) = (&self.0, &entry.exchange);
        if exchange.is_numbered() {
            return;
        }
        let owner = || Attribution {
            seq: match account {
                Some(account) => account.next_request(),
                None => inner.unattributed_seq.fetch_add(1, Ordering::Relaxed) + 1,
            },
            account: account.cloned(),
            revision: account.and_then(|account| account.settings().revision),
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
        inner.changed.notify_waiters();
    }

    /// Changes an exchange, and evicts the oldest ones if it has grown beyond what the journal may
    /// hold.
    fn update(&self, exchange: &Exchange, change: impl FnOnce(&mut ExchangeState)) {
        let inner = &self.0;
        exchange.update(&inner.bytes, change);
        if inner.bytes.load(Ordering::Relaxed) > inner.limits.bytes {
            let removed = self.store().evict_excess(inner.limits, &inner.bytes);
            drop(removed);
        }
        inner.changed.notify_waiters();
    }

    /// Stored exchanges that the query asks for, the newest last, and how many exchanges of such
    /// accounts were evicted. With `since` these are the first after that number, so that a
    /// reader that goes on from the last one it has seen misses none.
    #[must_use]
    pub fn list(&self, query: &RequestQuery) -> (Vec<Arc<Exchange>>, u64) {
        let store = self.store();
        let found = store
            .newest_first(query.account.as_deref())
            .filter(|exchange| query.matches(exchange));
        let most = query.since.map_or(query.limit, |_| usize::MAX);
        let mut found: Vec<_> = found.take(most).cloned().collect();
        let evicted = store.evicted(query.account.as_deref());
        drop(store);
        found.reverse();
        found.truncate(query.limit);
        (found, evicted)
    }

    /// Returns the account's exchange of that number. `None` if it is not stored, or not any more.
    #[must_use]
    pub fn find(&self, account: &str, seq: u64) -> Option<Arc<Exchange>> {
        let store = self.store();
        let mut exchanges = store.newest_first(Some(account));
        exchanges.find(|exchange| exchange.seq() == seq).cloned()
    }

    /// How many requests are kept, and their bytes.
    #[must_use]
    pub fn size(&self) -> (usize, usize) {
        let requests = self.store().count();
        (requests, self.0.bytes.load(Ordering::Relaxed))
    }

    /// Removes the entries of one account, or all. Returns their number.
    #[expect(
        clippy::must_use_candidate,
        reason = "most callers want them gone and no more"
    )]
    pub fn clear(&self, account: Option<&str>) -> usize {
        self.store().clear(account, &self.0.bytes)
    }

    /// Removes the entries of accounts whose life has ended. Returns their number.
    #[expect(
        clippy::must_use_candidate,
        reason = "most callers want them gone and no more"
    )]
    pub fn drop_ended_accounts(&self) -> usize {
        self.store().drop_ended_accounts(&self.0.bytes)
    }

    /// Whether so many requests as wanted are kept, of one account or of all.
    #[must_use]
    pub fn verify(
        &self,
        account: Option<&str>,
        wanted: &RequestMatcher,
        count: CountRange,
    ) -> VerifyVerdict {
        let store = self.store();
        let all: Vec<_> = store.newest_first(account).cloned().collect();
        let evicted = store.evicted(account);
        drop(store);
        verify::verdict(&all, evicted, wanted, count)
    }

    /// The same as soon as it is certain, or else when so much real time is over.
    pub async fn verify_within(
        &self,
        account: Option<&str>,
        wanted: &RequestMatcher,
        count: CountRange,
        within: Duration,
    ) -> VerifyVerdict {
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

impl RequestQuery {
    fn matches(&self, exchange: &Exchange) -> bool {
        let fits = |pattern: Option<&String>, text: &str| {
            pattern.is_none_or(|pattern| crate::model::glob::glob(pattern, text))
        };
        fits(self.operation.as_ref(), exchange.operation)
            && fits(self.method.as_ref(), exchange.method())
            && fits(self.path.as_ref(), exchange.path())
            && self.since.is_none_or(|since| exchange.seq() > since)
            && self
                .status
                .is_none_or(|filter| filter.matches(exchange.status()))
    }
}

impl JournalEntry {
    /// Says that the request belongs to `account`. What is said first counts.
    pub fn set_account(&self, account: &Arc<Account>) {
        self.journal.number(self, Some(account));
    }

    /// Says that a rule was applied to the request, and which fault it injects into the response.
    pub fn set_rule(&self, rule: Option<RuleId>, fault: Option<Fault>) {
        if rule.is_some() {
            self.journal.update(&self.exchange, |state| {
                state.rule = state.rule.or(rule);
                state.fault = state.fault.or(fault);
            });
        }
    }

    /// Notes a key that the request shows and no account has.
    pub fn shows_unknown_key(&self, key: &str) {
        let key = clip(key, UNKNOWN_KEY_CHARS_MAX);
        self.journal.update(&self.exchange, |state| {
            state.unknown_key = Some(key.as_ref().into());
        });
    }

    /// Key of the request's account. `None` if the request belongs to no account so far.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        self.exchange.account()
    }

    /// Key that [`JournalEntry::shows_unknown_key`] has noted.
    #[must_use]
    pub fn unknown_key(&self) -> Option<Box<str>> {
        self.exchange.unknown_key()
    }

    /// Recording of the request's body, which has yet to come. `None` if the entry is not stored.
    #[must_use]
    pub fn record_request(&self) -> Option<Recording> {
        if !self.is_recorded {
            return None;
        }
        self.exchange.expect_request_body();
        Some(Recording::new(self.clone(), Side::Request))
    }

    /// A recording of the answer's body, none where none is kept.
    #[must_use]
    pub fn record_response(&self) -> Option<Recording> {
        self.is_recorded
            .then(|| Recording::new(self.clone(), Side::Response))
    }

    /// The request's number. A request that belongs to no account by now never will.
    #[must_use]
    pub fn ensure_seq(&self) -> u64 {
        self.journal.number(self, None);
        self.exchange.seq()
    }

    /// Completes the entry with the response. `head` is called only where the entry is stored.
    pub fn complete(&self, status: u16, duration_ms: u64, head: impl FnOnce() -> PackedHeaders) {
        if self.is_recorded {
            let head = head();
            self.journal.update(&self.exchange, |state| {
                state.response = Some((status, head));
                state.duration_ms = duration_ms;
            });
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

    /// Requests of no account that each thread makes.
    const REQUESTS: u64 = 5_000;
    const THREADS: u64 = 4;

    #[test]
    fn follow_by_since_while_requests_arrive_misses_none() {
        let journal = Journal::new(JournalLimits {
            requests: 1_000_000,
            bytes: usize::MAX,
        });
        let input_of = || RequestHead {
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
                        let _ = journal.start_entry("x", true, input_of).ensure_seq();
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
