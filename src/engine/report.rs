//! Reports: one A4 page with an order's facts, as a PDF, in the language asked for.
//!
//! Promises: the same facts give the same bytes; always exactly one page, whatever the names
//! and texts are; the font is embedded, cut down to the glyphs the page shows, and what is
//! shown can be searched and copied. What the font has no glyph for is shown as `□`.

mod document;
mod page;
mod words;

use std::io;

use crate::model::report::{Likelihood, Locale, ReportKind};
use crate::model::time::Timestamp;
use document::Picture;

/// All that a report tells.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    pub locale: Locale,
    pub finding: Finding,
    pub order_id: String,
    pub order_name: String,
    pub file_name: String,
    pub created_at: Timestamp,
    pub completed_at: Timestamp,
    /// When the report was made, by the account's clock.
    pub made_at: Timestamp,
    /// A JPEG of the file, drawn small; one that is not RGB or grey is left out.
    pub thumbnail: Option<Vec<u8>>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// The watermark's text, if there is one.
    Watermark { text: Option<String> },
    /// The chance, 0 to 1, that it was made by a machine.
    Ai { probability: f64 },
}

impl Finding {
    /// What the report is on.
    #[must_use]
    pub fn kind(&self) -> ReportKind {
        match self {
            Self::Watermark { .. } => ReportKind::WatermarkDetection,
            Self::Ai { .. } => ReportKind::AiDetection,
        }
    }

    /// The word for it.
    fn word(&self, locale: Locale) -> &'static str {
        match self {
            Self::Watermark { text: Some(_) } => words::DETECTED.of(locale),
            Self::Watermark { text: None } => words::UNDETECTED.of(locale),
            Self::Ai { probability } => words::likelihood(Likelihood::of(*probability)).of(locale),
        }
    }
}

/// The report as a PDF.
///
/// # Errors
/// When our own font cannot be read, which is a fault of the build.
pub fn make(report: &Report) -> io::Result<Vec<u8>> {
    let picture = report.thumbnail.as_deref().and_then(Picture::of_jpeg);
    let page = page::draw(report, picture.as_ref())?;
    document::write(report, page, picture.as_ref())
}

#[cfg(test)]
mod tests;
