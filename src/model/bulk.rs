//! Bulks: detection of many pictures in one ZIP, as one order.
//!
//! The ZIP's central directory decides, when the bulk is created, which entries are queued and which are
//! skipped. The content of an entry is read only when the entry is processed.

use serde::{Deserialize, Serialize};

use super::picture::{FileDefect, Verdict};
use super::rule::OutcomeOverride;

/// Entries of a bulk.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bulk {
    /// Pictures to process, in the ZIP's order. There is at least one.
    pub queued: Vec<BulkEntry>,
    /// All other entries, in the ZIP's order.
    pub skipped: Vec<SkippedEntry>,
}

/// A queued picture in a ZIP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkEntry {
    /// Name in the ZIP, with folders.
    pub name: String,
    pub location: ZipLocation,
    /// Outcome forced by a rule. Takes precedence over the entry's name and content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome_override: Option<OutcomeOverride>,
}

impl BulkEntry {
    /// Returns the names by which rules match the entry: the whole name, and the part after the last
    /// folder. A backslash may be a separator or part of a name, so both readings are included.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let whole = self.name.as_str();
        let file = |separators: &[char]| whole.rsplit(separators).next().unwrap_or(whole);
        let mut names = vec![whole, file(&['/']), file(&['/', '\\'])];
        names.dedup();
        names
    }
}

/// Location of an entry's content in a ZIP, from the central directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ZipLocation {
    /// Offset of the entry's local header.
    pub header_at: u64,
    /// Compressed size.
    pub packed_bytes: u64,
    /// Uncompressed size.
    pub bytes: u64,
    pub crc32: u32,
    /// `true` for compression by deflate, `false` for stored content.
    pub is_deflated: bool,
}

/// An entry of a ZIP that is not processed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedEntry {
    /// Name in the ZIP, with folders.
    pub name: String,
    pub reason: SkipReason,
}

/// Reason why an entry is skipped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SkipReason {
    /// The name is invalid, or leads out of the ZIP.
    InvalidPath,
    Directory,
    /// A dot file, or a metadata file of macOS or Windows.
    Hidden,
    NestedZip,
    Pdf,
    UnsupportedType,
    Encrypted,
    TooSmall,
    TooLarge,
    /// The compression method is neither stored nor deflate.
    Compression,
}

/// Result of a queued picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ItemResult {
    Verdict(Verdict),
    /// The picture cannot be processed.
    Defect(FileDefect),
    /// A rule, the control API or the file name makes the picture fail. Holds the message.
    Error(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failed_item_results_survive_a_round_trip() {
        let defect = FileDefect::FormatMismatch("a GIF".to_owned());
        for (result, json) in [
            (
                ItemResult::Defect(defect),
                r#"{"defect":{"kind":"formatMismatch","text":"a GIF"}}"#,
            ),
            (
                ItemResult::Error("failed by a rule".to_owned()),
                r#"{"error":"failed by a rule"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&result).expect("JSON"), json);
            let parsed: ItemResult = serde_json::from_str(json).expect("a result");
            assert_eq!(parsed, result);
        }
    }
}
