//! Files that a watermark goes into: which are taken, and where it lies in each.
//!
//! Promises: a file is checked as a picture is that nothing is drawn of (a JPEG by its
//! structure, all else by decoding it), and what is refused for its kind is not called corrupt.

use super::{AppendedTail, kind, payload, trailing};
use crate::engine::budget::Lease;
use crate::engine::decode::{DecodeMode, ImageSource};
use crate::engine::placeholder::PlaceholderCard;
use crate::engine::{
    EngineError, InputFile, InspectOptions, input, memory_need, pdf, sniff, thumbnail,
};
use crate::model::picture::{FileDefect, FileKind};

/// The shortest side of a picture that takes a watermark.
pub const SIDE_PX_MIN: u32 = 16;

/// A file, read and checked.
#[derive(Debug)]
pub struct WatermarkHost {
    pub bytes: Vec<u8>,
    pub media: FileKind,
    /// A JPEG, if wanted; of a PDF its card.
    pub thumbnail: Option<Vec<u8>>,
}

impl WatermarkHost {
    /// Reads a file, known to its owner as `name`, and draws its thumbnail if that is wanted.
    ///
    /// # Errors
    /// Every [`FileDefect`], or the disk's.
    pub fn read(
        content: &InputFile,
        name: &str,
        thumbnail: bool,
        memory: &mut Lease,
    ) -> Result<Self, EngineError> {
        Self::of(input::read(content, memory)?, name, thumbnail, memory)
    }

    /// The same of bytes read.
    pub(super) fn of(
        bytes: Vec<u8>,
        name: &str,
        thumbnail: bool,
        memory: &mut Lease,
    ) -> Result<Self, EngineError> {
        let media = identify(name, &bytes)?;
        let wants = InspectOptions {
            thumbnail,
            ..InspectOptions::default()
        };
        let FileKind::Picture(format) = media else {
            pdf::check(&bytes)?;
            let thumbnail = if thumbnail {
                let card = PlaceholderCard::new(media, name, pdf::media_box_size(&bytes));
                let drawing = memory_need::of_card(card.sides_px(), wants);
                memory.require(memory_need::of_file(media, &bytes) + drawing)?;
                let small = card.draw(thumbnail::THUMBNAIL_PX)?;
                Some(thumbnail::jpeg(&small, thumbnail::THUMBNAIL_PX)?)
            } else {
                None
            };
            return Ok(Self {
                bytes,
                media,
                thumbnail,
            });
        };
        kind::check(format, &bytes)?;
        let source = ImageSource { bytes, media };
        let thumbnail = if thumbnail {
            let file_bytes = source.bytes.len() as u64;
            let drawing =
                |head: &memory_need::ImageHeader| file_bytes + memory_need::of_drawing(head, wants);
            let picture = source.decode(DecodeMode::Full, memory, drawing)?;
            check_sides(picture.pixels.width(), picture.pixels.height())?;
            let small = thumbnail::upright_scaled(&picture, thumbnail::THUMBNAIL_PX);
            Some(thumbnail::jpeg(&small, thumbnail::THUMBNAIL_PX)?)
        } else {
            if let Some((width_px, height_px)) = source.check(memory)? {
                check_sides(width_px, height_px)?;
            }
            None
        };
        Ok(Self {
            bytes: source.bytes,
            media,
            thumbnail,
        })
    }

    /// Returns the texts it was marked with, oldest first.
    pub fn texts(&self) -> Vec<String> {
        let bytes = self.bytes.as_slice();
        let texts = match self.media {
            FileKind::Pdf => super::pdf::find(bytes).and_then(|block| payload::read(&block)),
            _ => trailing::find(bytes).and_then(payload::read),
        };
        texts.unwrap_or_default()
    }

    /// Returns the end of the file that has `block`, in place of the one it has.
    ///
    /// # Errors
    /// [`FileDefect::Corrupt`] if no watermark can be put into the file.
    pub fn embed_edits(&self, block: &[u8]) -> Result<AppendedTail, FileDefect> {
        let bytes = self.bytes.as_slice();
        let tail = match self.media {
            FileKind::Pdf => super::pdf::place(bytes, block),
            _ => trailing::place(bytes, block),
        };
        tail.ok_or_else(|| FileDefect::Corrupt("no watermark can be put into the file".to_owned()))
    }
}

/// What a file is by its bytes, its name agreeing.
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
            "{width_px} by {height_px} pixels is too small: a watermark needs {SIDE_PX_MIN} a side"
        )))
    }
}
