//! Where an order's blobs stand, and what an order is called when its client does not say.

use std::collections::BTreeSet;

use crate::model::order::Order;
use crate::model::report::Locale;
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::platform::clock;

/// The key of an Undetectable upload of its own, as the vendor's.
pub(super) fn undetectable_upload_key(upload_id: &str, name: &str, now: Timestamp) -> String {
    format!(
        "uploads/{upload_id}_{}_{name}",
        clock::undetectable_key_stamp(now)
    )
}

/// The key of something made for an order.
pub(super) fn result_key(order: &Order, name: &str) -> String {
    format!("results/{}/{name}", order.id)
}

/// What things made for an order are called.
pub(super) const THUMBNAIL: &str = "thumbnail.jpg";
pub(super) const PREVIEW: &str = "preview.jpg";
pub(super) const HEATMAP: &str = "heatmap.png";
pub(super) const OVERLAY: &str = "overlay.png";
const ARCHIVE: &str = "archive.zip";

/// The key of its output `index` (from 0), cut from a file of that name.
pub(super) fn output_key(order: &Order, index: usize, file_name: &str) -> String {
    result_key(order, &format!("{}/{file_name}", index + 1))
}

/// The key of the ZIP of its outputs.
pub(super) fn archive_key(order: &Order) -> String {
    result_key(order, ARCHIVE)
}

/// The key of a report on it.
pub(super) fn report_key(order: &Order, locale: Locale) -> String {
    result_key(order, &format!("report-{}.pdf", locale.tag()))
}

/// Every key under which anything may be stored for an order, whatever its record says: work
/// that broke off has told nobody.
pub(super) fn all_keys(order: &Order) -> BTreeSet<String> {
    let recorded = order.blob_keys().into_iter().map(str::to_owned);
    let mut keys: BTreeSet<String> = recorded.collect();
    let named = |names: &[&str]| -> Vec<String> {
        let key = |name: &&str| result_key(order, name);
        names.iter().map(key).collect()
    };
    match order.work {
        // Nobody works on a test order.
        _ if order.test => return keys,
        Work::AntiAi { .. } | Work::WatermarkEmbed => {
            let cuts = order.output_specs().into_iter().enumerate();
            keys.extend(cuts.map(|(index, cut)| output_key(order, index, &cut.file.name)));
            keys.extend(named(&[THUMBNAIL, ARCHIVE]));
        }
        Work::WatermarkExtract => keys.extend(named(&[THUMBNAIL])),
        Work::AiDetection { .. } => keys.extend(named(&[THUMBNAIL, HEATMAP, OVERLAY])),
        Work::Document(_) => keys.extend(named(&[PREVIEW, HEATMAP, OVERLAY])),
        // Its pictures are not unpacked, and nothing is drawn of them.
        Work::Bulk(_) => {}
    }
    if matches!(
        order.work,
        Work::WatermarkExtract | Work::AiDetection { .. }
    ) {
        keys.extend(Locale::ALL.map(|locale| report_key(order, locale)));
    }
    keys
}

/// Whose object a key is of, as far as the key says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOwner<'k> {
    /// An order, by id.
    Order(&'k str),
    /// An Undetectable upload, by the UUID in its key.
    Upload(&'k str),
}

/// Reads a key as this module and the vendors write them.
#[must_use]
pub fn key_owner(key: &str) -> Option<KeyOwner<'_>> {
    let (kind, rest) = key.split_once('/')?;
    match kind {
        "uploads" => rest.split_once('_').map(|(id, _)| KeyOwner::Upload(id)),
        "temp" | "ai-detection" | "wtr-embed" | "wtr-extract" | "results" => {
            rest.split_once('/').map(|(id, _)| KeyOwner::Order(id))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::file::File;
    use crate::model::ids::AccountId;
    use crate::model::order::{ApiVersion, OrderState, Vendor};
    use crate::model::report::Reports;

    #[test]
    fn every_key_of_an_order_in_progress_is_known_before_anything_is_stored() {
        let at = Timestamp::from_ms(0);
        let mut order = Order {
            id: "42".to_owned(),
            account: AccountId(1),
            number: 1,
            vendor: Vendor::Bizmori,
            api: ApiVersion::V3,
            test: false,
            origin: String::new(),
            name: String::new(),
            created_at: at,
            updated_at: at,
            retention_days: 7,
            work: Work::WatermarkEmbed,
            files: vec![File {
                id: 1,
                name: "a.jpg".to_owned(),
                key: "wtr-embed/42/images/1/a.jpg".to_owned(),
                received_bytes: Some(1),
                url: None,
                texts: vec!["x".to_owned(), "y".to_owned()],
                role: None,
                target: None,
            }],
            confirm_key: None,
            outcome_override: None,
            processing: None,
            charged: 0,
            request_digest: None,
            reports: Reports::default(),
            state: OrderState::started(at),
        };
        let results = |order: &Order| -> Vec<String> {
            let keys = all_keys(order).into_iter();
            keys.filter_map(|key| key.strip_prefix("results/42/").map(str::to_owned))
                .collect()
        };
        let created = ["1/a.jpg", "2/a.jpg", "archive.zip", "thumbnail.jpg"];
        assert_eq!(results(&order), created);
        assert!(all_keys(&order).contains("wtr-embed/42/images/1/a.jpg"));
        order.work = Work::AiDetection { options: None };
        let reports = ["report-en-US.pdf", "report-ja-JP.pdf", "report-ko-KR.pdf"];
        let drawn = ["heatmap.png", "overlay.png"];
        let found = [&drawn[..], &reports, &["thumbnail.jpg"]].concat();
        assert_eq!(results(&order), found);
        order.test = true;
        assert!(results(&order).is_empty(), "nobody works on a test order");
    }

    #[test]
    fn a_key_names_its_owner() {
        assert_eq!(key_owner("temp/42/0/a.jpg"), Some(KeyOwner::Order("42")));
        assert_eq!(
            key_owner("ai-detection/42/1/a/b.jpg"),
            Some(KeyOwner::Order("42"))
        );
        assert_eq!(
            key_owner("results/u-u/heatmap.png"),
            Some(KeyOwner::Order("u-u"))
        );
        assert_eq!(
            key_owner("uploads/u-u_20260101-000000_a.jpg"),
            Some(KeyOwner::Upload("u-u"))
        );
        for foreign in ["", "a", "a/b/c", "uploads/x", "temp/42"] {
            assert_eq!(key_owner(foreign), None, "{foreign}");
        }
    }
}
