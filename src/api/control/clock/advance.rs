//! Advances a clock.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::error::{ControlError, ControlJson};
use super::super::error_code::ControlErrorCode;
use super::super::named_account::{AccountKey, NamedAccount};
use super::super::openapi::describe_errors;
use super::{INSTANT_EXAMPLE, JobLine, WaitingLine};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json};
use crate::platform::clock;
use crate::services::worker::{AdvanceError, AdvanceStep, Advanced, STEP_MS_MAX};

const STEP_HINT: &str = "milliseconds, such as 1500, or a duration without months and years, such as 10s, PT5M or P7D, of 100 years at most";

/// Target of an advance: a duration or an instant.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdvanceClock {
    /// The key; left out, the default clock.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
    #[serde(default, deserialize_with = "super::super::rules::wire::double_option")]
    #[schemars(schema_with = "duration_schema")]
    by: Option<Value>,
    /// An instant.
    #[schemars(extend("format" = "date-time"))]
    to: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Advanced")]
struct AdvanceView {
    /// The clock that was moved: the key of its account, or `default`.
    clock: String,
    #[schemars(extend("format" = "date-time"))]
    now: String,
    /// The jobs that fell due on the way, in order.
    executed: Vec<JobLine>,
    /// The uploads, confirms and the like that clients still owe orders of this clock.
    waiting: Vec<WaitingLine>,
}

impl From<Advanced> for AdvanceView {
    fn from(advanced: Advanced) -> Self {
        Self {
            clock: advanced.account.unwrap_or_else(|| "default".to_owned()),
            now: clock::iso(advanced.now),
            executed: advanced.executed.into_iter().map(JobLine::from).collect(),
            waiting: advanced
                .waiting
                .into_iter()
                .map(WaitingLine::from)
                .collect(),
        }
    }
}

pub fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Advance a clock",
            "Moves it forward `by` a duration or `to` an instant, and runs all that falls due on the \
             way, each piece at its own due time and in order, and what that work causes in turn. \
             When it answers, the work is done. Work that was in flight by this clock is waited for, \
             and listed first. `waiting` has what clients still owe: an upload, a confirm, more reads \
             of an order that a rule holds, or its release.",
        )
        .json_body::<AdvanceClock>(true)
        .response::<AdvanceView>(200, "What was run, in order.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::BadDuration,
            ControlErrorCode::BadInstant,
            ControlErrorCode::UnknownAccount,
        ],
    )
}

pub async fn advance(
    State(context): State<AppState>,
    named: NamedAccount,
    ControlJson(body): ControlJson<AdvanceClock>,
) -> Result<Response, ControlError> {
    let step = advance_target(&body)?;
    let account = named.create_account(&context).await?;
    let advanced = context.worker.advance(account, step).await;
    let advanced = advanced.map_err(|error| match error {
        AdvanceError::OutOfRange { now } => {
            let to = body.to.unwrap_or_default();
            let message = format!(
                "to: the clock cannot be moved to {to}, it shows {}",
                clock::iso(now)
            );
            let hint = "an instant after that, 100 years at most";
            ControlError::new(ControlErrorCode::BadInstant, message, hint)
        }
        AdvanceError::Store(error) => error.into(),
    })?;
    Ok(Json(AdvanceView::from(advanced)).into_response())
}

fn advance_target(body: &AdvanceClock) -> Result<AdvanceStep, ControlError> {
    match (&body.by, &body.to) {
        (Some(by), None) => duration_ms(by).map(AdvanceStep::ByMs),
        (None, Some(to)) => clock::parse_iso(to).map(AdvanceStep::To).ok_or_else(|| {
            let message = format!("to: {to} is no instant");
            ControlError::new(ControlErrorCode::BadInstant, message, INSTANT_EXAMPLE)
        }),
        (None, None) => {
            let message = "the body has neither by nor to";
            Err(ControlError::new(
                ControlErrorCode::BadBody,
                message,
                "give one of them, such as {\"by\": \"10s\"}",
            ))
        }
        (Some(_), Some(_)) => {
            let message = "the body has both by and to";
            Err(ControlError::new(
                ControlErrorCode::BadBody,
                message,
                "give one of them",
            ))
        }
    }
}

/// Milliseconds, or a duration, forward.
fn duration_ms(by: &Value) -> Result<i64, ControlError> {
    let ms = match by {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => clock::parse_duration_ms(text),
        _ => None,
    };
    let ms = ms.filter(|ms| (0..=STEP_MS_MAX).contains(ms));
    ms.ok_or_else(|| {
        let message = format!("by: {by} is no duration to advance by");
        ControlError::new(ControlErrorCode::BadDuration, message, STEP_HINT)
    })
}

/// A time to advance by.
fn duration_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"oneOf": [
        {
            "type": "integer",
            "minimum": 0,
            "maximum": STEP_MS_MAX,
            "description": "Milliseconds.",
        },
        {
            "type": "string",
            "description": "A duration without months and years, as ISO 8601 or in short.",
            "examples": ["10s", "1h 30m", "PT2H", "P7D"],
        },
    ]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_ms_takes_milliseconds_and_durations_forward() {
        let ms = |by: Value| duration_ms(&by).ok();
        assert_eq!(ms(1500.into()), Some(1_500));
        for (text, expected) in [
            ("P7D", 604_800_000),
            ("10s", 10_000),
            ("250ms", 250),
            ("1h 30m", 5_400_000),
            ("1h30m", 5_400_000),
            ("2d", 172_800_000),
        ] {
            assert_eq!(ms(text.into()), Some(expected), "{text}");
        }
        for bad in [
            Value::Null,
            "soon".into(),
            "10s ago".into(),
            "1mo".into(),
            "10".into(),
            (-1).into(),
            1.5.into(),
            "-PT1S".into(),
            i64::MAX.into(),
        ] {
            assert_eq!(ms(bad.clone()), None, "{bad}");
        }
    }
}
