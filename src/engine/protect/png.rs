//! PNG encoding row by row: neither a copy of the pixels nor the whole compressed image is in
//! memory.

use std::io::{self, Write};

use image::{ColorType, DynamicImage};
use png::{BitDepth, Compression, Encoder, EncodingError, Filter, Info};

/// Maximum length of an IDAT chunk.
const CHUNK_BYTES: usize = 64 * 1024;

/// Writes the pixels with their EXIF block and ICC profile.
///
/// # Errors
/// Returns the error of `out`, or `InvalidInput` for floating-point pixels, which PNG does not
/// have.
pub(super) fn write(
    pixels: &DynamicImage,
    exif: Option<Vec<u8>>,
    icc: Option<Vec<u8>>,
    out: impl Write,
) -> io::Result<()> {
    let (color, depth) = kind(pixels.color())?;
    let mut info = Info::with_size(pixels.width(), pixels.height());
    info.exif_metadata = exif.map(Into::into);
    info.icc_profile = icc.map(Into::into);
    let mut encoder = Encoder::with_info(out, info).map_err(io_error)?;
    encoder.set_color(color);
    encoder.set_depth(depth);
    encoder.set_compression(Compression::Fast);
    encoder.set_filter(Filter::Adaptive);
    let mut file = encoder.write_header().map_err(io_error)?;
    let mut writer = file
        .stream_writer_with_size(CHUNK_BYTES)
        .map_err(io_error)?;
    let row_bytes = pixels.width() as usize * usize::from(pixels.color().bytes_per_pixel());
    let mut big_endian = Vec::with_capacity(row_bytes);
    for row in pixels.as_bytes().chunks_exact(row_bytes.max(1)) {
        if depth == BitDepth::Sixteen {
            big_endian.clear();
            let words = row
                .chunks_exact(2)
                .map(|it| u16::from_ne_bytes([it[0], it[1]]));
            big_endian.extend(words.flat_map(u16::to_be_bytes));
            writer.write_all(&big_endian)?;
        } else {
            writer.write_all(row)?;
        }
    }
    writer.finish().map_err(io_error)?;
    file.finish().map_err(io_error)
}

fn kind(color: ColorType) -> io::Result<(png::ColorType, BitDepth)> {
    use png::ColorType::{Grayscale, GrayscaleAlpha, Rgb, Rgba};
    Ok(match color {
        ColorType::L8 => (Grayscale, BitDepth::Eight),
        ColorType::La8 => (GrayscaleAlpha, BitDepth::Eight),
        ColorType::Rgb8 => (Rgb, BitDepth::Eight),
        ColorType::Rgba8 => (Rgba, BitDepth::Eight),
        ColorType::L16 => (Grayscale, BitDepth::Sixteen),
        ColorType::La16 => (GrayscaleAlpha, BitDepth::Sixteen),
        ColorType::Rgb16 => (Rgb, BitDepth::Sixteen),
        ColorType::Rgba16 => (Rgba, BitDepth::Sixteen),
        other => {
            let text = format!("PNG does not support {other:?} pixels");
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
    })
}

fn io_error(error: EncodingError) -> io::Error {
    match error {
        EncodingError::IoError(error) => error,
        other => io::Error::other(other),
    }
}
