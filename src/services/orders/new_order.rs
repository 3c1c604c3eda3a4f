//! Request for a new order, and the order built from it.

use crate::model::file::{File, OutputTarget, Role};
use crate::model::order::{ApiVersion, Order, OrderState, Vendor};
use crate::model::report::Reports;
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::services::accounts::Account;
use crate::services::vendors::{UploadSlot, VendorProfile};

/// The id of a file is the order's number times this, plus the file's 1-based index.
const FILE_ID_STRIDE: u64 = 1_000;

/// Request for a new order.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Name of the operation that creates the order. Idempotency keys are scoped to an operation.
    pub operation: &'static str,
    pub idempotency_key: Option<String>,
    pub vendor: Vendor,
    pub api: ApiVersion,
    /// Origin of the request: scheme and host.
    pub origin: String,
    pub name: Option<String>,
    pub work: Work,
    /// At least one file.
    pub files: Vec<NewFile>,
    /// Id chosen by the client. `None` if the server generates one.
    pub id: Option<String>,
    /// Price of the order. `None` if the vendor does not count credits.
    pub charge: Option<Charge>,
    /// SHA-256 of the request body. `None` if a repeated idempotency key with another body is not a
    /// conflict.
    pub request_digest: Option<String>,
}

/// A file of a new order.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub name: String,
    pub source: FileSource,
    /// Watermark texts to embed.
    pub watermark_texts: Vec<String>,
    pub role: Option<Role>,
    /// Target URL of the file's output (zero copy).
    pub target: Option<String>,
}

/// Source of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    /// Uploaded by the client after the order is created.
    Upload,
    /// Fetched from the URL when the order is processed.
    Url(String),
    /// Uploaded before the order is created.
    Stored { key: String, bytes: u64 },
}

/// Price of an order in credits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    pub credits: u32,
    /// Credits that the account may use in total.
    pub limit: u64,
}

impl NewFile {
    /// Creates a file without watermarks, role and target.
    #[must_use]
    pub fn new(name: String, source: FileSource) -> Self {
        Self {
            name,
            source,
            watermark_texts: Vec::new(),
            role: None,
            target: None,
        }
    }
}

/// Builds a new order. The order is pending if an upload is missing, else it is in progress. `by` is
/// the cause in the order's history.
pub(super) fn build_order(
    account: &Account,
    profile: &VendorProfile,
    new: &NewOrder,
    (id, number): (String, u64),
    retention_days: u32,
    by: &'static str,
    now: Timestamp,
) -> Order {
    let files: Vec<File> = new
        .files
        .iter()
        .enumerate()
        .map(|(index, file)| build_file(profile, new, (&id, number), index, file))
        .collect();
    let waits = files.iter().any(File::is_upload_pending);
    let first = files.first().map_or("", |file| file.name.as_str());
    let default_name = || (profile.default_order_name)(&new.work, new.api, first, now);
    let mut order = Order {
        account: account.id,
        number,
        vendor: new.vendor,
        api: new.api,
        test: profile.has_test_keys && account.is_test(),
        origin: new.origin.clone(),
        name: new.name.clone().unwrap_or_else(default_name),
        created_at: now,
        updated_at: now,
        retention_days,
        work: new.work.clone(),
        confirm_key: None,
        outcome_override: None,
        processing: None,
        charged: new.charge.map_or(0, |charge| charge.credits),
        request_digest: new.request_digest.clone(),
        reports: Reports::default(),
        state: if waits {
            OrderState::Pending
        } else {
            OrderState::started(now)
        },
        history: Vec::new(),
        files,
        id,
    };
    order.record_state(by, now);
    order
}

fn build_file(
    profile: &VendorProfile,
    new: &NewOrder,
    (order_id, number): (&str, u64),
    index: usize,
    file: &NewFile,
) -> File {
    let slot = UploadSlot {
        work: &new.work,
        order_id,
        index,
        file_name: &file.name,
        role: file.role,
    };
    let uploaded = || (profile.upload_key)(&slot);
    let (key, received_bytes, url) = match &file.source {
        FileSource::Upload => (uploaded(), None, None),
        FileSource::Url(url) => (uploaded(), None, Some(url.clone())),
        FileSource::Stored { key, bytes } => (key.clone(), Some(*bytes), None),
    };
    File {
        id: number * FILE_ID_STRIDE + u64::try_from(index).unwrap_or(u64::MAX) + 1,
        name: file.name.clone(),
        key,
        received_bytes,
        url,
        watermark_texts: file.watermark_texts.clone(),
        role: file.role,
        target: file.target.clone().map(|url| OutputTarget {
            url,
            delivered: false,
        }),
    }
}
