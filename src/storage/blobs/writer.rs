//! An object in the making.

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

/// So much is collected in memory before it goes to disk; an object of no more is written by
/// one operation.
const BUFFER_BYTES_MAX: usize = 256 * 1024;

/// Name and properties that an object gets when it is whole.
#[derive(Debug, Clone)]
pub struct NewObject<'a> {
    pub bucket: &'a str,
    pub key: &'a str,
    /// `None` or empty if none was sent.
    pub content_type: Option<String>,
    /// Headers to be sent with the object, by name in lower case.
    pub headers: BTreeMap<String, String>,
    /// The account's now.
    pub now: Timestamp,
}

impl<'a> NewObject<'a> {
    /// An object without headers of its own but `Content-Type`.
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
    /// The check did not allow the write.
    Refused(E),
    Io(io::Error),
}

impl<E> From<io::Error> for FinishError<E> {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// An object in the making. It comes into being with [`finish`](Self::finish); dropped before,
/// it was never there.
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

    /// How many bytes were written.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Appends `piece`; of an object of any size, 512 KiB at most are in memory.
    ///
    /// # Errors
    /// When the disk fails; the object is then to be dropped.
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

    /// MD5 of what was written so far.
    #[must_use]
    pub fn md5(&self) -> [u8; 16] {
        self.digest.clone().finalize().into()
    }

    /// Names the object, in place of what was there under its bucket and key.
    ///
    /// # Errors
    /// `NotFound` if the account has no room (anymore), else when the disk fails. The object is
    /// then not there, and an older one untouched.
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

    /// Names the object as [`BlobWriter::finish`] does, if `check` allows it. `check` gets the object
    /// that is there, `None` if there is none, which nobody replaces or removes before this ends.
    ///
    /// # Errors
    /// Returns the error of `check`, or that of [`BlobWriter::finish`].
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
            let current = current.map(|blob| blob.meta);
            check(current.as_ref()).map_err(FinishError::Refused)?;
        }
        self.blobs
            .publish(self.account, &scratch.path, &path)
            .await?;
        scratch.persist_as();
        self.blobs.add_written(meta.bytes);
        Ok(meta)
    }

    /// Brings content and trailer to disk, under a temporary name.
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

    /// Takes the buffer to disk.
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

/// A place for a file under `tmp/`, which is unlinked when this is dropped.
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

    /// Where the file may be made.
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
            // a Drop cannot await; an unlink is short, and what remains is swept at start
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
