//! Errors of an order's task, and the vendors' codes for failed orders.

use crate::model::order::Order;
use crate::model::picture::FileDefect;
use crate::model::work::{Failure, Outcome, Work};
use crate::storage::db::InternalError;

/// Outcome of an order's task, or the reason why there is none.
pub(super) type TaskResult = Result<Outcome, TaskError>;

/// Reason why a task, or a step of it, has no result.
#[derive(Debug)]
pub(super) enum TaskError {
    /// The order ends with this failure.
    Failed(Failure),
    /// Error of the server. The order stays in progress, and its job is run again.
    Internal(InternalError),
}

impl From<Failure> for TaskError {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

impl From<InternalError> for TaskError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

/// Failure code for an image that cannot be read.
pub(super) const INVALID_IMAGE: &str = "AI_DETECTION_INVALID_IMAGE";

/// Returns a failure with the vendor's general code for the order's task.
pub(super) fn failure(order: &Order, message: String) -> Failure {
    let code = match order.work {
        _ if order.test => "PROCESSING_ERROR",
        Work::AntiAi { .. } | Work::WatermarkEmbed | Work::WatermarkExtract => "PROCESSING_ERROR",
        Work::AiDetection { .. } | Work::Document(_) | Work::Bulk(_) => "AI_DETECTION_FAILED",
    };
    Failure {
        code: code.to_owned(),
        message,
    }
}

/// Returns the failure for a defect in an input file.
pub(super) fn defect_failure(order: &Order, file_name: &str, defect: &FileDefect) -> Failure {
    let code = match (&order.work, defect) {
        (Work::AntiAi { .. }, _) => "PROCESSING_ERROR",
        (Work::AiDetection { .. } | Work::Document(_) | Work::Bulk(_), _) => INVALID_IMAGE,
        (_, FileDefect::NotAnImage(_) | FileDefect::FormatMismatch(_)) => {
            "WATERMARK_FILE_FORMAT_UNSUPPORTED"
        }
        (_, FileDefect::Corrupt(_)) => "WATERMARK_FILE_CORRUPTED",
        (_, FileDefect::FileSize(_)) => "WATERMARK_FILE_SIZE_UNSUPPORTED",
        (_, FileDefect::ColorMode(_)) => "WATERMARK_IMAGE_COLOR_MODE_UNSUPPORTED",
        (_, FileDefect::TooLarge(_) | FileDefect::TooSmall(_)) => {
            "WATERMARK_IMAGE_DIMENSIONS_UNSUPPORTED"
        }
        (_, FileDefect::MultipleImages(_)) => "WATERMARK_INPUT_UNSUPPORTED",
        (_, FileDefect::Encrypted(_)) => "WATERMARK_PDF_UNSUPPORTED",
    };
    Failure {
        code: code.to_owned(),
        message: format!("{file_name}: {}", defect.message()),
    }
}
