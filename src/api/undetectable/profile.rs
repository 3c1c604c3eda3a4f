//! Facts of Undetectable AI that the shared services need.

use super::detect;
use crate::engine::verdict;
use crate::model::order::{ApiVersion, Vendor};
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::services::vendors::{IdStyle, ProcessingTiming, UploadSlot, VendorProfile};

/// Facts of Undetectable AI.
pub const PROFILE: VendorProfile = VendorProfile {
    vendor: Vendor::Undetectable,
    hosts: &[
        "ai-image-detect.undetectable.ai",
        "detect-image.truthscan.com",
    ],
    path_prefix: None,
    buckets: &["ai-image-detector-dev", Vendor::Undetectable.bucket()],
    bucket_hosts: &[
        "ai-image-detector-prod.nyc3.digitaloceanspaces.com",
        "ai-image-detector-dev.nyc3.digitaloceanspaces.com",
    ],
    id_style: IdStyle::Uuid,
    has_test_keys: false,
    is_upload_before_order: true,
    starts_by_confirm: |_| false,
    upload_key,
    default_order_name,
    failure_codes: &[],
    verdict_from_name: verdict::from_document_suffix,
    has_short_probabilities: false,
    draws_placeholders: true,
    has_heatmaps_of_real: false,
    timing: ProcessingTiming::DocumentSteps,
    fixture_form: detect::fixture_form,
    webhooks: None,
};

fn upload_key(slot: &UploadSlot<'_>) -> String {
    format!("uploads/{}_{}", slot.order_id, slot.file_name)
}

fn default_order_name(_: &Work, _: ApiVersion, file_name: &str, _: Timestamp) -> String {
    file_name.to_owned()
}
