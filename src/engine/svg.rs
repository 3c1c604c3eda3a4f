//! SVGs: those of plain shapes are drawn, all others get a card.
//!
//! Guarantees: nothing outside the file is read, no script is run, and time and memory are bounded:
//! [`allowed`] decides by the document's elements and size, and a drawing that takes long is drawn
//! smaller ([`cost`]).

mod allow_list;
mod cost;

use std::fmt::Write as _;

use image::RgbImage;
use quick_xml::Reader;
use quick_xml::events::Event;
use resvg::tiny_skia::{Color, Pixmap, Transform};
use resvg::usvg::{ImageHrefResolver, Options, Tree};

use super::budget::Lease;
use super::memory_need;
use crate::model::picture::FileDefect;
pub use allow_list::is_svg;
use allow_list::{ElementKind, scan};

/// Bytes of the parsed document, and of the tree that is made of it, for each byte of the file.
const TREE_RATIO: u64 = 40 + 64;
/// Bytes of a gradient's stop.
const STOP_BYTES: u64 = 24;
/// Bytes of a pixel drawn: with alpha, and without.
const PIXEL_BYTES: u64 = 4 + 3;
/// Bytes of a layer's pixel.
const LAYER_PIXEL_BYTES: u64 = 4;

/// The longer side of what is drawn.
pub const SIDE_PX_MAX: u32 = 2048;

/// An SVG of plain shapes that was read, and can be drawn.
#[derive(Debug)]
pub struct Drawing {
    tree: Tree,
    /// Bytes of the tree and of the file.
    bytes: u64,
}

/// Returns `true` if the SVG is drawn, `false` if it gets a card.
///
/// # Errors
/// Returns [`FileDefect::Corrupt`] if it is malformed.
pub fn is_plain(bytes: &[u8]) -> Result<bool, FileDefect> {
    Ok(scan(text(bytes)?)? != ElementKind::Other)
}

/// Returns the width and height that the root of a well-formed SVG declares, one pixel a side at
/// least. `None` if it declares none.
pub fn declared_px(bytes: &[u8]) -> Option<(u32, u32)> {
    let mut reader = Reader::from_str(text(bytes).ok()?);
    let root = loop {
        match reader.read_event().ok()? {
            Event::Start(root) | Event::Empty(root) => break root,
            Event::Eof => return None,
            _ => {}
        }
    };
    let mut alone = "<svg xmlns=\"http://www.w3.org/2000/svg\"".to_owned();
    for name in ["width", "height", "viewBox"] {
        if let Ok(Some(attribute)) = root.try_get_attribute(name) {
            let value = attribute.value.replace(['"', '&', '<'], "");
            // Writing to a String does not fail.
            let _ = write!(alone, " {name}=\"{value}\"");
        }
    }
    let is_sized = alone.contains("viewBox") || alone.contains("width") && alone.contains("height");
    let tree = Tree::from_str(&(alone + "/>"), &Options::default()).ok()?;
    is_sized.then(|| sides_px(&tree))
}

impl Drawing {
    /// Reads an SVG of plain shapes.
    ///
    /// # Errors
    /// Returns [`FileDefect::Corrupt`] if it cannot be read or has no size, [`FileDefect::FormatMismatch`] if it
    /// is not plain, and [`FileDefect::TooLarge`] if there is no memory for it.
    pub fn read(bytes: &[u8], memory: &mut Lease) -> Result<Self, FileDefect> {
        let text = text(bytes)?;
        let ElementKind::Plain { elements, stops } = scan(text)? else {
            let text = "SVG other than plain shapes is not drawn";
            return Err(FileDefect::FormatMismatch(text.to_owned()));
        };
        let stops_bytes = u64::from(elements) * u64::from(stops) * STOP_BYTES;
        let file_bytes = bytes.len() as u64;
        let bytes = memory_need::of_reading(file_bytes * (1 + TREE_RATIO) + stops_bytes);
        memory.require(bytes)?;
        let options = Options {
            image_href_resolver: ImageHrefResolver {
                resolve_data: Box::new(|_, _, _| None),
                resolve_string: Box::new(|_, _| None),
            },
            ..Options::default()
        };
        let tree = Tree::from_str(text, &options).map_err(|error| unreadable(&error))?;
        Ok(Self { tree, bytes })
    }

    /// Its width and height, one pixel a side at least.
    #[must_use]
    pub fn sides_px(&self) -> (u32, u32) {
        sides_px(&self.tree)
    }

    /// Its pixels on white, its longer side at most [`SIDE_PX_MAX`].
    ///
    /// # Errors
    /// [`FileDefect::TooLarge`] if so much is drawn that it would take too long at any size.
    pub fn draw(&self, memory: &mut Lease) -> Result<RgbImage, FileDefect> {
        let size = self.tree.size();
        let (scale, layers_px) = cost::scale(&self.tree, SIDE_PX_MAX)?;
        let (width, height) = (whole(size.width() * scale), whole(size.height() * scale));
        let pixels_bytes = PIXEL_BYTES * u64::from(width) * u64::from(height);
        memory.require(self.bytes + pixels_bytes + LAYER_PIXEL_BYTES * layers_px)?;
        let too_large = || FileDefect::TooLarge("the SVG takes too much memory".to_owned());
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

fn text(bytes: &[u8]) -> Result<&str, FileDefect> {
    let text = std::str::from_utf8(bytes).map_err(|error| unreadable(&error))?;
    Ok(text.trim_start_matches('\u{feff}'))
}

fn sides_px(tree: &Tree) -> (u32, u32) {
    let size = tree.size();
    (whole(size.width()), whole(size.height()))
}

fn unreadable(why: &dyn std::fmt::Display) -> FileDefect {
    let why = why.to_string();
    let line: Vec<&str> = why.split_whitespace().collect();
    FileDefect::Corrupt(format!("the SVG cannot be read: {}", line.join(" ")))
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
