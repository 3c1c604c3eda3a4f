//! Facts of each vendor that the shared services need. A vendor's folder in `api` exports one
//! [`VendorProfile`], and `app` registers it.

use crate::model::file::Role;
use crate::model::order::{ApiVersion, Order};
use crate::model::picture::Verdict;
use crate::model::time::Timestamp;
use crate::model::vendor::Vendor;
use crate::model::work::Work;
use crate::services::presigned_urls::PresignedUrls;

/// Builds the event of an order that has ended, with presigned URLs for the origin of the request that
/// created the order. `None` if the vendor sends no event for such an order.
pub type EventBuilder =
    fn(&Order, &PresignedUrls, event_id: &str, now: Timestamp) -> Option<EventPayload>;

/// Event in the vendor's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventPayload {
    /// Type, such as `order.aiDetection.completed`.
    pub event_type: String,
    /// Body, as it is signed and sent.
    pub body: String,
}

/// Format of order ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdStyle {
    /// A 64-bit integer of time and sequence, in decimal digits.
    Snowflake,
    Uuid,
}

/// Source of the default time that an order is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProcessingTiming {
    /// `--processing-ms`.
    Processing,
    /// Steps of a document, some of which follow the first read of its result.
    DocumentSteps,
}

/// File of an order that is still to be uploaded.
#[derive(Debug, Clone, Copy)]
pub struct UploadSlot<'s> {
    pub work: &'s Work,
    pub order_id: &'s str,
    /// 0-based.
    pub index: usize,
    pub file_name: &'s str,
    pub role: Option<Role>,
}

/// Webhooks of a vendor.
#[derive(Debug, Clone, Copy)]
pub struct WebhookProfile {
    pub build_event: EventBuilder,
    /// Request header with the signature, in lower case.
    pub signature_header: &'static str,
    /// Milliseconds from each failed attempt to the next. The delivery fails with the attempt after the
    /// last entry.
    pub retry_schedule_ms: &'static [i64],
}

/// Form of an order in a fixtures document.
#[derive(Debug, Clone, PartialEq)]
pub struct FixtureForm {
    /// Operation that creates orders of this kind.
    pub operation: &'static str,
    /// `true` if fixtures of the operation may have a name.
    pub is_named: bool,
    /// Options of the operation, with the vendor's field names. An object, or null for none.
    pub options: serde_json::Value,
}

/// Facts of one vendor.
#[derive(Debug)]
pub struct VendorProfile {
    pub vendor: Vendor,
    /// Host names of the vendor's API.
    pub hosts: &'static [&'static str],
    /// First segment of the paths of the vendor's API. `None` if they begin at the root: unknown paths are
    /// then the vendor's.
    pub path_prefix: Option<&'static str>,
    /// Buckets with the vendor's objects.
    pub buckets: &'static [&'static str],
    /// Host names of the vendor's buckets. No presigned URL has them, but clients may send requests there.
    pub bucket_hosts: &'static [&'static str],
    pub id_style: IdStyle,
    /// `true` if keys that begin with `sk_test_` create test orders.
    pub has_test_keys: bool,
    /// `true` if files are uploaded before the order that names them.
    pub is_upload_before_order: bool,
    /// Returns `true` if orders of this kind start when the client confirms the uploads.
    pub starts_by_confirm: fn(&Work) -> bool,
    /// Builds the object key of an upload.
    pub upload_key: fn(&UploadSlot<'_>) -> String,
    /// Builds the name of an order that the client gave none. Takes the name of the first file.
    pub default_order_name: fn(&Work, ApiVersion, file_name: &str, now: Timestamp) -> String,
    /// Codes with which orders fail. Empty if they fail with a message alone.
    pub failure_codes: &'static [&'static str],
    /// Returns the verdict that the suffix of a file name chooses. `None` if the name has no known suffix.
    pub verdict_from_name: fn(&str) -> Option<Verdict>,
    /// `true` if probabilities that follow from a hash of the bytes have four decimals at most.
    pub has_short_probabilities: bool,
    /// `true` if a placeholder is drawn for a file that is no picture.
    pub draws_placeholders: bool,
    /// `true` if pictures judged to be real have a heatmap.
    pub has_heatmaps_of_real: bool,
    pub timing: ProcessingTiming,
    /// Returns the form in which a fixtures document has orders of this kind. `None` if it has none.
    pub fixture_form: fn(&Work, ApiVersion) -> Option<FixtureForm>,
    /// `None` if the vendor has no webhooks.
    pub webhooks: Option<WebhookProfile>,
}

/// Profiles of all vendors.
#[derive(Debug, Clone, Copy)]
pub struct Vendors([&'static VendorProfile; Vendor::ALL.len()]);

impl Vendors {
    /// Registers the vendors' profiles, in the order of [`Vendor::ALL`].
    ///
    /// # Panics
    /// Panics if a profile has another vendor's position, if the paths of two vendors begin at the root, if
    /// not exactly one vendor has webhooks, or if files of two vendors are uploaded before their orders. In
    /// a constant, the panic is a compile error.
    #[must_use]
    pub const fn new(profiles: [&'static VendorProfile; Vendor::ALL.len()]) -> Self {
        let mut index = 0;
        let mut at_root = 0;
        let mut with_webhooks = 0;
        let mut with_uploads = 0;
        while index < profiles.len() {
            assert!(
                profiles[index].vendor as usize == Vendor::ALL[index] as usize,
                "profiles are in the order of Vendor::ALL"
            );
            if profiles[index].path_prefix.is_none() {
                at_root += 1;
            }
            if profiles[index].webhooks.is_some() {
                with_webhooks += 1;
            }
            if profiles[index].is_upload_before_order {
                with_uploads += 1;
            }
            index += 1;
        }
        assert!(
            at_root <= 1,
            "unknown paths are of one vendor: the others need a path_prefix"
        );
        assert!(
            with_webhooks == 1,
            "webhooks of fixtures are of one vendor: with two, fixtures must name the vendor"
        );
        assert!(
            with_uploads <= 1,
            "uploads before orders are of one vendor: with two, `uploads` needs a vendor column"
        );
        Self(profiles)
    }

    /// Returns the profile of `vendor`.
    #[must_use]
    pub const fn profile(&self, vendor: Vendor) -> &'static VendorProfile {
        self.0[vendor as usize]
    }

    /// Iterates over the buckets of all vendors.
    pub fn buckets(&self) -> impl Iterator<Item = &'static str> + Clone + use<> {
        self.iter().flat_map(|profile| profile.buckets).copied()
    }

    /// Iterates over all profiles.
    pub fn iter(&self) -> impl Iterator<Item = &'static VendorProfile> + Clone + use<> {
        self.0.into_iter()
    }

    /// Returns the vendor with `host` among the hosts of its API. Takes a host in any case, with or without
    /// a final dot and a port.
    #[must_use]
    pub fn for_host(&self, host: &str) -> Option<Vendor> {
        let without_port = host.split(':').next().unwrap_or(host);
        let name = without_port.trim_end_matches('.');
        let mut profiles = self.iter();
        let profile = profiles.find(|profile| {
            let mut hosts = profile.hosts.iter();
            hosts.any(|known| known.eq_ignore_ascii_case(name))
        })?;
        Some(profile.vendor)
    }

    /// Returns the vendor whose API `path` belongs to: by its first segment, else the vendor at the root.
    /// `None` if there is no such vendor.
    #[must_use]
    pub fn for_path(&self, path: &str) -> Option<Vendor> {
        let first = path.split('/').nth(1);
        let by_prefix = self
            .iter()
            .find(|profile| profile.path_prefix.is_some() && profile.path_prefix == first);
        let profile = by_prefix.or_else(|| self.iter().find(|it| it.path_prefix.is_none()))?;
        Some(profile.vendor)
    }

    /// Returns the vendor with webhooks, to which webhooks of fixtures belong. `None` if no vendor has
    /// webhooks, which [`Self::new`] refuses.
    #[must_use]
    pub fn with_webhooks(&self) -> Option<Vendor> {
        let profile = self.iter().find(|profile| profile.webhooks.is_some())?;
        Some(profile.vendor)
    }
}
