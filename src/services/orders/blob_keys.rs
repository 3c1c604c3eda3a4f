//! Keys of an order's blobs, and default names of orders.

use std::collections::BTreeSet;

use crate::model::order::Order;
use crate::model::report::Locale;
use crate::model::time::Timestamp;
use crate::model::work::Work;
use crate::platform::clock;

/// Returns the key of an upload of Undetectable. The format is the vendor's.
pub(super) fn undetectable_upload_key(upload_id: &str, name: &str, now: Timestamp) -> String {
    format!("uploads/{upload_id}_{}_{name}", clock::compact_stamp(now))
}

/// Returns the key of a result of an order.
pub(super) fn result_key(order: &Order, name: &str) -> String {
    format!("results/{}/{name}", order.id)
}

/// File names of results.
pub(super) const THUMBNAIL: &str = "thumbnail.jpg";
pub(super) const PREVIEW: &str = "preview.jpg";
pub(super) const HEATMAP: &str = "heatmap.png";
pub(super) const OVERLAY: &str = "overlay.png";
const ARCHIVE: &str = "archive.zip";

/// Returns the key of output `index` (0-based), made from the file `file_name`.
pub(super) fn output_key(order: &Order, index: usize, file_name: &str) -> String {
    result_key(order, &format!("{}/{file_name}", index + 1))
}

/// Returns the key of the ZIP file with the order's outputs.
pub(super) fn archive_key(order: &Order) -> String {
    result_key(order, ARCHIVE)
}

/// Returns the key of the order's report in `locale`.
pub(super) fn report_key(order: &Order, locale: Locale) -> String {
    result_key(order, &format!("report-{}.pdf", locale.tag()))
}

/// Returns the last segment of a result's key, which is the name of the file.
pub(super) fn file_name(key: &str) -> &str {
    key.rsplit('/').next().unwrap_or(key)
}

/// Returns every key under which a blob of the order may exist, including keys that are not in the
/// order's row: interrupted work may have stored results without recording them.
pub(super) fn all_keys(order: &Order) -> BTreeSet<String> {
    let recorded = order.blob_keys().into_iter().map(str::to_owned);
    let mut keys: BTreeSet<String> = recorded.collect();
    let named = |names: &[&str]| -> Vec<String> {
        let key = |name: &&str| result_key(order, name);
        names.iter().map(key).collect()
    };
    match order.work {
        // Test orders are not processed, so they have no results.
        _ if order.test => return keys,
        Work::AntiAi { .. } | Work::WatermarkEmbed => {
            let outputs = order.output_specs().into_iter().enumerate();
            keys.extend(outputs.map(|(index, output)| output_key(order, index, &output.file.name)));
            keys.extend(named(&[THUMBNAIL, ARCHIVE]));
        }
        Work::WatermarkExtract => keys.extend(named(&[THUMBNAIL])),
        Work::AiDetection { .. } => keys.extend(named(&[THUMBNAIL, HEATMAP, OVERLAY])),
        Work::Document(_) => keys.extend(named(&[PREVIEW, HEATMAP, OVERLAY])),
        // A bulk's images are read inside the ZIP file, and have no results on disk.
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

/// Owner of an object, as encoded in its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyOwner<'k> {
    /// An order, by id.
    Order(&'k str),
    /// An Undetectable upload, by the UUID in its key.
    Upload(&'k str),
}

/// Returns the owner of the object `key`. `None` if the key has none of the known formats.
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
    use crate::model::order::{ApiVersion, OrderState};

    #[test]
    fn all_keys_of_an_order_in_progress_include_results_that_are_not_recorded() {
        let at = Timestamp::from_ms(0);
        let mut order = Order {
            id: "42".to_owned(),
            api: ApiVersion::V3,
            work: Work::WatermarkEmbed,
            files: vec![File {
                id: 1,
                name: "a.jpg".to_owned(),
                key: "wtr-embed/42/images/1/a.jpg".to_owned(),
                received_bytes: Some(1),
                url: None,
                watermark_texts: vec!["x".to_owned(), "y".to_owned()],
                role: None,
                target: None,
            }],
            state: OrderState::started(at),
            ..Order::sample()
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
        let images = ["heatmap.png", "overlay.png"];
        let expected = [&images[..], &reports, &["thumbnail.jpg"]].concat();
        assert_eq!(results(&order), expected);
        order.test = true;
        assert!(results(&order).is_empty(), "test orders have no results");
    }

    #[test]
    fn key_owner_returns_the_id_in_a_vendor_key() {
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
