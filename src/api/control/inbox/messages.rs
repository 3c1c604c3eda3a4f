//! Messages of an inbox, with an optional wait for a minimum number.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

use super::super::error::ControlError;
use super::super::error_code::ControlErrorCode;
use super::super::listing;
use super::super::named_account::NamedAccount;
use super::super::openapi::describe_errors;
use super::super::query::ControlQuery;
use super::{NAME_TEXT, inbox_error};
use crate::http::openapi::{OperationDoc, Param};
use crate::http::{AppState, PathParam, X_MOCK_REASON, header_line};
use crate::platform::clock::iso;
use crate::services::inbox::{InboxMessage, MESSAGES_MAX};

const TIMEOUT_MS_MAX: u64 = 600_000;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Messages")]
struct MessagePage {
    /// Messages, newest last.
    messages: Vec<MessageView>,
    /// Number of older messages that were evicted.
    evicted: u64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Message")]
struct MessageView {
    /// Time of receipt by the clock of the inbox's account, or the default clock without an
    /// account.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    headers: BTreeMap<String, String>,
    /// Body: JSON as it was sent, other text as a string. Null if the body was empty.
    #[schemars(with = "serde_json::Value")]
    body: Option<Box<RawValue>>,
    /// Body as text. Invalid UTF-8 is replaced, but `signatureValid` is about the bytes that were
    /// sent.
    raw_body: String,
    /// True if the signature is valid by the inbox's secret, or by one of the secrets of webhooks
    /// whose URL is this inbox. Null if there is no secret.
    signature_valid: Option<bool>,
}

impl From<&InboxMessage> for MessageView {
    fn from(message: &InboxMessage) -> Self {
        Self {
            at: iso(message.at),
            headers: message.headers.clone(),
            body: json_or_text(&message.body),
            raw_body: message.body.clone(),
            signature_valid: message.signature_valid,
        }
    }
}

/// Returns JSON unchanged, and other text as a JSON string. `None` if `text` is empty.
fn json_or_text(text: &str) -> Option<Box<RawValue>> {
    if text.is_empty() {
        return None;
    }
    // Deserialising a `&RawValue` removes the white space around the value.
    let json = serde_json::from_str::<&RawValue>(text).map(ToOwned::to_owned);
    json.or_else(|_| serde_json::value::to_raw_value(text)).ok()
}

pub fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let param = |name| Param {
        name,
        required: false,
        schema: serde_json::json!({"type": "integer", "minimum": 0}),
    };
    let doc = doc
        .summary(
            "List messages of an inbox",
            "Waits for `min` messages if `timeoutMs` is set. Without an account, the call concerns the \
             only inbox of that name.",
        )
        .describe_param("name", NAME_TEXT)
        .query_params(vec![param("min"), param("timeoutMs")])
        .describe_param(
            "min",
            "Number of messages to wait for, at most 1000; 0 if omitted.",
        )
        .describe_param(
            "timeoutMs",
            "Timeout in real milliseconds, at most ten minutes; 0 if omitted.",
        )
        .response::<MessagePage>(200, "Messages: at least `min`.")
        .response::<MessagePage>(408, "Timeout: fewer messages than `min`.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AmbiguousInbox,
            ControlErrorCode::InboxEvicted,
        ],
    )
}

pub async fn get(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = ControlQuery::parse(query.as_deref(), &["min", "timeoutMs"])?;
    let min: u64 = query.number("min")?.unwrap_or_default();
    let timeout_ms: u64 = query.number("timeoutMs")?.unwrap_or_default();
    let min = usize::try_from(min).unwrap_or(usize::MAX);
    if min > MESSAGES_MAX {
        let message = format!("min: expected at most {MESSAGES_MAX}, got {min}");
        let hint = format!("an inbox keeps at most {MESSAGES_MAX} messages");
        return Err(ControlError::new(ControlErrorCode::BadQuery, message, hint));
    }
    let timeout = Duration::from_millis(timeout_ms.min(TIMEOUT_MS_MAX));
    let messages = |timeout| state.inbox.messages(named.key(), &name, min, timeout);
    let result = state.long_poll(timeout, messages).await;
    let found = result.map_err(|error| inbox_error(error, &name))?;
    let count = found.messages.len();
    let frame = MessagePage {
        messages: Vec::new(),
        evicted: found.evicted,
    };
    let show = |message: Arc<InboxMessage>| Some(MessageView::from(message.as_ref()));
    let page = listing::page_response(&frame, "messages", found.messages, show).await?;
    if count >= min {
        return Ok(page);
    }
    let reason = format!("expected {min} messages, got {count}");
    let header = [(X_MOCK_REASON, header_line(&reason))];
    Ok((StatusCode::REQUEST_TIMEOUT, header, page).into_response())
}

#[cfg(test)]
mod tests {
    use super::json_or_text;

    #[test]
    fn json_or_text_keeps_the_spelling_of_json() {
        for (text, expected) in [
            (" {\"a\": 1.0}\n", "{\"a\": 1.0}"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("{", "\"{\""),
            ("a=b", "\"a=b\""),
        ] {
            let body = json_or_text(text).expect("a body");
            assert_eq!(body.get(), expected, "{text}");
        }
        assert!(json_or_text("").is_none());
    }
}
