//! The memory that work on a file takes at its peak, by what the file's header declares.
//!
//! The factors count what the decoders and encoders allocate at once. They were read off their
//! code, and measured on the server: `tests/limits/`.

use image::ColorType;

use super::ifd::{ByteOrder, Ifd};
use super::raster::fit_within;
use super::structure;
use super::{InspectOptions, heatmap};
use crate::model::picture::{FileKind, RasterFormat};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
/// Buffers that do not grow with a picture: rows, tables of the decoders, files written.
pub const OVERHEAD_BYTES: u64 = 2 * MIB;
/// A sample of any format: it has a fixed size.
pub const SAMPLE_BYTES: u64 = 8 * MIB;
/// A report without its images' own bytes: the font's subset, and the PDF with copies of the images.
pub const REPORT_BYTES: u64 = 8 * MIB;
/// A ZIP that is written: entries are copied through a small buffer.
pub const ARCHIVE_BYTES: u64 = 2 * MIB;

/// Bytes for each pixel of what a picture is reduced to: with 8 bits and alpha, without alpha, and
/// turned. Before that it is reduced in its own kind.
const REDUCED_PIXEL_BYTES: u64 = 4 + 3 + 3;
/// The same of one that has 8 bits and no alpha anyway.
const REDUCED_RGB_PIXEL_BYTES: u64 = 3 + 3;
/// Bytes for each pixel of a drawn card: with alpha, and without.
const CARD_PIXEL_BYTES: u64 = 4 + 3;
/// Bytes for each pixel of a heatmap and an overlay: the picture, the heatmap as PNG, the overlay,
/// and its PNG compressed, stored and copied.
const MAP_PIXEL_BYTES: u64 = 3 + 3 + 4 + 3 * 4;

/// Colour profiles of PNGs are unpacked up to this many bytes, and copied.
const PROFILE_BYTES_MAX: u64 = 2 * 4 * MIB;
/// Texts of PNGs are unpacked up to this many bytes in all.
const TEXTS_BYTES_MAX: u64 = 16 * MIB;
/// Manifests are copied up to this many bytes.
const MANIFEST_BYTES_MAX: u64 = 8 * MIB;
/// The most that deflate makes of a byte.
const DEFLATE_RATIO: u64 = 1032;
/// Bytes that the TIFF decoder has for each value of a list.
const TIFF_VALUE_BYTES: u64 = 40;
/// Bytes of Huffman tables for each byte of a lossless WebP, and in all, as libwebp writes them.
const WEBP_TABLES_RATIO: u64 = 64;
const WEBP_TABLES_BYTES_MAX: u64 = 64 * MIB;

/// Declarations in a picture's header, once its decoder has read it.
#[derive(Debug, Clone, Copy)]
pub struct ImageHeader {
    pub format: RasterFormat,
    pub sides_px: (u32, u32),
    pub color: ColorType,
    /// Bytes of the decoded pixels.
    pub pixels_bytes: u64,
}

impl ImageHeader {
    fn pixels(&self) -> u64 {
        area(self.sides_px)
    }
}

/// Bytes that reading a file of `file_bytes` takes.
#[must_use]
pub fn of_reading(file_bytes: u64) -> u64 {
    file_bytes.saturating_add(OVERHEAD_BYTES)
}

/// Bytes that a file and copies of its metadata take.
#[must_use]
pub fn of_file(media: FileKind, bytes: &[u8]) -> u64 {
    let metadata = match media {
        FileKind::Picture(RasterFormat::Jpeg) => {
            let segments = structure::jpeg_header_segments(bytes);
            3 * segments.map(|it| it.body.len() as u64).sum::<u64>()
        }
        FileKind::Picture(RasterFormat::Png) => png_metadata(bytes),
        // of each frame, or of the only picture, the decoder copies the compressed data
        FileKind::Picture(RasterFormat::WebP) => {
            let chunks = structure::webp_chunks(bytes);
            let lengths = chunks.map(|chunk| match &chunk.kind {
                b"VP8 " | b"VP8L" | b"ANMF" | b"ALPH" => chunk.body.len() as u64,
                _ => 3 * chunk.body.len() as u64,
            });
            lengths.sum()
        }
        FileKind::Picture(RasterFormat::Tiff) => bytes.len() as u64 + tiff_values(bytes),
        FileKind::Picture(RasterFormat::Bmp | RasterFormat::Gif) | FileKind::Svg => {
            bytes.len() as u64
        }
        // a manifest is copied
        FileKind::Heif | FileKind::Avif | FileKind::Pdf => {
            (bytes.len() as u64).min(MANIFEST_BYTES_MAX)
        }
    };
    of_reading(bytes.len() as u64).saturating_add(metadata)
}

fn png_metadata(bytes: &[u8]) -> u64 {
    let mut copied = 0;
    let (mut profile, mut texts) = (0, 0);
    for chunk in structure::png_chunks(bytes) {
        let length = chunk.body.len() as u64;
        match &chunk.kind {
            b"IDAT" | b"fdAT" => continue,
            b"iCCP" => profile += 2 * DEFLATE_RATIO * length,
            b"zTXt" | b"iTXt" => texts += DEFLATE_RATIO * length,
            _ => {}
        }
        copied += 3 * length;
    }
    copied + profile.min(PROFILE_BYTES_MAX) + texts.min(TEXTS_BYTES_MAX)
}

/// Bytes for the lists of a TIFF's strips and tiles. The lists of one with offsets of 64 bits are
/// not read here: at most the whole file is such lists.
fn tiff_values(bytes: &[u8]) -> u64 {
    const LISTS: [u16; 4] = [0x111, 0x117, 0x144, 0x145];
    if ByteOrder::of(bytes).is_none() {
        return bytes.len() as u64 / 4 * TIFF_VALUE_BYTES;
    }
    let Some(directory) = Ifd::first(bytes) else {
        return 0;
    };
    let values: usize = LISTS.iter().map(|tag| directory.numbers(*tag).len()).sum();
    values as u64 * TIFF_VALUE_BYTES
}

/// Bytes that decoding takes besides the file: the pixels, and the decoder's own.
#[must_use]
pub fn of_decoding(head: &ImageHeader, bytes: &[u8]) -> u64 {
    let (pixels, pixels_bytes) = (head.pixels(), head.pixels_bytes);
    let own = match head.format {
        RasterFormat::Jpeg => jpeg_own(bytes),
        RasterFormat::Png | RasterFormat::Bmp => 0,
        // a frame of another size than the screen is decoded apart
        RasterFormat::Gif => structure::gif_frame_px(bytes)
            .filter(|frame| *frame != head.sides_px)
            .map_or(0, |frame| 4 * area(frame)),
        RasterFormat::WebP => webp_own(pixels, bytes),
        RasterFormat::Tiff => tiff_own(head, bytes),
    };
    pixels_bytes + own
}

/// Coefficients of all components, unless a row of blocks is decoded at a time.
fn jpeg_own(bytes: &[u8]) -> u64 {
    let Some(frame) = structure::jpeg_frame(bytes) else {
        return 0;
    };
    if !frame.is_progressive && frame.is_one_scan {
        return 0;
    }
    let (across, down) = frame.sampling_max();
    let units = |side: u16, sampling: u8| u64::from(side).div_ceil(8 * u64::from(sampling));
    let blocks = units(frame.width_px, across) * units(frame.height_px, down);
    let samples: u64 = frame
        .samplings
        .iter()
        .map(|(h, v)| u64::from(*h) * u64::from(*v))
        .sum();
    // the decoder takes more rows for luma alone where only they are subsampled
    let stretch = u64::from(down.div_ceil(across));
    blocks * 64 * samples * 2 * stretch
}

fn webp_own(pixels: u64, bytes: &[u8]) -> u64 {
    let chunk = |kind: &[u8; 4]| structure::webp_chunks(bytes).find(|chunk| chunk.kind == *kind);
    let tables = |bytes: usize| {
        let tables = WEBP_TABLES_RATIO * bytes as u64;
        tables.min(WEBP_TABLES_BYTES_MAX)
    };
    // pixels with alpha, transforms and the map of the tables
    let lossless = 4 * pixels + pixels + tables(bytes.len());
    // planes, padded to blocks
    let lossy = 2 * pixels;
    if chunk(b"ANMF").is_some() {
        // the canvas and the frame
        4 * pixels + 4 * pixels + lossless + lossy
    } else if chunk(b"VP8L").is_some() {
        lossless
    } else if let Some(alpha) = chunk(b"ALPH") {
        lossy + 6 * pixels + tables(alpha.body.len())
    } else {
        lossy
    }
}

fn tiff_own(head: &ImageHeader, bytes: &[u8]) -> u64 {
    const COMPRESSION: u16 = 259;
    const JPEG: u32 = 7;
    // of four colours three come out
    let buffer = head.pixels_bytes / 3 * 4;
    let compression = Ifd::first(bytes).and_then(|it| it.number(COMPRESSION));
    match compression {
        // a strip's file, its coefficients, its pixels: and one strip may be all
        Some(JPEG) | None => buffer + 4 * buffer + bytes.len() as u64,
        Some(_) => buffer,
    }
}

/// Bytes that writing the pixels in their format takes, themselves included.
#[must_use]
pub fn of_encoding(head: &ImageHeader) -> u64 {
    let (pixels, pixels_bytes) = (head.pixels(), head.pixels_bytes);
    let own = match head.format {
        // with alpha, and what becomes of them
        RasterFormat::WebP => 4 * pixels + pixels_bytes / 4 * 5,
        RasterFormat::Tiff => match head.color {
            ColorType::La16 => 8 * pixels,
            ColorType::La8 | ColorType::Rgb32F | ColorType::Rgba32F => 4 * pixels,
            _ => 0,
        },
        RasterFormat::Jpeg | RasterFormat::Png | RasterFormat::Bmp | RasterFormat::Gif => 0,
    };
    pixels_bytes + own + OVERHEAD_BYTES
}

/// Bytes that drawing what is wanted of decoded pixels takes, themselves included.
#[must_use]
pub fn of_drawing(head: &ImageHeader, wants: InspectOptions) -> u64 {
    let Some(reduced) = reduced_pixels(head.sides_px, wants) else {
        return 0;
    };
    let reduced_pixel_bytes = match head.color {
        ColorType::Rgb8 => REDUCED_RGB_PIXEL_BYTES,
        other => REDUCED_PIXEL_BYTES + u64::from(other.bytes_per_pixel()),
    };
    let reducing = head.pixels_bytes + reduced_pixel_bytes * reduced;
    reducing.max(of_maps(reduced, wants)) + OVERHEAD_BYTES
}

/// Bytes that drawing a card for a file takes.
#[must_use]
pub fn of_card(sides_px: (u32, u32), wants: InspectOptions) -> u64 {
    reduced_pixels(sides_px, wants).map_or(0, |pixels| {
        CARD_PIXEL_BYTES * pixels + of_maps(pixels, wants) + OVERHEAD_BYTES
    })
}

fn of_maps(pixels: u64, wants: InspectOptions) -> u64 {
    if wants.heatmap.is_some() || wants.overlay.is_some() {
        MAP_PIXEL_BYTES * pixels
    } else {
        0
    }
}

/// Pixels of the largest thing that is drawn.
fn reduced_pixels((width_px, height_px): (u32, u32), wants: InspectOptions) -> Option<u64> {
    let side_px_max = wants.side_px()?.min(heatmap::SIDE_PX_MAX);
    let longer_px = width_px.max(height_px).clamp(1, side_px_max);
    Some(area(fit_within(width_px, height_px, longer_px)))
}

fn area((width_px, height_px): (u32, u32)) -> u64 {
    u64::from(width_px) * u64::from(height_px)
}

#[cfg(test)]
mod tests;
