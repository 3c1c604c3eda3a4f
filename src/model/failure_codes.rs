//! Failure codes of the vendors' orders.

use super::vendor::Vendor;

/// Failure codes of BIZ MORI orders of all types.
const BIZMORI: [&str; 16] = [
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

impl Vendor {
    /// Returns the codes with which the vendor's orders fail. Empty if they fail with a message alone.
    #[must_use]
    pub const fn failure_codes(self) -> &'static [&'static str] {
        match self {
            Self::Bizmori => &BIZMORI,
            Self::Undetectable => &[],
        }
    }
}
