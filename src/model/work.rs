//! What an order asks for, and what came of it.

use serde::{Deserialize, Serialize};

use super::bulk::{Bulk, ItemResult};
pub use super::picture::NoResult;
use super::picture::{ImageMetrics, Strength, Verdict, VerdictSource};
use super::rule::ResultKind;
use super::time::Timestamp;
use super::vendor::ApiVersion;

/// What an order asks for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Work {
    /// BIZ MORI: noise that keeps machines from learning from the pictures.
    AntiAi { strength: Strength },
    /// BIZ MORI: was this picture made by a machine?
    AiDetection { options: Option<DetectionOptions> },
    /// BIZ MORI: texts that can be found again in the files; which ones, the files say.
    WatermarkEmbed,
    /// BIZ MORI: is there such a text in this file?
    WatermarkExtract,
    /// Undetectable: the same question, asked their way.
    Document(DocumentOptions),
    /// Undetectable: the same of every picture in a ZIP.
    Bulk(Bulk),
}

impl Work {
    /// The words of BIZ MORI's orders.
    pub const BIZMORI: [&'static str; 4] = [
        "antiAi",
        "watermarkEmbed",
        "watermarkExtract",
        "aiDetection",
    ];

    /// The word for it, in SQL and on BIZ MORI's wire.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AntiAi { .. } => "antiAi",
            Self::AiDetection { .. } => "aiDetection",
            Self::WatermarkEmbed => "watermarkEmbed",
            Self::WatermarkExtract => "watermarkExtract",
            Self::Document(_) => "document",
            Self::Bulk(_) => "bulk",
        }
    }

    /// Whether it is about watermarks; such orders start by themselves when the last file is in.
    #[must_use]
    pub const fn is_watermark(&self) -> bool {
        matches!(self, Self::WatermarkEmbed | Self::WatermarkExtract)
    }
}

/// BIZ MORI's detection options, as given at creation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct DetectionOptions {
    pub generate_heatmap: bool,
    pub generate_overlay: bool,
    pub generate_thumbnail: bool,
}

/// What an Undetectable client wants to have with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DocumentOptions {
    pub preview: bool,
    pub analysis: bool,
    pub heatmap: bool,
    /// Blended on the picture, else a transparent PNG.
    pub heatmap_overlayed: bool,
    pub heatmap_normalized: bool,
}

/// What came of an order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Outcome {
    /// Pictures were made.
    Outputs(Outputs),
    /// A picture was judged.
    Detection(Box<Detection>),
    /// A watermark was looked for.
    Extraction(Extraction),
    /// The pictures of a ZIP were judged.
    Bulk(BulkResult),
}

impl Outcome {
    /// Every blob that was stored for it, by key.
    #[must_use]
    pub fn blob_keys(&self) -> Vec<&str> {
        let drawn = match self {
            Self::Outputs(outputs) => return outputs.blob_keys(),
            Self::Extraction(found) => return found.thumbnail.iter().map(String::as_str).collect(),
            Self::Bulk(_) => return Vec::new(),
            Self::Detection(found) => [
                &found.thumbnail,
                &found.preview,
                &found.heatmap,
                &found.overlay,
            ],
        };
        drawn.into_iter().flatten().map(String::as_str).collect()
    }
}

impl Outputs {
    /// Every blob that was stored, by key.
    #[must_use]
    pub fn blob_keys(&self) -> Vec<&str> {
        let more = self.download.iter().chain(&self.thumbnail);
        self.keys.iter().chain(more).map(String::as_str).collect()
    }
}

/// The files an order brought forth; all are blobs, by key. A test order has none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Outputs {
    /// One for each of [`Order::output_specs`](super::order::Order::cuts), in that order.
    pub keys: Vec<String>,
    /// What a download leads to: the one output, or the ZIP of several.
    pub download: Option<String>,
    pub thumbnail: Option<String>,
}

/// Result of a search for a watermark: its texts, one per line, `None` if there is no watermark, or
/// the reason why that is not known.
pub type WatermarkResult = Result<Option<String>, NoResult>;

/// What was found where a watermark was looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Extraction {
    /// Texts of the watermark, one per line. `None` if no watermark was found.
    pub text: Option<String>,
    /// `None` if it is known whether there is a watermark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub no_result: Option<NoResult>,
    pub source: VerdictSource,
    /// Of the file that was looked at; a blob, by key.
    pub thumbnail: Option<String>,
}

impl Extraction {
    /// Returns an extraction with that result.
    #[must_use]
    pub fn new(result: WatermarkResult, basis: VerdictSource, thumbnail: Option<String>) -> Self {
        let (text, no_result) = match result {
            Ok(text) => (text, None),
            Err(no_result) => (None, Some(no_result)),
        };
        Self {
            text,
            no_result,
            source: basis,
            thumbnail,
        }
    }
}

/// A judgement and the pictures drawn for it; those are blobs, by key.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Detection {
    pub verdict: Verdict,
    /// None where nobody asked for them, or the picture could not be decoded.
    pub measures: Option<ImageMetrics>,
    pub thumbnail: Option<String>,
    pub preview: Option<String>,
    pub heatmap: Option<String>,
    pub overlay: Option<String>,
    /// When the client was first told that it is done, by the account's clock.
    pub reported_at: Option<Timestamp>,
}

/// What came of a bulk.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct BulkResult {
    /// One for each of [`Bulk::queued`], in that order.
    pub items: Vec<ItemResult>,
}

/// Why an order failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Failure {
    /// The vendor's code.
    pub code: String,
    /// One line for people.
    pub message: String,
}

impl ResultKind {
    /// Returns what orders with that work come to, if they are made by that version of the API.
    #[must_use]
    pub const fn for_work(work: &Work, api: ApiVersion) -> Self {
        match (work, api) {
            (Work::AntiAi { .. } | Work::WatermarkEmbed, _) => Self::Outputs,
            (Work::WatermarkExtract, ApiVersion::V2) => Self::Extraction,
            (Work::WatermarkExtract, ApiVersion::V3) => Self::ExtractionV3,
            (Work::AiDetection { .. }, _) => Self::Detection,
            (Work::Document(_), _) => Self::Document,
            (Work::Bulk(_), _) => Self::BulkItems,
        }
    }
}
