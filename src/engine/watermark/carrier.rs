//! Files that a watermark goes into: which are taken, and where it lies in each format.
//!
//! Promises: a file is checked as a picture is that nothing is drawn of (a JPEG by its
//! structure, all else by decoding it), and what is refused for its kind is not called corrupt.

use super::{Edit, bmp, jpeg, payload, pdf, png, tiff, webp};
use crate::engine::budget::Lease;
use crate::engine::card::Card;
use crate::engine::decode::{self, Source, Wanted};
use crate::engine::{Content, Failure, Wants, need, page, sniff, thumbnail};
use crate::model::picture::{Defect, Format, Media};

/// The shortest side of a picture that takes a watermark.
pub const SIDE_PX_MIN: u32 = 16;

/// A file, read and checked.
#[derive(Debug)]
pub struct Carrier {
    pub bytes: Vec<u8>,
    pub media: Media,
    /// A JPEG, if wanted; of a PDF its card.
    pub thumbnail: Option<Vec<u8>>,
}

impl Carrier {
    /// Reads a file, known to its owner as `name`, and draws its thumbnail if that is wanted.
    ///
    /// # Errors
    /// Every [`Defect`], or the disk's.
    pub fn read(
        content: &Content,
        name: &str,
        thumbnail: bool,
        memory: &mut Lease,
    ) -> Result<Self, Failure> {
        Self::of(decode::read(content, memory)?, name, thumbnail, memory)
    }

    /// The same of bytes read.
    pub(super) fn of(
        bytes: Vec<u8>,
        name: &str,
        thumbnail: bool,
        memory: &mut Lease,
    ) -> Result<Self, Failure> {
        let media = identify(name, &bytes)?;
        let wants = Wants {
            thumbnail,
            ..Wants::default()
        };
        let Media::Picture(format) = media else {
            pdf::check(&bytes)?;
            let thumbnail = if thumbnail {
                let card = Card::new(media, name, page::sides_pt(&bytes));
                let drawing = need::of_card(card.sides_px(), wants);
                memory.require(need::of_file(media, &bytes) + drawing)?;
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
        check_kind(format, &bytes)?;
        let source = Source { bytes, media };
        let thumbnail = if thumbnail {
            let file_bytes = source.bytes.len() as u64;
            let drawing = |head: &need::Head| file_bytes + need::of_drawing(head, wants);
            let picture = source.decode(Wanted::Colours, memory, drawing)?;
            check_sides(picture.pixels.width(), picture.pixels.height())?;
            let small = thumbnail::reduced(&picture, thumbnail::THUMBNAIL_PX);
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

    /// The texts it was marked with, oldest first.
    pub fn texts(&self) -> Vec<String> {
        let bytes = self.bytes.as_slice();
        let texts = match self.media {
            Media::Picture(Format::Jpeg) => jpeg::find(bytes).and_then(|it| payload::read(&it)),
            Media::Picture(Format::Png) => png::find(bytes).and_then(payload::read),
            Media::Picture(Format::WebP) => webp::find(bytes).and_then(payload::read),
            Media::Picture(Format::Bmp) => bmp::find(bytes).and_then(payload::read),
            Media::Picture(Format::Tiff) => tiff::find(bytes).and_then(payload::read),
            Media::Picture(Format::Gif) | Media::Svg | Media::Heif | Media::Avif => None,
            Media::Pdf => pdf::find(bytes).and_then(|it| payload::read(&it)),
        };
        texts.unwrap_or_default()
    }

    /// What marks it with `block`, in place of the one it has.
    ///
    /// # Errors
    /// [`Defect::Corrupt`] when its framing has no place for it.
    pub fn place(&self, block: &[u8]) -> Result<Vec<Edit>, Defect> {
        let bytes = self.bytes.as_slice();
        let edits = match self.media {
            Media::Picture(Format::Jpeg) => Some(jpeg::place(bytes, block)),
            Media::Picture(Format::Png) => png::place(bytes, block),
            Media::Picture(Format::WebP) => webp::place(bytes, block),
            Media::Picture(Format::Bmp) => bmp::place(bytes, block),
            Media::Picture(Format::Tiff) => tiff::place(bytes, block),
            Media::Picture(Format::Gif) | Media::Svg | Media::Heif | Media::Avif => None,
            Media::Pdf => pdf::place(bytes, block),
        };
        edits.ok_or_else(|| Defect::Corrupt("there is no place for a watermark in it".to_owned()))
    }
}

/// What a file is by its bytes, its name agreeing.
fn identify(name: &str, bytes: &[u8]) -> Result<Media, Defect> {
    if sniff::sniff(bytes).is_none() && pdf::is_pdf(bytes) {
        sniff::check_name(name, Media::Pdf)?;
        return Ok(Media::Pdf);
    }
    match sniff::identify_picture(name, bytes) {
        Ok(format) => Ok(Media::Picture(format)),
        Err(Defect::NotAPicture(_)) if Media::of_name(name) == Some(Media::Pdf) => {
            Err(Defect::NotAPicture("the bytes are no PDF".to_owned()))
        }
        Err(defect) => Err(defect),
    }
}

/// Refuses what decodes, or might, and is not taken all the same.
fn check_kind(format: Format, bytes: &[u8]) -> Result<(), Defect> {
    let title = format.title();
    match format {
        Format::Jpeg if jpeg::is_cmyk(bytes) => {
            let text = "the JPEG has four colours: CMYK or YCCK";
            Err(Defect::ColorMode(text.to_owned()))
        }
        Format::Png if png::moves(bytes) => Err(Defect::Several(format!("the {title} moves"))),
        Format::WebP if webp::moves(bytes) => Err(Defect::Several(format!("the {title} moves"))),
        Format::Tiff => check_tiff(bytes),
        Format::Gif => Err(Defect::OtherFormat("a GIF takes no watermark".to_owned())),
        Format::Jpeg | Format::Png | Format::WebP | Format::Bmp => Ok(()),
    }
}

fn check_tiff(bytes: &[u8]) -> Result<(), Defect> {
    if tiff::is_big(bytes) {
        let text = "a BigTIFF takes no watermark";
        return Err(Defect::OtherFormat(text.to_owned()));
    }
    if tiff::has_pages(bytes) {
        return Err(Defect::Several("the TIFF has several pages".to_owned()));
    }
    match tiff::photometric(bytes) {
        // what is not said is for the decoder to judge
        None | Some(0..=2) => Ok(()),
        Some(5) => Err(Defect::ColorMode("the TIFF is CMYK".to_owned())),
        Some(other) => Err(Defect::ColorMode(format!(
            "the TIFF's colours are neither grey nor RGB (photometric interpretation {other})"
        ))),
    }
}

fn check_sides(width_px: u32, height_px: u32) -> Result<(), Defect> {
    if width_px.min(height_px) >= SIDE_PX_MIN {
        Ok(())
    } else {
        Err(Defect::TooSmall(format!(
            "{width_px} by {height_px} pixels; a watermark takes {SIDE_PX_MIN} a side"
        )))
    }
}
