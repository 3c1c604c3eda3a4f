//! Peak memory of work on a file, computed from the file's header.
//!
//! The factors count what decoders and encoders allocate at the same time. Source: their code, and
//! measurements in `tests/limits/`.

use image::ColorType;

use super::ifd::{ByteOrder, Ifd};
use super::raster::fit_within;
use super::structure;
use super::{InspectOptions, heatmap};
use crate::model::picture::{FileKind, RasterFormat};

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;
/// Buffers that do not grow with the picture: rows, decoder tables, output files.
pub const OVERHEAD_BYTES: u64 = 2 * MIB;
/// Memory for a sample. Samples of all formats have a fixed size.
pub const SAMPLE_BYTES: u64 = 8 * MIB;
/// Memory for a report, besides its image data: the font subset, and the PDF with copies of the
/// images.
pub const REPORT_BYTES: u64 = 8 * MIB;
/// Memory for writing a ZIP: entries are copied through a small buffer.
pub const ARCHIVE_BYTES: u64 = 2 * MIB;

/// Bytes per pixel of a scaled-down picture: RGBA, RGB, and a rotated copy. The scaled copy in the
/// picture's own pixel format is added.
const REDUCED_PIXEL_BYTES: u64 = 4 + 3 + 3;
/// Bytes per pixel of a scaled-down picture that is RGB already.
const REDUCED_RGB_PIXEL_BYTES: u64 = 3 + 3;
/// Bytes per pixel of a placeholder card: RGBA and RGB.
const CARD_PIXEL_BYTES: u64 = 4 + 3;
/// Bytes per pixel of a heatmap and an overlay: the picture, the heatmap, the overlay, and its PNG
/// compressed, stored and copied.
const MAP_PIXEL_BYTES: u64 = 3 + 3 + 4 + 3 * 4;

/// ICC profiles of PNGs are decompressed up to 4 MiB, and copied.
const PROFILE_BYTES_MAX: u64 = 2 * 4 * MIB;
/// Text chunks of PNGs are decompressed up to this many bytes in total.
const TEXTS_BYTES_MAX: u64 = 16 * MIB;
/// C2PA manifests are copied up to this many bytes.
const MANIFEST_BYTES_MAX: u64 = 8 * MIB;
/// Maximum expansion of deflate.
const DEFLATE_RATIO: u64 = 1032;
/// Bytes that the TIFF decoder allocates per value of a list.
const TIFF_VALUE_BYTES: u64 = 40;
/// Bytes of Huffman tables per byte of a lossless WebP, and in total. Source: libwebp.
const WEBP_TABLES_RATIO: u64 = 64;
const WEBP_TABLES_BYTES_MAX: u64 = 64 * MIB;

/// Header of a picture, as read by its decoder.
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

/// Memory for reading a file of `file_bytes`.
#[must_use]
pub fn for_reading(file_bytes: u64) -> u64 {
    file_bytes.saturating_add(OVERHEAD_BYTES)
}

/// Memory for the file `bytes` and the copies of its metadata.
#[must_use]
pub fn for_file(kind: FileKind, bytes: &[u8]) -> u64 {
    let metadata = match kind {
        FileKind::Picture(RasterFormat::Jpeg) => {
            let segments = structure::jpeg_header_segments(bytes);
            3 * segments.map(|it| it.body.len() as u64).sum::<u64>()
        }
        FileKind::Picture(RasterFormat::Png) => png_metadata(bytes),
        // The decoder copies the compressed data of each frame.
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
        // C2PA manifests are copied.
        FileKind::Heif | FileKind::Avif | FileKind::Pdf => {
            (bytes.len() as u64).min(MANIFEST_BYTES_MAX)
        }
    };
    for_reading(bytes.len() as u64).saturating_add(metadata)
}

fn png_metadata(bytes: &[u8]) -> u64 {
    let mut copied = 0;
    let mut profile = 0;
    let mut texts = 0;
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

/// Memory for the lists of a TIFF's strips and tiles. `BigTIFF` is not parsed here: the bound
/// assumes a file full of lists.
fn tiff_values(bytes: &[u8]) -> u64 {
    const LISTS: [u16; 4] = [0x111, 0x117, 0x144, 0x145];
    if ByteOrder::from_header(bytes).is_none() {
        return bytes.len() as u64 / 4 * TIFF_VALUE_BYTES;
    }
    let Some(directory) = Ifd::first(bytes) else {
        return 0;
    };
    let values: usize = LISTS.iter().map(|tag| directory.numbers(*tag).len()).sum();
    values as u64 * TIFF_VALUE_BYTES
}

/// Memory for the decoded pixels and the decoder, without the file.
#[must_use]
pub fn for_decoding(head: &ImageHeader, bytes: &[u8]) -> u64 {
    let (pixels, pixels_bytes) = (head.pixels(), head.pixels_bytes);
    let decoder_bytes = match head.format {
        RasterFormat::Jpeg => jpeg_decoder_bytes(bytes),
        RasterFormat::Png | RasterFormat::Bmp => 0,
        // A frame whose size differs from the screen's is decoded into a buffer of its own.
        RasterFormat::Gif => structure::gif_frame_px(bytes)
            .filter(|frame| *frame != head.sides_px)
            .map_or(0, |frame| 4 * area(frame)),
        RasterFormat::WebP => webp_decoder_bytes(pixels, bytes),
        RasterFormat::Tiff => tiff_decoder_bytes(head, bytes),
    };
    pixels_bytes + decoder_bytes
}

/// Memory for the coefficients of all components. 0 if the decoder works MCU row by MCU row.
fn jpeg_decoder_bytes(bytes: &[u8]) -> u64 {
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
    // For luma alone, the decoder allocates more rows if only the vertical axis is subsampled.
    let stretch = u64::from(down.div_ceil(across));
    blocks * 64 * samples * 2 * stretch
}

fn webp_decoder_bytes(pixels: u64, bytes: &[u8]) -> u64 {
    let chunk = |kind: &[u8; 4]| structure::webp_chunks(bytes).find(|chunk| chunk.kind == *kind);
    let tables = |bytes: usize| {
        let tables = WEBP_TABLES_RATIO * bytes as u64;
        tables.min(WEBP_TABLES_BYTES_MAX)
    };
    // RGBA pixels, transforms, and the map of the Huffman tables.
    let lossless = 4 * pixels + pixels + tables(bytes.len());
    // Y, U and V planes, padded to blocks.
    let lossy = 2 * pixels;
    if chunk(b"ANMF").is_some() {
        // The canvas and the frame.
        4 * pixels + 4 * pixels + lossless + lossy
    } else if chunk(b"VP8L").is_some() {
        lossless
    } else if let Some(alpha) = chunk(b"ALPH") {
        lossy + 6 * pixels + tables(alpha.body.len())
    } else {
        lossy
    }
}

fn tiff_decoder_bytes(head: &ImageHeader, bytes: &[u8]) -> u64 {
    const COMPRESSION: u16 = 259;
    const JPEG: u32 = 7;
    // CMYK is decoded to RGB: 4 samples in, 3 out.
    let buffer = head.pixels_bytes / 3 * 4;
    let compression = Ifd::first(bytes).and_then(|it| it.number(COMPRESSION));
    match compression {
        // JPEG in TIFF: a strip's file, its coefficients and its pixels. One strip may be
        // everything.
        Some(JPEG) | None => buffer + 4 * buffer + bytes.len() as u64,
        Some(_) => buffer,
    }
}

/// Memory for encoding the pixels in their format, including the pixels.
#[must_use]
pub fn for_encoding(head: &ImageHeader) -> u64 {
    let (pixels, pixels_bytes) = (head.pixels(), head.pixels_bytes);
    let encoder_bytes = match head.format {
        // An RGBA copy, and the output of the encoder.
        RasterFormat::WebP => 4 * pixels + pixels_bytes / 4 * 5,
        RasterFormat::Tiff => match head.color {
            ColorType::La16 => 8 * pixels,
            ColorType::La8 | ColorType::Rgb32F | ColorType::Rgba32F => 4 * pixels,
            _ => 0,
        },
        RasterFormat::Jpeg | RasterFormat::Png | RasterFormat::Bmp | RasterFormat::Gif => 0,
    };
    pixels_bytes + encoder_bytes + OVERHEAD_BYTES
}

/// Memory for rendering the images of `options` from decoded pixels, including the pixels.
#[must_use]
pub fn for_drawing(head: &ImageHeader, options: InspectOptions) -> u64 {
    let Some(reduced) = reduced_pixels(head.sides_px, options) else {
        return 0;
    };
    let reduced_pixel_bytes = match head.color {
        ColorType::Rgb8 => REDUCED_RGB_PIXEL_BYTES,
        other => REDUCED_PIXEL_BYTES + u64::from(other.bytes_per_pixel()),
    };
    let reducing = head.pixels_bytes + reduced_pixel_bytes * reduced;
    reducing.max(for_heatmaps(reduced, options)) + OVERHEAD_BYTES
}

/// Memory for rendering a placeholder card of `sides_px`.
#[must_use]
pub fn for_placeholder(sides_px: (u32, u32), options: InspectOptions) -> u64 {
    reduced_pixels(sides_px, options).map_or(0, |pixels| {
        CARD_PIXEL_BYTES * pixels + for_heatmaps(pixels, options) + OVERHEAD_BYTES
    })
}

fn for_heatmaps(pixels: u64, options: InspectOptions) -> u64 {
    if options.heatmap.is_some() || options.overlay.is_some() {
        MAP_PIXEL_BYTES * pixels
    } else {
        0
    }
}

/// Number of pixels of the largest image that `options` ask for. `None` if they ask for none.
fn reduced_pixels((width_px, height_px): (u32, u32), options: InspectOptions) -> Option<u64> {
    let side_px_max = options.side_px()?.min(heatmap::SIDE_PX_MAX);
    let longer_px = width_px.max(height_px).clamp(1, side_px_max);
    Some(area(fit_within(width_px, height_px, longer_px)))
}

fn area((width_px, height_px): (u32, u32)) -> u64 {
    u64::from(width_px) * u64::from(height_px)
}

#[cfg(test)]
mod tests;
