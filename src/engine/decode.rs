//! Decodes files to pixels, within limits.
//!
//! Guarantees: at most [`input::FILE_BYTES_MAX`] bytes of a file are read. The declared size is
//! checked, and memory leased, before pixels are allocated. A file that is decoded is complete: a
//! truncated one is corrupt, even if a viewer would show a part of it.

mod jpeg;

use std::io::{Cursor, Read};

use image::error::UnsupportedErrorKind;
use image::metadata::Orientation;
use image::{DynamicImage, GenericImageView, ImageDecoder, ImageFormat, ImageReader, Limits};
use sha2::{Digest, Sha256};

use super::budget::Lease;
use super::error::unreadable_message;
use super::memory_need::{self, ImageHeader};
use super::raster::DecodedImage;
use super::svg::Drawing;
use super::{EngineError, InputFile, bmff, input, pdf, sniff, structure, svg};
use crate::model::picture::{FileDefect, FileKind, RasterFormat};

/// Maximum width and height.
pub const SIDE_PX_MAX: u32 = 16_384;
/// Maximum number of pixels.
pub const PIXELS_MAX: u64 = 64 * 1024 * 1024;
/// Maximum memory that one decoder may allocate, including its output.
const ALLOC_BYTES_MAX: u64 = 512 * 1024 * 1024;
/// Maximum length of a decompressed ICC profile.
const PROFILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// A file whose first bytes agree with its name.
#[derive(Debug)]
pub struct ImageSource {
    /// Content of the whole file.
    pub bytes: Vec<u8>,
    /// Kind of the file, by its first bytes.
    pub kind: FileKind,
}

/// Extent of decoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DecodeMode {
    /// Pixels for measuring: of a JPEG the luma alone, which takes a fifth less time.
    LumaOnly,
    /// All stored channels.
    Full,
}

/// Returns the kind of a file by its first bytes, and checks `name` against it.
///
/// # Errors
/// Returns [`FileDefect::NotAnImage`], [`FileDefect::FormatMismatch`], or [`EngineError::Io`].
pub fn identify(content: &InputFile, name: &str) -> Result<FileKind, EngineError> {
    let mut head = Vec::with_capacity(sniff::HEAD_BYTES);
    content
        .read_from(0)
        .take(sniff::HEAD_BYTES as u64)
        .read_to_end(&mut head)?;
    Ok(sniff::identify(name, &head)?)
}

impl ImageSource {
    /// Reads the file that its owner calls `name`.
    ///
    /// # Errors
    /// See [`input::read`]. Returns [`FileDefect::NotAnImage`] and [`FileDefect::FormatMismatch`]
    /// as well.
    pub fn read(content: &InputFile, name: &str, memory: &mut Lease) -> Result<Self, EngineError> {
        let bytes = input::read(content, memory)?;
        let kind = sniff::identify(name, &bytes)?;
        Ok(Self { bytes, kind })
    }

    /// Memory for the file and the copies of its metadata.
    fn file_bytes(&self) -> u64 {
        memory_need::for_file(self.kind, &self.bytes)
    }

    /// Returns the SHA-256 of the file.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        Sha256::digest(&self.bytes).into()
    }

    /// Decodes the first frame of a raster file, or renders an SVG.
    ///
    /// Leases memory for decoding or for the work that follows, whichever is more. `later` returns
    /// the bytes of that work, including the decoded pixels.
    ///
    /// # Errors
    /// Returns [`FileDefect::TooLarge`] before pixels are allocated, [`FileDefect::ColorMode`] and
    /// [`FileDefect::FormatMismatch`] for variants of a format that are not supported, and
    /// [`FileDefect::Corrupt`].
    pub fn decode(
        &self,
        mode: DecodeMode,
        memory: &mut Lease,
        later: impl Fn(&ImageHeader) -> u64,
    ) -> Result<DecodedImage, FileDefect> {
        let file_bytes = self.file_bytes();
        memory.require(file_bytes)?;
        let lease = |memory: &mut Lease, head: &ImageHeader| {
            let decoding = file_bytes + memory_need::for_decoding(head, &self.bytes);
            memory.require(decoding.max(later(head)))
        };
        match self.kind {
            FileKind::Picture(RasterFormat::Jpeg) => {
                jpeg::decode(&self.bytes, mode, |head| lease(memory, head))
            }
            FileKind::Picture(format) => {
                decode_raster(&self.bytes, format, |head| lease(memory, head))
            }
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
                Ok(DecodedImage {
                    pixels,
                    sides_px: drawing.sides_px(),
                    orientation: Orientation::NoTransforms,
                    exif: None,
                    icc: None,
                })
            }
            FileKind::Heif | FileKind::Avif | FileKind::Pdf => Err(FileDefect::FormatMismatch(
                format!("decoding {} is not supported", self.kind.title()),
            )),
        }
    }

    /// `true` if the file is of a kind that is decoded. A malformed SVG counts as one.
    #[must_use]
    pub fn is_decoded(&self) -> bool {
        match self.kind {
            FileKind::Picture(_) => true,
            FileKind::Svg => svg::is_plain(&self.bytes).unwrap_or(true),
            FileKind::Heif | FileKind::Avif | FileKind::Pdf => false,
        }
    }

    /// Returns the width and height of a complete TIFF, whether or not it can be decoded. `None` if
    /// the file is no TIFF or is truncated.
    #[must_use]
    pub fn complete_tiff_px(&self) -> Option<(u32, u32)> {
        let is_tiff = self.kind == FileKind::Picture(RasterFormat::Tiff);
        let is_complete = is_tiff && structure::tiff_is_complete(&self.bytes);
        is_complete.then(|| structure::header_dimensions(RasterFormat::Tiff, &self.bytes))?
    }

    /// Checks that the file is complete and can be decoded, and returns its width and height in
    /// pixels.
    ///
    /// Of a JPEG, the headers, the size and the end of the scans are checked; other raster files
    /// and SVG are decoded. Files that are not decoded must be complete. The size of a PDF is that
    /// of its first media box in points. `None` if the size is unknown.
    ///
    /// # Errors
    /// See [`ImageSource::decode`].
    pub fn check(&self, memory: &mut Lease) -> Result<Option<(u32, u32)>, FileDefect> {
        memory.require(self.file_bytes())?;
        let sides = match self.kind {
            FileKind::Picture(RasterFormat::Jpeg) => jpeg::open_jpeg(&self.bytes)?.1,
            FileKind::Picture(_) => {
                let image = self.decode(DecodeMode::LumaOnly, memory, |_| 0)?;
                image.pixels.dimensions()
            }
            FileKind::Svg if !svg::is_plain(&self.bytes)? => {
                let sides = svg::declared_px(&self.bytes);
                return Ok(sides.filter(|sides| check_sides(*sides).is_ok()));
            }
            FileKind::Svg => Drawing::read(&self.bytes, memory)?.sides_px(),
            FileKind::Heif | FileKind::Avif => self.container_sides()?,
            FileKind::Pdf => {
                match pdf::check(&self.bytes) {
                    // An encrypted PDF is accepted, because its content is not read.
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
        let corrupt =
            |reason: &str| FileDefect::Corrupt(format!("the {} {reason}", self.kind.title()));
        if !bmff::is_complete(&self.bytes) {
            return Err(corrupt("is truncated"));
        }
        bmff::sides_px(&self.bytes).ok_or_else(|| corrupt("declares no size"))
    }
}

/// Returns the codec of a format.
pub fn codec(format: RasterFormat) -> ImageFormat {
    match format {
        RasterFormat::Jpeg => ImageFormat::Jpeg,
        RasterFormat::Png => ImageFormat::Png,
        RasterFormat::WebP => ImageFormat::WebP,
        RasterFormat::Bmp => ImageFormat::Bmp,
        RasterFormat::Tiff => ImageFormat::Tiff,
        RasterFormat::Gif => ImageFormat::Gif,
    }
}

fn decode_raster(
    bytes: &[u8],
    format: RasterFormat,
    lease: impl FnOnce(&ImageHeader) -> Result<(), FileDefect>,
) -> Result<DecodedImage, FileDefect> {
    let defect = |error| decoding_defect(format, &error);
    if let Some((width_px, height_px)) = structure::header_dimensions(format, bytes) {
        check_size(width_px, height_px, 0)?;
    }
    if format == RasterFormat::Png && !structure::icc_profile_within(bytes, PROFILE_BYTES_MAX) {
        let text = "the PNG's ICC profile is too large";
        return Err(FileDefect::TooLarge(text.to_owned()));
    }
    let mut reader = ImageReader::with_format(Cursor::new(bytes), codec(format));
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
    Ok(DecodedImage {
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
            "an image of {width_px} by {height_px} pixels is empty"
        )));
    }
    let pixels = u64::from(width_px) * u64::from(height_px);
    let longest_px = width_px.max(height_px);
    if longest_px > SIDE_PX_MAX || pixels > PIXELS_MAX || pixels_bytes > ALLOC_BYTES_MAX {
        return Err(FileDefect::TooLarge(format!(
            "{width_px} by {height_px} pixels; the limit is {SIDE_PX_MAX} per side and {} megapixels",
            PIXELS_MAX >> 20
        )));
    }
    Ok(())
}

/// Checks that the file is complete, because decoders accept truncated files.
fn ensure_complete(format: RasterFormat, bytes: &[u8]) -> Result<(), FileDefect> {
    let is_complete = match format {
        RasterFormat::Jpeg => structure::jpeg_is_complete(bytes),
        RasterFormat::Png => structure::png_is_complete(bytes),
        RasterFormat::WebP => structure::webp_is_complete(bytes),
        RasterFormat::Gif => structure::gif_is_complete(bytes),
        RasterFormat::Bmp | RasterFormat::Tiff => true,
    };
    if is_complete {
        Ok(())
    } else {
        let title = format.title();
        Err(FileDefect::Corrupt(format!("the {title} is truncated")))
    }
}

fn decoding_defect(format: RasterFormat, error: &image::ImageError) -> FileDefect {
    match error {
        image::ImageError::Limits(_) => {
            let title = format.title();
            FileDefect::TooLarge(format!("decoding the {title} takes too much memory"))
        }
        image::ImageError::Unsupported(unsupported) => match unsupported.kind() {
            UnsupportedErrorKind::Color(_) => {
                FileDefect::ColorMode(unreadable_message(format.title(), error))
            }
            _ => FileDefect::FormatMismatch(unreadable_message(format.title(), error)),
        },
        other => corrupt(format, other),
    }
}

fn corrupt(format: RasterFormat, reason: &dyn std::fmt::Display) -> FileDefect {
    FileDefect::Corrupt(unreadable_message(format.title(), reason))
}

#[cfg(test)]
mod tests;
