//! JPEG headers and pixels, decoded within the leased memory.

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, GrayImage, RgbImage};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

use super::{DecodeMode, DecodedImage, check_size, corrupt, ensure_complete};
use crate::engine::memory_need::ImageHeader;
use crate::model::picture::{FileDefect, RasterFormat};

type Decoder<'b> = JpegDecoder<ZCursor<&'b [u8]>>;

/// Returns a decoder that has read the headers, with the width and height, of a complete JPEG
/// within the size limits.
pub(super) fn open_jpeg(bytes: &[u8]) -> Result<(Decoder<'_>, (u32, u32)), FileDefect> {
    let sides_max = usize::from(u16::MAX);
    let options = DecoderOptions::default()
        .set_strict_mode(false)
        .set_max_width(sides_max)
        .set_max_height(sides_max);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    decoder
        .decode_headers()
        .map_err(|error| corrupt(RasterFormat::Jpeg, &error))?;
    let (width, height) = decoder.dimensions().unwrap_or_default();
    let width_px = u32::try_from(width).unwrap_or(u32::MAX);
    let height_px = u32::try_from(height).unwrap_or(u32::MAX);
    let pixels_bytes = decoder.output_buffer_size().unwrap_or(usize::MAX);
    check_size(width_px, height_px, pixels_bytes as u64)?;
    ensure_complete(RasterFormat::Jpeg, bytes)?;
    Ok((decoder, (width_px, height_px)))
}

/// Decodes a JPEG. Headers are read leniently, because stray bytes between segments are common.
/// Scans are read strictly: a truncated one is an error.
pub(super) fn decode(
    bytes: &[u8],
    mode: DecodeMode,
    lease: impl FnOnce(&ImageHeader) -> Result<(), FileDefect>,
) -> Result<DecodedImage, FileDefect> {
    let defect = |error| corrupt(RasterFormat::Jpeg, &error);
    let (mut decoder, (width_px, height_px)) = open_jpeg(bytes)?;
    let is_grey = match decoder.input_colorspace() {
        Some(ColorSpace::Luma) => true,
        Some(ColorSpace::YCbCr) => mode == DecodeMode::LumaOnly,
        _ => false,
    };
    let space = if is_grey {
        ColorSpace::Luma
    } else {
        ColorSpace::RGB
    };
    let options = decoder.options().set_strict_mode(true);
    decoder.set_options(options.jpeg_set_out_colorspace(space));
    let pixels_bytes = decoder.output_buffer_size().unwrap_or_default();
    lease(&ImageHeader {
        format: RasterFormat::Jpeg,
        sides_px: (width_px, height_px),
        color: if is_grey {
            ColorType::L8
        } else {
            ColorType::Rgb8
        },
        pixels_bytes: pixels_bytes as u64,
    })?;
    let mut raw = vec![0; pixels_bytes];
    decoder.decode_into(&mut raw).map_err(defect)?;
    let pixels = if is_grey {
        GrayImage::from_raw(width_px, height_px, raw).map(DynamicImage::from)
    } else {
        RgbImage::from_raw(width_px, height_px, raw).map(DynamicImage::from)
    };
    let exif = decoder.exif().cloned();
    Ok(DecodedImage {
        pixels: pixels.ok_or_else(|| corrupt(RasterFormat::Jpeg, &"wrong number of pixels"))?,
        sides_px: (width_px, height_px),
        orientation: exif
            .as_deref()
            .and_then(Orientation::from_exif_chunk)
            .unwrap_or(Orientation::NoTransforms),
        exif,
        icc: decoder.icc_profile(),
    })
}
