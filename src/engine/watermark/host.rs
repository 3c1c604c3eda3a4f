//! Files that can have a watermark, and where it is embedded in each.
//!
//! Guarantees: a file is checked like a picture of which nothing is drawn (the structure of a JPEG,
//! the pixels of other pictures). A file of an unsupported kind is not reported as corrupt.

use super::{AppendedTail, payload, supported, trailing};
use crate::engine::budget::Lease;
use crate::engine::decode::{DecodeMode, ImageSource};
use crate::engine::placeholder::PlaceholderCard;
use crate::engine::{
    EngineError, InputFile, InspectOptions, THUMBNAIL_PX, input, memory_need, pdf, sniff, thumbnail,
};
use crate::model::picture::{FileDefect, FileKind};

/// Minimum width and height of a picture with a watermark.
pub const SIDE_PX_MIN: u32 = 16;

/// A checked input file.
#[derive(Debug)]
pub struct WatermarkHost {
    pub bytes: Vec<u8>,
    pub kind: FileKind,
    /// JPEG; a placeholder card for a PDF. `None` if not requested.
    pub thumbnail: Option<Vec<u8>>,
}

impl WatermarkHost {
    /// Reads the file that its owner calls `name`, and draws its thumbnail if requested.
    ///
    /// # Errors
    /// See [`EngineError`].
    pub fn read(
        content: &InputFile,
        name: &str,
        thumbnail: bool,
        memory: &mut Lease,
    ) -> Result<Self, EngineError> {
        let bytes = input::read(content, memory)?;
        Self::from_bytes(bytes, name, thumbnail, memory)
    }

    pub(super) fn from_bytes(
        bytes: Vec<u8>,
        name: &str,
        thumbnail: bool,
        memory: &mut Lease,
    ) -> Result<Self, EngineError> {
        let kind = identify(name, &bytes)?;
        let options = InspectOptions {
            thumbnail,
            ..InspectOptions::default()
        };
        let FileKind::Picture(format) = kind else {
            pdf::check(&bytes)?;
            let thumbnail = if thumbnail {
                let card = PlaceholderCard::new(kind, name, pdf::media_box_size(&bytes));
                let drawing = memory_need::for_placeholder(card.sides_px(), options);
                memory.require(memory_need::for_file(kind, &bytes) + drawing)?;
                let small = card.draw(THUMBNAIL_PX)?;
                Some(thumbnail::jpeg(&small, THUMBNAIL_PX, thumbnail::QUALITY)?)
            } else {
                None
            };
            return Ok(Self {
                bytes,
                kind,
                thumbnail,
            });
        };
        supported::check(format, &bytes)?;
        let source = ImageSource { bytes, kind };
        let thumbnail = if thumbnail {
            let file_bytes = source.bytes.len() as u64;
            let drawing = |head: &memory_need::ImageHeader| {
                file_bytes + memory_need::for_drawing(head, options)
            };
            let image = source.decode(DecodeMode::Full, memory, drawing)?;
            check_sides(image.pixels.width(), image.pixels.height())?;
            Some(thumbnail::thumbnail(&image)?)
        } else {
            if let Some((width_px, height_px)) = source.check(memory)? {
                check_sides(width_px, height_px)?;
            }
            None
        };
        Ok(Self {
            bytes: source.bytes,
            kind,
            thumbnail,
        })
    }

    /// Returns the embedded texts, oldest first.
    pub fn texts(&self) -> Vec<String> {
        let bytes = self.bytes.as_slice();
        let texts = match self.kind {
            FileKind::Pdf => {
                super::pdf::extract_block(bytes).and_then(|block| payload::read(&block))
            }
            _ => trailing::extract_block(bytes).and_then(payload::read),
        };
        texts.unwrap_or_default()
    }

    /// Returns the tail of the file with `block` in place of the current one.
    ///
    /// # Errors
    /// Returns [`FileDefect::Corrupt`] if the file has no place for a watermark.
    pub fn tail_with(&self, block: &[u8]) -> Result<AppendedTail, FileDefect> {
        let bytes = self.bytes.as_slice();
        let tail = match self.kind {
            FileKind::Pdf => super::pdf::tail_with(bytes, block),
            _ => trailing::tail_with(bytes, block),
        };
        tail.ok_or_else(|| FileDefect::Corrupt("a watermark cannot be embedded".to_owned()))
    }
}

/// Returns the kind of a picture or PDF, and checks `name` against it.
fn identify(name: &str, bytes: &[u8]) -> Result<FileKind, FileDefect> {
    if sniff::sniff(bytes).is_none() && pdf::is_pdf(bytes) {
        sniff::check_name(name, FileKind::Pdf)?;
        return Ok(FileKind::Pdf);
    }
    match sniff::identify_picture(name, bytes) {
        Ok(format) => Ok(FileKind::Picture(format)),
        Err(FileDefect::NotAnImage(_)) if FileKind::of_name(name) == Some(FileKind::Pdf) => {
            Err(FileDefect::NotAnImage("the content is not PDF".to_owned()))
        }
        Err(defect) => Err(defect),
    }
}

fn check_sides(width_px: u32, height_px: u32) -> Result<(), FileDefect> {
    if width_px.min(height_px) >= SIDE_PX_MIN {
        Ok(())
    } else {
        Err(FileDefect::TooSmall(format!(
            "a watermark needs at least {SIDE_PX_MIN} pixels per side, got {width_px} by {height_px}"
        )))
    }
}
