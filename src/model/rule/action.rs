//! What rules do, to calls and to orders.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::picture::{Label, NoResult};

/// What a rule does; one of them at least.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleAction {
    /// To calls: real milliseconds before anything is done about it.
    pub delay_ms: Option<u32>,
    /// To calls: the answer, in place of the front door's or the receiver's.
    pub respond: Option<StubResponse>,
    /// To calls: what becomes of the bytes on the wire.
    pub fault: Option<Fault>,
    /// To orders: what comes of it.
    pub outcome: Option<ForcedOutcome>,
    /// To orders: how long that takes.
    pub processing: Option<ProcessingMode>,
    /// To attempts at delivering a webhook.
    pub webhook: Option<WebhookEffect>,
}

impl RuleAction {
    /// Whether it is done to calls.
    #[must_use]
    pub const fn affects_calls(&self) -> bool {
        self.delay_ms.is_some()
            || self.respond.is_some()
            || self.fault.is_some()
            || self.webhook.is_some()
    }

    /// Whether it is done to orders.
    #[must_use]
    pub const fn affects_orders(&self) -> bool {
        self.outcome.is_some() || self.processing.is_some()
    }

    /// Whether all that it does to orders can be done to those that come to that.
    #[must_use]
    pub fn fits(&self, makes: ResultKind) -> bool {
        let outcome = self.outcome.as_ref();
        let processing = self.processing.as_ref();
        outcome.is_none_or(|outcome| outcome.fits(makes))
            && processing.is_none_or(|processing| processing.fits(makes))
    }
}

/// What becomes of an answer, or of a call of ours, on its way. Where nothing is answered in its
/// place the front door has done what was asked, and it is its answer that is lost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Fault {
    /// The connection is reset: an RST.
    Reset,
    /// The connection is closed, and nothing has come.
    Empty,
    /// It ends half way, and the connection is closed.
    Truncate,
    /// Bytes that are no HTTP, and the connection is closed.
    Garbage,
    /// All of it, at so many bytes a second.
    #[serde(rename_all = "camelCase")]
    Drip { bytes_per_second: u32 },
}

impl Fault {
    /// Name of the fault in rules, in the journal and in the log.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reset => "reset",
            Self::Empty => "empty",
            Self::Truncate => "truncate",
            Self::Garbage => "garbage",
            Self::Drip { .. } => "drip",
        }
    }
}

/// How long an order is in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProcessingMode {
    /// So many milliseconds, of its account's clock.
    #[serde(rename = "ms")]
    AfterMs(u32),
    /// Until its client has read it so often.
    #[serde(rename = "polls")]
    AfterPolls(u32),
    /// Until the control plane has it done.
    #[serde(rename = "hold")]
    UntilReleased,
}

impl ProcessingMode {
    /// Whether orders that come to that can take so long; nobody polls for a report's own sake, or
    /// tells it to be done.
    #[must_use]
    pub const fn fits(self, makes: ResultKind) -> bool {
        matches!(self, Self::AfterMs(_)) || !matches!(makes, ResultKind::Report)
    }
}

/// What is done to an attempt at delivering a webhook; one of them at least.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WebhookEffect {
    /// It is not made, and none after it.
    #[serde(skip_serializing_if = "is_false")]
    pub drop: bool,
    /// It is made so often, one after the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<u32>,
    /// It is made so many milliseconds later, by the account's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// It is made after the next one to that endpoint.
    #[serde(skip_serializing_if = "is_false")]
    pub out_of_order: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_false(is_named: &bool) -> bool {
    !*is_named
}

/// What stands in place of the signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Signature {
    /// One of another secret.
    Wrong,
    /// No header at all.
    Missing,
}

/// An answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StubResponse {
    /// 200 to 599.
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Option<StubBody>,
}

/// An answer's body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "text")]
pub enum StubBody {
    /// JSON, byte for byte.
    Json(String),
    Text(String),
}

/// What comes of an order, whatever its files are called and are.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum ForcedOutcome {
    Failed {
        /// The vendor's code; none: its general one for such orders.
        code: Option<String>,
        /// One line for people.
        message: Option<String>,
    },
    /// The chance that the picture was made by a machine, 0 to 1; the label follows from it.
    Probability { probability: f64 },
    /// What stands in the file; none: no watermark.
    WatermarkText { text: Option<String> },
    /// It is not known whether a watermark stands in the file.
    DetectionStatus { status: NoResult },
    FinalResult {
        label: Label,
        /// None: what is usual for the label.
        probability: Option<f64>,
    },
    /// The analysis of a document fails. The result follows from names and bytes.
    AnalysisFailed,
}

impl ForcedOutcome {
    /// Whether such an order can come to this.
    #[must_use]
    pub const fn fits(&self, makes: ResultKind) -> bool {
        match self {
            Self::Failed { .. } => true,
            Self::Probability { .. } => {
                matches!(
                    makes,
                    ResultKind::Detection | ResultKind::Document | ResultKind::BulkItems
                )
            }
            Self::WatermarkText { .. } => {
                matches!(makes, ResultKind::Extraction | ResultKind::ExtractionV3)
            }
            Self::DetectionStatus { .. } => matches!(makes, ResultKind::ExtractionV3),
            Self::FinalResult { .. } => {
                matches!(makes, ResultKind::Document | ResultKind::BulkItems)
            }
            Self::AnalysisFailed => matches!(makes, ResultKind::Document),
        }
    }

    /// Returns `true` if the order's result is left to names and bytes.
    #[must_use]
    pub const fn leaves_result(&self) -> bool {
        matches!(self, Self::AnalysisFailed)
    }
}

/// What an operation's orders come to, if it makes any.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultKind {
    /// Files.
    Outputs,
    /// A judgement of a picture.
    Detection,
    /// What watermark stands in a file.
    Extraction,
    /// The same by BIZ MORI's v3, which may not know.
    ExtractionV3,
    /// An Undetectable document: a judgement in their words, and an analysis of it.
    Document,
    /// Each picture of a bulk: such a judgement, without an analysis.
    BulkItems,
    /// A report on an order that has been made.
    Report,
}
