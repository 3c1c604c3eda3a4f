//! Decoded pictures, and the sizes they are drawn in.

use image::DynamicImage;
use image::metadata::Orientation;

/// A decoded picture, as it is stored in its file.
#[derive(Debug)]
pub struct Picture {
    /// Pixels that are not turned yet.
    pub pixels: DynamicImage,
    /// Width and height that the file declares. They differ from the pixels' in drawings alone.
    pub sides_px: (u32, u32),
    /// Turn that makes the picture upright.
    pub orientation: Orientation,
    /// EXIF block, from its TIFF header on.
    pub exif: Option<Vec<u8>>,
    /// Colour profile.
    pub icc: Option<Vec<u8>>,
}

/// Returns a width and height of the same ratio whose longer side is `side_px_max`. No side is under one
/// pixel.
#[must_use]
pub fn fit_within(width: u32, height: u32, side_px_max: u32) -> (u32, u32) {
    let longer = u64::from(width.max(height).max(1));
    let scaled = |side: u32| {
        let side = (u64::from(side) * u64::from(side_px_max) + longer / 2) / longer;
        u32::try_from(side).unwrap_or(side_px_max).max(1)
    };
    (scaled(width), scaled(height))
}
