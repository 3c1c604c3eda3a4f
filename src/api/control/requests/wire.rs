//! Requests as they are shown, and what is asked of them.

use std::collections::BTreeMap;

use axum::http::HeaderName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::named_account::AccountKey;
use crate::http::{JsonObject, X_MOCK_OUTCOME, X_MOCK_REASON};
use crate::model::account::Revision;
use crate::model::rule::{Fault, RuleId};
use crate::platform::clock;
use crate::services::journal::{Exchange, JournalBody, NearMiss, PackedHeaders, StatusFilter};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Requests")]
pub struct RequestPage {
    /// The newest last.
    pub requests: Vec<RequestView>,
    /// Number of older ones that are kept no more.
    pub evicted: u64,
}

/// A request and its answer; what comes with the answer is null until it is there.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Request")]
pub struct RequestView {
    /// The account's number for it, which `X-Mock-Request` carries.
    seq: u64,
    /// The revision of BIZ MORI's API that the account went by; null where it is nobody's.
    #[schemars(with = "Option<Revision>")]
    revision: Option<Revision>,
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// The key; null where it is nobody's.
    account: Option<String>,
    operation: &'static str,
    method: String,
    path: String,
    query: Option<String>,
    /// What came more than once is joined by a comma.
    request_headers: BTreeMap<String, String>,
    #[schemars(schema_with = "body")]
    request_body: Option<Box<RawValue>>,
    status: Option<u16>,
    response_headers: Option<BTreeMap<String, String>>,
    #[schemars(schema_with = "body")]
    response_body: Option<Box<RawValue>>,
    duration_ms: Option<u64>,
    /// The first rule that was applied to it.
    #[schemars(with = "Option<i64>")]
    rule_id: Option<RuleId>,
    /// The fault that a rule injected into the answer; null where none did.
    #[schemars(extend("enum" = ["reset", "empty", "truncate", "garbage", "drip", null]))]
    fault: Option<&'static str>,
    /// Why it was refused, in one line: `X-Mock-Reason` of the response.
    reason: Option<String>,
    /// The source of the outcome, in one line: `X-Mock-Outcome` of the response.
    outcome: Option<String>,
}

fn body(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"description": "JSON as it was sent, other text as a string; what is no text, \
        or longer than 64 KiB, as `{bytes, sha256}`, a text with its begin as `text`."})
}

/// Bytes that are not shown.
#[derive(Serialize)]
struct BodyDigestView<'b> {
    bytes: u64,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'b str>,
}

impl RequestView {
    /// An entry as it stands. `default_revision` is that of accounts on which none was set.
    pub fn new(exchange: &Exchange, default_revision: Revision) -> Self {
        let status = exchange.status();
        let answer = exchange.response();
        let answer = answer.as_ref();
        let response_headers = answer.map(|(head, _, _)| headers(head));
        let line = |name: HeaderName| response_headers.as_ref()?.get(name.as_str()).cloned();
        let account = exchange.account().map(str::to_owned);
        let set = exchange.revision();
        Self {
            seq: exchange.seq(),
            revision: account.as_ref().map(|_| set.unwrap_or(default_revision)),
            at: clock::iso(exchange.at()),
            account,
            operation: exchange.operation,
            method: exchange.method().to_owned(),
            path: exchange.path().to_owned(),
            query: exchange.query().map(str::to_owned),
            request_headers: headers(&exchange.request_head()),
            request_body: shown(&exchange.request_body()),
            status,
            response_body: answer.and_then(|(_, body, _)| shown(body)),
            duration_ms: answer.map(|(_, _, ms)| *ms),
            rule_id: exchange.rule(),
            fault: exchange.fault().map(Fault::name),
            reason: line(X_MOCK_REASON),
            outcome: line(X_MOCK_OUTCOME),
            response_headers,
        }
    }
}

fn headers(head: &PackedHeaders) -> BTreeMap<String, String> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in head.iter() {
        headers
            .entry(name)
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert(value);
    }
    headers
}

fn shown(body: &JournalBody) -> Option<Box<RawValue>> {
    let digested = |digest: &crate::services::journal::BodyDigest, text| {
        let sha256 = hex::encode(digest.sha256);
        let digested = BodyDigestView {
            bytes: digest.bytes,
            sha256,
            text,
        };
        serde_json::value::to_raw_value(&digested).ok()
    };
    match body {
        JournalBody::None | JournalBody::Pending => None,
        JournalBody::Text(text) => RawValue::from_string(text.to_string())
            .or_else(|_| serde_json::value::to_raw_value(text))
            .ok(),
        JournalBody::Truncated(text, digest) => digested(digest, Some(text)),
        JournalBody::Binary(digest) => digested(digest, None),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyRequest {
    /// The key; left out, all accounts and nobody's.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
    /// What all the requests are that are counted.
    pub when: Option<JsonObject<RequestCriteria>>,
    /// How many there should be.
    pub count: CountSpec,
    /// Real milliseconds that it may take until there are; left out, there are now or not.
    pub timeout_ms: Option<u64>,
}

/// Texts are globs.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequestCriteria {
    pub operation: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    /// A `fileName` or `file_name`, anywhere in the body or in the query.
    pub file_name: Option<String>,
    /// A status such as 404, or a class such as `4xx`.
    #[schemars(schema_with = "status")]
    pub status: Option<StatusSpec>,
    /// Parameters of the query, by name.
    pub query: BTreeMap<String, String>,
    /// By name, in any case.
    pub headers: BTreeMap<String, String>,
    /// What the JSON body has at least: of an object these fields, of a list all elements.
    #[schemars(with = "Option<Value>")]
    pub body: Option<Box<RawValue>>,
}

/// A status in a body: a number, or a text.
pub struct StatusSpec(pub StatusFilter);

impl<'de> Deserialize<'de> for StatusSpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = match Value::deserialize(deserializer)? {
            Value::String(text) => text,
            other => other.to_string(),
        };
        text.parse().map(Self).map_err(D::Error::custom)
    }
}

fn status(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": ["integer", "string", "null"], "pattern": "^([0-9]+|[1-5][xX]{2})$"})
}

#[derive(Deserialize, JsonSchema)]
#[serde(untagged, expecting = "count is a number, or {min, max}")]
pub enum CountSpec {
    Exactly(u64),
    Between(Range),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Range {
    pub min: Option<u64>,
    pub max: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
pub struct VerifyPassed {
    pub ok: bool,
    pub count: u64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct VerifyFailed {
    pub ok: bool,
    pub count: u64,
    /// Those that are the least different; none where there are too many.
    pub near_misses: Vec<NearMissView>,
}

#[derive(Serialize, JsonSchema)]
pub struct NearMissView {
    request: RequestView,
    /// Each names the field, what it is and what was wanted.
    differences: Vec<String>,
}

impl NearMissView {
    /// A near miss as it is shown.
    pub fn new(near: &NearMiss, default_revision: Revision) -> Self {
        Self {
            request: RequestView::new(&near.exchange, default_revision),
            differences: near.differences.clone(),
        }
    }
}
