//! SVG: documents of plain shapes are drawn, all others get a placeholder card.
//!
//! Guarantees: nothing outside the file is read, no script is run, and time and memory are bounded.
//! [`allow_list`] checks the document's elements and size. [`cost`] lowers the resolution of
//! drawings that take long.

mod allow_list;
mod cost;

use std::fmt::Write as _;

use image::RgbImage;
use quick_xml::Reader;
use quick_xml::events::Event;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, Options, Tree};

use super::budget::Lease;
use super::error::unreadable_message;
use super::memory_need;
use super::raster::rgb_image;
use crate::model::picture::FileDefect;
pub use allow_list::is_svg;
use allow_list::{SvgKind, scan};

/// Memory for the parsed document and the render tree, per byte of the file.
const TREE_RATIO: u64 = 40 + 64;
/// Memory for a gradient stop.
const STOP_BYTES: u64 = 24;
/// Memory for a rendered pixel: RGBA and RGB.
const PIXEL_BYTES: u64 = 4 + 3;
/// Memory for a pixel of a layer.
const LAYER_PIXEL_BYTES: u64 = 4;

/// Maximum longer side of a rendered SVG.
pub const SIDE_PX_MAX: u32 = 2048;

/// An SVG of plain shapes, parsed.
#[derive(Debug)]
pub struct Drawing {
    tree: Tree,
    /// Memory for the tree and the file.
    bytes: u64,
}

/// `true` if the SVG is drawn, `false` if it gets a placeholder card.
///
/// # Errors
/// Returns [`FileDefect::Corrupt`] if it is malformed.
pub fn is_plain(bytes: &[u8]) -> Result<bool, FileDefect> {
    Ok(scan(text(bytes)?)? != SvgKind::Other)
}

/// Returns the width and height that the root element of a well-formed SVG declares, at least 1
/// pixel each. `None` if it declares no size.
pub fn declared_px(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut reader = Reader::from_str(text(bytes).ok()?);
    let root = loop {
        match reader.read_event().ok()? {
            Event::Start(root) | Event::Empty(root) => break root,
            Event::Eof => return None,
            _ => {}
        }
    };
    let mut empty_svg = "<svg xmlns=\"http://www.w3.org/2000/svg\"".to_owned();
    for name in ["width", "height", "viewBox"] {
        if let Ok(Some(attribute)) = root.try_get_attribute(name) {
            let value = attribute.value.replace(['"', '&', '<'], "");
            // Writing to a String cannot fail.
            let _ = write!(empty_svg, " {name}=\"{value}\"");
        }
    }
    let is_sized = empty_svg.contains("viewBox")
        || empty_svg.contains("width") && empty_svg.contains("height");
    let tree = Tree::from_str(&(empty_svg + "/>"), &Options::default()).ok()?;
    is_sized.then(|| sides_px(&tree))
}

impl Drawing {
    /// Parses an SVG of plain shapes.
    ///
    /// # Errors
    /// Returns [`FileDefect::Corrupt`] if the SVG is malformed or has no size,
    /// [`FileDefect::FormatMismatch`] if it has other content than plain shapes, and
    /// [`FileDefect::TooLarge`] if there is no memory for it.
    pub fn read(bytes: &[u8], memory: &mut Lease) -> Result<Self, FileDefect> {
        let text = text(bytes)?;
        let SvgKind::Plain { elements, stops } = scan(text)? else {
            let message = "only SVG of plain shapes is supported";
            return Err(FileDefect::FormatMismatch(message.to_owned()));
        };
        let stops_bytes = u64::from(elements) * u64::from(stops) * STOP_BYTES;
        let file_bytes = bytes.len() as u64;
        let need_bytes = memory_need::for_reading(file_bytes * (1 + TREE_RATIO) + stops_bytes);
        memory.require(need_bytes)?;
        let options = Options {
            image_href_resolver: ImageHrefResolver {
                resolve_data: Box::new(|_, _, _| None),
                resolve_string: Box::new(|_, _| None),
            },
            ..Options::default()
        };
        let tree = Tree::from_str(text, &options).map_err(|error| unreadable(&error))?;
        Ok(Self {
            tree,
            bytes: need_bytes,
        })
    }

    /// Returns the width and height, at least 1 pixel each.
    #[must_use]
    pub fn sides_px(&self) -> (u32, u32) {
        sides_px(&self.tree)
    }

    /// Renders the SVG on white, with a longer side of at most [`SIDE_PX_MAX`].
    ///
    /// # Errors
    /// Returns [`FileDefect::TooLarge`] if rendering takes too long at any size, or too much
    /// memory.
    pub fn draw(&self, memory: &mut Lease) -> Result<RgbImage, FileDefect> {
        let size = self.tree.size();
        let (scale, layers_px) = cost::scale(&self.tree, SIDE_PX_MAX)?;
        let width = round_to_px(size.width() * scale);
        let height = round_to_px(size.height() * scale);
        let pixels_bytes = PIXEL_BYTES * u64::from(width) * u64::from(height);
        memory.require(self.bytes + pixels_bytes + LAYER_PIXEL_BYTES * layers_px)?;
        let mut pixmap = Pixmap::new(width, height).ok_or_else(|| {
            FileDefect::TooLarge("rendering the SVG takes too much memory".to_owned())
        })?;
        pixmap.fill(Color::WHITE);
        let transform = Transform::from_scale(scale, scale);
        resvg::render(&self.tree, transform, &mut pixmap.as_mut());
        Ok(rgb_image(&pixmap))
    }
}

fn text(bytes: &[u8]) -> Result<&str, FileDefect> {
    let text = std::str::from_utf8(bytes).map_err(|error| unreadable(&error))?;
    Ok(text.trim_start_matches('\u{feff}'))
}

fn sides_px(tree: &Tree) -> (u32, u32) {
    let size = tree.size();
    (round_to_px(size.width()), round_to_px(size.height()))
}

fn unreadable(reason: &dyn std::fmt::Display) -> FileDefect {
    FileDefect::Corrupt(unreadable_message("SVG", reason))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the cast saturates, as intended"
)]
fn round_to_px(side: f32) -> u32 {
    (side.round() as u32).max(1)
}

#[cfg(test)]
mod tests;
