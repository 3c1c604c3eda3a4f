//! Objects on local disk, by account, bucket and key.
//!
//! An object is one file, `blobs/{account}/{SHA-256 of bucket and key}`: the content, followed by a
//! trailer with content type, `ETag`, size and time.
//! - One rename makes content and metadata visible together. A reader sees the old object or the new
//!   one, whenever the process dies.
//! - A PUT creates one file and no directory. A replacement is the same rename.
//! - The content is the start of the file, so that decoders can read the file.
//!
//! New files are written under `tmp/`, which is emptied at start. Keys never become paths. The first
//! object of an account creates its directory. Writes for a removed account fail as
//! [`NotFound`](io::ErrorKind::NotFound) and leave nothing. One process owns the root.
//!
//! A broken object (a truncated file, or a damaged trailer) is treated as a missing one. The log names
//! the file once. A write that fails because the disk is full returns [`DiskFull`].
//!
//! A write may depend on the current object ([`BlobWriter::finish_if`]). A lock of the object makes
//! check and replacement one step.
//!
//! Futures of this module may be dropped at any point: unfinished work is completed, or removed at the
//! next start. A caller that responds after [`BlobWriter::finish`] should run to its end.

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

/// Maximum number of broken objects that are remembered as logged.
const REPORTED_MAX: usize = 1_000;
/// Bytes that [`Blobs::put_bytes`] writes at a time.
const CHUNK_BYTES: usize = 256 * 1024;

/// Object store. Clones share it.
#[derive(Debug, Clone)]
pub struct Blobs(Arc<BlobsInner>);

#[derive(Debug)]
struct BlobsInner {
    blobs: PathBuf,
    tmp: PathBuf,
    account_dirs: AccountDirs,
    locks: ObjectLocks,
    /// Counter that names temporary files.
    count: AtomicU64,
    /// Numbers of objects and bytes that this process has written.
    written: (AtomicU64, AtomicU64),
    /// Files of broken objects that have been logged.
    reported: Mutex<HashSet<PathBuf>>,
}

/// Metadata of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BlobMeta {
    /// Value of `Content-Type` of the upload. `None` if there was none.
    pub content_type: Option<String>,
    /// Stored response headers, by name in lower case.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, String>,
    /// MD5 of the content, as 32 hex digits without quotes.
    pub etag: String,
    /// Length of the content.
    pub bytes: u64,
    /// Time of the write, on the account's clock.
    pub modified_at: Timestamp,
}

/// Object on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Metadata.
    pub meta: BlobMeta,
    /// Path of the file. Its first `meta.bytes` bytes are the content.
    pub path: PathBuf,
}

impl Blobs {
    /// Opens the store under `root`, which no other process uses. Creates `root/blobs`, and deletes the
    /// contents of `root/tmp` in the background.
    ///
    /// # Errors
    /// Returns an error if the directories cannot be created or listed.
    pub async fn open(root: PathBuf) -> io::Result<Self> {
        let (blobs, tmp) = (root.join("blobs"), root.join("tmp"));
        fs::create_dir_all(&blobs).await?;
        fs::create_dir_all(&tmp).await?;
        let store = Self(Arc::new(BlobsInner {
            blobs,
            tmp,
            account_dirs: AccountDirs::default(),
            locks: ObjectLocks::default(),
            count: AtomicU64::new(0),
            written: Default::default(),
            reported: Mutex::default(),
        }));
        store.remove_unknown_accounts().await?;
        store.create_account_dir(AccountId::UNOWNED);
        Ok(store)
    }

    /// Returns a writer for a new object of `account`.
    #[must_use]
    pub fn writer(&self, account: AccountId) -> BlobWriter {
        BlobWriter::new(self.clone(), account)
    }

    /// Writes an object whose bytes are in memory.
    ///
    /// # Errors
    /// Returns the errors of [`BlobWriter::finish`].
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

    /// Returns the path of a temporary file.
    #[must_use]
    pub fn temp_file(&self) -> TempFile {
        TempFile::new(self)
    }

    /// Copies the file at `path` into an object, in pieces.
    ///
    /// # Errors
    /// Returns the errors of [`BlobWriter::finish`], or an error if the file cannot be read.
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

    /// Returns the object under `bucket` and `key`, without opening its content. `None` if there is
    /// none, or a broken one.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub async fn find(
        &self,
        account: AccountId,
        bucket: &str,
        key: &str,
    ) -> io::Result<Option<Blob>> {
        let opened = self.open_blob(account, bucket, key).await?;
        Ok(opened.map(|(blob, _)| blob))
    }

    /// Returns the object under `bucket` and `key`, with its file open at the start of the content. The
    /// content stays readable if the object is replaced or removed. `None` if there is no object, or a
    /// broken one.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
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
        // The trailer takes one small read at the end of the file.
        match trailer::read(&file) {
            Ok(meta) => Ok(Some((Blob { meta, path }, File::from_std(file)))),
            Err(error) if trailer::is_broken(&error) => {
                self.report_broken(&path, &error);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Logs the file of a broken object, once.
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

    /// Returns [`DiskFull`] for an error of a full disk, and other errors as they are.
    #[must_use]
    pub fn explain(&self, error: io::Error) -> io::Error {
        DiskFull::explain(error, self.0.tmp.parent())
    }

    /// Returns an object's file for blocking reads, and the length of the content at its start. The
    /// file stays readable after the object is replaced or removed. `None` if there is no object.
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

    /// Returns the content of a small object. `None` if there is no object.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
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

    /// Removes an object. Returns `false` if there was none.
    ///
    /// # Errors
    /// Returns an error if the disk fails.
    pub async fn remove(&self, account: AccountId, bucket: &str, key: &str) -> io::Result<bool> {
        let path = self.object_path(account, bucket, key);
        // Most keys have no object. A check costs less than a thread for the removal.
        if !path.exists() {
            return Ok(false);
        }
        let _lock = self.0.locks.lock(&path).await;
        match fs::remove_file(path).await {
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
            removed => removed.map(|()| true),
        }
    }

    /// Returns the numbers of objects and bytes written since the store was opened.
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

/// Returns the bucket that stores the objects of `bucket`. The two buckets of Undetectable AI share
/// their objects.
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
