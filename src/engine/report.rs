//! Reports: one A4 page with the facts of an order, as a PDF in the requested language.
//!
//! Guarantees: the same facts and images give the same bytes; a report has exactly one page, however
//! long names and texts are; the embedded font has only the glyphs that the page shows; the text of
//! the page can be searched and copied. A character without a glyph is shown as `□`.

mod canvas;
mod document;
mod facts;
mod image;
mod page;
mod rows;
mod translations;

use std::io;

use super::budget::Lease;
use super::{EngineError, InputFile, InspectOptions, inspect};
use crate::model::picture::FileDefect;

pub use facts::{Finding, Report};
use image::EmbeddedImage;

/// Longer side of the images on a report, largest first. A smaller size is drawn if the memory budget
/// has no room for a larger one.
pub const IMAGE_SIDES_PX: [u32; 2] = [1600, 512];

/// Files from which the images of a report are drawn. `None`: the report has no such image.
#[derive(Debug, Clone, Default)]
pub struct ReportSources {
    /// File on which the order was made. Its name is [`Report::file_name`].
    pub picture: Option<InputFile>,
    /// PNG of the order's heatmap.
    pub heatmap: Option<InputFile>,
}

/// Images of a report as JPEGs. An image that is not a JPEG in grey or RGB is left out.
#[derive(Debug, Clone, Default)]
pub struct ReportImages {
    pub picture: Option<Vec<u8>>,
    pub heatmap: Option<Vec<u8>>,
}

/// Draws the images of a report, with a longer side of at most `side_px_max`. The images stay part of
/// the lease.
///
/// # Errors
/// Returns [`FileDefect::TooLarge`] if the lease has no room, and errors of the disk and the encoder.
pub fn draw_images(
    sources: &ReportSources,
    file_name: &str,
    side_px_max: u32,
    memory: &mut Lease,
) -> Result<ReportImages, EngineError> {
    let mut draw = |content: &Option<InputFile>, name: &str| match content {
        Some(content) => draw_image(content, name, side_px_max, memory),
        None => Ok(None),
    };
    Ok(ReportImages {
        picture: draw(&sources.picture, file_name)?,
        heatmap: draw(&sources.heatmap, "heatmap.png")?,
    })
}

/// Draws one image. A file that cannot be decoded gets a placeholder card, as in the order's result.
fn draw_image(
    content: &InputFile,
    name: &str,
    side_px_max: u32,
    memory: &mut Lease,
) -> Result<Option<Vec<u8>>, EngineError> {
    let wants = InspectOptions {
        report_px: Some(side_px_max),
        ..InspectOptions::default()
    };
    let drawn = match inspect::inspect(content, name, wants, memory) {
        Err(EngineError::Defect(defect)) if !matches!(defect, FileDefect::TooLarge(_)) => {
            inspect::placeholder(name, wants, memory)?
        }
        inspected => inspected?,
    };
    let image = drawn.report_image;
    memory.hold(image.as_ref().map_or(0, |jpeg| jpeg.len() as u64));
    Ok(image)
}

/// Returns the report as a PDF.
///
/// # Errors
/// Returns an error if the font cannot be read, which is a fault of the build.
pub fn make(report: &Report, images: ReportImages) -> io::Result<Vec<u8>> {
    let images = page::Images {
        picture: images.picture.and_then(EmbeddedImage::from_jpeg),
        heatmap: images.heatmap.and_then(EmbeddedImage::from_jpeg),
    };
    let canvas = page::draw(report, &images)?;
    document::write(report, canvas, &images)
}

#[cfg(test)]
mod tests;
