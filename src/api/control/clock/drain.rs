//! Drain: waits until all work has ended.

use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::super::error::{ControlError, ControlJson, ErrorBody};
use super::super::error_code::ControlErrorCode;
use super::super::named_account::{AccountKey, NamedAccount, Scope};
use super::super::openapi::describe_errors;
use super::{JobLine, WaitingLine};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, X_MOCK_REASON, header_line};
use crate::services::worker::{AdvanceNeeded, DrainOutcome, PendingWork};

const TIMEOUT_MS_DEFAULT: u64 = 10_000;
const TIMEOUT_MS_MAX: u64 = 600_000;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DrainRequest {
    /// Key of the account. All accounts if omitted.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
    /// Timeout in real milliseconds, at most ten minutes. Ten seconds if omitted.
    timeout_ms: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Idle")]
pub(super) struct DrainedIdle {
    #[schemars(extend("const" = true))]
    idle: bool,
    /// Next due job, which the call did not wait for.
    next: Option<JobLine>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "NotIdle")]
pub(super) struct DrainTimedOut {
    #[schemars(extend("const" = false))]
    idle: bool,
    /// First entries of the work that has not ended.
    waiting: Vec<WaitingLine>,
}

/// Error, and the work that has not ended.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ClockFrozen")]
pub(super) struct ClockFrozen<'r> {
    error: ErrorBody<'r>,
    /// First entries of the work that has not ended.
    waiting: Vec<WaitingLine>,
}

pub fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Wait until all work has ended",
            "Waits for every order, report and webhook that is in progress, or due within `timeoutMs` \
             by its clock, of one account or of all. Orders that a rule holds are in progress. `next` \
             is the next job that is due later; the call does not wait for it.",
        )
        .json_body::<DrainRequest>(false)
        .response::<DrainedIdle>(200, "All work has ended.")
        .response::<DrainTimedOut>(408, "Timeout: some work has not ended.");
    let doc = describe_errors(doc, &[ControlErrorCode::UnknownAccount]);
    let text = "Error code: clock_frozen. Work is due later by a frozen clock.";
    doc.response::<ClockFrozen>(409, text)
}

pub async fn drain(
    State(state): State<AppState>,
    named: NamedAccount,
    ControlJson(body): ControlJson<DrainRequest>,
) -> Result<Response, ControlError> {
    let timeout_ms = body
        .timeout_ms
        .unwrap_or(TIMEOUT_MS_DEFAULT)
        .min(TIMEOUT_MS_MAX);
    let scope = named.usable_scope(&state)?;
    if let Scope::Unknown = scope {
        return Ok(idle(None));
    }
    let account = scope.account().map(AsRef::as_ref);
    let drain = |timeout| state.worker.drain(account, timeout);
    let drained = state.long_poll(Duration::from_millis(timeout_ms), drain);
    match drained.await? {
        DrainOutcome::Idle { next } => Ok(idle(next.map(JobLine::from))),
        DrainOutcome::Frozen { waiting, advance } => Ok(clock_frozen(waiting, &advance)),
        DrainOutcome::TimedOut { waiting } => Ok(timed_out(waiting)),
    }
}

fn idle(next: Option<JobLine>) -> Response {
    Json(DrainedIdle { idle: true, next }).into_response()
}

fn waiting_lines(waiting: Vec<PendingWork>) -> Vec<WaitingLine> {
    waiting.into_iter().map(WaitingLine::from).collect()
}

fn timed_out(waiting: Vec<PendingWork>) -> Response {
    let first = waiting.first();
    let reason = first.map(|first| {
        format!(
            "{} {} has not ended",
            first.wait_target.name(),
            first.subject
        )
    });
    let headers = [(X_MOCK_REASON, header_line(&reason.unwrap_or_default()))];
    let not_idle = DrainTimedOut {
        idle: false,
        waiting: waiting_lines(waiting),
    };
    (StatusCode::REQUEST_TIMEOUT, headers, Json(not_idle)).into_response()
}

fn clock_frozen(waiting: Vec<PendingWork>, advance: &AdvanceNeeded) -> Response {
    let (clock, body) = match &advance.account {
        Some(key) => (
            format!("the clock of {key}"),
            json!({"account": key, "by": advance.by_ms}),
        ),
        None => ("the default clock".to_owned(), json!({"by": advance.by_ms})),
    };
    let message = format!("{clock} is frozen, and work is due later by this clock");
    let hint = format!("POST /_mock/clock/advance {body}");
    let error = ControlError::new(ControlErrorCode::ClockFrozen, message, hint);
    error.respond_with(&ClockFrozen {
        error: error.body_error(),
        waiting: waiting_lines(waiting),
    })
}
