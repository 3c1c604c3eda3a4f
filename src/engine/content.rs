//! Input files: open files, or entries of a ZIP file, that stay the same under any name.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use crate::model::bulk::ZipLocation;

/// A file's first bytes: what is behind them is not of the picture. Or an entry of the ZIP that
/// they are.
#[derive(Debug, Clone)]
pub struct InputFile {
    /// Open: it is read to its end whatever becomes of its name meanwhile. Clones share it, and
    /// none its cursor.
    pub file: Arc<File>,
    /// How many bytes of it are the picture's, or the ZIP's.
    pub bytes: u64,
    /// Where in the ZIP the picture stands; none: the bytes are it.
    pub zip_entry: Option<ZipLocation>,
}

impl InputFile {
    /// Length unpacked, in bytes.
    #[must_use]
    pub fn unpacked_bytes(&self) -> u64 {
        self.zip_entry.map_or(self.bytes, |packed| packed.bytes)
    }

    /// What stands there from a byte on, to the end of what is the picture's or the ZIP's.
    #[must_use]
    pub fn read_from(&self, at: u64) -> InputReader<'_> {
        InputReader { content: self, at }
    }
}

/// A content that is being read.
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
