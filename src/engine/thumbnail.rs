//! Scaled-down pictures: thumbnails, previews, and the source of heatmaps.
//!
//! Guarantees: pictures are upright, not enlarged, and drawn on white where they are transparent.

use std::borrow::Cow;
use std::io;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, RgbImage, imageops};

use super::raster::{DecodedImage, fit_within};

/// Longer side of a thumbnail.
pub const THUMBNAIL_PX: u32 = 100;
/// Longer side of a preview.
pub const PREVIEW_PX: u32 = 512;
/// JPEG quality of thumbnails and previews.
pub const QUALITY: u8 = 82;

/// Returns the picture upright and without alpha, its longer side at most `side_px_max`.
#[must_use]
pub fn upright_scaled(picture: &DecodedImage, side_px_max: u32) -> RgbImage {
    let pixels = &picture.pixels;
    let is_large = pixels.width().max(pixels.height()) > side_px_max;
    let mut small = if is_large {
        flatten(&pixels.thumbnail(side_px_max, side_px_max))
    } else {
        flatten(pixels)
    };
    small.apply_orientation(picture.orientation);
    small.into_rgb8()
}

/// Returns the thumbnail of a picture, a JPEG.
///
/// # Errors
/// Returns errors of the encoder.
pub fn thumbnail(picture: &DecodedImage) -> io::Result<Vec<u8>> {
    let upright = upright_scaled(picture, THUMBNAIL_PX);
    jpeg(&upright, THUMBNAIL_PX, QUALITY)
}

/// Returns `source` as a JPEG of `quality`, 1 to 100, its longer side at most `side_px_max`.
///
/// # Errors
/// Returns errors of the encoder.
pub fn jpeg(source: &RgbImage, side_px_max: u32, quality: u8) -> io::Result<Vec<u8>> {
    let small = scale_down(source, side_px_max);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, quality)
        .write_image(
            small.as_raw(),
            small.width(),
            small.height(),
            image::ExtendedColorType::Rgb8,
        )
        .map_err(io::Error::other)?;
    Ok(bytes)
}

/// Returns `source`, scaled down if its longer side is longer than `side_px_max`.
fn scale_down(source: &RgbImage, side_px_max: u32) -> Cow<'_, RgbImage> {
    let (width, height) = source.dimensions();
    if width.max(height) <= side_px_max {
        return Cow::Borrowed(source);
    }
    let (small_width, small_height) = fit_within(width, height, side_px_max);
    Cow::Owned(imageops::thumbnail(source, small_width, small_height))
}

/// Returns the pixels without alpha, blended with white.
fn flatten(pixels: &DynamicImage) -> DynamicImage {
    if !pixels.color().has_alpha() {
        return pixels.to_rgb8().into();
    }
    let rgba = pixels.to_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (rgb_pixel, rgba_pixel) in rgb.pixels_mut().zip(rgba.pixels()) {
        let alpha = u16::from(rgba_pixel[3]);
        for channel in 0..3 {
            let mixed = (u16::from(rgba_pixel[channel]) * alpha + 255 * (255 - alpha) + 127) / 255;
            rgb_pixel[channel] = u8::try_from(mixed).unwrap_or(u8::MAX);
        }
    }
    rgb.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture;
    use image::metadata::Orientation;

    fn size_of(jpeg: &[u8]) -> (u32, u32) {
        let image = image::load_from_memory(jpeg).expect("a valid JPEG");
        (image.width(), image.height())
    }

    #[test]
    fn upright_scaled_fits_the_longer_side_and_applies_the_orientation() {
        let photo = upright_scaled(&fixture::picture("photo.jpg"), PREVIEW_PX);
        assert_eq!(photo.dimensions(), (512, 384));
        let small = jpeg(&photo, THUMBNAIL_PX, QUALITY).expect("a thumbnail");
        assert_eq!(size_of(&small), (100, 75));
        let rotated = fixture::picture("camera.jpg");
        assert_eq!(
            (rotated.pixels.width(), rotated.pixels.height()),
            (240, 320)
        );
        let upright = upright_scaled(&rotated, THUMBNAIL_PX);
        assert_eq!(upright.dimensions(), (100, 75));
    }

    #[test]
    fn upright_scaled_does_not_enlarge_and_sides_are_at_least_one_pixel() {
        let image = |width, height| DecodedImage {
            pixels: DynamicImage::new_rgb8(width, height),
            sides_px: (width, height),
            orientation: Orientation::NoTransforms,
            exif: None,
            icc: None,
        };
        assert_eq!(upright_scaled(&image(40, 30), 100).dimensions(), (40, 30));
        assert_eq!(upright_scaled(&image(1, 5000), 100).dimensions(), (1, 100));
        let sliver =
            jpeg(&upright_scaled(&image(5000, 1), 5000), 100, QUALITY).expect("a thumbnail");
        assert_eq!(size_of(&sliver), (100, 1));
    }

    #[test]
    fn flatten_blends_transparent_pixels_with_white() {
        let mut pixels = image::RgbaImage::new(2, 1);
        pixels.put_pixel(1, 0, image::Rgba([10, 20, 30, 255]));
        let flat = flatten(&pixels.into()).into_rgb8();
        assert_eq!(flat.as_raw(), &[255, 255, 255, 10, 20, 30]);
    }
}
