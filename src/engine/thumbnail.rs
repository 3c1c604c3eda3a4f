//! Small pictures: thumbnails, previews, and what heatmaps are drawn from.
//!
//! Promises: turned as they are to be looked at, never larger than the original, and what is
//! transparent stands on white.

use std::borrow::Cow;
use std::io;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, RgbImage, imageops};

use super::raster::{Picture, fit_within};

/// The longer side of a thumbnail.
pub const THUMBNAIL_PX: u32 = 100;
/// The longer side of a preview.
pub const PREVIEW_PX: u32 = 512;
/// The JPEG quality of both.
const QUALITY: u8 = 82;

/// The picture upright, its longer side at most `side_px_max`.
#[must_use]
pub fn upright_scaled(picture: &Picture, side_px_max: u32) -> RgbImage {
    let pixels = &picture.pixels;
    let is_large = pixels.width().max(pixels.height()) > side_px_max;
    let mut small = if is_large {
        flattened(&pixels.thumbnail(side_px_max, side_px_max))
    } else {
        flattened(pixels)
    };
    small.apply_orientation(picture.orientation);
    small.into_rgb8()
}

/// Returns `source` as a JPEG, its longer side at most `side_px_max`.
///
/// # Errors
/// Returns errors of the encoder.
pub fn jpeg(source: &RgbImage, side_px_max: u32) -> io::Result<Vec<u8>> {
    jpeg_of_quality(source, side_px_max, QUALITY)
}

/// Returns `source` as a JPEG of `quality`, 1 to 100, its longer side at most `side_px_max`.
///
/// # Errors
/// Returns errors of the encoder.
pub fn jpeg_of_quality(source: &RgbImage, side_px_max: u32, quality: u8) -> io::Result<Vec<u8>> {
    let small = shrunk(source, side_px_max);
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

/// Returns `source` reduced, if its longer side is longer than `side_px_max`.
fn shrunk(source: &RgbImage, side_px_max: u32) -> Cow<'_, RgbImage> {
    let (width, height) = source.dimensions();
    if width.max(height) <= side_px_max {
        return Cow::Borrowed(source);
    }
    let (width, height) = fit_within(width, height, side_px_max);
    Cow::Owned(imageops::thumbnail(source, width, height))
}

/// The same without alpha, on white.
fn flattened(pixels: &DynamicImage) -> DynamicImage {
    if !pixels.color().has_alpha() {
        return pixels.to_rgb8().into();
    }
    let rgba = pixels.to_rgba8();
    let mut rgb = RgbImage::new(rgba.width(), rgba.height());
    for (to, from) in rgb.pixels_mut().zip(rgba.pixels()) {
        let alpha = u16::from(from[3]);
        for channel in 0..3 {
            let mixed = (u16::from(from[channel]) * alpha + 255 * (255 - alpha) + 127) / 255;
            to[channel] = u8::try_from(mixed).unwrap_or(u8::MAX);
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
        let image = image::load_from_memory(jpeg).expect("a JPEG of ours");
        (image.width(), image.height())
    }

    #[test]
    fn the_longer_side_fits_and_the_picture_stands_upright() {
        let photo = upright_scaled(&fixture::picture("photo.jpg"), PREVIEW_PX);
        assert_eq!(photo.dimensions(), (512, 384));
        let thumbnail = jpeg(&photo, THUMBNAIL_PX).expect("a thumbnail");
        assert_eq!(size_of(&thumbnail), (100, 75));
        let lying = fixture::picture("camera.jpg");
        assert_eq!((lying.pixels.width(), lying.pixels.height()), (240, 320));
        let turned = upright_scaled(&lying, THUMBNAIL_PX);
        assert_eq!(turned.dimensions(), (100, 75));
    }

    #[test]
    fn nothing_is_enlarged_and_slivers_keep_a_pixel() {
        let of = |width, height| Picture {
            pixels: DynamicImage::new_rgb8(width, height),
            sides_px: (width, height),
            orientation: Orientation::NoTransforms,
            exif: None,
            icc: None,
        };
        assert_eq!(upright_scaled(&of(40, 30), 100).dimensions(), (40, 30));
        assert_eq!(upright_scaled(&of(1, 5000), 100).dimensions(), (1, 100));
        let sliver = jpeg(&upright_scaled(&of(5000, 1), 5000), 100).expect("a thumbnail");
        assert_eq!(size_of(&sliver), (100, 1));
    }

    #[test]
    fn what_is_transparent_stands_on_white() {
        let mut pixels = image::RgbaImage::new(2, 1);
        pixels.put_pixel(1, 0, image::Rgba([10, 20, 30, 255]));
        let flat = flattened(&pixels.into()).into_rgb8();
        assert_eq!(flat.as_raw(), &[255, 255, 255, 10, 20, 30]);
    }
}
