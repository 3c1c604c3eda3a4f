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
use super::{JobLine, WaitingLine};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json};
use crate::platform::clock;
use crate::services::worker::{AdvanceError, AdvanceStep, AdvanceSummary, STEP_MS_MAX};

/// Value of `to` for the due time of the next job.
const NEXT: &str = "next";
const TARGET_HINT: &str = "send an instant such as 2026-03-12T10:00:00.000Z, or next";
const DURATION_HINT: &str = "send milliseconds such as 1500, or a duration such as 10s, PT5M or P7D, without months and years and of at most 100 years";

/// Target of an advance: either `by` or `to`.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdvanceClock {
    /// Key of the account. The default clock if omitted.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
    #[serde(default, deserialize_with = "super::super::rules::wire::double_option")]
    #[schemars(schema_with = "duration_schema")]
    by: Option<Value>,
    #[serde(default)]
    #[schemars(schema_with = "target_schema")]
    to: Option<String>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Advanced")]
struct AdvanceView {
    /// Clock that was advanced: the key of its account, or `default`.
    clock: String,
    #[schemars(extend("format" = "date-time"))]
    now: String,
    /// Jobs that fell due on the way, in the order of their execution.
    executed: Vec<JobLine>,
    /// Calls that clients still owe orders of this clock, such as uploads and confirms.
    waiting: Vec<WaitingLine>,
}

impl From<AdvanceSummary> for AdvanceView {
    fn from(advanced: AdvanceSummary) -> Self {
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
            "Moves the clock forward `by` a duration, `to` an instant, or `to` the `next` due job. All jobs that fall due on the \
             way are executed in order, each at its own due time, and so are the jobs that they \
             schedule. The response is sent when these jobs are done. Jobs that were in flight by \
             this clock are awaited and listed first. With `to` `next` overdue jobs run first; if no job \
             is due later, the clock stays. `waiting` lists what clients still owe: an \
             upload, a confirm, more reads of an order that a rule holds, or its release.",
        )
        .json_body::<AdvanceClock>(true)
        .response::<AdvanceView>(200, "Executed jobs, in order.");
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
    State(state): State<AppState>,
    named: NamedAccount,
    ControlJson(body): ControlJson<AdvanceClock>,
) -> Result<Response, ControlError> {
    let step = advance_target(&body)?;
    let account = named.create_account(&state).await?;
    let result = state.worker.advance(account, step).await;
    let advanced = result.map_err(|error| match error {
        AdvanceError::OutOfRange { now } => {
            let to = body.to.unwrap_or_default();
            let message = format!(
                "to: cannot advance to {to}, as the clock shows {}",
                clock::iso(now)
            );
            let hint = "send a later instant, at most 100 years ahead";
            ControlError::new(ControlErrorCode::BadInstant, message, hint)
        }
        AdvanceError::Internal(error) => error.into(),
    })?;
    Ok(Json(AdvanceView::from(advanced)).into_response())
}

fn advance_target(body: &AdvanceClock) -> Result<AdvanceStep, ControlError> {
    match (&body.by, &body.to) {
        (Some(by), None) => duration_ms(by).map(AdvanceStep::ByMs),
        (None, Some(to)) if to == NEXT => Ok(AdvanceStep::ToNext),
        (None, Some(to)) => clock::parse_iso(to).map(AdvanceStep::To).ok_or_else(|| {
            let message = format!("to: invalid instant {to}");
            ControlError::new(ControlErrorCode::BadInstant, message, TARGET_HINT)
        }),
        (None, None) => {
            let message = "by or to is missing";
            Err(ControlError::new(
                ControlErrorCode::BadBody,
                message,
                "send one of them, such as {\"by\": \"10s\"}",
            ))
        }
        (Some(_), Some(_)) => {
            let message = "by and to are both set";
            Err(ControlError::new(
                ControlErrorCode::BadBody,
                message,
                "send one of them",
            ))
        }
    }
}

/// Parses `by`, which is a number of milliseconds or a duration, to milliseconds.
fn duration_ms(by: &Value) -> Result<i64, ControlError> {
    let ms = match by {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => clock::parse_duration_ms(text),
        _ => None,
    };
    ms.filter(|ms| (0..=STEP_MS_MAX).contains(ms))
        .ok_or_else(|| {
            let message = format!("by: invalid duration {by}");
            ControlError::new(ControlErrorCode::BadDuration, message, DURATION_HINT)
        })
}

/// Schema of a target to advance to.
fn target_schema(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"anyOf": [
        {"type": "string", "format": "date-time", "description": "Instant."},
        {"const": NEXT, "description": "Due time of the next job."},
    ]})
}

/// Schema of a duration to advance by.
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
            "description": "Duration without months and years, in ISO 8601 or in short form.",
            "examples": ["10s", "1h 30m", "PT2H", "P7D"],
        },
    ]})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duration_ms_accepts_milliseconds_and_positive_durations() {
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
