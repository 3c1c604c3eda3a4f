//! Reports: a PDF of one A4 page with the facts of an order, in the requested language.
//!
//! Guarantees: the same facts and images give the same bytes. A report has exactly one page,
//! however long names and texts are. The embedded font has only the glyphs of the page. The text of
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

pub use facts::{Finding, ReportFacts};
use image::PdfImage;

/// Longer side of the images on a report, largest first. The smaller size is used if the memory
/// budget has no room for the larger one.
pub const IMAGE_SIDES_PX: [u32; 2] = [1600, 512];

/// Files from which the images of a report are drawn. `None` if the report has no such image.
#[derive(Debug, Clone, Default)]
pub struct ReportSources {
    /// File of the order. Its name is [`ReportFacts::file_name`].
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

/// Draws the images of a report with a longer side of at most `side_px_max`, and reserves their
/// bytes in the lease.
///
/// # Errors
/// Returns [`FileDefect::TooLarge`] if the lease has no room, and [`EngineError::Io`] if reading or
/// encoding fails.
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

/// Draws one image: a placeholder card if the file cannot be decoded, as in the order's result.
fn draw_image(
    content: &InputFile,
    name: &str,
    side_px_max: u32,
    memory: &mut Lease,
) -> Result<Option<Vec<u8>>, EngineError> {
    let options = InspectOptions {
        report_px: Some(side_px_max),
        ..InspectOptions::default()
    };
    let inspection = match inspect::inspect(content, name, options, memory) {
        Err(EngineError::Defect(defect)) if !matches!(defect, FileDefect::TooLarge(_)) => {
            inspect::placeholder(name, options, memory)?
        }
        result => result?,
    };
    let image = inspection.report_image;
    memory.hold(image.as_ref().map_or(0, |jpeg| jpeg.len() as u64));
    Ok(image)
}

/// Returns the report as a PDF.
///
/// # Errors
/// Returns an error if the embedded font cannot be read: a defect of the build.
pub fn build(report: &ReportFacts, images: ReportImages) -> io::Result<Vec<u8>> {
    let images = page::PageImages {
        picture: images.picture.and_then(PdfImage::from_jpeg),
        heatmap: images.heatmap.and_then(PdfImage::from_jpeg),
    };
    let canvas = page::draw(report, &images)?;
    document::write(report, canvas, &images)
}

#[cfg(test)]
mod tests;
