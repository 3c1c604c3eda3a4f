//! Bulks: many pictures in one ZIP, judged as one order.
//!
//! What is queued and what is skipped is settled when the bulk is made, from the ZIP's
//! directory; what stands in the entries shows when they are judged.

use serde::{Deserialize, Serialize};

use super::picture::{FileDefect, Verdict};
use super::rule::OutcomeOverride;

/// What a bulk asks for.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bulk {
    /// The pictures that are judged, in the ZIP's order; one at least.
    pub queued: Vec<BulkEntry>,
    /// All else that stands in the ZIP, in its order.
    pub skipped: Vec<SkippedEntry>,
}

/// A picture in a ZIP.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkEntry {
    /// As it stands in the ZIP, folders included.
    pub name: String,
    pub location: ZipLocation,
    /// What a rule says comes of it, whatever it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome_override: Option<OutcomeOverride>,
}

impl BulkEntry {
    /// Names that a rule may give it: the whole name, and the part behind the last folder. A backslash
    /// may separate folders or be a part of a name, so both readings count.
    #[must_use]
    pub fn names(&self) -> Vec<&str> {
        let whole = self.name.as_str();
        let file = |separators: &[char]| whole.rsplit(separators).next().unwrap_or(whole);
        let mut names = vec![whole, file(&['/']), file(&['/', '\\'])];
        names.dedup();
        names
    }
}

/// Where an entry's content stands in a ZIP, as the ZIP's directory has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ZipLocation {
    /// Where the entry's own header begins.
    pub header_at: u64,
    /// What it takes in the ZIP.
    pub packed_bytes: u64,
    /// What it is unpacked.
    pub bytes: u64,
    pub crc32: u32,
    /// Else it is stored as it is.
    pub is_deflated: bool,
}

/// What is in a ZIP and is not judged.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SkippedEntry {
    /// As it stands in the ZIP, folders included.
    pub name: String,
    pub reason: SkipReason,
}

/// Why an entry is not judged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SkipReason {
    /// Its name leads out of the ZIP, or is none.
    InvalidPath,
    Directory,
    /// A dot file, or what macOS and Windows leave behind.
    Hidden,
    NestedZip,
    Pdf,
    UnsupportedType,
    Encrypted,
    TooSmall,
    TooLarge,
    /// Compressed by another method than deflate.
    Compression,
}

/// What came of one queued picture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ItemResult {
    Verdict(Verdict),
    /// What is wrong with it.
    Defect(FileDefect),
    /// That a rule or its name has it fail, in one line for people.
    Error(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_not_be_judged_is_stored_and_read_again() {
        let defect = FileDefect::FormatMismatch("a GIF".to_owned());
        for (judged, stored) in [
            (
                ItemResult::Defect(defect),
                r#"{"defect":{"kind":"formatMismatch","text":"a GIF"}}"#,
            ),
            (
                ItemResult::Error("internal error".to_owned()),
                r#"{"error":"internal error"}"#,
            ),
        ] {
            assert_eq!(serde_json::to_string(&judged).expect("JSON"), stored);
            let read: ItemResult = serde_json::from_str(stored).expect("a row");
            assert_eq!(read, judged);
        }
    }
}
