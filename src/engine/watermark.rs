//! Watermarks: texts that go into a file and are found in it again.
//!
//! A watermark is a block of bytes ([`payload`]) in a place that the file's format has for
//! what readers do not know: an APP9 segment of a JPEG, a private chunk of a PNG or a WebP, a
//! private tag of a TIFF, the end of a BMP, comments at the end of a PDF. So
//! - no pixel and no page is written anew: the picture is the same before and after;
//! - it lasts as long as the file's bytes do, under any name; encoding a file anew loses it;
//! - what a file says of its source is not touched.
//!
//! A file that has a watermark of ours keeps its texts, oldest first, before the new ones;
//! beyond [`TEXTS_MAX`] the oldest go. A block that is not whole and ours to the last bit is
//! none: it is not extracted, and goes when the file is marked again (of a TIFF its tag goes, the
//! bytes stay, for no offset may move).

mod bmp;
mod carrier;
mod jpeg;
mod payload;
pub mod pdf;
mod png;
mod tiff;
mod webp;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::PathBuf;

pub use carrier::SIDE_PX_MIN;
pub use payload::{TEXT_CHARS_MAX, TEXTS_MAX};

use super::budget::Lease;
use super::{Content, Failure, decode};
use crate::model::picture::{Defect, Media};
use carrier::Carrier;

/// The most places a file's old watermarks are taken out of.
const CUTS_MAX: usize = 1024;

/// What is to be marked, and with what.
#[derive(Debug)]
pub struct Embedding {
    /// The picture or PDF.
    pub content: Content,
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
pub struct Embedded {
    /// What it is, as the input was.
    pub media: Media,
    /// How long the output is.
    pub body_bytes: u64,
    /// The output's thumbnail, a JPEG, if wanted; of a PDF its card.
    pub thumbnail: Option<Vec<u8>>,
}

/// A stretch of a file, and what takes its place.
#[derive(Debug)]
struct Edit {
    place: Range<usize>,
    bytes: Vec<u8>,
}

impl Edit {
    fn insert(at: usize, bytes: Vec<u8>) -> Self {
        Self {
            place: at..at,
            bytes,
        }
    }

    fn cut(place: Range<usize>) -> Self {
        Self {
            place,
            bytes: Vec::new(),
        }
    }
}

/// Marks one file, on this thread.
///
/// # Errors
/// A defect of the file, or the disk's; `InvalidInput` for texts that are none, too many or
/// too long.
pub fn embed(order: &Embedding, memory: &mut Lease) -> Result<Embedded, Failure> {
    let carrier = Carrier::read(&order.content, &order.name, order.thumbnail, memory)?;
    let edits = edits(&carrier, order.texts.clone())?;
    let body_bytes = length(&carrier.bytes, &edits);
    let mut out = BufWriter::new(File::create(&order.to)?);
    write(&carrier.bytes, &edits, &mut out)?;
    out.flush()?;
    Ok(Embedded {
        media: carrier.media,
        body_bytes,
        thumbnail: carrier.thumbnail,
    })
}

/// The texts a file was marked with, oldest first; none if it was not.
///
/// # Errors
/// A defect of the file, as [`embed`] finds them, or the disk's.
pub fn extract(content: &Content, name: &str, memory: &mut Lease) -> Result<Vec<String>, Failure> {
    Ok(Carrier::read(content, name, false, memory)?.texts())
}

/// What marks a file with its old texts and the new ones, in the order of its places.
fn edits(carrier: &Carrier, texts: Vec<String>) -> Result<Vec<Edit>, Failure> {
    let block = payload::write(carrier.texts(), texts)?;
    let mut edits = carrier.place(&block)?;
    edits.sort_by_key(|edit| (edit.place.start, edit.place.end));
    if length(&carrier.bytes, &edits) > decode::FILE_BYTES_MAX {
        // it would be refused when it came back
        let text = format!(
            "with its watermark the file is longer than {} MiB",
            decode::FILE_BYTES_MAX >> 20
        );
        return Err(Defect::FileSize(text).into());
    }
    Ok(edits)
}

fn length(bytes: &[u8], edits: &[Edit]) -> u64 {
    let cut: usize = edits.iter().map(|edit| edit.place.len()).sum();
    let new: usize = edits.iter().map(|edit| edit.bytes.len()).sum();
    (bytes.len() + new).saturating_sub(cut) as u64
}

/// Writes `bytes` with the `edits` made, which are in order and do not overlap.
fn write(bytes: &[u8], edits: &[Edit], out: &mut impl Write) -> io::Result<()> {
    let mut at = 0;
    for edit in edits {
        out.write_all(bytes.get(at..edit.place.start).unwrap_or_default())?;
        out.write_all(&edit.bytes)?;
        at = edit.place.end;
    }
    out.write_all(bytes.get(at..).unwrap_or_default())
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
