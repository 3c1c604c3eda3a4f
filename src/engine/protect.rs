//! Anti-AI output: a copy of a picture with noise, in the same format and size.
//!
//! Guarantees: every colour sample changes, by at most the amplitude of the strength. Bytes
//! always differ, and the picture looks the same. Alpha does not change. EXIF and the ICC profile
//! are copied in JPEG, PNG, WebP and TIFF. Of a GIF only the colour tables change, so that frames and
//! timing stay the same. WebP output is lossless. An animated PNG or WebP is reduced to its first
//! frame.

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
use super::raster::DecodedImage;
use super::structure::{self, GifBlock};
use super::{EngineError, InputFile, memory_need, thumbnail};
use crate::model::picture::{FileDefect, FileKind, RasterFormat, Strength};
use crate::platform::rng::SeededRng;

const JPEG_QUALITY: u8 = 90;
/// Position of the colour space signature in an ICC profile.
const ICC_SPACE: std::ops::Range<usize> = 16..20;

/// Task of protecting a picture.
#[derive(Debug)]
pub struct Protection {
    /// The picture.
    pub content: InputFile,
    /// Owner's name of the picture.
    pub name: String,
    /// Path of the output. An existing file is replaced.
    pub to: PathBuf,
    /// Strength of the noise.
    pub strength: Strength,
    /// Source of the noise: the same state gives the same output.
    pub rng: SeededRng,
    /// Draw a thumbnail as well.
    pub thumbnail: bool,
}

/// Result of protecting a picture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProtectedImage {
    /// Format of input and output.
    pub format: RasterFormat,
    /// Length of the output in bytes.
    pub body_bytes: u64,
    /// Thumbnail of the output, a JPEG. `None` if not requested.
    pub thumbnail: Option<Vec<u8>>,
}

/// Protects one file on the current thread.
///
/// # Errors
/// See [`EngineError`].
pub fn protect(task: &mut Protection, memory: &mut Lease) -> Result<ProtectedImage, EngineError> {
    let mut source = ImageSource::read(&task.content, &task.name, memory)?;
    let FileKind::Picture(format) = source.kind else {
        let title = source.kind.title();
        return Err(FileDefect::NotAnImage(format!("protecting {title} is not supported")).into());
    };
    let mut image = source.decode(DecodeMode::Full, memory, memory_need::for_encoding)?;
    // All memory is leased now. The work is not run again, so that the noise is drawn once.
    let mut noise = Noise::new(task.strength, &mut task.rng);
    let mut out = BufWriter::new(File::create(&task.to)?);
    if format == RasterFormat::Gif {
        perturb_palettes(&mut source.bytes, &mut noise);
        out.write_all(&source.bytes)?;
    } else {
        let metadata = tiff::TiffMetadata::read_or_default(if format == RasterFormat::Tiff {
            &source.bytes
        } else {
            &[]
        });
        drop(source);
        noise.add_to(&mut image.pixels);
        image = encode(image, format, &metadata, &mut out)?;
    }
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    let draw_thumbnail = || thumbnail::thumbnail(&image);
    let thumbnail = task.thumbnail.then(draw_thumbnail).transpose()?;
    Ok(ProtectedImage {
        format,
        body_bytes: file.metadata()?.len(),
        thumbnail,
    })
}

/// Perturbs every colour of every colour table of a GIF.
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

/// Encodes the pixels in their format, with the metadata to copy.
fn encode(
    mut image: DecodedImage,
    format: RasterFormat,
    metadata: &tiff::TiffMetadata,
    out: &mut BufWriter<File>,
) -> Result<DecodedImage, EngineError> {
    let is_grey = !image.pixels.color().has_color();
    let icc = image.icc.take().filter(|icc| {
        let space: &[u8] = if is_grey { b"GRAY" } else { b"RGB " };
        icc.get(ICC_SPACE) == Some(space)
    });
    let exif = image.exif.take();
    let pixels = &image.pixels;
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
            tiff::write(pixels, icc.as_deref(), metadata, out).map_err(io::Error::other)?;
            Ok(())
        }
        RasterFormat::Bmp | RasterFormat::Gif => write(pixels, BmpEncoder::new(out), exif, icc),
    };
    match written {
        Ok(()) => Ok(image),
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
    // Encoders without support for EXIF or ICC return an error, which is ignored.
    if let Some(exif) = exif {
        let _ = encoder.set_exif_metadata(exif);
    }
    if let Some(icc) = icc {
        let _ = encoder.set_icc_profile(icc);
    }
    pixels.write_with_encoder(encoder)
}

/// Generator of noise.
struct Noise<'d> {
    amplitude: u8,
    rng: &'d mut SeededRng,
}

impl<'d> Noise<'d> {
    fn new(strength: Strength, rng: &'d mut SeededRng) -> Self {
        Self {
            amplitude: strength.amplitude(),
            rng,
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

    /// Changes the first `colours` of each pixel's `channels` by 1 to the amplitude, up or down.
    fn perturb<T: Copy>(
        &mut self,
        samples: &mut [T],
        channels: usize,
        colours: usize,
        perturb_sample: fn(T, i16) -> T,
    ) {
        const BLOCK_PIXELS: usize = 1024;
        let mut random_bytes = [0; BLOCK_PIXELS * 3];
        for block in samples.chunks_mut(BLOCK_PIXELS * channels) {
            let block_bytes = &mut random_bytes[..block.len() / channels * colours];
            self.rng.fill(block_bytes);
            for (pixel, pixel_bytes) in block
                .chunks_exact_mut(channels)
                .zip(block_bytes.chunks_exact(colours))
            {
                for (sample, random) in pixel.iter_mut().zip(pixel_bytes) {
                    let size = 1 + i16::from(*random & 0x7f) % i16::from(self.amplitude);
                    let delta = if *random & 0x80 == 0 { size } else { -size };
                    *sample = perturb_sample(*sample, delta);
                }
            }
        }
    }
}

/// Adds `delta` to a sample, or subtracts it if the range has no room.
fn perturb_u8(sample: u8, delta: i16) -> u8 {
    let sample = i16::from(sample);
    u8::try_from(sample + delta)
        .or_else(|_| u8::try_from(sample - delta))
        .unwrap_or(u8::MAX)
}

fn perturb_u16(sample: u16, delta: i16) -> u16 {
    let (sample, delta) = (i32::from(sample), i32::from(delta) * 257);
    u16::try_from(sample + delta)
        .or_else(|_| u16::try_from(sample - delta))
        .unwrap_or(u16::MAX)
}

fn perturb_f32(sample: f32, delta: i16) -> f32 {
    let delta = f32::from(delta) / 255.0;
    // Samples may exceed 1 but must not become negative.
    if (0.0..delta.abs()).contains(&sample) {
        sample + delta.abs()
    } else {
        sample + delta
    }
}

#[cfg(test)]
mod tests;
