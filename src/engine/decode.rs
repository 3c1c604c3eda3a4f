//! From a file to its pixels, within limits.
//!
//! Promises: a file is read whole only under [`input::FILE_BYTES_MAX`]; the size it declares is
//! checked, and the memory for it leased, before its pixels are allocated; what decodes goes on to its end (a torn file is
//! corrupt, even where a viewer would show its upper half).

mod jpeg;

use std::io::{Cursor, Read};

use image::error::UnsupportedErrorKind;
use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView, ImageDecoder, ImageFormat, ImageReader, Limits};
use sha2::{Digest, Sha256};

use super::budget::Lease;
use super::memory_need::{self, ImageHeader};
use super::raster::Picture;
use super::svg::Drawing;
use super::{EngineError, InputFile, bmff, input, pdf, sniff, structure, svg};
use crate::model::picture::{FileDefect, FileKind, RasterFormat};

/// The longest side.
pub const SIDE_PX_MAX: u32 = 16_384;
/// The most pixels in all.
pub const PIXELS_MAX: u64 = 64 * 1024 * 1024;
/// The most memory one decoder may ask for, its output included.
const ALLOC_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// The most a colour profile may have, unpacked.
const PROFILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A file that begins like a picture, as its name says.
#[derive(Debug)]
pub struct ImageSource {
    /// All of it.
    pub bytes: Vec<u8>,
    /// What it begins like.
    pub media: FileKind,
}

/// Which of the pixels are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeMode {
    /// As much as measuring takes: of a JPEG its luma alone, which spares a fifth of the time.
    LumaOnly,
    /// All that is stored.
    Full,
}

/// Only the first bytes of a file, held against its name.
///
/// # Errors
/// [`FileDefect::NotAnImage`], [`FileDefect::FormatMismatch`], or the disk's.
pub fn identify(content: &InputFile, name: &str) -> Result<FileKind, EngineError> {
    let mut head = Vec::with_capacity(sniff::HEAD_BYTES);
    content
        .read_from(0)
        .take(sniff::HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    Ok(sniff::identify(name, &head)?)
}

impl ImageSource {
    /// Reads a picture, known to its owner as `name`.
    ///
    /// # Errors
    /// A file too long, no picture, or of another format than its name says; the disk's.
    pub fn read(content: &InputFile, name: &str, memory: &mut Lease) -> Result<Self, EngineError> {
        let bytes = input::read(content, memory)?;
        let media = sniff::identify(name, &bytes)?;
        Ok(Self { bytes, media })
    }

    /// Bytes of the file and of what is copied of it.
    fn file_bytes(&self) -> u64 {
        memory_need::of_file(self.media, &self.bytes)
    }

    /// The SHA-256 of the file.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// The pixels; of a moving picture, the first frame's. Those of a drawing are as many as
    /// are worth while. Memory is leased for decoding, and for what comes `later`: the bytes that
    /// work on the decoded pixels takes, those included.
    ///
    /// # Errors
    /// [`FileDefect::TooLarge`] before anything is allocated for pixels; [`FileDefect::ColorMode`] and
    /// [`FileDefect::FormatMismatch`] for what is known and not decoded here; [`FileDefect::Corrupt`].
    pub fn decode(
        &self,
        wanted: DecodeMode,
        memory: &mut Lease,
        later: impl Fn(&ImageHeader) -> u64,
    ) -> Result<Picture, FileDefect> {
        let file_bytes = self.file_bytes();
        memory.require(file_bytes)?;
        let lease = |memory: &mut Lease, head: &ImageHeader| {
            let decoding = file_bytes + memory_need::of_decoding(head, &self.bytes);
            memory.require(decoding.max(later(head)))
        };
        match self.media {
            FileKind::Picture(RasterFormat::Jpeg) => {
                jpeg::decode(&self.bytes, wanted, |head| lease(memory, head))
            }
            FileKind::Picture(format) => other(&self.bytes, format, |head| lease(memory, head)),
            FileKind::Svg => {
                let drawing = Drawing::read(&self.bytes, memory)?;
                check_sides(drawing.sides_px())?;
                let pixels = DynamicImage::from(drawing.draw(memory)?);
                memory.require(later(&ImageHeader {
                    format: RasterFormat::Png,
                    sides_px: pixels.dimensions(),
                    color: pixels.color(),
                    pixels_bytes: pixels.as_bytes().len() as u64,
                }))?;
                Ok(Picture {
                    pixels,
                    sides_px: drawing.sides_px(),
                    orientation: Orientation::NoTransforms,
                    exif: None,
                    icc: None,
                })
            }
            FileKind::Heif | FileKind::Avif | FileKind::Pdf => Err(FileDefect::FormatMismatch(
                format!("{} is not decoded", self.media.title()),
            )),
        }
    }

    /// `true` if it is decoded here, or would be if it were not malformed.
    #[must_use]
    pub fn is_decoded(&self) -> bool {
        match self.media {
            FileKind::Picture(_) => true,
            FileKind::Svg => svg::is_plain(&self.bytes).unwrap_or(true),
            FileKind::Heif | FileKind::Avif | FileKind::Pdf => false,
        }
    }

    /// The size that a TIFF says it has which is whole, of whatever kind it is.
    #[must_use]
    pub fn whole_tiff_px(&self) -> Option<(u32, u32)> {
        let is_tiff = self.media == FileKind::Picture(RasterFormat::Tiff);
        let is_whole = is_tiff && structure::tiff_is_complete(&self.bytes);
        is_whole.then(|| structure::header_dimensions(RasterFormat::Tiff, &self.bytes))?
    }

    /// Whether it can be decoded, as far as can be told without a JPEG's pixels: its heads,
    /// its size, and that its scans go on to its end. What is not decoded goes on to its end.
    /// Answers its width and height in pixels, of a PDF its first media box's in points if
    /// that stands in the open.
    ///
    /// # Errors
    /// As [`ImageSource::decode`], but for what is not decoded.
    pub fn check(&self, memory: &mut Lease) -> Result<Option<(u32, u32)>, FileDefect> {
        memory.require(self.file_bytes())?;
        let sides = match self.media {
            FileKind::Picture(RasterFormat::Jpeg) => jpeg::open_jpeg(&self.bytes)?.1,
            FileKind::Picture(_) => {
                let picture = self.decode(DecodeMode::LumaOnly, memory, |_| 0)?;
                picture.pixels.dimensions()
            }
            FileKind::Svg if !svg::is_plain(&self.bytes)? => {
                let sides = svg::declared_px(&self.bytes);
                return Ok(sides.filter(|sides| check_sides(*sides).is_ok()));
            }
            FileKind::Svg => Drawing::read(&self.bytes, memory)?.sides_px(),
            FileKind::Heif | FileKind::Avif => self.container_sides()?,
            FileKind::Pdf => {
                match pdf::check(&self.bytes) {
                    // nobody reads in it
                    Ok(()) | Err(FileDefect::Encrypted(_)) => {}
                    Err(defect) => return Err(defect),
                }
                let sides = pdf::media_box_size(&self.bytes);
                return Ok(sides.filter(|sides| check_sides(*sides).is_ok()));
            }
        };
        check_sides(sides)?;
        Ok(Some(sides))
    }

    fn container_sides(&self) -> Result<(u32, u32), FileDefect> {
        let corrupt = |why: &str| FileDefect::Corrupt(format!("the {} {why}", self.media.title()));
        if !bmff::is_whole(&self.bytes) {
            return Err(corrupt("is truncated"));
        }
        bmff::sides_px(&self.bytes).ok_or_else(|| corrupt("has no size"))
    }
}

fn other(
    bytes: &[u8],
    format: RasterFormat,
    lease: impl FnOnce(&ImageHeader) -> Result<(), FileDefect>,
) -> Result<Picture, FileDefect> {
    let codec = match format {
        RasterFormat::Jpeg => ImageFormat::Jpeg,
        RasterFormat::Png => ImageFormat::Png,
        RasterFormat::WebP => ImageFormat::WebP,
        RasterFormat::Bmp => ImageFormat::Bmp,
        RasterFormat::Tiff => ImageFormat::Tiff,
        RasterFormat::Gif => ImageFormat::Gif,
    };
    let defect = |error| of_image(format, &error);
    if let Some((width_px, height_px)) = structure::header_dimensions(format, bytes) {
        check_size(width_px, height_px, 0)?;
    }
    if format == RasterFormat::Png && !structure::icc_profile_within(bytes, PROFILE_BYTES_MAX) {
        let text = "the PNG's colour profile is too large";
        return Err(FileDefect::TooLarge(text.to_owned()));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), codec);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(ALLOC_BYTES_MAX);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(defect)?;
    let (width_px, height_px) = decoder.dimensions();
    check_size(width_px, height_px, decoder.total_bytes())?;
    ensure_complete(format, bytes)?;
    lease(&ImageHeader {
        format,
        sides_px: (width_px, height_px),
        color: decoder.color_type(),
        pixels_bytes: decoder.total_bytes(),
    })?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let exif = decoder.exif_metadata().ok().flatten();
    let icc = decoder.icc_profile().ok().flatten();
    let pixels = DynamicImage::from_decoder(decoder).map_err(defect)?;
    Ok(Picture {
        pixels,
        sides_px: (width_px, height_px),
        orientation,
        exif,
        icc,
    })
}

fn check_sides((width_px, height_px): (u32, u32)) -> Result<(), FileDefect> {
    check_size(width_px, height_px, 0)
}

fn check_size(width_px: u32, height_px: u32, pixels_bytes: u64) -> Result<(), FileDefect> {
    if width_px == 0 || height_px == 0 {
        return Err(FileDefect::Corrupt(format!(
            "{width_px} by {height_px} pixels is no picture"
        )));
    }
    let pixels = u64::from(width_px) * u64::from(height_px);
    let longest_px = width_px.max(height_px);
    if longest_px > SIDE_PX_MAX || pixels > PIXELS_MAX || pixels_bytes > ALLOC_BYTES_MAX {
        return Err(FileDefect::TooLarge(format!(
            "{width_px} by {height_px} pixels; at most {SIDE_PX_MAX} a side and {} megapixels",
            PIXELS_MAX >> 20
        )));
    }
    Ok(())
}

/// What the decoders take leniently: that the file goes on to its end.
fn ensure_complete(format: RasterFormat, bytes: &[u8]) -> Result<(), FileDefect> {
    let is_whole = match format {
        RasterFormat::Jpeg => structure::jpeg_is_complete(bytes),
        RasterFormat::Png => structure::png_is_complete(bytes),
        RasterFormat::WebP => structure::webp_is_complete(bytes),
        RasterFormat::Gif => structure::gif_is_complete(bytes),
        RasterFormat::Bmp | RasterFormat::Tiff => true,
    };
    if is_whole {
        Ok(())
    } else {
        let title = format.title();
        Err(FileDefect::Corrupt(format!("the {title} is truncated")))
    }
}

fn of_image(format: RasterFormat, error: &image::ImageError) -> FileDefect {
    match error {
        image::ImageError::Limits(_) => {
            let title = format.title();
            FileDefect::TooLarge(format!("the {title} takes too much memory"))
        }
        image::ImageError::Unsupported(why) => match why.kind() {
            UnsupportedErrorKind::Color(_) => FileDefect::ColorMode(unreadable(format, error)),
            _ => FileDefect::FormatMismatch(unreadable(format, error)),
        },
        other => corrupt(format, other),
    }
}

fn corrupt(format: RasterFormat, why: &dyn std::fmt::Display) -> FileDefect {
    FileDefect::Corrupt(unreadable(format, why))
}

fn unreadable(format: RasterFormat, why: &dyn std::fmt::Display) -> String {
    let title = format.title();
    let why = why.to_string();
    let line: Vec<&str> = why.split_whitespace().collect();
    format!("the {title} cannot be read: {}", line.join(" "))
}

#[cfg(test)]
mod tests;
