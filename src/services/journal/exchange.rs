//! Exchanges: requests and their responses as they were on the wire.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::JournalEntry;
use crate::model::account::Revision;
use crate::model::rule::{Fault, RuleId};
use crate::model::time::Timestamp;
use crate::services::accounts::Account;

/// Maximum number of bytes stored of a body.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// Approximate size of an exchange without its texts.
const OVERHEAD_BYTES: usize = 512;

/// Request and its response, which may not exist yet.
#[derive(Debug)]
pub struct Exchange {
    pub operation: &'static str,
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
    /// Revision set on the account when the request arrived.
    pub revision: Option<Revision>,
    pub at: Timestamp,
}

/// Data of an exchange that are filled in while it is in flight.
#[derive(Debug, Default)]
pub(super) struct ExchangeState {
    pub request_body: JournalBody,
    pub response: Option<(u16, PackedHeaders)>,
    pub response_body: JournalBody,
    pub duration_ms: u64,
    pub rule: Option<RuleId>,
    pub fault: Option<Fault>,
    /// API key of the request that belongs to no account.
    pub unknown_key: Option<Box<str>>,
    /// Size that the journal counts for the exchange. 0 while the journal does not store the
    /// exchange.
    counted_bytes: usize,
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
}

impl Exchange {
    pub(super) fn new(operation: &'static str, input: Option<RequestHead<'_>>) -> Self {
        let to_owned_head = |head: RequestHead<'_>| OwnedRequestHead {
            method: head.method.into(),
            path: head.path.into(),
            query: head.query.map(Box::from),
            head: head.head,
        };
        Self {
            operation,
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

    /// Returns the revision of BIZ MORI's API that was set on the account when the request arrived.
    /// `None` if none was set, or the request has no account.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.owner.get()?.revision
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

    /// Returns the approximate size in memory.
    fn bytes(&self, state: &ExchangeState) -> usize {
        let request = self.request.as_ref().map_or(0, |head| {
            head.path.len() + head.query.as_ref().map_or(0, |query| query.len()) + head.head.0.len()
        });
        let response = state.response.as_ref().map_or(0, |(_, head)| head.0.len());
        let unknown_key = state.unknown_key.as_ref().map_or(0, |key| key.len());
        let bodies = state.request_body.bytes() + state.response_body.bytes();
        OVERHEAD_BYTES + request + response + unknown_key + bodies
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

/// Recorder of a body that is being streamed. Dropping it stores the body in the entry.
#[derive(Debug)]
pub struct Recording {
    entry: JournalEntry,
    side: Side,
    chunks: Vec<Bytes>,
    /// Bytes in `chunks`.
    stored_bytes: usize,
    all_bytes: u64,
    /// Digest of the whole body. `None` while the whole body is stored.
    digest: Option<Sha256>,
}

impl Recording {
    pub(super) fn new(entry: JournalEntry, side: Side) -> Self {
        Self {
            entry,
            side,
            chunks: Vec::new(),
            stored_bytes: 0,
            all_bytes: 0,
            digest: None,
        }
    }

    /// Adds a chunk of the body.
    pub fn push(&mut self, chunk: &Bytes) {
        self.all_bytes += chunk.len() as u64;
        let free_bytes = BODY_BYTES_MAX - self.stored_bytes;
        if self.digest.is_none() && chunk.len() > free_bytes {
            let mut digest = Sha256::new();
            for stored in &self.chunks {
                digest.update(stored);
            }
            self.digest = Some(digest);
        }
        if let Some(digest) = &mut self.digest {
            digest.update(chunk);
        }
        if free_bytes > 0 && !chunk.is_empty() {
            let stored = chunk.slice(..chunk.len().min(free_bytes));
            self.stored_bytes += stored.len();
            self.chunks.push(stored);
        }
    }

    fn body(&mut self) -> JournalBody {
        if self.all_bytes == 0 {
            return JournalBody::None;
        }
        let chunks = std::mem::take(&mut self.chunks);
        let stored = match chunks.as_slice() {
            [one] => one.to_vec(),
            many => many.concat(),
        };
        let body_digest = |digest: Sha256| BodyDigest {
            bytes: self.all_bytes,
            sha256: digest.finalize().into(),
        };
        match (self.digest.take(), String::from_utf8(stored)) {
            (None, Ok(text)) => JournalBody::Text(text.into_boxed_str()),
            (None, Err(binary)) => {
                JournalBody::Binary(body_digest(Sha256::new_with_prefix(binary.as_bytes())))
            }
            (Some(digest), stored) => match stored.map_err(valid_utf8_prefix) {
                Ok(text) | Err(Some(text)) => {
                    JournalBody::Truncated(text.into_boxed_str(), body_digest(digest))
                }
                Err(None) => JournalBody::Binary(body_digest(digest)),
            },
        }
    }
}

/// Returns the text before a character that was cut off at the end. `None` if the bytes are not
/// text.
fn valid_utf8_prefix(cut: std::string::FromUtf8Error) -> Option<String> {
    let error = cut.utf8_error();
    let is_cut = error.error_len().is_none();
    let mut bytes = cut.into_bytes();
    bytes.truncate(error.valid_up_to());
    String::from_utf8(bytes).ok().filter(|_| is_cut)
}

impl Drop for Recording {
    fn drop(&mut self) {
        let body = self.body();
        self.entry.set_body(self.side, body);
    }
}
