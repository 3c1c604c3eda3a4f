//! Exchanges: requests and their responses as they were on the wire.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::model::rule::{Fault, RuleId};
use crate::model::time::Timestamp;
use crate::platform::change_log::{ChangeLog, Subject};
use crate::platform::clock;
use crate::services::accounts::Account;

/// Approximate size of an exchange without its texts.
const OVERHEAD_BYTES: usize = 512;

/// Request and its response, which may not exist yet.
#[derive(Debug)]
pub struct Exchange {
    pub operation: &'static str,
    /// Real time at which the request arrived.
    received_at: Timestamp,
    request: Option<OwnedRequestHead>,
    owner: OnceLock<Attribution>,
    state: Mutex<ExchangeState>,
}

/// Request line and headers of a request.
#[derive(Debug)]
pub struct RequestHead<'r> {
    pub method: &'r str,
    pub path: &'r str,
    pub query: Option<&'r str>,
    pub head: PackedHeaders,
}

#[derive(Debug)]
struct OwnedRequestHead {
    method: Box<str>,
    path: Box<str>,
    query: Option<Box<str>>,
    head: PackedHeaders,
}

/// Account of a request, and its number there.
#[derive(Debug)]
pub(super) struct Attribution {
    pub seq: u64,
    /// `None` if the request belongs to no account.
    pub account: Option<Arc<Account>>,
    pub at: Timestamp,
}

/// Data of an exchange that are filled in while it is in flight.
#[derive(Debug, Default)]
pub(super) struct ExchangeState {
    /// Revision of the last change. 0 while the journal does not store the exchange.
    revision: u64,
    pub request_body: JournalBody,
    pub response: Option<(u16, PackedHeaders)>,
    pub response_body: JournalBody,
    pub duration_ms: u64,
    pub rule: Option<RuleId>,
    pub fault: Option<Fault>,
    /// API key of the request that belongs to no account.
    pub unknown_key: Option<Box<str>>,
    /// Id of the order that the request is about.
    pub order_id: Option<Box<str>>,
    /// Size that the journal counts for the exchange. 0 while the journal does not store the
    /// exchange.
    counted_bytes: usize,
}

/// Data of a row in a listing.
#[derive(Debug, Clone)]
pub struct ExchangeSummary {
    /// Revision of the last change. 0 if the journal has not stored the exchange yet.
    pub revision: u64,
    /// `None` if there is no response yet.
    pub status: Option<u16>,
    /// `None` if there is no response yet.
    pub duration_ms: Option<u64>,
    pub rule: Option<RuleId>,
    pub fault: Option<Fault>,
    pub order_id: Option<Box<str>>,
}

/// Side of an exchange whose body is recorded.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Request,
    Response,
}

/// Headers in a buffer of their own, so that the connection's buffer can be freed.
#[derive(Debug, Clone, Default)]
pub struct PackedHeaders(Box<[u8]>);

/// Recorded body.
#[derive(Debug, Clone, Default)]
pub enum JournalBody {
    #[default]
    None,
    /// The body has not been received completely.
    Pending,
    /// Complete text.
    Text(Box<str>),
    /// Beginning of a text that is longer than is stored.
    Truncated(Box<str>, BodyDigest),
    /// Body that is not text.
    Binary(BodyDigest),
}

/// Length and digest of a body that is not stored completely.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyDigest {
    pub bytes: u64,
    pub sha256: [u8; 32],
}

impl PackedHeaders {
    /// Packs the headers in their order. Calls `headers` twice, to allocate the exact size.
    #[must_use]
    pub fn new<'h, I: Iterator<Item = (&'h str, &'h [u8])>>(headers: impl Fn() -> I) -> Self {
        let lengths = headers().map(|(name, value)| name.len() + value.len() + 2);
        let mut packed = Vec::with_capacity(lengths.sum());
        for (name, value) in headers() {
            packed.extend_from_slice(name.as_bytes());
            packed.push(b'\n');
            packed.extend_from_slice(value);
            packed.push(b'\n');
        }
        Self(packed.into_boxed_slice())
    }

    /// Returns names and values. Neither can contain a line break.
    pub fn iter(&self) -> impl Iterator<Item = (String, String)> {
        let mut lines = self.0.split(|byte| *byte == b'\n');
        let text = |line: &[u8]| String::from_utf8_lossy(line).into_owned();
        std::iter::from_fn(move || {
            let (name, value) = (lines.next()?, lines.next()?);
            Some((text(name), text(value)))
        })
    }

    /// Returns the first value of the header `name`, which is in lower case. `None` if there is no such
    /// header.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<String> {
        let mut lines = self.0.split(|byte| *byte == b'\n');
        while let (Some(other), Some(value)) = (lines.next(), lines.next()) {
            if other == name.as_bytes() {
                return Some(String::from_utf8_lossy(value).into_owned());
            }
        }
        None
    }
}

impl Exchange {
    pub(super) fn new(operation: &'static str, input: Option<RequestHead<'_>>) -> Self {
        let to_owned_head = |head: RequestHead<'_>| OwnedRequestHead {
            method: head.method.into(),
            path: head.path.into(),
            query: head.query.map(Box::from),
            head: head.head,
        };
        let received_at = match &input {
            Some(_) => clock::real_now(),
            None => Timestamp::from_ms(0),
        };
        Self {
            operation,
            received_at,
            request: input.map(to_owned_head),
            owner: OnceLock::new(),
            state: Mutex::default(),
        }
    }

    /// Attributes the exchange. Returns `false` if it is attributed already.
    pub(super) fn set_attribution(&self, owner: impl FnOnce() -> Attribution) -> bool {
        let mut is_new = false;
        self.owner.get_or_init(|| {
            is_new = true;
            owner()
        });
        is_new
    }

    /// `true` if the exchange has a number.
    pub(super) fn is_numbered(&self) -> bool {
        self.owner.get().is_some()
    }

    /// Records that the request has a body that is not received yet.
    pub(super) fn expect_request_body(&self) {
        self.state().request_body = JournalBody::Pending;
    }

    /// Changes the exchange. While the journal stores the exchange, adds the change of its size to
    /// `total`.
    pub(super) fn update(&self, total: &AtomicUsize, change: impl FnOnce(&mut ExchangeState)) {
        let mut state = self.state();
        change(&mut state);
        if state.counted_bytes > 0 {
            let before = state.counted_bytes;
            state.counted_bytes = self.bytes(&state);
            // If the exchange became smaller, the subtraction wraps, and so does the addition.
            let more = state.counted_bytes.wrapping_sub(before);
            total.fetch_add(more, Ordering::Relaxed);
        }
    }

    /// Records a change of the exchange, which gets a new revision.
    pub(super) fn push_change(&self, changes: &ChangeLog) {
        let Some(owner) = self.owner.get() else {
            return;
        };
        let account = owner.account.as_ref().map(|account| account.id);
        // Under the lock, so that a reader of the change sees at least this revision.
        let mut state = self.state();
        state.revision = changes.push(account, Subject::Request(owner.seq));
    }

    fn state(&self) -> MutexGuard<'_, ExchangeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds the exchange's size to `total`, because the journal now stores the exchange.
    pub(super) fn add_size(&self, total: &AtomicUsize) {
        let mut state = self.state();
        state.counted_bytes = self.bytes(&state);
        total.fetch_add(state.counted_bytes, Ordering::Relaxed);
    }

    /// Subtracts the exchange's size from `total`, because the journal does not store it any more.
    pub(super) fn remove_size(&self, total: &AtomicUsize) {
        let bytes = std::mem::take(&mut self.state().counted_bytes);
        total.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Returns the number within the account. 0 if the exchange has none yet.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.owner.get().map_or(0, |owner| owner.seq)
    }

    /// Returns the account's API key. `None` if the request has no account.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        let account = self.owner.get()?.account.as_ref()?;
        Some(&account.key)
    }

    /// Returns the revision of the last change. 0 if the journal has not stored the exchange yet.
    #[must_use]
    pub fn revision(&self) -> u64 {
        self.state().revision
    }

    /// Returns the data of a row in a listing, all of the same moment.
    #[must_use]
    pub fn summary(&self) -> ExchangeSummary {
        let state = self.state();
        let response = state.response.as_ref();
        ExchangeSummary {
            revision: state.revision,
            status: response.map(|(status, _)| *status),
            duration_ms: response.map(|_| state.duration_ms),
            rule: state.rule,
            fault: state.fault,
            order_id: state.order_id.clone(),
        }
    }

    /// Returns the header `name` of the response, in lower case. `None` if there is no response yet, or
    /// if it has no such header.
    #[must_use]
    pub fn response_header(&self, name: &str) -> Option<String> {
        let state = self.state();
        let (_, head) = state.response.as_ref()?;
        head.get(name)
    }

    /// Returns the real time at which the request arrived.
    #[must_use]
    pub fn received_at(&self) -> Timestamp {
        self.received_at
    }

    /// Returns the time by the account's clock when the exchange was numbered.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        let owner = self.owner.get();
        owner.map_or(Timestamp::from_ms(0), |owner| owner.at)
    }

    #[must_use]
    pub fn method(&self) -> &str {
        self.request.as_ref().map_or("", |head| &head.method)
    }

    /// Returns the path as it was sent, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.request.as_ref().map_or("", |head| &head.path)
    }

    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.request.as_ref()?.query.as_deref()
    }

    #[must_use]
    pub fn request_head(&self) -> PackedHeaders {
        let head = self.request.as_ref();
        head.map_or_else(PackedHeaders::default, |head| head.head.clone())
    }

    #[must_use]
    pub fn request_body(&self) -> JournalBody {
        self.state().request_body.clone()
    }

    /// Returns the status of the response. `None` if there is no response yet.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.state().response.as_ref().map(|(status, _)| *status)
    }

    /// Returns headers, body and duration in milliseconds of the response. `None` if there is no
    /// response yet.
    #[must_use]
    pub fn response(&self) -> Option<(PackedHeaders, JournalBody, u64)> {
        let state = self.state();
        let (_, head) = state.response.as_ref()?;
        Some((head.clone(), state.response_body.clone(), state.duration_ms))
    }

    /// Returns the first rule that was applied to the request.
    #[must_use]
    pub fn rule(&self) -> Option<RuleId> {
        self.state().rule
    }

    /// Returns the fault that a rule injected into the response. `None` if there was none.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.state().fault
    }

    /// Returns the API key of the request that belongs to no account. `None` if no handler recorded
    /// one.
    #[must_use]
    pub fn unknown_key(&self) -> Option<Box<str>> {
        self.state().unknown_key.clone()
    }

    /// Returns the id of the order that the request is about. `None` if it is about no order.
    #[must_use]
    pub fn order_id(&self) -> Option<Box<str>> {
        self.state().order_id.clone()
    }

    /// `true` if the request is about the order `order_id`.
    #[must_use]
    pub fn is_about(&self, order_id: &str) -> bool {
        self.state().order_id.as_deref() == Some(order_id)
    }

    /// Returns the approximate size in memory.
    fn bytes(&self, state: &ExchangeState) -> usize {
        let request = self.request.as_ref().map_or(0, |head| {
            head.path.len() + head.query.as_ref().map_or(0, |query| query.len()) + head.head.0.len()
        });
        let response = state.response.as_ref().map_or(0, |(_, head)| head.0.len());
        let unknown_key = state.unknown_key.as_ref().map_or(0, |key| key.len());
        let bodies = state.request_body.bytes() + state.response_body.bytes();
        let order_id = state.order_id.as_ref().map_or(0, |id| id.len());
        OVERHEAD_BYTES + request + response + unknown_key + order_id + bodies
    }
}

impl JournalBody {
    fn bytes(&self) -> usize {
        match self {
            Self::None | Self::Pending | Self::Binary(_) => 0,
            Self::Text(text) | Self::Truncated(text, _) => text.len(),
        }
    }
}
