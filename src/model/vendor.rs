//! Vendors, and the versions of their APIs.

use serde::{Deserialize, Serialize};

/// Codes of failed BIZ MORI orders, of all types.
const BIZMORI_FAILURE_CODES: [&str; 16] = [
    "AI_DETECTION_FAILED",
    "AI_DETECTION_INVALID_IMAGE",
    "AI_DETECTION_SERVICE_ERROR",
    "AI_DETECTION_TIMEOUT",
    "ORDER_TIMEOUT",
    "PROCESSING_ERROR",
    "UPLOAD_EXPIRED",
    "WATERMARK_ENGINE_UNAVAILABLE",
    "WATERMARK_FILE_CORRUPTED",
    "WATERMARK_FILE_FORMAT_UNSUPPORTED",
    "WATERMARK_FILE_SIZE_UNSUPPORTED",
    "WATERMARK_IMAGE_COLOR_MODE_UNSUPPORTED",
    "WATERMARK_IMAGE_DIMENSIONS_UNSUPPORTED",
    "WATERMARK_INPUT_UNSUPPORTED",
    "WATERMARK_PDF_UNSUPPORTED",
    "WATERMARK_V2_API_SUNSET",
];

/// A vendor whose API is emulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Vendor {
    Bizmori,
    Undetectable,
}

impl Vendor {
    pub const ALL: [Self; 2] = [Self::Bizmori, Self::Undetectable];

    /// Returns the vendor's name in SQL and in the control plane.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Bizmori => "bizmori",
            Self::Undetectable => "undetectable",
        }
    }

    /// Returns the vendor of that name. `None` if there is none.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|vendor| vendor.name() == name)
    }

    /// Returns the codes with which the vendor's orders fail. Empty if they fail with a message alone.
    #[must_use]
    pub const fn failure_codes(self) -> &'static [&'static str] {
        match self {
            Self::Bizmori => &BIZMORI_FAILURE_CODES,
            Self::Undetectable => &[],
        }
    }

    /// Returns the name of the bucket that holds the vendor's objects.
    #[must_use]
    pub const fn bucket(self) -> &'static str {
        match self {
            Self::Bizmori => "bizmori",
            Self::Undetectable => "ai-image-detector-prod",
        }
    }
}

/// The version of BIZ MORI's API by which an order was created.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ApiVersion {
    #[default]
    V2,
    /// Each watermark that an order requests is a separate output.
    V3,
}
