//! JSON types of recorded requests and of their verification.

use std::collections::BTreeMap;

use axum::http::HeaderName;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::named_account::AccountKey;
use crate::http::{JsonObject, X_MOCK_OUTCOME, X_MOCK_REASON};
use crate::model::rule::{Fault, RuleId};
use crate::platform::clock;
use crate::services::journal::{Exchange, JournalBody, NearMiss, PackedHeaders, StatusFilter};

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "{R}Page")]
pub struct RequestPage<R> {
    /// Requests, newest last.
    pub requests: Vec<R>,
    /// Number of older requests that were evicted.
    pub evicted: u64,
}

/// Request and its response. Fields of the response are null until it is sent.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Request")]
pub struct RequestView {
    /// Number of the request within its account, as in `X-Mock-Request`.
    seq: u64,
    /// Revision of the last change of the entry, on the counter of `GET /_mock/events`.
    revision: u64,
    /// Time by the account's clock.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// Real time at which the request arrived.
    #[schemars(extend("format" = "date-time"))]
    received_at: String,
    /// Key of the account. Null for a request without account.
    account: Option<String>,
    operation: &'static str,
    method: String,
    path: String,
    query: Option<String>,
    /// Headers by name. Repeated headers are joined by commas.
    request_headers: BTreeMap<String, String>,
    #[schemars(schema_with = "body")]
    request_body: Option<Box<RawValue>>,
    status: Option<u16>,
    response_headers: Option<BTreeMap<String, String>>,
    #[schemars(schema_with = "body")]
    response_body: Option<Box<RawValue>>,
    duration_ms: Option<u64>,
    /// First rule that was applied.
    #[schemars(with = "Option<i64>")]
    rule_id: Option<RuleId>,
    /// Fault that a rule injected into the response. Null if there was none.
    #[schemars(extend("enum" = ["reset", "empty", "truncate", "garbage", "drip", null]))]
    fault: Option<&'static str>,
    /// Reason of an error response: its `X-Mock-Reason`.
    reason: Option<String>,
    /// Source of the outcome: `X-Mock-Outcome` of the response.
    outcome: Option<String>,
    /// Id of the order that the request is about. Null if it is about no order.
    order_id: Option<Box<str>>,
}

/// Request without headers and bodies. Fields of the response are null until it is sent.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct RequestRow {
    /// Number of the request within its account, as in `X-Mock-Request`.
    seq: u64,
    /// Revision of the last change of the entry, on the counter of `GET /_mock/events`.
    revision: u64,
    /// Time by the account's clock.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    /// Real time at which the request arrived.
    #[schemars(extend("format" = "date-time"))]
    received_at: String,
    /// Key of the account. Null for a request without account.
    account: Option<String>,
    operation: &'static str,
    method: String,
    path: String,
    query: Option<String>,
    status: Option<u16>,
    duration_ms: Option<u64>,
    /// First rule that was applied.
    #[schemars(with = "Option<i64>")]
    rule_id: Option<RuleId>,
    /// Fault that a rule injected into the response. Null if there was none.
    #[schemars(extend("enum" = ["reset", "empty", "truncate", "garbage", "drip", null]))]
    fault: Option<&'static str>,
    /// Reason of an error response: its `X-Mock-Reason`.
    reason: Option<String>,
    /// Source of the outcome: `X-Mock-Outcome` of the response.
    outcome: Option<String>,
    /// Id of the order that the request is about. Null if it is about no order.
    order_id: Option<Box<str>>,
}

impl From<&Exchange> for RequestRow {
    fn from(exchange: &Exchange) -> Self {
        let state = exchange.summary();
        Self {
            seq: exchange.seq(),
            revision: state.revision,
            at: clock::iso(exchange.at()),
            received_at: clock::iso(exchange.received_at()),
            account: exchange.account().map(str::to_owned),
            operation: exchange.operation,
            method: exchange.method().to_owned(),
            path: exchange.path().to_owned(),
            query: exchange.query().map(str::to_owned),
            status: state.status,
            duration_ms: state.duration_ms,
            rule_id: state.rule,
            fault: state.fault.map(Fault::name),
            reason: exchange.response_header(X_MOCK_REASON.as_str()),
            outcome: exchange.response_header(X_MOCK_OUTCOME.as_str()),
            order_id: state.order_id,
        }
    }
}

fn body(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"description": "JSON as it was sent, other text as a string. Binary bodies, and bodies over 64 KiB, are \
        `{bytes, sha256}`; long text also has its start in `text`."})
}

/// Size and digest of a body that is not shown in full.
#[derive(Serialize)]
struct BodyDigestView<'b> {
    bytes: u64,
    sha256: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'b str>,
}

impl RequestView {
    /// Returns the current state of a journal entry.
    pub fn new(exchange: &Exchange) -> Self {
        let revision = exchange.revision();
        let status = exchange.status();
        let recorded = exchange.response();
        let response = recorded.as_ref();
        let response_headers = response.map(|(head, _, _)| headers(head));
        let line = |name: HeaderName| response_headers.as_ref()?.get(name.as_str()).cloned();
        Self {
            seq: exchange.seq(),
            revision,
            at: clock::iso(exchange.at()),
            received_at: clock::iso(exchange.received_at()),
            account: exchange.account().map(str::to_owned),
            operation: exchange.operation,
            method: exchange.method().to_owned(),
            path: exchange.path().to_owned(),
            query: exchange.query().map(str::to_owned),
            request_headers: headers(&exchange.request_head()),
            request_body: body_view(&exchange.request_body()),
            status,
            response_body: response.and_then(|(_, body, _)| body_view(body)),
            duration_ms: response.map(|(_, _, ms)| *ms),
            rule_id: exchange.rule(),
            fault: exchange.fault().map(Fault::name),
            reason: line(X_MOCK_REASON),
            outcome: line(X_MOCK_OUTCOME),
            response_headers,
            order_id: exchange.order_id(),
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

fn body_view(body: &JournalBody) -> Option<Box<RawValue>> {
    let digest_view = |digest: &crate::services::journal::BodyDigest, text| {
        let sha256 = hex::encode(digest.sha256);
        let view = BodyDigestView {
            bytes: digest.bytes,
            sha256,
            text,
        };
        serde_json::value::to_raw_value(&view).ok()
    };
    match body {
        JournalBody::None | JournalBody::Pending => None,
        JournalBody::Text(text) => RawValue::from_string(text.to_string())
            .or_else(|_| serde_json::value::to_raw_value(text))
            .ok(),
        JournalBody::Truncated(text, digest) => digest_view(digest, Some(text)),
        JournalBody::Binary(digest) => digest_view(digest, None),
    }
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct VerifyRequest {
    /// Key of the account. Omitted, all requests count, also those without an account.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
    /// Criteria of the requests to count. All requests if omitted.
    pub when: Option<JsonObject<RequestCriteria>>,
    /// Expected number of requests.
    pub count: CountSpec,
    /// Real milliseconds to wait for the expected count. Without a wait if omitted.
    pub timeout_ms: Option<u64>,
}

/// Criteria of requests. Strings are globs.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct RequestCriteria {
    pub operation: Option<String>,
    pub method: Option<String>,
    pub path: Option<String>,
    /// Value of `fileName` or `file_name`, anywhere in the body or in the query.
    pub file_name: Option<String>,
    /// Status such as 404, or class such as `4xx`.
    #[schemars(schema_with = "status")]
    pub status: Option<StatusSpec>,
    /// Query parameters by name.
    pub query: BTreeMap<String, String>,
    /// Headers by name. Case does not matter.
    pub headers: BTreeMap<String, String>,
    /// JSON that the body must contain: of an object at least these fields, of a list all elements.
    #[schemars(with = "Option<Value>")]
    pub body: Option<Box<RawValue>>,
}

/// Status or class of statuses in a body: a number or a string.
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
#[serde(untagged, expecting = "expected a number or {min, max}")]
pub enum CountSpec {
    Exactly(u64),
    Between(CountBounds),
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CountBounds {
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
    /// Requests with the fewest differences. Empty if the count is too large.
    pub near_misses: Vec<NearMissView>,
}

#[derive(Serialize, JsonSchema)]
pub struct NearMissView {
    request: RequestView,
    /// Differences, each with the field, the actual value and the expected one.
    differences: Vec<String>,
}

impl NearMissView {
    pub fn new(near: &NearMiss) -> Self {
        Self {
            request: RequestView::new(&near.exchange),
            differences: near.differences.clone(),
        }
    }
}
