//! The uploaded picture: a JPEG of 256 × 256 pixels and about 64 KiB.
//!
//! Each upload has a comment of its own, so that no two have the same digest and the server cannot
//! reuse earlier results.

use std::ops::{Range, RangeInclusive};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::{GenericImageView, Rgb, RgbImage};

use crate::{BenchResult, bench_error};

const SIDE_PIXELS: u32 = 256;
const FILE_BYTES: RangeInclusive<usize> = 62 * 1024..=66 * 1024;
const STAMP_BYTES: u8 = 16;

/// A JPEG with a comment that can be overwritten.
#[derive(Clone)]
pub struct BenchPicture {
    bytes: Vec<u8>,
    stamp: Range<usize>,
}

impl BenchPicture {
    /// Loads the fixture if it exists, or else draws a picture.
    pub fn load(fixture: &Path) -> BenchResult<Self> {
        let bytes = if fixture.exists() {
            std::fs::read(fixture)?
        } else {
            draw()?
        };
        let size = image::load_from_memory(&bytes)?.dimensions();
        if size != (SIDE_PIXELS, SIDE_PIXELS) || !FILE_BYTES.contains(&bytes.len()) {
            return Err(bench_error(format!(
                "picture: expected about 64 KiB of 256 × 256 pixels, got {} bytes of {size:?}",
                bytes.len()
            )));
        }
        Ok(Self::with_comment(&bytes))
    }

    /// Returns the bytes of the file with `number` as its comment.
    pub fn stamped(&mut self, number: u64) -> &[u8] {
        let text = format!("{number:016x}");
        self.bytes[self.stamp.clone()].copy_from_slice(text.as_bytes());
        &self.bytes
    }

    /// Returns the length of the file.
    pub fn len_bytes(&self) -> usize {
        self.bytes.len()
    }

    /// Inserts a comment segment after the JFIF header, if there is one.
    fn with_comment(jpeg: &[u8]) -> Self {
        let mut at = 2;
        if let [_, _, 0xff, 0xe0, high, low, ..] = *jpeg {
            at += 2 + usize::from(u16::from_be_bytes([high, low]));
        }
        let mut bytes = jpeg[..at].to_vec();
        bytes.extend([0xff, 0xfe, 0, STAMP_BYTES + 2]);
        let stamp = bytes.len()..bytes.len() + usize::from(STAMP_BYTES);
        bytes.resize(stamp.end, b'0');
        bytes.extend(&jpeg[at..]);
        Self { bytes, stamp }
    }
}

/// Returns a JPEG of this width and height of smooth colours with a fine texture, which takes as
/// long to decode as a photograph.
pub fn textured((width_px, height_px): (u32, u32)) -> BenchResult<Vec<u8>> {
    let pixels = RgbImage::from_fn(width_px, height_px, |x, y| {
        let grain = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)) >> 27;
        let channel = |value: u32| u8::try_from((value + grain) % 256).unwrap_or(0);
        Rgb([channel(x / 16), channel(y / 12), channel((x + y) / 28)])
    });
    let mut jpeg = Vec::new();
    JpegEncoder::new_with_quality(&mut jpeg, 88).encode_image(&pixels)?;
    Ok(jpeg)
}

/// Draws a gradient, two discs and grain. Grain and quality determine the file's length.
fn draw() -> BenchResult<Vec<u8>> {
    for grain in [48, 64, 32, 96, 24, 16, 128] {
        let picture = photo(grain);
        for quality in (60..=100).rev() {
            let mut bytes = Vec::new();
            JpegEncoder::new_with_quality(&mut bytes, quality).encode_image(&picture)?;
            if FILE_BYTES.contains(&bytes.len()) {
                return Ok(bytes);
            }
        }
    }
    Err(bench_error(
        "no grain and quality give a JPEG of about 64 KiB",
    ))
}

fn photo(grain: u32) -> RgbImage {
    let mut noise = 0x9e37_79b9_u32;
    RgbImage::from_fn(SIDE_PIXELS, SIDE_PIXELS, |x, y| {
        let near = |cx: u32, cy: u32, radius: u32| {
            x.abs_diff(cx).pow(2) + y.abs_diff(cy).pow(2) < radius.pow(2)
        };
        let base = if near(90, 110, 52) {
            [150, 96, 60]
        } else if near(190, 80, 24) {
            [200, 190, 120]
        } else {
            [40 + x / 3, 60 + y / 3, 120 - (x + y) / 8]
        };
        Rgb(base.map(|level| {
            // Xorshift: the same picture on every machine.
            noise ^= noise << 13;
            noise ^= noise >> 17;
            noise ^= noise << 5;
            u8::try_from((level + noise % grain).min(255)).unwrap_or(u8::MAX)
        }))
    })
}
