//! Small pictures: thumbnails, previews, and what heatmaps are drawn from.
//!
//! Promises: turned as they are to be looked at, never larger than the original, and what is
//! transparent stands on white.

use std::io;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, ImageEncoder, RgbImage};

use super::decode::Picture;

/// The longer side of a thumbnail.
pub const THUMBNAIL_PX: u32 = 100;
/// The longer side of a preview.
pub const PREVIEW_PX: u32 = 512;
/// The JPEG quality of both.
const QUALITY: u8 = 82;

/// The picture upright, its longer side at most `side_px_max`.
#[must_use]
pub fn reduced(picture: &Picture, side_px_max: u32) -> RgbImage {
    let pixels = &picture.pixels;
    let is_large = pixels.width().max(pixels.height()) > side_px_max;
    let mut small: DynamicImage = match pixels {
        DynamicImage::ImageRgb8(rgb) if is_large => shrunk(rgb, side_px_max).into(),
        other if is_large => flattened(&other.thumbnail(side_px_max, side_px_max)),
        other => flattened(other),
    };
    small.apply_orientation(picture.orientation);
    small.into_rgb8()
}

/// `source` as a JPEG, its longer side at most `side_px_max`.
///
/// # Errors
/// When the encoder refuses it.
pub fn jpeg(source: &RgbImage, side_px_max: u32) -> io::Result<Vec<u8>> {
    let shrunk =
        (source.width().max(source.height()) > side_px_max).then(|| shrunk(source, side_px_max));
    let small = shrunk.as_ref().unwrap_or(source);
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .write_image(
            small.as_raw(),
            small.width(),
            small.height(),
            image::ExtendedColorType::Rgb8,
        )
        .map_err(io::Error::other)?;
    Ok(bytes)
}

fn shrunk(source: &RgbImage, side_px_max: u32) -> RgbImage {
    let (width, height) = fitted(source.width(), source.height(), side_px_max);
    resized(source, width, height)
}

/// `source` in another size, each pixel the mean of the area it stands for.
///
/// The same as the image crate's `thumbnail`, in a fifth of its time.
#[must_use]
pub fn resized(source: &RgbImage, width: u32, height: u32) -> RgbImage {
    const CHANNELS: usize = 3;
    let stride = source.width() as usize * CHANNELS;
    let columns = areas(source.width(), width);
    let mut line = vec![0_u32; stride];
    let mut bytes = Vec::with_capacity(width as usize * height as usize * CHANNELS);
    for area in areas(source.height(), height) {
        line.fill(0);
        for (y, share) in area.shares() {
            let row = &source.as_raw()[y * stride..][..stride];
            for (sum, &sample) in line.iter_mut().zip(row) {
                *sum += share * u32::from(sample);
            }
        }
        for column in &columns {
            let mut sums = [0_u64; CHANNELS];
            for (x, share) in column.shares() {
                for (sum, &above) in sums.iter_mut().zip(&line[x * CHANNELS..]) {
                    *sum += u64::from(share) * u64::from(above);
                }
            }
            let whole = u64::from(area.size()) * u64::from(column.size());
            bytes
                .extend(sums.map(|sum| u8::try_from((sum + whole / 2) / whole).unwrap_or(u8::MAX)));
        }
    }
    RgbImage::from_raw(width, height, bytes).unwrap_or_default()
}

/// A stretch of source pixels, in units of which each has [`Area::PIXEL`].
struct Area {
    start: u32,
    end: u32,
}

impl Area {
    const PIXEL: u32 = 256;

    fn size(&self) -> u32 {
        self.end - self.start
    }

    /// The pixels it lies on, and how much of it each has.
    fn shares(&self) -> impl Iterator<Item = (usize, u32)> + '_ {
        (self.start / Self::PIXEL..self.end.div_ceil(Self::PIXEL)).map(|pixel| {
            let from = self.start.max(pixel * Self::PIXEL);
            let to = self.end.min((pixel + 1) * Self::PIXEL);
            (pixel as usize, to - from)
        })
    }
}

/// What each of `to` pixels stands for when a side of `from` is drawn in `to`.
fn areas(from: u32, to: u32) -> Vec<Area> {
    let at = |pixel: u32| {
        let units = u64::from(pixel) * u64::from(from) * u64::from(Area::PIXEL) / u64::from(to);
        u32::try_from(units).unwrap_or(u32::MAX)
    };
    (0..to)
        .map(|pixel| Area {
            start: at(pixel),
            end: at(pixel + 1).max(at(pixel) + 1),
        })
        .collect()
}

/// The size whose longer side is `side_px_max`, no side under one pixel.
#[must_use]
pub fn fitted(width: u32, height: u32, side_px_max: u32) -> (u32, u32) {
    let longer = u64::from(width.max(height).max(1));
    let scaled = |side: u32| {
        let side = (u64::from(side) * u64::from(side_px_max) + longer / 2) / longer;
        u32::try_from(side).unwrap_or(side_px_max).max(1)
    };
    (scaled(width), scaled(height))
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
        let photo = reduced(&fixture::picture("photo.jpg"), PREVIEW_PX);
        assert_eq!(photo.dimensions(), (512, 384));
        let thumbnail = jpeg(&photo, THUMBNAIL_PX).expect("a thumbnail");
        assert_eq!(size_of(&thumbnail), (100, 75));
        let lying = fixture::picture("camera.jpg");
        assert_eq!((lying.pixels.width(), lying.pixels.height()), (240, 320));
        let turned = reduced(&lying, THUMBNAIL_PX);
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
        assert_eq!(reduced(&of(40, 30), 100).dimensions(), (40, 30));
        assert_eq!(reduced(&of(1, 5000), 100).dimensions(), (1, 100));
        let sliver = jpeg(&reduced(&of(5000, 1), 5000), 100).expect("a thumbnail");
        assert_eq!(size_of(&sliver), (100, 1));
    }

    #[test]
    fn a_resized_picture_is_the_mean_of_its_areas() {
        let source = RgbImage::from_fn(6, 2, |x, y| {
            let grey = u8::try_from(x * 10 + y * 100).expect("a grey");
            image::Rgb([grey, 0, 255])
        });
        let half = resized(&source, 3, 1);
        assert_eq!(half.as_raw(), &[55, 0, 255, 75, 0, 255, 95, 0, 255]);
        let odd = resized(&source, 4, 2);
        assert_eq!(odd.get_pixel(0, 0).0, [3, 0, 255]);
        assert_eq!(resized(&source, 6, 2), source);
        let larger = resized(&source, 60, 20);
        assert_eq!(larger.get_pixel(59, 19).0, [150, 0, 255]);
    }

    #[test]
    fn what_is_transparent_stands_on_white() {
        let mut pixels = image::RgbaImage::new(2, 1);
        pixels.put_pixel(1, 0, image::Rgba([10, 20, 30, 255]));
        let flat = flattened(&pixels.into()).into_rgb8();
        assert_eq!(flat.as_raw(), &[255, 255, 255, 10, 20, 30]);
    }
}
