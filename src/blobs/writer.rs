//! An object in the making.

use std::io;
use std::path::{Path, PathBuf};

use md5::{Digest, Md5};
use tokio::fs::{self, File};
use tokio::io::AsyncWriteExt;

use super::{Blobs, Meta, trailer};
use crate::model::ids::AccountId;
use crate::model::time::Timestamp;

/// So much is collected in memory before it goes to disk; an object of no more is written by
/// one operation.
const BUFFER_BYTES_MAX: usize = 256 * 1024;

/// An object in the making. It comes into being with [`finish`](Self::finish); dropped before,
/// it was never there.
#[derive(Debug)]
pub struct Writer {
    blobs: Blobs,
    account: AccountId,
    digest: Md5,
    bytes: u64,
    buffer: Vec<u8>,
    spilled: Option<(Scratch, File)>,
}

impl Writer {
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

    /// Names the object, in place of what was there under `bucket` and `key`.
    ///
    /// # Errors
    /// `NotFound` if the account has no room (anymore), else when the disk fails. The object is
    /// then not there, and an older one untouched.
    pub async fn finish(
        self,
        bucket: &str,
        key: &str,
        content_type: Option<String>,
        now: Timestamp,
    ) -> io::Result<Meta> {
        let blobs = self.blobs.clone();
        let published = self.publish(bucket, key, content_type, now).await;
        published.map_err(|error| blobs.explain(error))
    }

    async fn publish(
        mut self,
        bucket: &str,
        key: &str,
        content_type: Option<String>,
        now: Timestamp,
    ) -> io::Result<Meta> {
        let meta = Meta {
            content_type: content_type.filter(|it| !it.is_empty()),
            etag: hex::encode(self.digest.finalize_reset()),
            bytes: self.bytes,
            modified_at: now,
        };
        trailer::append(&meta, &mut self.buffer)?;
        let scratch = if self.spilled.is_some() {
            self.spill().await?;
            None
        } else {
            let scratch = Scratch::new(&self.blobs);
            fs::write(&scratch.path, std::mem::take(&mut self.buffer)).await?;
            Some(scratch)
        };
        let scratch = match (scratch, self.spilled.take()) {
            (Some(scratch), _) => scratch,
            (None, Some((scratch, mut file))) => {
                file.flush().await?;
                scratch
            }
            (None, None) => return Err(io::Error::other("the object was lost on its way to disk")),
        };
        let path = self.blobs.object_path(self.account, bucket, key);
        self.blobs
            .publish(self.account, &scratch.path, &path)
            .await?;
        scratch.renamed();
        self.blobs.count_written(meta.bytes);
        Ok(meta)
    }

    /// Takes the buffer to disk.
    async fn spill(&mut self) -> io::Result<()> {
        let (_, file) = match &mut self.spilled {
            Some(spilled) => spilled,
            none => {
                let temporary = Scratch::new(&self.blobs);
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
pub struct Scratch {
    path: PathBuf,
    renamed: bool,
}

impl Scratch {
    pub(super) fn new(blobs: &Blobs) -> Self {
        Self {
            path: blobs.0.tmp.join(blobs.count().to_string()),
            renamed: false,
        }
    }

    /// Where the file may be made.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    fn renamed(mut self) {
        self.renamed = true;
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.renamed {
            // a Drop cannot await; an unlink is short, and what remains is swept at start
            let _ = std::fs::remove_file(&self.path);
        }
    }
}
