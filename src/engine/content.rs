//! Input files: an open file, or an entry of an open ZIP file.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::model::bulk::ZipLocation;

/// An open file, or an entry of an open ZIP file.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// Open file, so that renaming or deleting its path has no effect. Clones share it; reads pass
    /// an offset, so that they share no cursor.
    pub file: Arc<File>,
    /// Length of the file in bytes. Later bytes are ignored.
    pub bytes: u64,
    /// Location of the input in the ZIP file `file`. `None` if `file` itself is the input.
    pub zip_entry: Option<ZipLocation>,
}

impl InputFile {
    /// Length of the input in bytes, decompressed.
    #[must_use]
    pub fn unpacked_bytes(&self) -> u64 {
        self.zip_entry.map_or(self.bytes, |packed| packed.bytes)
    }

    /// Returns a reader of `file` from the offset `at` to [`InputFile::bytes`].
    #[must_use]
    pub fn read_from(&self, at: u64) -> InputReader<'_> {
        InputReader { content: self, at }
    }
}

/// Reader of an [`InputFile`].
#[derive(Debug)]
pub struct InputReader<'c> {
    content: &'c InputFile,
    at: u64,
}

impl Read for InputReader<'_> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = self.content.bytes.saturating_sub(self.at);
        let length = usize::try_from(left).map_or(into.len(), |left| left.min(into.len()));
        let read = self.content.file.read_at(&mut into[..length], self.at)?;
        self.at += read as u64;
        Ok(read)
    }
}

impl Seek for InputReader<'_> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.content.bytes.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or(io::ErrorKind::InvalidInput)?;
        Ok(self.at)
    }
}
