//! Watermarks: texts that go into a file and are found in it again.
//!
//! A watermark is a block of bytes ([`payload`]) at the end of the file: behind the end of a picture
//! ([`trailing`]), in comments of a PDF ([`pdf`]). So
//! - no pixel and no page is written anew: the picture is the same before and after;
//! - it lasts as long as the file's bytes do, under any name; encoding a file anew loses it;
//! - what a file says of its source is not touched.
//!
//! A file that has a watermark keeps its texts, oldest first, before the new ones; beyond
//! [`TEXTS_MAX`] the oldest go. A block that is not whole and ours to the last bit is not extracted.

mod host;
mod kind;
mod payload;
mod pdf;
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

/// What is to be marked, and with what.
#[derive(Debug)]
pub struct Embedding {
    /// The picture or PDF.
    pub content: InputFile,
    /// The name its owner gave it.
    pub name: String,
    /// Where the output goes; what is there is replaced.
    pub to: PathBuf,
    /// The texts, at least one and at most [`TEXTS_MAX`], of [`TEXT_CHARS_MAX`] each.
    pub texts: Vec<String>,
    /// Whether a thumbnail is wanted too; it takes the pixels of a JPEG, too.
    pub thumbnail: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EmbeddedImage {
    /// What it is, as the input was.
    pub media: FileKind,
    /// How long the output is.
    pub body_bytes: u64,
    /// The output's thumbnail, a JPEG, if wanted; of a PDF its card.
    pub thumbnail: Option<Vec<u8>>,
}

/// New end of a file.
#[derive(Debug)]
struct AppendedTail {
    /// Bytes of the file that stay.
    from: usize,
    bytes: Vec<u8>,
}

impl AppendedTail {
    /// Length of the file with this end.
    fn file_bytes(&self) -> u64 {
        (self.from + self.bytes.len()) as u64
    }
}

/// Marks one file, on this thread.
///
/// # Errors
/// A defect of the file, or the disk's; `InvalidInput` for texts that are none, too many or
/// too long.
pub fn embed(order: &Embedding, memory: &mut Lease) -> Result<EmbeddedImage, EngineError> {
    let carrier = WatermarkHost::read(&order.content, &order.name, order.thumbnail, memory)?;
    let tail = tail(&carrier, order.texts.clone())?;
    let mut out = BufWriter::new(File::create(&order.to)?);
    out.write_all(&carrier.bytes[..tail.from])?;
    out.write_all(&tail.bytes)?;
    out.flush()?;
    Ok(EmbeddedImage {
        media: carrier.media,
        body_bytes: tail.file_bytes(),
        thumbnail: carrier.thumbnail,
    })
}

/// The texts a file was marked with, oldest first; none if it was not.
///
/// # Errors
/// A defect of the file, as [`embed`] finds them, or the disk's.
pub fn extract(
    content: &InputFile,
    name: &str,
    memory: &mut Lease,
) -> Result<Vec<String>, EngineError> {
    Ok(WatermarkHost::read(content, name, false, memory)?.texts())
}

/// Returns the end of the file that has its old texts and the new ones.
fn tail(carrier: &WatermarkHost, texts: Vec<String>) -> Result<AppendedTail, EngineError> {
    let block = payload::write(carrier.texts(), texts)?;
    let tail = carrier.embed_edits(&block)?;
    if tail.file_bytes() > input::FILE_BYTES_MAX {
        // It would be refused when it came back.
        let text = format!(
            "with its watermark the file is longer than {} MiB",
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
