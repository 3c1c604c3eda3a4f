//! JSON types of rules in requests and responses.
//!
//! Every `Option` may be omitted in a request, and is absent in a response if it was omitted,
//! unless a field says otherwise.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

pub use super::header_text::HeaderText;
use crate::http::JsonObject;
use crate::model::clip::clip;
use crate::model::picture::Label;
use crate::model::rule::{self, ProcessingMode, RuleId, WebhookEffect};
use crate::model::work::NoResult;
use crate::platform::clock::iso;
use crate::services::rules::{ActiveRule, RuleMatch};

/// Final results of Undetectable, besides the names of generators whose watermark was found.
pub const FINAL_RESULTS: [&str; 4] = ["AI Generated", "Real", "Digitally Edited", "AI Edited"];

/// Forms of `then.processing`.
const PROCESSING_MODES: &str = r#"{"ms": 60000}, {"polls": 3} or "hold""#;
/// Characters that an error shows of an invalid `then.processing`.
const PROCESSING_CHARS_MAX: usize = 100;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleRequest {
    pub name: Option<String>,
    pub account: Option<String>,
    /// False if the rule matches nothing until it is enabled. True if omitted.
    pub enabled: Option<bool>,
    pub when: Option<JsonObject<RuleConditionSpec>>,
    #[serde(default)]
    pub skip: u64,
    pub times: Option<u64>,
    pub probability: Option<f64>,
    pub then: JsonObject<RuleActionSpec>,
}

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleConditionSpec {
    pub operation: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    pub file_name: Option<String>,
    pub webhook_url: Option<String>,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RuleActionSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub respond: Option<JsonObject<StubResponseSpec>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<FaultName>,
    /// Rate of the fault `drip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes_per_second: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<JsonObject<OutcomeSpec>>,
    #[serde(
        default,
        deserialize_with = "processing_mode",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<ProcessingMode>")]
    pub processing: Option<ProcessingMode>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub webhook: Option<JsonObject<WebhookEffect>>,
}

/// Name of a fault.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum FaultName {
    Reset,
    Empty,
    Truncate,
    Garbage,
    Drip,
}

#[derive(Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StubResponseSpec {
    pub status: u16,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub headers: BTreeMap<String, HeaderText>,
    /// Body, byte for byte as in the rule. Null is a body; absent means no body.
    #[serde(
        default,
        deserialize_with = "double_option",
        skip_serializing_if = "Option::is_none"
    )]
    #[schemars(with = "Option<serde_json::Value>")]
    pub body: Option<Box<RawValue>>,
}

#[derive(Default, PartialEq, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OutcomeSpec {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_code: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error_message: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// Text of the watermark. Null: no watermark. Absent: not set.
    #[serde(
        default,
        deserialize_with = "double_option",
        skip_serializing_if = "Option::is_none"
    )]
    pub watermark_text: Option<Option<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detection_status: Option<NoResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub final_result: Option<String>,
    /// `failed` if the analysis of a document is to fail. No other value is valid.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub analysis: Option<String>,
}

impl OutcomeSpec {
    /// `true` if no field is set.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Deserializes a processing mode. The errors of its derived form name the variants, but not that two of
/// them are objects.
fn processing_mode<'de, D: Deserializer<'de>>(from: D) -> Result<Option<ProcessingMode>, D::Error> {
    let json = Option::<Box<RawValue>>::deserialize(from)?;
    let parse = |json: Box<RawValue>| {
        serde_json::from_str(json.get()).map_err(|_| {
            let got = clip(json.get(), PROCESSING_CHARS_MAX);
            let message = format!("expected {PROCESSING_MODES}, got {got}");
            serde::de::Error::custom(message)
        })
    };
    json.map(parse).transpose()
}

/// Deserializes null as a value of `T`, so that null and an absent field differ.
pub fn double_option<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    from: D,
) -> Result<Option<T>, D::Error> {
    T::deserialize(from).map(Some)
}

/// Active rule. Name, account and times are null if they were omitted.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Rule")]
pub struct RuleView<'r> {
    id: RuleId,
    name: Option<&'r str>,
    account: Option<&'r str>,
    enabled: bool,
    when: &'r rule::RuleCondition,
    skip: u64,
    times: Option<u64>,
    probability: f64,
    then: RuleActionSpec,
    hits: u64,
    /// Last matches since the start of the server, at most five, the newest first.
    last_matches: Vec<RuleMatchView>,
}

/// Match of a rule.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RuleMatch")]
struct RuleMatchView {
    /// Time by the account's clock, or the real time if there was no account.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// Key of the account. Null if there was none.
    account: Option<String>,
    operation: String,
    /// Number of the request, as in `X-Mock-Request`. Null for orders and the server's own calls.
    seq: Option<u64>,
    /// Order that matched. Null for requests and the server's own calls.
    order_id: Option<String>,
    /// True if the rule was applied, false if it skipped the match.
    applied: bool,
}

impl From<RuleMatch> for RuleMatchView {
    fn from(matched: RuleMatch) -> Self {
        Self {
            at: iso(matched.at),
            account: matched.account,
            operation: matched.operation,
            seq: matched.seq,
            order_id: matched.order_id,
            applied: matched.applied,
        }
    }
}

impl<'r> From<&'r ActiveRule> for RuleView<'r> {
    fn from(active: &'r ActiveRule) -> Self {
        let rule = &active.rule;
        Self {
            id: active.id,
            name: rule.name.as_deref(),
            account: rule.account.as_deref(),
            enabled: rule.enabled,
            when: &rule.when,
            skip: rule.skip,
            times: rule.times,
            probability: rule.probability,
            then: (&rule.then).into(),
            hits: active.hits(),
            last_matches: (active.last_matches().into_iter())
                .map(RuleMatchView::from)
                .collect(),
        }
    }
}

impl From<&rule::RuleAction> for RuleActionSpec {
    fn from(then: &rule::RuleAction) -> Self {
        Self {
            delay_ms: then.delay_ms.map(u64::from),
            respond: then
                .respond
                .as_ref()
                .map(|respond| JsonObject(respond.into())),
            fault: then.fault.map(FaultName::from),
            bytes_per_second: match then.fault {
                Some(rule::Fault::Drip { bytes_per_second }) => Some(bytes_per_second),
                _ => None,
            },
            outcome: then
                .outcome
                .as_ref()
                .map(|outcome| JsonObject(outcome.into())),
            processing: then.processing,
            webhook: then.webhook.clone().map(JsonObject),
        }
    }
}

impl From<rule::Fault> for FaultName {
    fn from(fault: rule::Fault) -> Self {
        match fault {
            rule::Fault::Reset => Self::Reset,
            rule::Fault::Empty => Self::Empty,
            rule::Fault::Truncate => Self::Truncate,
            rule::Fault::Garbage => Self::Garbage,
            rule::Fault::Drip { .. } => Self::Drip,
        }
    }
}

impl From<&rule::StubResponse> for StubResponseSpec {
    fn from(respond: &rule::StubResponse) -> Self {
        let body = respond.body.as_ref().and_then(|body| match body {
            rule::StubBody::Json(text) => RawValue::from_string(text.clone()).ok(),
            rule::StubBody::Text(text) => serde_json::value::to_raw_value(text).ok(),
        });
        Self {
            status: respond.status,
            headers: (respond.headers.iter())
                .map(|(name, value)| (name.clone(), HeaderText(value.clone())))
                .collect(),
            body,
        }
    }
}

impl From<&rule::ForcedOutcome> for OutcomeSpec {
    fn from(outcome: &rule::ForcedOutcome) -> Self {
        let none = Self::default();
        match outcome.clone() {
            rule::ForcedOutcome::Failed { code, message } => Self {
                status: Some("failed".to_owned()),
                error_code: code,
                error_message: message,
                ..none
            },
            rule::ForcedOutcome::Probability { probability } => Self {
                probability: Some(probability),
                ..none
            },
            rule::ForcedOutcome::WatermarkText { text } => Self {
                watermark_text: Some(text),
                ..none
            },
            rule::ForcedOutcome::DetectionStatus { status } => Self {
                detection_status: Some(status),
                ..none
            },
            rule::ForcedOutcome::FinalResult { label, probability } => Self {
                final_result: Some(final_result(&label).to_owned()),
                probability,
                ..none
            },
            rule::ForcedOutcome::AnalysisFailed => Self {
                analysis: Some("failed".to_owned()),
                ..none
            },
        }
    }
}

/// Returns the vendor's name of a label.
fn final_result(label: &Label) -> &str {
    match label {
        Label::Ai => "AI Generated",
        Label::Human => "Real",
        Label::Edited => "Digitally Edited",
        Label::AiEdited => "AI Edited",
        Label::Watermarked(generator) => generator,
    }
}

/// Words that cannot name a generator, in lower case and without punctuation: they are words for
/// results of this vendor or of others.
const RESULT_LOOKALIKES: [&str; 4] = ["ai", "edited", "fake", "human"];

/// Returns the label of one of [`FINAL_RESULTS`], or of the generator with that name. `None` if
/// `final_result` looks like a misspelt result.
pub fn label(final_result: &str) -> Option<Label> {
    Some(match final_result {
        "AI Generated" => Label::Ai,
        "Real" => Label::Human,
        "Digitally Edited" => Label::Edited,
        "AI Edited" => Label::AiEdited,
        generator => {
            if is_near_miss(generator) {
                return None;
            }
            Label::Watermarked(generator.to_owned())
        }
    })
}

fn is_near_miss(word: &str) -> bool {
    let plain = plain(word);
    plain.is_empty()
        || FINAL_RESULTS
            .iter()
            .any(|known| self::plain(known) == plain)
        || RESULT_LOOKALIKES.contains(&plain.as_str())
        || plain.starts_with("likely")
}

fn plain(word: &str) -> String {
    let plain = word.chars().filter(|c| c.is_alphanumeric());
    plain.flat_map(char::to_lowercase).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_and_final_result_are_inverse() {
        for word in FINAL_RESULTS.into_iter().chain(["Grok", "Nano Banana 2"]) {
            let label = label(word).expect("a label");
            assert_eq!(final_result(&label), word);
        }
        for word in [
            "real",
            "AI-Generated",
            "ai_generated",
            "aiEdited",
            "Human",
            "Likely AI",
            "-",
        ] {
            assert_eq!(label(word), None, "{word}");
        }
    }
}
