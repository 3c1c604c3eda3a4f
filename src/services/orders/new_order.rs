//! What a client wants, and the order that this is at first.

use crate::model::file::{File, OutputTarget, Role};
use crate::model::order::{ApiVersion, Order, OrderState, Vendor};
use crate::model::report::Reports;
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::services::accounts::Account;
use crate::services::vendors::{UploadSlot, VendorProfile};

/// A file's id is its order's number times this, and its place.
const FILE_ID_STRIDE: u64 = 1_000;

/// What a client wants.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// The operation that asks; idempotency keys are its own.
    pub operation: &'static str,
    pub idempotency_key: Option<String>,
    pub vendor: Vendor,
    pub api: ApiVersion,
    /// Of the request.
    pub origin: String,
    pub name: Option<String>,
    pub work: Work,
    /// One at least.
    pub files: Vec<NewFile>,
    /// The id its client gives it; else one is drawn.
    pub id: Option<String>,
    /// What it costs; none where credits are not counted.
    pub charge: Option<Charge>,
    /// The SHA-256 of the body, where another body under the same key is a conflict.
    pub request_digest: Option<String>,
}

/// A file of a new order.
#[derive(Debug, Clone)]
pub struct NewFile {
    pub name: String,
    pub source: FileSource,
    /// The watermarks that go into it.
    pub texts: Vec<String>,
    pub role: Option<Role>,
    /// Where its output is put, in zero copy.
    pub target: Option<String>,
}

/// Where a file comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileSource {
    /// It will be uploaded.
    Upload,
    /// It is taken from there when the order is processed.
    Url(String),
    /// It is in already.
    Stored { key: String, bytes: u64 },
}

/// Credits that an order costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charge {
    pub credits: u32,
    /// What the account may spend in all.
    pub limit: u64,
}

impl NewFile {
    /// A file of that name and source, and nothing else to say of it.
    #[must_use]
    pub fn of(name: String, source: FileSource) -> Self {
        Self {
            name,
            source,
            texts: Vec::new(),
            role: None,
            target: None,
        }
    }
}

/// The order at first: pending, or in progress where there is nothing to wait for.
pub(super) fn build_order(
    account: &Account,
    profile: &VendorProfile,
    new: &NewOrder,
    (id, number): (String, u64),
    retention_days: u32,
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
    Order {
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
        files,
        id,
    }
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
        texts: file.texts.clone(),
        role: file.role,
        target: file.target.clone().map(|url| OutputTarget {
            url,
            delivered: false,
        }),
    }
}
