//! SVG, rasterised: its size, and its pixels.
//!
//! What is drawn is shapes, strokes and gradients, with clips, masks and opacity. Text, pictures
//! within, patterns, markers and filters are not. Promises: nothing outside the file is read,
//! no script is run, and time and memory are bounded: what is too deep, too many or too much
//! is [`Defect::TooLarge`], and what takes long is drawn smaller ([`cost`]).

mod cost;
mod prolog;
mod sift;

use image::RgbImage;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, Options, Tree};

use super::budget::Lease;
use super::need;
use crate::model::picture::Defect;

/// Bytes of the parsed document for each byte of the file, and of the sifted one.
const DOCUMENT_RATIO: u64 = 40;
/// Bytes of the tree of what is drawn, and of what it is made from, for each byte sifted.
const TREE_RATIO: u64 = 64;
/// Bytes of a pixel drawn: with alpha, and without.
const PIXEL_BYTES: u64 = 4 + 3;
/// Bytes of a layer's pixel: the layer, and the mask that is made of one.
const LAYER_PIXEL_BYTES: u64 = 4 + 1;

/// The longer side of what is drawn.
pub const SIDE_PX_MAX: u32 = 2048;

/// Whether a file that begins with `head` is an SVG.
#[must_use]
pub fn is_svg(head: &[u8]) -> bool {
    prolog::root_at(head).is_some()
}

/// A drawing that was read, and may be drawn.
#[derive(Debug)]
pub struct Drawing {
    tree: Tree,
    /// Bytes that it takes, and what it was made from.
    bytes: u64,
}

impl Drawing {
    /// Reads a drawing.
    ///
    /// # Errors
    /// [`Defect::Corrupt`] if it cannot be read or has no size, [`Defect::TooLarge`].
    pub fn read(bytes: &[u8], memory: &mut Lease) -> Result<Self, Defect> {
        let file_bytes = bytes.len() as u64;
        memory.require(need::of_reading(file_bytes * (1 + DOCUMENT_RATIO)))?;
        let sifted = sift::sifted(bytes)?;
        let bytes = need::of_reading(file_bytes + sifted.len() as u64 * (1 + TREE_RATIO));
        memory.require(bytes)?;
        let options = Options {
            image_href_resolver: ImageHrefResolver {
                resolve_data: Box::new(|_, _, _| None),
                resolve_string: Box::new(|_, _| None),
            },
            ..Options::default()
        };
        let tree = Tree::from_str(&sifted, &options).map_err(|error| unreadable(&error))?;
        Ok(Self { tree, bytes })
    }

    /// Its width and height, one pixel a side at least.
    #[must_use]
    pub fn sides_px(&self) -> (u32, u32) {
        let size = self.tree.size();
        (whole(size.width()), whole(size.height()))
    }

    /// Its pixels on white, its longer side at most [`SIDE_PX_MAX`].
    ///
    /// # Errors
    /// [`Defect::TooLarge`] if so much is drawn that it would take too long at any size.
    pub fn draw(&self, memory: &mut Lease) -> Result<RgbImage, Defect> {
        let size = self.tree.size();
        let (scale, layers_px) = cost::scale(&self.tree, SIDE_PX_MAX)?;
        let (width, height) = (whole(size.width() * scale), whole(size.height() * scale));
        let pixels_bytes = PIXEL_BYTES * u64::from(width) * u64::from(height);
        memory.require(self.bytes + pixels_bytes + LAYER_PIXEL_BYTES * layers_px)?;
        let too_large = || Defect::TooLarge("the SVG takes too much memory".to_owned());
        let mut pixmap = Pixmap::new(width, height).ok_or_else(too_large)?;
        pixmap.fill(Color::WHITE);
        let transform = Transform::from_scale(scale, scale);
        resvg::render(&self.tree, transform, &mut pixmap.as_mut());
        let rgb = pixmap
            .data()
            .chunks_exact(4)
            .flat_map(|pixel| [pixel[0], pixel[1], pixel[2]])
            .collect();
        RgbImage::from_raw(width, height, rgb).ok_or_else(too_large)
    }
}

fn unreadable(why: &dyn std::fmt::Display) -> Defect {
    let why = why.to_string();
    let line: Vec<&str> = why.split_whitespace().collect();
    Defect::Corrupt(format!("the SVG cannot be read: {}", line.join(" ")))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, and that is meant"
)]
fn whole(side: f32) -> u32 {
    (side.round() as u32).max(1)
}

#[cfg(test)]
mod tests;
