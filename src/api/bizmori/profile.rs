//! Facts of BIZ MORI that the shared services need.

use super::{events, fixtures};
use crate::engine::verdict;
use crate::model::file::Role;
use crate::model::order::{ApiVersion, Vendor};
use crate::model::picture::FileKind;
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::platform::clock;
use crate::services::vendors::{
    IdStyle, ProcessingTiming, UploadSlot, VendorProfile, WebhookProfile,
};

/// Codes of failed orders, of all types.
const FAILURE_CODES: [&str; 16] = [
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

/// Facts of BIZ MORI.
pub const PROFILE: VendorProfile = VendorProfile {
    vendor: Vendor::Bizmori,
    hosts: &["api.bizmori.com"],
    path_prefix: Some("api"),
    buckets: &[Vendor::Bizmori.bucket()],
    bucket_hosts: &[],
    id_style: IdStyle::Snowflake,
    has_test_keys: true,
    is_upload_before_order: false,
    starts_by_confirm,
    upload_key,
    default_order_name,
    failure_codes: &FAILURE_CODES,
    verdict_from_name: verdict::from_detection_suffix,
    has_short_probabilities: true,
    draws_placeholders: false,
    has_heatmaps_of_real: true,
    timing: ProcessingTiming::Processing,
    fixture_form: fixtures::form,
    webhooks: Some(WebhookProfile {
        build_event: events::build_event,
        signature_header: "x-moribiz-signature",
        // 1, 2 and 4 s, then 30 min, 2 h and 4 h.
        retry_schedule_ms: &[1_000, 2_000, 4_000, 1_800_000, 7_200_000, 14_400_000],
    }),
};

/// Returns `true` for all orders but watermark orders, which start when the last file is uploaded.
const fn starts_by_confirm(work: &Work) -> bool {
    !work.is_watermark()
}

fn upload_key(slot: &UploadSlot<'_>) -> String {
    let (id, name, ordinal) = (slot.order_id, slot.file_name, slot.index + 1);
    match slot.work {
        Work::AntiAi { .. } => format!("temp/{id}/{}/{name}", slot.index),
        Work::AiDetection { .. } | Work::Document(_) | Work::Bulk(_) => {
            format!("ai-detection/{id}/{ordinal}/{name}")
        }
        Work::WatermarkEmbed => {
            let is_pdf = FileKind::of_name(name).is_some_and(FileKind::is_pdf);
            let folder = if is_pdf { "documents" } else { "images" };
            format!("wtr-embed/{id}/{folder}/{ordinal}/{name}")
        }
        Work::WatermarkExtract => {
            let role = match slot.role {
                Some(Role::Original) => "original",
                Some(Role::Watermarked) | None => "watermarked",
            };
            format!("wtr-extract/{id}/{role}/{name}")
        }
    }
}

/// Builds a name of type and date for v2. Orders of v3 are named after their first file.
fn default_order_name(work: &Work, api: ApiVersion, file_name: &str, now: Timestamp) -> String {
    if api == ApiVersion::V3 {
        return file_name.to_owned();
    }
    match work {
        Work::AntiAi { .. } => format!("anti_ai_{}", clock::iso_date(now)),
        Work::WatermarkEmbed => format!("wtr_embed_{}", clock::compact_stamp_ms(now)),
        Work::WatermarkExtract => format!("wtr_extract_{}", clock::iso_date(now)),
        Work::AiDetection { .. } | Work::Document(_) | Work::Bulk(_) => {
            format!("ai_detection_{}", clock::iso_date(now))
        }
    }
}
