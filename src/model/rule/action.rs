//! Effects of rules on calls and orders.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::picture::{Label, NoResult};

/// Effects of a rule. At least one is set.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleAction {
    /// Calls: delay in real milliseconds before the call is handled or sent.
    pub delay_ms: Option<u32>,
    /// Calls: response in place of the handler's or the receiver's.
    pub respond: Option<StubResponse>,
    /// Calls: fault of the connection.
    pub fault: Option<Fault>,
    /// Orders: forced outcome.
    pub outcome: Option<ForcedOutcome>,
    /// Orders: duration of the processing.
    pub processing: Option<ProcessingMode>,
    /// Webhook deliveries: effects on an attempt.
    pub webhook: Option<WebhookEffect>,
}

impl RuleAction {
    /// `true` if the rule affects calls.
    #[must_use]
    pub const fn affects_calls(&self) -> bool {
        self.delay_ms.is_some()
            || self.respond.is_some()
            || self.fault.is_some()
            || self.webhook.is_some()
    }

    /// `true` if the rule affects orders.
    #[must_use]
    pub const fn affects_orders(&self) -> bool {
        self.outcome.is_some() || self.processing.is_some()
    }

    /// `true` if all effects on orders can be applied to orders with this kind of result.
    #[must_use]
    pub fn is_applicable_to(&self, result_kind: ResultKind) -> bool {
        let outcome = self.outcome.as_ref();
        let processing = self.processing.as_ref();
        outcome.is_none_or(|outcome| outcome.is_applicable_to(result_kind))
            && processing.is_none_or(|processing| processing.is_applicable_to(result_kind))
    }
}

/// Fault of a connection while a response is written, or an outbound call is sent. Without a stub
/// response, the handler still runs, and its response is the one that is damaged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum Fault {
    /// Resets the connection (TCP RST).
    Reset,
    /// Closes the connection without sending a byte.
    Empty,
    /// Sends half of the message and closes the connection.
    Truncate,
    /// Sends bytes that are not HTTP and closes the connection.
    Garbage,
    /// Sends the whole message at a limited rate.
    #[serde(rename_all = "camelCase")]
    Drip { bytes_per_second: u32 },
}

impl Fault {
    /// Returns the name of the fault in rules, in the journal and in the log.
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

/// Duration of an order's processing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum ProcessingMode {
    /// Ends after this many milliseconds of the account's clock.
    #[serde(rename = "ms")]
    AfterMs(u32),
    /// Ends when the client has read the order this many times.
    #[serde(rename = "polls")]
    AfterPolls(u32),
    /// Ends when the control API completes the order.
    #[serde(rename = "hold")]
    UntilReleased,
}

impl ProcessingMode {
    /// `true` if orders with this kind of result can have the duration. A report can only have a
    /// duration in milliseconds: it is neither polled nor completed by the control API.
    #[must_use]
    pub const fn is_applicable_to(self, result_kind: ResultKind) -> bool {
        matches!(self, Self::AfterMs(_)) || !matches!(result_kind, ResultKind::Report)
    }
}

/// Effects on an attempt to deliver a webhook. At least one is set.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct WebhookEffect {
    /// Does not send this attempt or any later one.
    #[serde(skip_serializing_if = "is_false")]
    pub drop: bool,
    /// Number of times the attempt is sent, one after the other.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duplicate: Option<u32>,
    /// Delay of the attempt in milliseconds of the account's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub signature: Option<Signature>,
    /// Sends the attempt after the next one to the same endpoint.
    #[serde(skip_serializing_if = "is_false")]
    pub out_of_order: bool,
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "skip_serializing_if passes a reference"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// Damage of the signature header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Signature {
    /// Signs with another secret.
    Wrong,
    /// Sends no signature header.
    Missing,
}

/// Response in place of a handler's or a receiver's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StubResponse {
    /// 200 to 599.
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: Option<StubBody>,
}

/// Body of a stub response.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", content = "text")]
pub enum StubBody {
    /// JSON text, sent unchanged.
    Json(String),
    Text(String),
}

/// Forced outcome of an order. Takes precedence over file names and content.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
pub enum ForcedOutcome {
    Failed {
        /// The vendor's code. `None`: the vendor's general code for the kind of order.
        code: Option<String>,
        /// Message for people, in one line.
        message: Option<String>,
    },
    /// Probability (0 to 1) that the picture was generated by AI. The label follows from it.
    Probability { probability: f64 },
    /// Text of the watermark in the file. `None`: no watermark.
    WatermarkText { text: Option<String> },
    /// Reason why it is unknown whether the file has a watermark.
    DetectionStatus { status: NoResult },
    FinalResult {
        label: Label,
        /// `None`: the default for the label.
        probability: Option<f64>,
    },
    /// Failed analysis of a document. Its verdict still follows from file name and content.
    AnalysisFailed,
}

impl ForcedOutcome {
    /// `true` if orders with this kind of result can have the outcome.
    #[must_use]
    pub const fn is_applicable_to(&self, result_kind: ResultKind) -> bool {
        match self {
            Self::Failed { .. } => true,
            Self::Probability { .. } => {
                matches!(
                    result_kind,
                    ResultKind::Detection | ResultKind::Document | ResultKind::BulkItems
                )
            }
            Self::WatermarkText { .. } => {
                matches!(
                    result_kind,
                    ResultKind::Extraction | ResultKind::ExtractionV3
                )
            }
            Self::DetectionStatus { .. } => matches!(result_kind, ResultKind::ExtractionV3),
            Self::FinalResult { .. } => {
                matches!(result_kind, ResultKind::Document | ResultKind::BulkItems)
            }
            Self::AnalysisFailed => matches!(result_kind, ResultKind::Document),
        }
    }

    /// `true` if the verdict still follows from file name and content.
    #[must_use]
    pub const fn leaves_result(&self) -> bool {
        matches!(self, Self::AnalysisFailed)
    }
}

/// Kind of result of an order. Determines which outcomes a rule can force.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ResultKind {
    /// Output files.
    Outputs,
    /// Verdict on a picture.
    Detection,
    /// Text of the watermark in a file.
    Extraction,
    /// Same for BIZ MORI's v3, whose result may also be unknown.
    ExtractionV3,
    /// Verdict on an Undetectable document, and an analysis of it.
    Document,
    /// Verdicts on the pictures of a bulk, without an analysis.
    BulkItems,
    /// Report on a complete order.
    Report,
}
