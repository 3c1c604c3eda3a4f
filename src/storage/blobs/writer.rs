//! Writer of a new object.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use super::{BlobMeta, Blobs, trailer};
use crate::model::ids::AccountId;
use crate::model::time::Timestamp;

/// Bytes that are collected in memory before a write. A smaller object takes one write.
const BUFFER_BYTES_MAX: usize = 256 * 1024;

/// Name and metadata of a new object.
#[derive(Debug, Clone)]
pub struct NewObject<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    /// Value of `Content-Type`. `None` or empty if there is none.
    pub content_type: Option<String>,
    /// Response headers to store, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// Time on the account's clock.
    pub now: Timestamp,
}

impl<'a> NewObject<'a> {
    /// Creates the metadata of an object without stored headers.
    #[must_use]
    pub fn new(
        bucket: &'a str,
        key: &'a str,
        content_type: Option<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            bucket,
            key,
            content_type,
            headers: BTreeMap::new(),
            now,
        }
    }
}

/// Error of [`BlobWriter::finish_if`].
#[derive(Debug)]
pub enum FinishError<E> {
    /// The check refused the write.
    Refused(E),
    Io(io::Error),
}

impl<E> From<io::Error> for FinishError<E> {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// Writer of a new object, which exists after [`finish`](Self::finish). A writer that is dropped before
/// leaves nothing.
#[derive(Debug)]
pub struct BlobWriter {
    blobs: Blobs,
    account: AccountId,
    digest: Md5,
    bytes: u64,
    buffer: Vec<u8>,
    spilled: Option<(TempFile, File)>,
}

impl BlobWriter {
    pub(super) fn new(blobs: Blobs, account: AccountId) -> Self {
        Self {
            blobs,
            account,
            digest: Md5::new(),
            bytes: 0,
            buffer: Vec::new(),
            spilled: None,
        }
    }

    /// Returns the number of bytes written.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends `piece`. At most 512 KiB are in memory.
    ///
    /// # Errors
    /// Returns an error if the disk fails. The writer must then be dropped.
    pub async fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        let written = self.collect(piece).await;
        written.map_err(|error| self.blobs.explain(error))
    }

    async fn collect(&mut self, piece: &[u8]) -> io::Result<()> {
        self.digest.update(piece);
        self.bytes += u64::try_from(piece.len()).unwrap_or(u64::MAX);
        let mut rest = piece;
        while self.buffer.len() + rest.len() > BUFFER_BYTES_MAX {
            let (now, later) = rest.split_at(BUFFER_BYTES_MAX - self.buffer.len());
            self.buffer.extend_from_slice(now);
            self.spill().await?;
            rest = later;
        }
        self.buffer.extend_from_slice(rest);
        Ok(())
    }

    /// Returns the MD5 of the bytes written so far.
    #[must_use]
    pub fn md5(&self) -> [u8; 16] {
        self.digest.clone().finalize().into()
    }

    /// Publishes the object. Replaces an object under the same bucket and key.
    ///
    /// # Errors
    /// Returns `NotFound` if the account is not open. Returns another error if the disk fails. An older
    /// object then stays as it is.
    pub async fn finish(self, object: NewObject<'_>) -> io::Result<BlobMeta> {
        let finished = self
            .finish_if(
                object,
                None::<fn(Option<&BlobMeta>) -> Result<(), Infallible>>,
            )
            .await;
        finished.map_err(|error| match error {
            FinishError::Io(error) => error,
            FinishError::Refused(never) => match never {},
        })
    }

    /// Publishes the object as [`BlobWriter::finish`] does, if `check` allows it. `check` gets the
    /// current object, or `None`. No other writer replaces or removes the object during the call.
    ///
    /// # Errors
    /// Returns the error of `check`, or the error of [`BlobWriter::finish`].
    pub async fn finish_if<E>(
        self,
        object: NewObject<'_>,
        check: Option<impl FnOnce(Option<&BlobMeta>) -> Result<(), E>>,
    ) -> Result<BlobMeta, FinishError<E>> {
        let blobs = self.blobs.clone();
        let published = self.publish(object, check).await;
        published.map_err(|error| match error {
            FinishError::Io(error) => FinishError::Io(blobs.explain(error)),
            refused @ FinishError::Refused(_) => refused,
        })
    }

    async fn publish<E>(
        mut self,
        object: NewObject<'_>,
        check: Option<impl FnOnce(Option<&BlobMeta>) -> Result<(), E>>,
    ) -> Result<BlobMeta, FinishError<E>> {
        let NewObject { bucket, key, .. } = object;
        let meta = BlobMeta {
            content_type: object.content_type.filter(|it| !it.is_empty()),
            headers: object.headers,
            etag: hex::encode(self.digest.finalize_reset()),
            bytes: self.bytes,
            modified_at: object.now,
        };
        let scratch = self.write_whole(&meta).await?;
        let path = self.blobs.object_path(self.account, bucket, key);
        let _lock = self.blobs.0.locks.lock(&path).await;
        if let Some(check) = check {
            let current = self.blobs.find(self.account, bucket, key).await?;
            check(current.as_ref().map(|blob| &blob.meta)).map_err(FinishError::Refused)?;
        }
        self.blobs
            .publish(self.account, &scratch.path, &path)
            .await?;
        scratch.persist_as();
        self.blobs.add_written(meta.bytes);
        Ok(meta)
    }

    /// Writes content and trailer to a temporary file.
    async fn write_whole(&mut self, meta: &BlobMeta) -> io::Result<TempFile> {
        trailer::append(meta, &mut self.buffer)?;
        if self.spilled.is_none() {
            let scratch = TempFile::new(&self.blobs);
            fs::write(&scratch.path, std::mem::take(&mut self.buffer)).await?;
            return Ok(scratch);
        }
        self.spill().await?;
        match self.spilled.take() {
            Some((scratch, mut file)) => {
                file.flush().await?;
                Ok(scratch)
            }
            None => Err(io::Error::other("the object was lost on its way to disk")),
        }
    }

    /// Writes the buffer to disk.
    async fn spill(&mut self) -> io::Result<()> {
        let (_, file) = match &mut self.spilled {
            Some(spilled) => spilled,
            none => {
                let temporary = TempFile::new(&self.blobs);
                let file = File::create_new(&temporary.path).await?;
                none.insert((temporary, file))
            }
        };
        file.write_all(&self.buffer).await?;
        self.buffer.clear();
        Ok(())
    }
}

/// Path of a temporary file, which is deleted on drop.
#[derive(Debug)]
pub struct TempFile {
    path: PathBuf,
    renamed: bool,
}

impl TempFile {
    pub(super) fn new(blobs: &Blobs) -> Self {
        Self {
            path: blobs.0.tmp.join(blobs.next_temp_id().to_string()),
            renamed: false,
        }
    }

    /// Returns the path.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn persist_as(mut self) {
        self.renamed = true;
    }
}

impl Drop for TempFile {
    fn drop(&mut self) {
        if !self.renamed {
            // A drop cannot await. A deletion is short, and a remaining file is deleted at the next
            // start.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
