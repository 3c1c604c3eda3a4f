//! Messages of an inbox, read as soon as there are enough.

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
use super::{NAME, inbox_error};
use crate::http::openapi::{OperationDoc, Param};
use crate::http::{AppState, PathParam, X_MOCK_REASON, header_line};
use crate::platform::clock::iso;
use crate::services::inbox::{InboxMessage, MESSAGES_MAX};

const TIMEOUT_MS_MAX: u64 = 600_000;

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Messages")]
struct MessagePage {
    /// The newest last.
    messages: Vec<MessageView>,
    /// Number of older ones that are kept no more.
    evicted: u64,
}

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Message")]
struct MessageView {
    /// By the clock of the inbox's account, or else the default clock.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    headers: BTreeMap<String, String>,
    /// JSON as it was sent, any other text as a string; null if there was none.
    #[schemars(with = "serde_json::Value")]
    body: Option<Box<RawValue>>,
    /// The body as text. Bytes that are not UTF-8 are replaced; `signatureValid` is of the bytes as they
    /// were sent.
    raw_body: String,
    /// By the inbox's secret, or those of the webhooks whose URL is this inbox; null where there is
    /// none of either.
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

/// Returns JSON as it is, and other text as a JSON string. `None` if there is no text.
fn json_or_text(text: &str) -> Option<Box<RawValue>> {
    if text.is_empty() {
        return None;
    }
    // `RawValue` takes no white space around a value.
    let json = serde_json::from_str::<&RawValue>(text).map(ToOwned::to_owned);
    json.or_else(|_| serde_json::value::to_raw_value(text)).ok()
}

pub fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let input = |name| Param {
        name,
        required: false,
        schema: serde_json::json!({"type": "integer", "minimum": 0}),
    };
    let doc = doc
        .summary(
            "Messages of an inbox",
            "Waits, if it is asked to, until there are enough. Without an account, the only inbox of \
             that name is meant.",
        )
        .describe_param("name", NAME)
        .query_params(vec![input("min"), input("timeoutMs")])
        .describe_param(
            "min",
            "Number of messages that are waited for, 1000 at most; 0 where it is left out.",
        )
        .describe_param(
            "timeoutMs",
            "Real milliseconds that it waits for them, ten minutes at most.",
        )
        .response::<MessagePage>(200, "There are as many as wanted.")
        .response::<MessagePage>(408, "There are not, in that time.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AmbiguousInbox,
            ControlErrorCode::InboxEvicted,
        ],
    )
}

pub async fn get(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = ControlQuery::parse(query.as_deref(), &["min", "timeoutMs"])?;
    let min: u64 = query.number("min")?.unwrap_or_default();
    let timeout_ms: u64 = query.number("timeoutMs")?.unwrap_or_default();
    let min = usize::try_from(min).unwrap_or(usize::MAX);
    if min > MESSAGES_MAX {
        let message = format!("min: {min} will never be there");
        let hint = format!("an inbox keeps {MESSAGES_MAX} messages at most");
        return Err(ControlError::new(ControlErrorCode::BadQuery, message, hint));
    }
    let timeout = Duration::from_millis(timeout_ms.min(TIMEOUT_MS_MAX));
    let messages = |timeout| context.inbox.messages(named.key(), &name, min, timeout);
    let found = context.long_poll(timeout, messages).await;
    let found = found.map_err(|error| inbox_error(error, &name))?;
    let count = found.messages.len();
    let frame = MessagePage {
        messages: Vec::new(),
        evicted: found.evicted,
    };
    let show = |message: Arc<InboxMessage>| Some(MessageView::from(message.as_ref()));
    let listing = listing::page_response(&frame, "messages", found.messages, show).await?;
    if count >= min {
        return Ok(listing);
    }
    let reason = format!("{count} messages came, {min} are wanted");
    let reason = [(X_MOCK_REASON, header_line(&reason))];
    Ok((StatusCode::REQUEST_TIMEOUT, reason, listing).into_response())
}

#[cfg(test)]
mod tests {
    use super::json_or_text;

    #[test]
    fn json_or_text_keeps_json_as_it_is_written() {
        for (text, expected) in [
            (" {\"a\": 1.0}\n", "{\"a\": 1.0}"),
            (
                "123456789012345678901234567890",
                "123456789012345678901234567890",
            ),
            ("{", "\"{\""),
            ("a=b", "\"a=b\""),
        ] {
            let shown = json_or_text(text).expect("a body");
            assert_eq!(shown.get(), expected, "{text}");
        }
        assert!(json_or_text("").is_none());
    }
}
