//! Watermarks: texts that are embedded in a file and can be extracted again.
//!
//! A watermark is a block of bytes ([`payload`]) at the end of the file: after the end of a picture
//! ([`trailing`]), or in comments of a PDF ([`pdf`]). Consequences:
//! - Pixels and pages do not change.
//! - Renaming and copying a file keeps the watermark, re-encoding loses it.
//! - The file's metadata do not change.
//!
//! Embedding in a file that has a watermark keeps its texts, oldest first, before the new ones.
//! Beyond [`TEXTS_MAX`], the oldest are dropped. A damaged or incomplete block is ignored.

mod host;
mod payload;
mod pdf;
mod supported;
mod trailing;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

pub use host::SIDE_PX_MIN;
pub use payload::{TEXT_CHARS_MAX, TEXTS_MAX};

use super::budget::Lease;
use super::{EngineError, InputFile, input};
use crate::model::picture::{FileDefect, FileKind};
use host::WatermarkHost;

/// Task of embedding texts.
#[derive(Debug)]
pub struct Embedding {
    /// The picture or PDF.
    pub content: InputFile,
    /// Owner's name of the file.
    pub name: String,
    /// Path of the output. An existing file is replaced.
    pub to: PathBuf,
    /// Texts, 1 to [`TEXTS_MAX`], each of at most [`TEXT_CHARS_MAX`] characters.
    pub texts: Vec<String>,
    /// Draw a thumbnail as well. A JPEG is then decoded.
    pub thumbnail: bool,
}

/// Result of embedding texts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedImage {
    /// Kind of input and output.
    pub kind: FileKind,
    /// Length of the output in bytes.
    pub body_bytes: u64,
    /// Thumbnail of the output, a JPEG; a placeholder card for a PDF. `None` if not requested.
    pub thumbnail: Option<Vec<u8>>,
}

/// New end of a file.
#[derive(Debug)]
struct AppendedTail {
    /// Length of the part of the file that stays.
    from: usize,
    bytes: Vec<u8>,
}

impl AppendedTail {
    /// Returns the length of the file with this tail.
    fn file_bytes(&self) -> u64 {
        (self.from + self.bytes.len()) as u64
    }
}

/// Embeds texts in one file, on the current thread.
///
/// # Errors
/// See [`EngineError`]. Returns `InvalidInput` if a text is too long, or if there are no texts or
/// too many.
pub fn embed(task: &Embedding, memory: &mut Lease) -> Result<EmbeddedImage, EngineError> {
    let host = WatermarkHost::read(&task.content, &task.name, task.thumbnail, memory)?;
    let tail = build_tail(&host, task.texts.clone())?;
    let mut out = BufWriter::new(File::create(&task.to)?);
    out.write_all(&host.bytes[..tail.from])?;
    out.write_all(&tail.bytes)?;
    out.flush()?;
    Ok(EmbeddedImage {
        kind: host.kind,
        body_bytes: tail.file_bytes(),
        thumbnail: host.thumbnail,
    })
}

/// Returns the embedded texts of a file, oldest first. Empty if there are none.
///
/// # Errors
/// See [`EngineError`]. The file is checked as by [`embed`].
pub fn extract(
    content: &InputFile,
    name: &str,
    memory: &mut Lease,
) -> Result<Vec<String>, EngineError> {
    Ok(WatermarkHost::read(content, name, false, memory)?.texts())
}

/// Returns the tail of the file with its old texts and the new ones.
fn build_tail(host: &WatermarkHost, texts: Vec<String>) -> Result<AppendedTail, EngineError> {
    let block = payload::write(host.texts(), texts)?;
    let tail = host.tail_with(&block)?;
    if tail.file_bytes() > input::FILE_BYTES_MAX {
        // The output could not be used as an input.
        let text = format!(
            "the file with its watermark is longer than {} MiB",
            input::FILE_BYTES_MAX >> 20
        );
        return Err(FileDefect::FileSize(text).into());
    }
    Ok(tail)
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
