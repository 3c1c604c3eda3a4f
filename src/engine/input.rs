//! Input files: open files, or entries of a ZIP file, that stay the same under any name.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use super::budget::Lease;
use super::{Failure, archive, need};
use crate::model::bulk::Packed;
use crate::model::picture::Defect;

/// Length of the longest file that is read.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// A file's first bytes: what is behind them is not of the picture. Or an entry of the ZIP that
/// they are.
#[derive(Debug, Clone)]
pub struct Content {
    /// Open: it is read to its end whatever becomes of its name meanwhile. Clones share it, and
    /// none its cursor.
    pub file: Arc<File>,
    /// How many bytes of it are the picture's, or the ZIP's.
    pub bytes: u64,
    /// Where in the ZIP the picture stands; none: the bytes are it.
    pub packed: Option<Packed>,
}

impl Content {
    /// Length unpacked, in bytes.
    #[must_use]
    pub fn unpacked_bytes(&self) -> u64 {
        self.packed.map_or(self.bytes, |packed| packed.bytes)
    }

    /// What stands there from a byte on, to the end of what is the picture's or the ZIP's.
    #[must_use]
    pub fn read_from(&self, at: u64) -> Reading<'_> {
        Reading { content: self, at }
    }
}

/// A content that is being read.
#[derive(Debug)]
pub struct Reading<'c> {
    content: &'c Content,
    at: u64,
}

impl Read for Reading<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.content.bytes.saturating_sub(self.at);
        let length = usize::try_from(left).map_or(into.len(), |left| left.min(into.len()));
        let read = self.content.file.read_at(&mut into[..length], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

/// Returns all bytes of a file, or of an entry of a ZIP file.
///
/// # Errors
/// Returns [`Defect::FileSize`] if they are more than [`FILE_BYTES_MAX`], [`Defect::Corrupt`] if an entry
/// cannot be decompressed, [`Defect::TooLarge`] if there is no memory for them, and [`Failure::Io`].
pub fn read(content: &Content, memory: &mut Lease) -> Result<Vec<u8>, Failure> {
    let bytes = content.unpacked_bytes();
    if bytes > FILE_BYTES_MAX {
        let text = format!("the file is longer than {} MiB", FILE_BYTES_MAX >> 20);
        return Err(Defect::FileSize(text).into());
    }
    memory.require(need::of_reading(bytes))?;
    if let Some(packed) = &content.packed {
        return archive::read_entry(content, packed);
    }
    let mut bytes = Vec::new();
    bytes.reserve_exact(
        usize::try_from(content.bytes)
            .unwrap_or(0)
            .saturating_add(1),
    );
    content.read_from(0).read_to_end(&mut bytes)?;
    Ok(bytes)
}
