//! Decoded pictures, and scaled sizes.

use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use resvg::tiny_skia::Pixmap;

/// A decoded picture.
#[derive(Debug)]
pub struct DecodedImage {
    /// Pixels as stored, before `orientation` is applied.
    pub pixels: DynamicImage,
    /// Width and height that the file declares. Different from the size of `pixels` only for SVG.
    pub sides_px: (u32, u32),
    /// Transformation that makes the picture upright.
    pub orientation: Orientation,
    /// EXIF block, starting at its TIFF header.
    pub exif: Option<Vec<u8>>,
    /// ICC profile.
    pub icc: Option<Vec<u8>>,
}

/// Returns a width and height of the same aspect ratio whose longer side is `side_px_max`. Each
/// side is at least 1.
#[must_use]
pub fn fit_within(width: u32, height: u32, side_px_max: u32) -> (u32, u32) {
    let longer = u64::from(width.max(height).max(1));
    let scaled = |side: u32| {
        let side = (u64::from(side) * u64::from(side_px_max) + longer / 2) / longer;
        u32::try_from(side).unwrap_or(side_px_max).max(1)
    };
    (scaled(width), scaled(height))
}

/// Returns the pixels of an opaque pixmap.
#[must_use]
pub fn rgb_image(pixmap: &Pixmap) -> RgbImage {
    let pixels = pixmap.data().chunks_exact(4);
    let rgb = pixels.flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]);
    RgbImage::from_raw(pixmap.width(), pixmap.height(), rgb.collect()).unwrap_or_default()
}
