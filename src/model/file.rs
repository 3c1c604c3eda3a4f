//! Files of orders, and the outputs that are created from them.

use serde::{Deserialize, Serialize};

/// A file of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    pub id: u64,
    pub name: String,
    /// Key of the file's blob in the vendor's bucket.
    pub key: String,
    /// Size of the uploaded file. `None` until its upload is complete, and for files that are fetched.
    pub received_bytes: Option<u64>,
    /// URL from which the file is fetched. `None` if the client uploads the file.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// Watermark texts to embed into the file.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub watermark_texts: Vec<String>,
    /// Role of the file in a watermark extraction. `None` in other orders.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Target to which the output is delivered (zero copy). `None` if the output is stored here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<OutputTarget>,
}

/// Role of a file in a watermark extraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// The file that is searched for a watermark.
    Watermarked,
    /// The file before the watermark was embedded. Not searched, and shown only in reports.
    Original,
}

/// Place in a client's storage for an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputTarget {
    pub url: String,
    /// `true` if the target has accepted the output.
    pub delivered: bool,
}

/// One output to create: a file, and the watermark texts to embed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputSpec<'o> {
    pub file: &'o File,
    /// Index among the outputs of the file, from 0.
    pub index: usize,
    /// Watermark texts to embed.
    pub watermark_texts: &'o [String],
}

impl OutputSpec<'_> {
    /// Returns the id of the output, unique among the files and outputs of its account. A file's id ends
    /// in 001 to 100, an output's id in 101 or more.
    #[must_use]
    pub fn output_id(&self) -> u64 {
        let index = u64::try_from(self.index).unwrap_or(u64::MAX);
        self.file.id * 1_000 + 101 + index
    }
}

impl File {
    /// `true` if the client has to upload the file and has not done so yet.
    #[must_use]
    pub const fn is_upload_pending(&self) -> bool {
        self.url.is_none() && self.received_bytes.is_none()
    }
}
