//! Blobs on local disk: bytes under account, bucket and key.
//!
//! An object is a directory, `blobs/{account}/{SHA-256 of bucket and key}`, whose one file holds
//! the content, pure, and whose file *name* holds the rest: sequence, `ETag`, size, time and
//! content type. So
//! - one rename makes content and meta visible together: a reader sees the old object or the
//!   new one, whenever the process dies; an object that was never whole was never there;
//! - the content is a plain file for whoever decodes or digests it, without trailer or sidecar;
//! - looking at an object is one listing of a directory of one entry, reading it one open more.
//!
//! A replacement is renamed in beside its predecessor with a higher sequence, and only then
//! the predecessor is unlinked; readers take the highest, writers of one object take turns.
//! Nothing waits for fsync: power loss is not our business. A directory of its own costs an
//! object one `mkdir` when it is new, and no shards are needed above it.
//!
//! Contents grow under `tmp/`, which is swept at start. Keys never become paths. No write
//! creates an account's directory: what is written for a removed account fails as
//! [`NotFound`](io::ErrorKind::NotFound) and leaves nothing. One process owns the root.
//!
//! Futures of this module may be dropped at any point; what they had begun is then done or
//! swept later. A caller that answers for an object after [`Writer::finish`] should not be.

mod name;
mod writer;

#[cfg(test)]
mod tests;

pub use name::content_type_fits;
pub use writer::{Scratch, Writer};

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use sha2::{Digest, Sha256};
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt;
use tokio::sync::Mutex;

use crate::model::ids::AccountId;
use crate::model::time::Timestamp;
use name::Name;

/// Writers of the same object take turns at one of so many locks.
const TURNS: usize = 64;
/// How often a reader looks again when what it found has just been replaced.
const LOOKS_MAX: usize = 16;
/// What is written in one go by [`Blobs::put_bytes`].
const PIECE_BYTES: usize = 256 * 1024;

/// The store. Clones share it.
#[derive(Debug, Clone)]
pub struct Blobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    blobs: PathBuf,
    tmp: PathBuf,
    /// Grows by one for every temporary and every published file of this process.
    count: AtomicU64,
    turns: [Mutex<()>; TURNS],
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    /// As uploaded; none if none was sent.
    pub content_type: Option<String>,
    /// MD5 of the content, 32 hex digits, no quotes.
    pub etag: String,
    /// The content's size.
    pub bytes: u64,
    /// When it was written, by its account's clock.
    pub modified_at: Timestamp,
}

/// An object, found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// What is known of it.
    pub meta: Meta,
    /// The file that holds the content and nothing else. It goes when the object is replaced
    /// or removed: whoever then fails with `NotFound` asks again.
    pub path: PathBuf,
}

impl Blobs {
    /// The store under `root`, which no other process uses: makes `root/blobs` with
    /// room for what belongs to nobody, and sweeps `root/tmp`.
    ///
    /// # Errors
    /// When the directories cannot be made or swept.
    pub async fn open(root: PathBuf) -> io::Result<Self> {
        let (blobs, tmp) = (root.join("blobs"), root.join("tmp"));
        fs::create_dir_all(&blobs).await?;
        absent_is_fine(fs::remove_dir_all(&tmp).await)?;
        fs::create_dir(&tmp).await?;
        let store = Self(Arc::new(Inner {
            blobs,
            tmp,
            count: AtomicU64::new(0),
            turns: [const { Mutex::const_new(()) }; TURNS],
        }));
        store.open_account(AccountId::NOBODY).await?;
        Ok(store)
    }

    /// Makes room for `account`'s objects; before this every write for it fails.
    ///
    /// # Errors
    /// When its directory cannot be made.
    pub async fn open_account(&self, account: AccountId) -> io::Result<()> {
        match fs::create_dir(self.account_dir(account)).await {
            Err(e) if e.kind() == ErrorKind::AlreadyExists => Ok(()),
            made => made,
        }
    }

    /// Removes `account` with all its objects, at once for every reader and writer.
    ///
    /// # Errors
    /// When its directory cannot be moved away or deleted; moved away, it is swept at start.
    pub async fn remove_account(&self, account: AccountId) -> io::Result<()> {
        let away = self.0.tmp.join(format!("removed-{}", self.count()));
        match fs::rename(self.account_dir(account), &away).await {
            Ok(()) => fs::remove_dir_all(away).await,
            gone => absent_is_fine(gone),
        }
    }

    /// The accounts that have room here, in no order: what a start compares with its rows.
    ///
    /// # Errors
    /// When the store cannot be listed.
    pub async fn accounts(&self) -> io::Result<Vec<AccountId>> {
        let mut entries = fs::read_dir(&self.0.blobs).await?;
        let mut accounts = Vec::new();
        while let Some(entry) = entries.next_entry().await? {
            let id = entry.file_name().to_str().and_then(|id| id.parse().ok());
            accounts.extend(id.map(AccountId));
        }
        Ok(accounts)
    }

    /// Begins an object of `account`'s, as yet without a name.
    #[must_use]
    pub fn writer(&self, account: AccountId) -> Writer {
        Writer::new(self.clone(), account)
    }

    /// Writes an object whole; a [`Writer`] for bytes that are all there.
    ///
    /// # Errors
    /// As [`Writer::finish`].
    pub async fn put_bytes(
        &self,
        account: AccountId,
        bucket: &str,
        key: &str,
        content_type: Option<String>,
        now: Timestamp,
        mut bytes: Bytes,
    ) -> io::Result<Meta> {
        let mut writer = self.writer(account);
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(PIECE_BYTES));
            writer.write(&piece).await?;
        }
        writer.finish(bucket, key, content_type, now).await
    }

    /// A place for a file on its way to becoming an object.
    #[must_use]
    pub fn scratch(&self) -> Scratch {
        Scratch::new(self)
    }

    /// Writes the file at `path` as an object, piece by piece.
    ///
    /// # Errors
    /// As [`Writer::finish`], and when the file cannot be read.
    pub async fn put_file(
        &self,
        account: AccountId,
        bucket: &str,
        key: &str,
        content_type: Option<String>,
        now: Timestamp,
        path: &Path,
    ) -> io::Result<Meta> {
        let mut writer = self.writer(account);
        let mut file = File::open(path).await?;
        let mut piece = vec![0; PIECE_BYTES];
        loop {
            let read = file.read(&mut piece).await?;
            if read == 0 {
                return writer.finish(bucket, key, content_type, now).await;
            }
            writer.write(&piece[..read]).await?;
        }
    }

    /// The object under `bucket` and `key`, if there is one; its content is not opened.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn find(
        &self,
        account: AccountId,
        bucket: &str,
        key: &str,
    ) -> io::Result<Option<Blob>> {
        let dir = self.object_dir(account, bucket, key);
        let newest = list(&dir).await?.into_iter().max_by_key(Name::order);
        Ok(newest.map(|name| Blob {
            path: dir.join(name.to_string()),
            meta: name.meta,
        }))
    }

    /// The object under `bucket` and `key` with its content open: that content is read to its
    /// end whatever becomes of the object meanwhile.
    ///
    /// # Errors
    /// When the disk fails, or the object is replaced faster than it can be opened.
    pub async fn open_blob(
        &self,
        account: AccountId,
        bucket: &str,
        key: &str,
    ) -> io::Result<Option<(Blob, File)>> {
        for _ in 0..LOOKS_MAX {
            let Some(blob) = self.find(account, bucket, key).await? else {
                return Ok(None);
            };
            match File::open(&blob.path).await {
                Ok(file) => return Ok(Some((blob, file))),
                Err(e) if e.kind() == ErrorKind::NotFound => {}
                Err(e) => return Err(e),
            }
        }
        Err(io::Error::other("an object was replaced at every look"))
    }

    /// Removes an object; true if there was one.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn remove(&self, account: AccountId, bucket: &str, key: &str) -> io::Result<bool> {
        let dir = self.object_dir(account, bucket, key);
        let _turn = self.turn(&dir).lock().await;
        let mut names = list(&dir).await?;
        // oldest first: stopped half way, no older content shows
        names.sort_unstable_by_key(Name::order);
        for name in &names {
            absent_is_fine(fs::remove_file(dir.join(name.to_string())).await)?;
        }
        absent_is_fine(fs::remove_dir(&dir).await)?;
        Ok(!names.is_empty())
    }

    /// Puts the finished `temporary` in place as the object in `dir`.
    async fn publish(&self, temporary: &Path, dir: &Path, meta: Meta) -> io::Result<Meta> {
        let _turn = self.turn(dir).lock().await;
        let older = match fs::create_dir(dir).await {
            Ok(()) => Vec::new(),
            Err(e) if e.kind() == ErrorKind::AlreadyExists => list(dir).await?,
            Err(e) => return Err(e),
        };
        let newest = older.iter().map(|name| name.sequence).max().unwrap_or(0);
        let name = Name {
            sequence: newest + 1,
            count: self.count(),
            meta,
        };
        fs::rename(temporary, dir.join(name.to_string())).await?;
        for name in older {
            absent_is_fine(fs::remove_file(dir.join(name.to_string())).await)?;
        }
        Ok(name.meta)
    }

    fn account_dir(&self, account: AccountId) -> PathBuf {
        self.0.blobs.join(account.0.to_string())
    }

    fn object_dir(&self, account: AccountId, bucket: &str, key: &str) -> PathBuf {
        let mut digest = Sha256::new();
        digest.update(store_of(bucket));
        digest.update([0]);
        digest.update(key);
        let object = hex::encode(digest.finalize());
        self.account_dir(account).join(object)
    }

    fn turn(&self, object_dir: &Path) -> &Mutex<()> {
        let name = object_dir.as_os_str().as_encoded_bytes();
        let sum: usize = name
            .iter()
            .rev()
            .take(8)
            .map(|byte| usize::from(*byte))
            .sum();
        &self.0.turns[sum % TURNS]
    }

    fn count(&self) -> u64 {
        self.0.count.fetch_add(1, Ordering::Relaxed)
    }
}

/// Undetectable's two buckets are one store behind both names.
fn store_of(bucket: &str) -> &str {
    match bucket {
        "ai-image-detector-dev" => "ai-image-detector-prod",
        other => other,
    }
}

/// The files of an object; none if there is no such directory.
async fn list(dir: &Path) -> io::Result<Vec<Name>> {
    let mut names = Vec::new();
    let mut entries = match fs::read_dir(dir).await {
        Ok(entries) => entries,
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(names),
        Err(e) => return Err(e),
    };
    while let Some(entry) = entries.next_entry().await? {
        names.extend(entry.file_name().to_str().and_then(Name::parse));
    }
    Ok(names)
}

fn absent_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
