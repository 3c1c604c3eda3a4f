//! Measures of a picture: size, sharpness and brightness.
//!
//! Guarantees: pixels are measured as stored, not turned upright, in full size. Sums are integers,
//! so that the results are the same on every machine.

use image::DynamicImage;

use crate::model::picture::{ImageMetrics, Luma};

/// Measures `pixels`, which were decoded from a file of `body_bytes`.
#[must_use]
pub fn measure(pixels: &DynamicImage, body_bytes: u64) -> ImageMetrics {
    let (width, height) = (pixels.width() as usize, pixels.height() as usize);
    let mut window = [vec![0_i16; width], vec![0; width], vec![0; width]];
    let mut luma_sum = 0_u64;
    let mut laplacian = Moments::default();
    for y in 0..height {
        window.rotate_left(1);
        luma_row(pixels, y, &mut window[2]);
        luma_sum += window[2]
            .iter()
            .map(|&luma| u64::from(luma.unsigned_abs()))
            .sum::<u64>();
        if y >= 2 {
            laplacian.add_row(&window);
        }
    }
    ImageMetrics {
        width_px: pixels.width(),
        height_px: pixels.height(),
        body_bytes,
        luma: Some(Luma {
            sharpness: laplacian.variance(),
            brightness: ratio(luma_sum, (width * height) as u64),
        }),
    }
}

/// Returns the measures of a file of `body_bytes` whose pixels are not decoded.
#[must_use]
pub fn size_only((width_px, height_px): (u32, u32), body_bytes: u64) -> ImageMetrics {
    ImageMetrics {
        width_px,
        height_px,
        body_bytes,
        luma: None,
    }
}

/// Writes the luma (BT.601) of row `y`, as wide as `out`. Pixel formats other than L8 and RGB8 are
/// converted row by row, because a converted copy of 64 megapixels is large.
fn luma_row(pixels: &DynamicImage, y: usize, out: &mut [i16]) {
    let width = out.len();
    let luma_of_rgb = |rgb: &[u8], out: &mut [i16]| {
        for (out, pixel) in out.iter_mut().zip(rgb.chunks_exact(3)) {
            *out = luma_of_pixel(pixel[0], pixel[1], pixel[2]);
        }
    };
    match pixels {
        DynamicImage::ImageLuma8(grey) => {
            for (out, luma) in out.iter_mut().zip(&grey.as_raw()[y * width..]) {
                *out = i16::from(*luma);
            }
        }
        DynamicImage::ImageRgb8(rgb) => luma_of_rgb(&rgb.as_raw()[3 * y * width..], out),
        other => {
            let y = u32::try_from(y).unwrap_or(u32::MAX);
            let row = other.crop_imm(0, y, other.width(), 1).into_rgb8();
            luma_of_rgb(row.as_raw(), out);
        }
    }
}

/// Returns the luma of a pixel, 0 to 255.
fn luma_of_pixel(red: u8, green: u8, blue: u8) -> i16 {
    let sum = 77 * u16::from(red) + 150 * u16::from(green) + 29 * u16::from(blue);
    i16::from((sum >> 8).to_le_bytes()[0])
}

/// Number of squared Laplacians, each at most 1020², whose sum fits 32 bits.
const SQUARES_MAX: usize = 4096;

/// Sums from which a variance is computed.
#[derive(Default)]
struct Moments {
    count: u64,
    sum: i64,
    squares: u64,
}

impl Moments {
    /// Adds the Laplacian of the middle one of three rows.
    fn add_row(&mut self, [above, middle, below]: &[Vec<i16>; 3]) {
        let Some(inner) = middle.len().checked_sub(2).filter(|&inner| inner > 0) else {
            return;
        };
        let above = &above[1..=inner];
        let below = &below[1..=inner];
        let (left, centre, right) = (&middle[..inner], &middle[1..=inner], &middle[2..]);
        let mut sum = 0_i32;
        // Summing up to SQUARES_MAX squares in 32 bits lets the compiler vectorise the loop.
        for start in (0..inner).step_by(SQUARES_MAX) {
            let mut squares = 0_u32;
            for x in start..inner.min(start + SQUARES_MAX) {
                let value = i32::from(4 * centre[x] - left[x] - right[x] - above[x] - below[x]);
                sum += value;
                squares += (value * value).unsigned_abs();
            }
            self.squares += u64::from(squares);
        }
        self.count += inner as u64;
        self.sum += i64::from(sum);
    }

    fn variance(&self) -> f64 {
        let mean = signed_ratio(self.sum, self.count);
        (ratio(self.squares, self.count) - mean * mean).max(0.0)
    }
}

fn ratio(sum: u64, count: u64) -> f64 {
    signed_ratio(i64::try_from(sum).unwrap_or(i64::MAX), count)
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the sums of 64 megapixels stay under 2^53"
)]
fn signed_ratio(sum: i64, count: u64) -> f64 {
    if count == 0 {
        0.0
    } else {
        sum as f64 / count as f64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture;

    fn luma(pixels: &DynamicImage) -> Luma {
        measure(pixels, 0).luma.expect("pixels")
    }

    #[test]
    fn measure_flat_picture_has_no_sharpness_and_its_grey_as_brightness() {
        let flat = DynamicImage::from(image::GrayImage::from_pixel(9, 5, image::Luma([30])));
        let measures = measure(&flat, 7);
        assert_eq!(
            measures,
            ImageMetrics {
                width_px: 9,
                height_px: 5,
                body_bytes: 7,
                luma: Some(Luma {
                    sharpness: 0.0,
                    brightness: 30.0
                })
            }
        );
        let single = luma(&DynamicImage::new_rgba16(1, 1));
        assert!(single.sharpness.abs() < f64::EPSILON);
    }

    #[test]
    fn measure_any_pixel_format_equals_its_rgb8_conversion() {
        let photo = fixture::picture("camera.jpg").pixels;
        let kinds = [
            photo.to_luma8().into(),
            photo.to_luma_alpha8().into(),
            photo.to_rgba8().into(),
            photo.to_luma16().into(),
            photo.to_luma_alpha16().into(),
            photo.to_rgb16().into(),
            photo.to_rgba16().into(),
            photo.to_rgb32f().into(),
            photo.to_rgba32f().into(),
        ];
        for kind in kinds {
            let kind: DynamicImage = kind;
            let reduced = DynamicImage::from(kind.to_rgb8());
            assert_eq!(luma(&kind), luma(&reduced), "{:?}", kind.color());
        }
        let words = image::ImageBuffer::from_fn(256, 256, |x, y| {
            let word = u16::try_from(x * 256 + y).expect("16 bits");
            image::Rgba([word, word.rotate_left(3), word.rotate_left(9), 77])
        });
        let rgba16 = DynamicImage::ImageRgba16(words);
        assert_eq!(luma(&rgba16), luma(&rgba16.to_rgb8().into()));
    }

    #[test]
    fn measure_blurred_photograph_is_less_sharp() {
        let photo = fixture::picture("camera.jpg").pixels;
        let sharp = luma(&photo);
        let blurred = luma(&photo.blur(4.0));
        assert!(sharp.sharpness > 300.0, "{sharp:?}");
        assert!(blurred.sharpness < 100.0, "{blurred:?}");
        assert!((80.0..150.0).contains(&sharp.brightness), "{sharp:?}");
        assert!((sharp.brightness - blurred.brightness).abs() < 3.0);
    }
}
