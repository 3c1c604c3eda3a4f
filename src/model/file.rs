//! The files of orders, and the outputs cut from them.

use serde::{Deserialize, Serialize};

/// A file of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    pub id: u64,
    pub name: String,
    /// The key of its blob, in the vendor's bucket.
    pub key: String,
    /// Its size once it is in.
    pub received_bytes: Option<u64>,
    /// Where it is taken from, if it is not uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// The watermarks that go into it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub texts: Vec<String>,
    /// What it is to the order, where its files differ in that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// Where its output is put, in zero copy.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<OutputTarget>,
}

/// What a file is to an order that looks for a watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Role {
    /// It is looked at.
    Watermarked,
    /// As it was before; nobody looks.
    Original,
}

/// Where a client wants an output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputTarget {
    pub url: String,
    /// It has taken it.
    pub delivered: bool,
}

/// One output of an order that makes some: a file, with texts of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OutputSpec<'o> {
    pub file: &'o File,
    /// Place among the outputs of the file, from 0.
    pub index: usize,
    /// The watermarks that go into it.
    pub texts: &'o [String],
}

impl OutputSpec<'_> {
    /// Id of the output, unique among the files and outputs of its account: the last three digits
    /// of a file's id are 001 to 100, those of an output's id are above.
    #[must_use]
    pub fn output_id(&self) -> u64 {
        let index = u64::try_from(self.index).unwrap_or(u64::MAX);
        self.file.id * 1_000 + 101 + index
    }
}

impl File {
    /// Whether its upload is still to come.
    #[must_use]
    pub const fn is_upload_pending(&self) -> bool {
        self.url.is_none() && self.received_bytes.is_none()
    }
}
