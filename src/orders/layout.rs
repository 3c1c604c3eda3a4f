//! Where an order's blobs stand, and what an order is called when its client does not say.

use super::draft::NewFile;
use crate::clock;
use crate::model::file::Role;
use crate::model::order::Order;
use crate::model::picture::Media;
use crate::model::time::Timestamp;
use crate::model::work::Work;

/// The key under which file `index` (from 0) of an order is uploaded; as the vendor's.
pub(super) fn upload_key(work: &Work, order_id: &str, index: usize, file: &NewFile) -> String {
    let name = &file.name;
    match work {
        Work::AntiAi { .. } => format!("temp/{order_id}/{index}/{name}"),
        Work::AiDetection { .. } => format!("ai-detection/{order_id}/{}/{name}", index + 1),
        Work::WatermarkEmbed => {
            let is_pdf = Media::of_name(name).is_some_and(Media::is_pdf);
            let folder = if is_pdf { "documents" } else { "images" };
            format!("wtr-embed/{order_id}/{folder}/{}/{name}", index + 1)
        }
        Work::WatermarkExtract => {
            let role = match file.role {
                Some(Role::Original) => "original",
                Some(Role::Watermarked) | None => "watermarked",
            };
            format!("wtr-extract/{order_id}/{role}/{name}")
        }
        Work::Document(_) => format!("uploads/{order_id}_{name}"),
    }
}

/// The key of an Undetectable upload of its own, as the vendor's.
pub(super) fn document_key(upload_id: &str, name: &str, now: Timestamp) -> String {
    format!("uploads/{upload_id}_{}_{name}", clock::compact(now))
}

/// The order's name when none is given; as the vendor's.
pub(super) fn default_name(work: &Work, file_name: &str, now: Timestamp) -> String {
    match work {
        Work::AntiAi { .. } => format!("anti_ai_{}", clock::iso_date(now)),
        Work::AiDetection { .. } => format!("ai_detection_{}", clock::iso_date(now)),
        Work::WatermarkEmbed => format!("wtr_embed_{}", clock::compact_ms(now)),
        Work::WatermarkExtract => format!("wtr_extract_{}", clock::iso_date(now)),
        Work::Document(_) => file_name.to_owned(),
    }
}

/// The key of something made for an order.
pub(super) fn result_key(order: &Order, name: &str) -> String {
    format!("results/{}/{name}", order.id)
}

/// The key of the ZIP of what was made for an order.
pub(super) fn archive_key(order: &Order) -> String {
    result_key(order, "archive.zip")
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
