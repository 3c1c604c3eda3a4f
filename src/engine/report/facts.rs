//! Facts of an order that its report shows.

use super::translations::{self, Translations};
use crate::model::report::{Likelihood, Locale, ReportKind};
use crate::model::time::Timestamp;

/// Facts of an order that its report shows.
#[derive(Debug, Clone, PartialEq)]
pub struct ReportFacts {
    pub locale: Locale,
    pub finding: Finding,
    pub order_id: String,
    pub order_name: String,
    /// Name of the order's file, of which the picture is shown.
    pub file_name: String,
    /// Name of the original with which the file was compared. `None` if the order has only one
    /// file.
    pub original_name: Option<String>,
    pub created_at: Timestamp,
    pub completed_at: Timestamp,
    /// Time of the report itself, by the account's clock.
    pub reported_at: Timestamp,
}

/// Finding of an order.
#[derive(Debug, Clone, PartialEq)]
pub enum Finding {
    /// Texts of the watermark, one per line. `None` if there is no watermark.
    Watermark { text: Option<String> },
    /// Probability, 0 to 1, that the picture is AI-generated.
    Ai { probability: f64 },
}

impl Finding {
    /// Returns the kind of the report on this finding.
    #[must_use]
    pub fn kind(&self) -> ReportKind {
        match self {
            Self::Watermark { .. } => ReportKind::WatermarkDetection,
            Self::Ai { .. } => ReportKind::AiDetection,
        }
    }

    /// Returns the finding in a few words.
    #[must_use]
    pub fn summary(&self) -> Translations {
        match self {
            Self::Watermark { text: Some(_) } => translations::DETECTED,
            Self::Watermark { text: None } => translations::UNDETECTED,
            Self::Ai { probability } => {
                translations::likelihood(Likelihood::from_probability(*probability))
            }
        }
    }
}
