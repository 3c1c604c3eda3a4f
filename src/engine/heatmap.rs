//! Heatmaps: a smooth map over a picture, in JET colours, as if a model had looked at it.
//!
//! The map follows the picture's local contrast on a coarse grid, with a few bumps whose
//! places and heights follow from the picture's hash. Promises: the same picture gives the
//! same map, of the picture's upright size up to [`SIDE_PX_MAX`].

use std::io;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, GenericImageView, ImageEncoder, RgbImage, imageops};

use crate::platform::rng::SeededRng;

/// The longer side of a heatmap and of an overlay.
pub const SIDE_PX_MAX: u32 = 1600;
/// Cells of the grid along the longer side.
const CELLS: u32 = 14;
/// Activation of the hottest place in a picture whose probability is 0. JET is blue there.
const CEILING_MIN: f32 = 0.2;
/// How opaque the transparent map is where it is hottest.
const ALPHA_MAX: f32 = 0.85;

/// What lies under the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Nothing shows: an RGB picture.
    Opaque,
    /// The colder, the more transparent: an RGBA picture.
    Transparent,
}

/// How the activations are spread over the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As they are: the hottest place may be lukewarm.
    Raw,
    /// Stretched, so that the coldest place is blue and the hottest as hot as the verdict lets it be.
    Normalized,
}

/// The activations of one picture on a coarse grid, each 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    cells: Vec<f32>,
    columns: usize,
    rows: usize,
}

impl Map {
    /// The map of `picture`, whose file has this SHA-256.
    #[must_use]
    pub fn of(picture: &RgbImage, digest: [u8; 32]) -> Self {
        let longer = picture.width().max(picture.height()).max(1);
        let cells = |side: u32| (side * CELLS).div_ceil(longer).clamp(4, CELLS);
        let (columns, rows) = (cells(picture.width()), cells(picture.height()));
        let mut map = Self {
            cells: contrasts(picture, columns, rows),
            columns: columns as usize,
            rows: rows as usize,
        };
        map.blur();
        map.stretch(0.0, 1.0);
        map.add_bumps(&mut SeededRng::from_digest(digest));
        map.blur();
        map.stretch(0.0, 1.0);
        for cell in &mut map.cells {
            // the middle is thinned out, so that the hot places stand apart
            *cell = *cell * *cell * (3.0 - 2.0 * *cell);
        }
        map
    }

    /// Returns the activations of a picture that is made by a machine with `probability`: a picture
    /// that is judged human stays cool. Raw activations: a model is seldom sure of everything it sees.
    #[must_use]
    pub fn scaled(&self, scale: Scale, digest: [u8; 32], probability: f64) -> Self {
        let mut map = self.clone();
        let hottest = CEILING_MIN + (1.0 - CEILING_MIN) * narrowed(probability);
        match scale {
            Scale::Raw => {
                let sureness = f32::from(digest[31]) / 255.0;
                map.stretch(0.06, hottest * (0.62 + 0.3 * sureness));
            }
            Scale::Normalized => map.stretch(0.0, hottest),
        }
        map
    }

    fn add_bumps(&mut self, draw: &mut SeededRng) {
        for _ in 0..3 + draw.next_u64() % 3 {
            // not at the very edge, where a model seldom looks
            let (x, y) = (0.1 + 0.8 * unit(draw), 0.1 + 0.8 * unit(draw));
            let (x, y) = (x * to_f32(self.columns), y * to_f32(self.rows));
            let spread = (0.10 + 0.14 * unit(draw)) * to_f32(self.columns.max(self.rows));
            let height = 0.35 + 0.75 * unit(draw);
            for (at, cell) in self.cells.iter_mut().enumerate() {
                let (dx, dy) = (to_f32(at % self.columns) - x, to_f32(at / self.columns) - y);
                let distance = (dx * dx + dy * dy) / (2.0 * spread * spread);
                *cell += height * (-distance).exp();
            }
        }
    }

    /// Each cell takes in its neighbours, by weights of 1 2 1.
    fn blur(&mut self) {
        let (columns, rows) = (self.columns, self.rows);
        let mut blurred = vec![0.0; self.cells.len()];
        for (at, cell) in blurred.iter_mut().enumerate() {
            let (x, y) = (at % columns, at / columns);
            for (row, row_weight) in [
                (y.saturating_sub(1), 1.0),
                (y, 2.0),
                ((y + 1).min(rows - 1), 1.0),
            ] {
                let row = &self.cells[row * columns..][..columns];
                let sum = row[x.saturating_sub(1)] + 2.0 * row[x] + row[(x + 1).min(columns - 1)];
                *cell += row_weight * sum / 16.0;
            }
        }
        self.cells = blurred;
    }

    fn stretch(&mut self, low: f32, high: f32) {
        let least = self.cells.iter().copied().fold(f32::INFINITY, f32::min);
        let most = self.cells.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let range = (most - least).max(1e-6);
        for cell in &mut self.cells {
            *cell = low + (high - low) * (*cell - least) / range;
        }
    }

    /// Calls `row` with the activations, 0 to 255, of each row of a picture of this size.
    fn rows(&self, width: u32, height: u32, mut row: impl FnMut(&[u8])) {
        let across = spline_weights(width as usize, self.columns);
        let mut line = vec![0.0; self.columns];
        let mut levels = vec![0; width as usize];
        for (cells, weights) in spline_weights(height as usize, self.rows) {
            for (column, value) in line.iter_mut().enumerate() {
                *value = (0..4)
                    .map(|tap| weights[tap] * self.cells[cells[tap] * self.columns + column])
                    .sum();
            }
            for (level, (cells, weights)) in levels.iter_mut().zip(&across) {
                let value: f32 = (0..4).map(|tap| weights[tap] * line[cells[tap]]).sum();
                *level = byte(value * 255.0);
            }
            row(&levels);
        }
    }
}

/// A heatmap of `picture` as a PNG.
///
/// # Errors
/// When the encoder refuses it.
pub fn draw(picture: &RgbImage, map: &Map, ground: Background) -> io::Result<Vec<u8>> {
    let (width, height) = picture.dimensions();
    let jet = jet();
    let mut bytes = Vec::with_capacity(width as usize * height as usize * 4);
    let kind = match ground {
        Background::Opaque => {
            map.rows(width, height, |levels| {
                bytes.extend(levels.iter().flat_map(|&level| jet[usize::from(level)]));
            });
            ExtendedColorType::Rgb8
        }
        Background::Transparent => {
            map.rows(width, height, |levels| {
                bytes.extend(levels.iter().flat_map(|&level| {
                    let [red, green, blue] = jet[usize::from(level)];
                    [red, green, blue, byte(f32::from(level) * ALPHA_MAX)]
                }));
            });
            ExtendedColorType::Rgba8
        }
    };
    png(&bytes, width, height, kind)
}

/// The heatmap half and half with `picture`, as a PNG.
///
/// # Errors
/// When the encoder refuses it.
pub fn overlay(picture: &RgbImage, map: &Map) -> io::Result<Vec<u8>> {
    let (width, height) = picture.dimensions();
    let jet = jet();
    let mut bytes = Vec::with_capacity(picture.as_raw().len());
    let mut pixels = picture.pixels();
    map.rows(width, height, |levels| {
        for (&level, pixel) in levels.iter().zip(pixels.by_ref()) {
            let colour = jet[usize::from(level)];
            bytes.extend((0..3).map(|channel| colour[channel].midpoint(pixel[channel])));
        }
    });
    png(&bytes, width, height, ExtendedColorType::Rgb8)
}

fn png(bytes: &[u8], width: u32, height: u32, kind: ExtendedColorType) -> io::Result<Vec<u8>> {
    let mut out = Vec::new();
    PngEncoder::new_with_quality(&mut out, CompressionType::Fast, FilterType::Sub)
        .write_image(bytes, width, height, kind)
        .map_err(io::Error::other)?;
    Ok(out)
}

/// How much the luma varies within each cell of a grid.
fn contrasts(picture: &RgbImage, columns: u32, rows: u32) -> Vec<f32> {
    const SAMPLES: u32 = 8;
    let small = imageops::thumbnail(picture, columns * SAMPLES, rows * SAMPLES);
    let luma = imageops::grayscale(&small);
    let mut cells = Vec::with_capacity((columns * rows) as usize);
    for row in 0..rows {
        for column in 0..columns {
            let window =
                imageops::crop_imm(&luma, column * SAMPLES, row * SAMPLES, SAMPLES, SAMPLES);
            let (mut sum, mut squares) = (0.0_f32, 0.0_f32);
            for (_, _, luma) in window.pixels() {
                let luma = f32::from(luma[0]);
                sum += luma;
                squares += luma * luma;
            }
            let count = 64.0;
            let mean = sum / count;
            cells.push((squares / count - mean * mean).max(0.0).sqrt());
        }
    }
    cells
}

/// For each of `pixels`, the four of `cells` it lies among and their weights: a cubic
/// B-spline, which is smooth and never overshoots.
fn spline_weights(pixels: usize, cells: usize) -> Vec<([usize; 4], [f32; 4])> {
    let step = to_f32(cells) / to_f32(pixels.max(1));
    (0..pixels)
        .map(|pixel| {
            // positions are counted from one, so that the first tap has no sign
            let at = ((to_f32(pixel) + 0.5) * step + 0.5).max(0.0);
            let whole = floor(at);
            let t = at - to_f32(whole);
            let s = 1.0 - t;
            let near = |tap: usize| (whole + tap).saturating_sub(2).min(cells - 1);
            let weights = [
                s * s * s / 6.0,
                (3.0 * t * t * t - 6.0 * t * t + 4.0) / 6.0,
                (3.0 * s * s * s - 6.0 * s * s + 4.0) / 6.0,
                t * t * t / 6.0,
            ];
            ([near(0), near(1), near(2), near(3)], weights)
        })
        .collect()
}

/// The 256 colours of the JET map, cold to hot.
fn jet() -> [[u8; 3]; 256] {
    let mut colours = [[0; 3]; 256];
    for (level, colour) in (0_u8..=255).zip(&mut colours) {
        let at = f32::from(level) / 255.0 * 4.0;
        let channel = |peak: f32| byte((1.5 - (at - peak).abs()).clamp(0.0, 1.0) * 255.0);
        *colour = [channel(3.0), channel(2.0), channel(1.0)];
    }
    colours
}

fn unit(draw: &mut SeededRng) -> f32 {
    f32::from(u16::try_from(draw.next_u64() >> 48).unwrap_or(u16::MAX)) / 65_536.0
}

#[expect(
    clippy::cast_precision_loss,
    reason = "sides and cells are far under 2^24"
)]
fn to_f32(count: usize) -> f32 {
    count as f32
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "a probability needs no more digits for a colour"
)]
fn narrowed(probability: f64) -> f32 {
    probability.clamp(0.0, 1.0) as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and that is meant"
)]
fn byte(value: f32) -> u8 {
    (value + 0.5) as u8
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never negative, and its fraction is to go"
)]
fn floor(value: f32) -> usize {
    value as usize
}

#[cfg(test)]
mod tests;
