//! A request and its answer, as they were on the wire.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::JournalEntry;
use crate::model::account::Revision;
use crate::model::rule::{Fault, RuleId};
use crate::model::time::Timestamp;
use crate::services::accounts::Account;

/// So much of a body is kept.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// What an exchange weighs beside its texts, about.
const OVERHEAD_BYTES: usize = 512;

/// A request and, once it is there, its answer.
#[derive(Debug)]
pub struct Exchange {
    pub operation: &'static str,
    request: Option<OwnedRequestHead>,
    owner: OnceLock<Attribution>,
    state: Mutex<ExchangeState>,
}

/// What a request begins with.
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

/// Whose a request is, and its number there.
#[derive(Debug)]
pub(super) struct Attribution {
    pub seq: u64,
    /// `None` if the request belongs to no account.
    pub account: Option<Arc<Account>>,
    /// Revision that was set on the account when the request came.
    pub revision: Option<Revision>,
    pub at: Timestamp,
}

/// What is told of an exchange as it goes on.
#[derive(Debug, Default)]
pub(super) struct ExchangeState {
    pub request_body: JournalBody,
    pub response: Option<(u16, PackedHeaders)>,
    pub response_body: JournalBody,
    pub duration_ms: u64,
    pub rule: Option<RuleId>,
    pub fault: Option<Fault>,
    /// Key that the request showed and no account has.
    pub unknown_key: Option<Box<str>>,
    /// Bytes that the journal counts for the exchange; 0 while the journal does not hold it.
    counted_bytes: usize,
}

/// Which body it is.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Request,
    Response,
}

/// Headers, packed: what is kept is theirs alone, not the buffer they came in.
#[derive(Debug, Clone, Default)]
pub struct PackedHeaders(Box<[u8]>);

/// A body, as far as it is kept.
#[derive(Debug, Clone, Default)]
pub enum JournalBody {
    #[default]
    None,
    /// It has not come whole yet.
    Pending,
    /// All of it.
    Text(Box<str>),
    /// Its begin, and what it was as a whole.
    Truncated(Box<str>, BodyDigest),
    /// No text.
    Binary(BodyDigest),
}

/// What a body was that is not kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BodyDigest {
    pub bytes: u64,
    pub sha256: [u8; 32],
}

impl PackedHeaders {
    /// The headers in that order; they are gone through twice, so that the room is their own.
    #[must_use]
    pub fn of<'h, I: Iterator<Item = (&'h str, &'h [u8])>>(headers: impl Fn() -> I) -> Self {
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

    /// Name and value of each; neither has a line's end in it.
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
        let line = |input: RequestHead<'_>| OwnedRequestHead {
            method: input.method.into(),
            path: input.path.into(),
            query: input.query.map(Box::from),
            head: input.head,
        };
        Self {
            operation,
            request: input.map(line),
            owner: OnceLock::new(),
            state: Mutex::default(),
        }
    }

    /// Gives it its owner, if it has none yet: true.
    pub(super) fn set_attribution(&self, owner: impl FnOnce() -> Attribution) -> bool {
        let mut is_new = false;
        self.owner.get_or_init(|| {
            is_new = true;
            owner()
        });
        is_new
    }

    /// `true` if the exchange has its number.
    pub(super) fn is_numbered(&self) -> bool {
        self.owner.get().is_some()
    }

    /// Says that the request has a body, which has yet to come.
    pub(super) fn expect_request_body(&self) {
        self.state().request_body = JournalBody::Pending;
    }

    /// Changes what is known of the exchange. While the journal holds the exchange, `total`
    /// follows its size.
    pub(super) fn update(&self, total: &AtomicUsize, change: impl FnOnce(&mut ExchangeState)) {
        let mut state = self.state();
        change(&mut state);
        if state.counted_bytes > 0 {
            let before = state.counted_bytes;
            state.counted_bytes = self.bytes(&state);
            // Wraps where the exchange has become smaller, and so does the addition.
            let more = state.counted_bytes.wrapping_sub(before);
            total.fetch_add(more, Ordering::Relaxed);
        }
    }

    fn state(&self) -> MutexGuard<'_, ExchangeState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts the exchange in `total`, as the journal holds it from now on.
    pub(super) fn add_size(&self, total: &AtomicUsize) {
        let mut state = self.state();
        state.counted_bytes = self.bytes(&state);
        total.fetch_add(state.counted_bytes, Ordering::Relaxed);
    }

    /// Takes the exchange off `total`, as the journal does not hold it any more.
    pub(super) fn remove_size(&self, total: &AtomicUsize) {
        let bytes = std::mem::take(&mut self.state().counted_bytes);
        total.fetch_sub(bytes, Ordering::Relaxed);
    }

    /// Its number in its account's journal.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.owner.get().map_or(0, |owner| owner.seq)
    }

    /// The key of its account; none: it is nobody's.
    #[must_use]
    pub fn account(&self) -> Option<&str> {
        let account = self.owner.get()?.account.as_ref()?;
        Some(&account.key)
    }

    /// Revision of BIZ MORI's API that was set on the account when the request came. `None` if none
    /// was, or the request belongs to no account.
    #[must_use]
    pub fn revision(&self) -> Option<Revision> {
        self.owner.get()?.revision
    }

    /// When it was written down, by its account's clock.
    #[must_use]
    pub fn at(&self) -> Timestamp {
        let owner = self.owner.get();
        owner.map_or(Timestamp::from_ms(0), |owner| owner.at)
    }

    #[must_use]
    pub fn method(&self) -> &str {
        self.request.as_ref().map_or("", |line| &line.method)
    }

    /// As it was sent, without the query.
    #[must_use]
    pub fn path(&self) -> &str {
        self.request.as_ref().map_or("", |line| &line.path)
    }

    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.request.as_ref()?.query.as_deref()
    }

    #[must_use]
    pub fn request_head(&self) -> PackedHeaders {
        let line = self.request.as_ref();
        line.map_or_else(PackedHeaders::default, |line| line.head.clone())
    }

    #[must_use]
    pub fn request_body(&self) -> JournalBody {
        self.state().request_body.clone()
    }

    /// None until it is answered.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.state().response.as_ref().map(|(status, _)| *status)
    }

    /// Head, body, and milliseconds; none until it is answered.
    #[must_use]
    pub fn answer(&self) -> Option<(PackedHeaders, JournalBody, u64)> {
        let state = self.state();
        let (_, head) = state.response.as_ref()?;
        Some((head.clone(), state.response_body.clone(), state.duration_ms))
    }

    /// The first rule that was applied to it.
    #[must_use]
    pub fn rule(&self) -> Option<RuleId> {
        self.state().rule
    }

    /// Fault that a rule injected into the response. `None` if there was none.
    #[must_use]
    pub fn fault(&self) -> Option<Fault> {
        self.state().fault
    }

    /// Key that the request showed and no account has, as far as a handler has noted it.
    #[must_use]
    pub fn unknown_key(&self) -> Option<Box<str>> {
        self.state().unknown_key.clone()
    }

    /// What it takes in memory, about.
    fn bytes(&self, state: &ExchangeState) -> usize {
        let line = self.request.as_ref().map_or(0, |line| {
            line.path.len() + line.query.as_ref().map_or(0, |query| query.len()) + line.head.0.len()
        });
        let answer = state.response.as_ref().map_or(0, |(_, head)| head.0.len());
        let unknown_key = state.unknown_key.as_ref().map_or(0, |key| key.len());
        let bodies = state.request_body.bytes() + state.response_body.bytes();
        OVERHEAD_BYTES + line + answer + unknown_key + bodies
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

/// A body as it passes by; dropped, it is what has come of it.
#[derive(Debug)]
pub struct Recording {
    entry: JournalEntry,
    side: Side,
    pieces: Vec<Bytes>,
    /// Of what is in `pieces`.
    stored_bytes: usize,
    all_bytes: u64,
    /// Of all, once there is more than is kept.
    digest: Option<Sha256>,
}

impl Recording {
    pub(super) fn new(entry: JournalEntry, side: Side) -> Self {
        Self {
            entry,
            side,
            pieces: Vec::new(),
            stored_bytes: 0,
            all_bytes: 0,
            digest: None,
        }
    }

    /// So much more of the body.
    pub fn push(&mut self, piece: &Bytes) {
        self.all_bytes += piece.len() as u64;
        let room = BODY_BYTES_MAX - self.stored_bytes;
        if self.digest.is_none() && piece.len() > room {
            let mut digest = Sha256::new();
            for stored in &self.pieces {
                digest.update(stored);
            }
            self.digest = Some(digest);
        }
        if let Some(digest) = &mut self.digest {
            digest.update(piece);
        }
        if room > 0 && !piece.is_empty() {
            let stored = piece.slice(..piece.len().min(room));
            self.stored_bytes += stored.len();
            self.pieces.push(stored);
        }
    }

    fn body(&mut self) -> JournalBody {
        if self.all_bytes == 0 {
            return JournalBody::None;
        }
        let pieces = std::mem::take(&mut self.pieces);
        let stored = match pieces.as_slice() {
            [one] => one.to_vec(),
            many => many.concat(),
        };
        let digested = |digest: Sha256| BodyDigest {
            bytes: self.all_bytes,
            sha256: digest.finalize().into(),
        };
        match (self.digest.take(), String::from_utf8(stored)) {
            (None, Ok(text)) => JournalBody::Text(text.into_boxed_str()),
            (None, Err(binary)) => {
                JournalBody::Binary(digested(Sha256::new_with_prefix(binary.as_bytes())))
            }
            (Some(digest), stored) => match stored.map_err(valid_utf8_prefix) {
                Ok(text) | Err(Some(text)) => {
                    JournalBody::Truncated(text.into_boxed_str(), digested(digest))
                }
                Err(None) => JournalBody::Binary(digested(digest)),
            },
        }
    }
}

/// The text that is cut within its last character; none if it is no text.
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
