//! Heatmaps: a smooth map of a picture in JET colours, like a classifier's.
//!
//! The map follows the picture's local contrast on a coarse grid, plus a few bumps whose positions
//! and heights are derived from the picture's hash. Guarantees: the same picture gives the same map.
//! The map's size is the picture's upright size, up to [`SIDE_PX_MAX`].

use std::io;

use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, GenericImageView, ImageEncoder, RgbImage, imageops};

use crate::platform::rng::SeededRng;

/// Maximum longer side of a heatmap and of an overlay.
pub const SIDE_PX_MAX: u32 = 1600;
/// Number of grid cells along the longer side.
const CELLS: u32 = 14;
/// Highest activation in a picture whose AI probability is 0. JET is blue there.
const CEILING_MIN: f32 = 0.2;
/// Opacity of the transparent heatmap at the highest activation.
const ALPHA_MAX: f32 = 0.85;

/// Background of a heatmap.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Opaque colours: an RGB image.
    Opaque,
    /// Opacity grows with the activation: an RGBA image.
    Transparent,
}

/// Distribution of the activations over the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scale {
    /// As computed: the highest activation may be moderate.
    Raw,
    /// Stretched from blue to the highest activation that the AI probability allows.
    Normalized,
}

/// Activations of a picture on a coarse grid, each 0 to 1.
#[derive(Debug, Clone, PartialEq)]
pub struct ActivationMap {
    cells: Vec<f32>,
    columns: usize,
    rows: usize,
}

impl ActivationMap {
    /// Computes the map of `picture`, whose file has the SHA-256 `digest`.
    #[must_use]
    pub fn new(picture: &RgbImage, digest: [u8; 32]) -> Self {
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
            // Smoothstep: lowers the middle, so that hot spots stand out.
            *cell = *cell * *cell * (3.0 - 2.0 * *cell);
        }
        map
    }

    /// Scales the activations to the AI probability: a picture that is judged human stays blue. Raw
    /// activations are lowered further, by an amount from `digest`.
    #[must_use]
    pub fn scaled(&self, scale: Scale, digest: [u8; 32], probability: f64) -> Self {
        let mut map = self.clone();
        let hottest = CEILING_MIN + (1.0 - CEILING_MIN) * to_f32_probability(probability);
        match scale {
            Scale::Raw => {
                let confidence = f32::from(digest[31]) / 255.0;
                map.stretch(0.06, hottest * (0.62 + 0.3 * confidence));
            }
            Scale::Normalized => map.stretch(0.0, hottest),
        }
        map
    }

    fn add_bumps(&mut self, rng: &mut SeededRng) {
        for _ in 0..3 + rng.next_u64() % 3 {
            // Not at the very edge, where hot spots are rare in real heatmaps.
            let x = (0.1 + 0.8 * unit(rng)) * to_f32(self.columns);
            let y = (0.1 + 0.8 * unit(rng)) * to_f32(self.rows);
            let spread = (0.10 + 0.14 * unit(rng)) * to_f32(self.columns.max(self.rows));
            let height = 0.35 + 0.75 * unit(rng);
            for (at, cell) in self.cells.iter_mut().enumerate() {
                let (dx, dy) = (to_f32(at % self.columns) - x, to_f32(at / self.columns) - y);
                let distance = (dx * dx + dy * dy) / (2.0 * spread * spread);
                *cell += height * (-distance).exp();
            }
        }
    }

    /// Averages each cell with its neighbours, with weights 1 2 1 along both axes.
    fn blur(&mut self) {
        let columns = self.columns;
        let rows = self.rows;
        let mut blurred = vec![0.0; self.cells.len()];
        for (at, cell) in blurred.iter_mut().enumerate() {
            let x = at % columns;
            let y = at / columns;
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

    /// Scales the activations linearly to the range `low` to `high`.
    fn stretch(&mut self, low: f32, high: f32) {
        let min = self.cells.iter().copied().fold(f32::INFINITY, f32::min);
        let max = self.cells.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let range = (max - min).max(1e-6);
        for cell in &mut self.cells {
            *cell = low + (high - low) * (*cell - min) / range;
        }
    }

    /// Calls `row` with the activations, 0 to 255, of each row of an image of this size.
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

/// Draws the heatmap of `picture` as a PNG.
///
/// # Errors
/// Returns an error if encoding fails.
pub fn draw(
    picture: &RgbImage,
    map: &ActivationMap,
    background: Background,
) -> io::Result<Vec<u8>> {
    let (width, height) = picture.dimensions();
    let jet = jet();
    let mut bytes = Vec::with_capacity(width as usize * height as usize * 4);
    let kind = match background {
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

/// Draws the heatmap blended half and half with `picture`, as a PNG.
///
/// # Errors
/// Returns an error if encoding fails.
pub fn overlay(picture: &RgbImage, map: &ActivationMap) -> io::Result<Vec<u8>> {
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

/// Returns the standard deviation of the luma within each cell of a grid.
fn contrasts(picture: &RgbImage, columns: u32, rows: u32) -> Vec<f32> {
    const SAMPLES: u32 = 8;
    let small = imageops::thumbnail(picture, columns * SAMPLES, rows * SAMPLES);
    let luma = imageops::grayscale(&small);
    let mut cells = Vec::with_capacity((columns * rows) as usize);
    for row in 0..rows {
        for column in 0..columns {
            let window =
                imageops::crop_imm(&luma, column * SAMPLES, row * SAMPLES, SAMPLES, SAMPLES);
            let mut sum = 0.0_f32;
            let mut squares = 0.0_f32;
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

/// Returns, for each of `pixels`, the indices of the four nearest cells and their weights in a
/// cubic B-spline, which is smooth and does not overshoot.
fn spline_weights(pixels: usize, cells: usize) -> Vec<([usize; 4], [f32; 4])> {
    let step = to_f32(cells) / to_f32(pixels.max(1));
    (0..pixels)
        .map(|pixel| {
            // Positions are shifted by 1, so that the index of the first cell is not negative.
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

/// Returns the 256 colours of the JET colour map, from cold to hot.
fn jet() -> [[u8; 3]; 256] {
    let mut colours = [[0; 3]; 256];
    for (level, colour) in (0_u8..=255).zip(&mut colours) {
        let at = f32::from(level) / 255.0 * 4.0;
        let channel = |peak: f32| byte((1.5 - (at - peak).abs()).clamp(0.0, 1.0) * 255.0);
        *colour = [channel(3.0), channel(2.0), channel(1.0)];
    }
    colours
}

fn unit(rng: &mut SeededRng) -> f32 {
    f32::from(u16::try_from(rng.next_u64() >> 48).unwrap_or(u16::MAX)) / 65_536.0
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
fn to_f32_probability(probability: f64) -> f32 {
    probability.clamp(0.0, 1.0) as f32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as intended"
)]
fn byte(value: f32) -> u8 {
    (value + 0.5) as u8
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "never negative, and truncation is intended"
)]
fn floor(value: f32) -> usize {
    value as usize
}

#[cfg(test)]
mod tests;
