//! The anti-AI output: a picture with noise, in its own format and size.
//!
//! Promises: every sample of colour moves, by at most the strength's amplitude, so that the
//! bytes are never the same and the picture looks the same; alpha stays. EXIF and the colour
//! profile are kept in JPEG, PNG, WebP and TIFF. A GIF has its colour tables
//! moved and nothing else, which keeps its frames and their timing. WebP comes out lossless;
//! of a moving PNG or WebP the first frame is kept.

mod png;
mod tiff;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use image::codecs::bmp::BmpEncoder;
use image::codecs::jpeg::JpegEncoder;
use image::codecs::webp::WebPEncoder;
use image::{DynamicImage, ImageEncoder, ImageError};

use super::budget::Lease;
use super::decode::{DecodeMode, ImageSource};
use super::raster::Picture;
use super::structure::{self, GifBlock};
use super::{EngineError, InputFile, memory_need, thumbnail};
use crate::model::picture::{FileDefect, FileKind, RasterFormat, Strength};
use crate::platform::rng::SeededRng;

const JPEG_QUALITY: u8 = 90;
/// Where a colour profile says what its colours are.
const ICC_SPACE: std::ops::Range<usize> = 16..20;

/// What is to be protected, and how.
#[derive(Debug)]
pub struct Protection {
    /// The picture.
    pub content: InputFile,
    /// The name its owner gave it.
    pub name: String,
    /// Where the output goes; what is there is replaced.
    pub to: PathBuf,
    /// How hard the noise is.
    pub strength: Strength,
    /// Where the noise comes from: the same draw gives the same output.
    pub draw: SeededRng,
    /// Whether a thumbnail is wanted too.
    pub thumbnail: bool,
}

/// What came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protected {
    /// The format, the input's own.
    pub format: RasterFormat,
    /// How long the output is.
    pub body_bytes: u64,
    /// The output's thumbnail, a JPEG, if wanted.
    pub thumbnail: Option<Vec<u8>>,
}

/// Protects one file, on this thread.
///
/// # Errors
/// A defect of the file, or the disk's.
pub fn protect(order: &mut Protection, memory: &mut Lease) -> Result<Protected, EngineError> {
    let mut source = ImageSource::read(&order.content, &order.name, memory)?;
    let FileKind::Picture(format) = source.media else {
        let title = source.media.title();
        return Err(FileDefect::NotAnImage(format!("{title} is not supported")).into());
    };
    let mut picture = source.decode(DecodeMode::Full, memory, memory_need::of_encoding)?;
    // all memory is leased: from here on nothing is broken off, to be done anew with other noise
    let mut noise = Noise::new(order.strength, &mut order.draw);
    let mut out = BufWriter::new(File::create(&order.to)?);
    if format == RasterFormat::Gif {
        perturb_palettes(&mut source.bytes, &mut noise);
        out.write_all(&source.bytes)?;
    } else {
        let output = tiff::TiffMetadata::of(if format == RasterFormat::Tiff {
            &source.bytes
        } else {
            &[]
        });
        drop(source);
        noise.add_to(&mut picture.pixels);
        picture = encode(picture, format, &output, &mut out)?;
    }
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    let thumbnail = if order.thumbnail {
        let small = thumbnail::upright_scaled(&picture, thumbnail::THUMBNAIL_PX);
        Some(thumbnail::jpeg(&small, thumbnail::THUMBNAIL_PX)?)
    } else {
        None
    };
    Ok(Protected {
        format,
        body_bytes: file.metadata()?.len(),
        thumbnail,
    })
}

/// Moves every colour of every table of a GIF.
fn perturb_palettes(gif: &mut [u8], noise: &mut Noise<'_>) {
    let tables: Vec<_> = structure::gif_blocks(gif)
        .filter_map(|block| match block {
            GifBlock::Colours(table) => Some(table),
            _ => None,
        })
        .collect();
    for table in tables {
        noise.perturb(&mut gif[table], 3, 3, perturb_u8);
    }
}

/// Writes the pixels in their format, with what is kept beside them.
fn encode(
    mut picture: Picture,
    format: RasterFormat,
    output: &tiff::TiffMetadata,
    out: &mut BufWriter<File>,
) -> Result<Picture, EngineError> {
    let is_grey = !picture.pixels.color().has_color();
    let icc = picture.icc.take().filter(|icc| {
        let space: &[u8] = if is_grey { b"GRAY" } else { b"RGB " };
        icc.get(ICC_SPACE) == Some(space)
    });
    let exif = picture.exif.take();
    let pixels = &picture.pixels;
    let written = match format {
        RasterFormat::Jpeg => {
            let encoder = JpegEncoder::new_with_quality(out, JPEG_QUALITY);
            write(pixels, encoder, exif, icc)
        }
        RasterFormat::Png => {
            png::write(pixels, exif, icc, out)?;
            Ok(())
        }
        RasterFormat::WebP => write(pixels, WebPEncoder::new_lossless(out), exif, icc),
        RasterFormat::Tiff => {
            tiff::write(pixels, icc.as_deref(), output, out).map_err(io::Error::other)?;
            Ok(())
        }
        RasterFormat::Bmp | RasterFormat::Gif => write(pixels, BmpEncoder::new(out), exif, icc),
    };
    match written {
        Ok(()) => Ok(picture),
        Err(ImageError::IoError(error)) => Err(error.into()),
        Err(error) => Err(io::Error::other(error).into()),
    }
}

fn write(
    pixels: &DynamicImage,
    mut encoder: impl ImageEncoder,
    exif: Option<Vec<u8>>,
    icc: Option<Vec<u8>>,
) -> Result<(), ImageError> {
    // an encoder that cannot keep them says so, and the picture goes without
    if let Some(exif) = exif {
        let _ = encoder.set_exif_metadata(exif);
    }
    if let Some(icc) = icc {
        let _ = encoder.set_icc_profile(icc);
    }
    pixels.write_with_encoder(encoder)
}

/// Noise of one amplitude, from one draw.
struct Noise<'d> {
    amplitude: u8,
    draw: &'d mut SeededRng,
}

impl<'d> Noise<'d> {
    fn new(strength: Strength, draw: &'d mut SeededRng) -> Self {
        Self {
            amplitude: strength.amplitude(),
            draw,
        }
    }

    fn add_to(&mut self, pixels: &mut DynamicImage) {
        match pixels {
            DynamicImage::ImageLuma8(image) => self.perturb(image, 1, 1, perturb_u8),
            DynamicImage::ImageLumaA8(image) => self.perturb(image, 2, 1, perturb_u8),
            DynamicImage::ImageRgb8(image) => self.perturb(image, 3, 3, perturb_u8),
            DynamicImage::ImageRgba8(image) => self.perturb(image, 4, 3, perturb_u8),
            DynamicImage::ImageLuma16(image) => self.perturb(image, 1, 1, perturb_u16),
            DynamicImage::ImageLumaA16(image) => self.perturb(image, 2, 1, perturb_u16),
            DynamicImage::ImageRgb16(image) => self.perturb(image, 3, 3, perturb_u16),
            DynamicImage::ImageRgba16(image) => self.perturb(image, 4, 3, perturb_u16),
            DynamicImage::ImageRgb32F(image) => self.perturb(image, 3, 3, perturb_f32),
            DynamicImage::ImageRgba32F(image) => self.perturb(image, 4, 3, perturb_f32),
            other => {
                let mut image = other.to_rgb8();
                self.perturb(&mut image, 3, 3, perturb_u8);
                *other = image.into();
            }
        }
    }

    /// Moves the first `colours` of each pixel's `channels` by one to the amplitude.
    fn perturb<T: Copy>(
        &mut self,
        samples: &mut [T],
        channels: usize,
        colours: usize,
        moved: fn(T, i16) -> T,
    ) {
        const BLOCK_PIXELS: usize = 1024;
        let mut chance = [0; BLOCK_PIXELS * 3];
        for block in samples.chunks_mut(BLOCK_PIXELS * channels) {
            let chance = &mut chance[..block.len() / channels * colours];
            self.draw.fill(chance);
            for (pixel, chance) in block
                .chunks_exact_mut(channels)
                .zip(chance.chunks_exact(colours))
            {
                for (sample, chance) in pixel.iter_mut().zip(chance) {
                    let size = 1 + i16::from(*chance & 0x7f) % i16::from(self.amplitude);
                    let by = if *chance & 0x80 == 0 { size } else { -size };
                    *sample = moved(*sample, by);
                }
            }
        }
    }
}

/// Away from the end of the range if there is no room, so that it moves at all.
fn perturb_u8(sample: u8, by: i16) -> u8 {
    let sample = i16::from(sample);
    u8::try_from(sample + by)
        .or_else(|_| u8::try_from(sample - by))
        .unwrap_or(u8::MAX)
}

fn perturb_u16(sample: u16, by: i16) -> u16 {
    let (sample, by) = (i32::from(sample), i32::from(by) * 257);
    u16::try_from(sample + by)
        .or_else(|_| u16::try_from(sample - by))
        .unwrap_or(u16::MAX)
}

fn perturb_f32(sample: f32, by: i16) -> f32 {
    let by = f32::from(by) / 255.0;
    // light may be brighter than one, but not less than none
    if (0.0..by.abs()).contains(&sample) {
        sample + by.abs()
    } else {
        sample + by
    }
}

#[cfg(test)]
mod tests;
