//! Blobs on local disk: bytes under account, bucket and key.
//!
//! An object is one file, `blobs/{account}/{SHA-256 of bucket and key}`: its content, and behind
//! it a trailer that holds the rest (content type, `ETag`, size, time). So
//! - one rename makes content and meta visible together: a reader sees the old object or the
//!   new one, whenever the process dies; an object that was never whole was never there;
//! - a PUT costs one file and no directory, and replacing is the same rename;
//! - the content is the file's first bytes, for whoever decodes or digests it: its length is
//!   part of what [`Blobs::find`] tells.
//!
//! Contents grow under `tmp/`, which is swept at start. Keys never become paths. An account's
//! directory is made by its first object, as long as the account is open: what is written for a
//! removed account fails as [`NotFound`](io::ErrorKind::NotFound) and leaves nothing. One process
//! owns the root.
//!
//! A broken object (a file that was truncated or whose trailer is damaged) is treated as a missing
//! one; the log names its file once. A write that fails because the disk is full says so in its
//! error, by [`DiskFull`].
//!
//! A write may depend on the object that is there ([`BlobWriter::finish_if`]): check and replacement are
//! one step, for a lock of the object is held over both.
//!
//! Futures of this module may be dropped at any point; what they had begun is then done or
//! swept later. A caller that answers for an object after [`BlobWriter::finish`] should not be.

mod account_dirs;
mod hardlink;
mod locks;
mod trailer;
mod writer;

#[cfg(test)]
mod tests;

use account_dirs::AccountDirs;
use locks::ObjectLocks;
pub use writer::{BlobWriter, FinishError, NewObject, TempFile};

use std::collections::{BTreeMap, HashSet};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use tokio::fs::{self, File};
use tokio::io::AsyncReadExt;

use crate::model::ids::AccountId;
use crate::model::time::Timestamp;
use crate::storage::db::DiskFull;

/// Number of broken objects that are remembered as reported in the log.
const REPORTED_MAX: usize = 1_000;
/// What is written in one go by [`Blobs::put_bytes`].
const CHUNK_BYTES: usize = 256 * 1024;

/// The store. Clones share it.
#[derive(Debug, Clone)]
pub struct Blobs(Arc<BlobsInner>);

#[derive(Debug)]
struct BlobsInner {
    blobs: PathBuf,
    tmp: PathBuf,
    rooms: AccountDirs,
    locks: ObjectLocks,
    /// Grows by one for every temporary and every published file of this process.
    count: AtomicU64,
    /// Objects that this process has written, and their bytes.
    written: (AtomicU64, AtomicU64),
    /// Files of broken objects that the log has named.
    reported: Mutex<HashSet<PathBuf>>,
}

/// What is known of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlobMeta {
    /// As uploaded; none if none was sent.
    pub content_type: Option<String>,
    /// Headers that were stored with the object and are sent with it, by name in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
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
    pub meta: BlobMeta,
    /// The file whose first `meta.bytes` bytes are the content.
    pub path: PathBuf,
}

impl Blobs {
    /// The store under `root`, which no other process uses: makes `root/blobs` with
    /// room for what belongs to nobody, and sweeps `root/tmp`. Directories there are deleted in the
    /// background.
    ///
    /// # Errors
    /// When the directories cannot be made or swept.
    pub async fn open(root: PathBuf) -> io::Result<Self> {
        let (blobs, tmp) = (root.join("blobs"), root.join("tmp"));
        fs::create_dir_all(&blobs).await?;
        fs::create_dir_all(&tmp).await?;
        let store = Self(Arc::new(BlobsInner {
            blobs,
            tmp,
            rooms: AccountDirs::default(),
            locks: ObjectLocks::default(),
            count: AtomicU64::new(0),
            written: Default::default(),
            reported: Mutex::default(),
        }));
        store.remove_unknown_accounts().await?;
        store.create_account_dir(AccountId::UNOWNED);
        Ok(store)
    }

    /// Begins an object of `account`'s, as yet without a name.
    #[must_use]
    pub fn writer(&self, account: AccountId) -> BlobWriter {
        BlobWriter::new(self.clone(), account)
    }

    /// Writes an object whole; a [`BlobWriter`] for bytes that are all there.
    ///
    /// # Errors
    /// As [`BlobWriter::finish`].
    pub async fn put_bytes(
        &self,
        account: AccountId,
        bucket: &str,
        key: &str,
        content_type: Option<String>,
        now: Timestamp,
        mut bytes: Bytes,
    ) -> io::Result<BlobMeta> {
        let mut writer = self.writer(account);
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(CHUNK_BYTES));
            writer.write(&piece).await?;
        }
        writer
            .finish(NewObject::new(bucket, key, content_type, now))
            .await
    }

    /// A place for a file on its way to becoming an object.
    #[must_use]
    pub fn temp_file(&self) -> TempFile {
        TempFile::new(self)
    }

    /// Writes the file at `path` as an object, piece by piece.
    ///
    /// # Errors
    /// As [`BlobWriter::finish`], and when the file cannot be read.
    pub async fn put_file(
        &self,
        account: AccountId,
        bucket: &str,
        key: &str,
        content_type: Option<String>,
        now: Timestamp,
        path: &Path,
    ) -> io::Result<BlobMeta> {
        let mut writer = self.writer(account);
        let mut file = File::open(path).await?;
        let mut piece = vec![0; CHUNK_BYTES];
        loop {
            let read = file.read(&mut piece).await?;
            if read == 0 {
                let object = NewObject::new(bucket, key, content_type, now);
                return writer.finish(object).await;
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
        let opened = self.open_blob(account, bucket, key).await?;
        Ok(opened.map(|(blob, _)| blob))
    }

    /// The object under `bucket` and `key` with its file open at the content's begin: that
    /// content is read to its end whatever becomes of the object meanwhile. `None` if there is no
    /// object, or a broken one.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn open_blob(
        &self,
        account: AccountId,
        bucket: &str,
        key: &str,
    ) -> io::Result<Option<(Blob, File)>> {
        let path = self.object_path(account, bucket, key);
        let file = match File::open(&path).await {
            Ok(file) => file.into_std().await,
            Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        // The trailer is one small read at the end of a file that has just been looked up.
        match trailer::read(&file) {
            Ok(meta) => Ok(Some((Blob { meta, path }, File::from_std(file)))),
            Err(error) if trailer::is_broken(&error) => {
                self.report_broken(&path, &error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Names the file of a broken object in the log, once.
    fn report_broken(&self, path: &Path, error: &io::Error) {
        let mut reported = self
            .0
            .reported
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if reported.len() >= REPORTED_MAX {
            reported.clear();
        }
        if reported.insert(path.to_owned()) {
            tracing::warn!(%error, file = %path.display(), "an object is broken and is treated as missing");
        }
    }

    /// Returns the error with [`DiskFull`] in place of the operating system's words if the disk is full.
    #[must_use]
    pub fn explain(&self, error: io::Error) -> io::Error {
        DiskFull::explain(error, self.0.tmp.parent())
    }

    /// Returns an object's file, for blocking reads, and the length of the content at its start in
    /// bytes. The file stays readable after the object is replaced or removed. `None` if there is no
    /// such object.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub async fn open_file(
        &self,
        account: AccountId,
        bucket: &str,
        key: &str,
    ) -> io::Result<Option<(std::fs::File, u64)>> {
        let Some((blob, file)) = self.open_blob(account, bucket, key).await? else {
            return Ok(None);
        };
        Ok(Some((file.into_std().await, blob.meta.bytes)))
    }

    /// The content of a small object, whole, if there is one.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn read(
        &self,
        account: AccountId,
        bucket: &str,
        key: &str,
    ) -> io::Result<Option<Vec<u8>>> {
        let Some((blob, file)) = self.open_blob(account, bucket, key).await? else {
            return Ok(None);
        };
        let mut content = Vec::new();
        file.take(blob.meta.bytes).read_to_end(&mut content).await?;
        Ok(Some(content))
    }

    /// Removes an object; true if there was one.
    ///
    /// # Errors
    /// When the disk fails.
    pub async fn remove(&self, account: AccountId, bucket: &str, key: &str) -> io::Result<bool> {
        let path = self.object_path(account, bucket, key);
        // Most of what may be there is not: looking is quicker than handing it to another thread.
        if !path.exists() {
            return Ok(false);
        }
        let _lock = self.0.locks.lock(&path).await;
        match fs::remove_file(path).await {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        }
    }

    /// How many objects were written since the store was opened, and how many bytes they had.
    #[must_use]
    pub fn written(&self) -> (u64, u64) {
        let (objects, bytes) = &self.0.written;
        (
            objects.load(Ordering::Relaxed),
            bytes.load(Ordering::Relaxed),
        )
    }

    fn add_written(&self, more: u64) {
        let (objects, bytes) = &self.0.written;
        objects.fetch_add(1, Ordering::Relaxed);
        bytes.fetch_add(more, Ordering::Relaxed);
    }

    fn account_dir(&self, account: AccountId) -> PathBuf {
        self.0.blobs.join(account.0.to_string())
    }

    fn object_path(&self, account: AccountId, bucket: &str, key: &str) -> PathBuf {
        let mut digest = Sha256::new();
        digest.update(canonical_bucket(bucket));
        digest.update([0]);
        digest.update(key);
        let object = hex::encode(digest.finalize());
        self.account_dir(account).join(object)
    }

    fn next_temp_id(&self) -> u64 {
        self.0.count.fetch_add(1, Ordering::Relaxed)
    }
}

/// Undetectable's two buckets are one store behind both names.
fn canonical_bucket(bucket: &str) -> &str {
    match bucket {
        "ai-image-detector-dev" => "ai-image-detector-prod",
        other => other,
    }
}

fn ignore_not_found(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}
