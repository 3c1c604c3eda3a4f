//! Recording of bodies while they are streamed.

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::JournalEntry;
use super::exchange::{BodyDigest, JournalBody, Side};

/// Maximum number of bytes stored of a body.
const BODY_BYTES_MAX: usize = 64 * 1024;

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
