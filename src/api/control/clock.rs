//! Clocks: read, set, advanced.

use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{ApiError, ControlJson};
use super::named_account::{AccountKey, NamedAccount, Scope};
use super::query::ControlQuery;
use crate::http::{AppState, Json, Services};
use crate::model::ids::ClockId;
use crate::model::job::Job;
use crate::model::time::Timestamp;
use crate::platform::clock::{self, Clock};
use crate::services::accounts::Account;
use crate::services::worker::{
    AdvanceError, AdvanceStep, Advanced, ExecutedJob, PendingWork, STEP_MS_MAX,
};

pub mod drain;
pub mod openapi;

pub(super) const INSTANT_EXAMPLE: &str = "such as 2026-03-12T10:00:00.000Z";
const STEP_HINT: &str = "milliseconds, such as 1500, or a duration without months and years, such as 10s, PT5M or P7D, of 100 years at most";

/// A clock, and what is due next by it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Clock")]
struct ClockView {
    #[schemars(extend("format" = "date-time"))]
    now: String,
    #[schemars(extend("enum" = ["running", "frozen", "jump"]))]
    mode: &'static str,
    /// How far it is ahead of the real time.
    offset_ms: i64,
    /// True if it is the default clock, which accounts follow that have no clock of their own.
    is_default: bool,
    /// The next due job of the account, or of the accounts that follow the default clock.
    next: Option<JobLine>,
}

/// A job, due or done.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub(super) struct JobLine {
    /// When it falls due.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    #[schemars(schema_with = "openapi::kind")]
    kind: &'static str,
    /// The id of what it is about.
    subject: String,
}

impl From<Job> for JobLine {
    fn from(job: Job) -> Self {
        Self {
            at: clock::iso(job.due_at),
            kind: job.kind.name(),
            subject: job.subject,
        }
    }
}

impl From<ExecutedJob> for JobLine {
    fn from(job: ExecutedJob) -> Self {
        Self {
            at: clock::iso(job.at),
            kind: job.kind.name(),
            subject: job.subject,
        }
    }
}

/// Work that has not come to its end.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Waiting")]
pub(super) struct WaitingLine {
    #[schemars(schema_with = "openapi::awaited")]
    kind: &'static str,
    /// The id of the order, or of what the job is about.
    subject: String,
    /// When it falls due; null if it waits for a call.
    #[schemars(extend("format" = "date-time"))]
    at: Option<String>,
}

impl From<PendingWork> for WaitingLine {
    fn from(waiting: PendingWork) -> Self {
        Self {
            kind: waiting.what.name(),
            subject: waiting.subject,
            at: waiting.at.map(clock::iso),
        }
    }
}

/// Returns how the clock of `account`, or the default clock, stands now.
async fn clock_view(state: &Services, account: Option<&Account>) -> Result<ClockView, ApiError> {
    let next = state.worker.next_job(account).await?;
    let id = account.map_or(ClockId::DEFAULT, Account::clock_id);
    let clock = state.accounts.clock(id);
    let now = clock.now();
    let (mode, offset_ms) = match clock {
        Clock::Running { offset_ms } => ("running", offset_ms),
        Clock::Frozen { at } => ("frozen", at.since_ms(clock::real_now())),
        Clock::Jump { offset_ms } => ("jump", offset_ms),
    };
    Ok(ClockView {
        now: clock::iso(now),
        mode,
        offset_ms,
        is_default: id == ClockId::DEFAULT,
        next: next.map(JobLine::from),
    })
}

pub async fn get(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    let clock = match named.usable_scope(&context)? {
        Scope::Account(account) => clock_view(&context, Some(&account)).await?,
        Scope::All => clock_view(&context, None).await?,
        // It would follow the default clock, and has no work.
        Scope::Unknown => ClockView {
            next: None,
            ..clock_view(&context, None).await?
        },
    };
    Ok(Json(clock).into_response())
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetClock {
    /// The key; left out, the default clock.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
    mode: ClockMode,
    /// Where it is set to; left out, it stays where it is.
    #[schemars(extend("format" = "date-time"))]
    now: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum ClockMode {
    Running,
    Frozen,
    /// Runs, and leaps to what is due next whenever no work is under way.
    Jump,
}

impl ClockMode {
    /// A clock that goes so, from `at` on.
    pub(super) fn clock_at(self, at: Timestamp) -> Clock {
        match self {
            Self::Running => Clock::running_from(at),
            Self::Frozen => Clock::Frozen { at },
            Self::Jump => Clock::jumping_from(at),
        }
    }
}

pub async fn set(
    State(context): State<AppState>,
    named: NamedAccount,
    ControlJson(body): ControlJson<SetClock>,
) -> Result<Response, ApiError> {
    let account = named.create_account(&context).await?;
    let at = match &body.now {
        None => None,
        Some(text) => Some(clock::parse_iso(text).ok_or_else(|| {
            ApiError::bad_request(
                "bad_now",
                format!("now: {text} is no instant"),
                INSTANT_EXAMPLE,
            )
        })?),
    };
    let mode = body.mode;
    let set = move |now| mode.clock_at(at.unwrap_or(now));
    context.accounts.set_clock(account.clone(), set).await?;
    Ok(Json(clock_view(&context, account.as_deref()).await?).into_response())
}

/// Target of an advance: a duration or an instant.
#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AdvanceClock {
    /// The key; left out, the default clock.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
    #[serde(default, deserialize_with = "super::rules::wire::double_option")]
    #[schemars(schema_with = "openapi::duration_schema")]
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

pub async fn advance(
    State(context): State<AppState>,
    named: NamedAccount,
    ControlJson(body): ControlJson<AdvanceClock>,
) -> Result<Response, ApiError> {
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
            ApiError::bad_request("bad_instant", message, hint)
        }
        AdvanceError::Internal(error) => error.into(),
    })?;
    Ok(Json(AdvanceView::from(advanced)).into_response())
}

fn advance_target(body: &AdvanceClock) -> Result<AdvanceStep, ApiError> {
    match (&body.by, &body.to) {
        (Some(by), None) => duration_ms(by).map(AdvanceStep::ByMs),
        (None, Some(to)) => clock::parse_iso(to).map(AdvanceStep::To).ok_or_else(|| {
            let message = format!("to: {to} is no instant");
            ApiError::bad_request("bad_instant", message, INSTANT_EXAMPLE)
        }),
        (None, None) => {
            let message = "the body has neither by nor to";
            Err(ApiError::bad_request(
                "bad_body",
                message,
                "give one of them, such as {\"by\": \"10s\"}",
            ))
        }
        (Some(_), Some(_)) => {
            let message = "the body has both by and to";
            Err(ApiError::bad_request(
                "bad_body",
                message,
                "give one of them",
            ))
        }
    }
}

/// Milliseconds, or a duration, forward.
fn duration_ms(by: &Value) -> Result<i64, ApiError> {
    let ms = match by {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => clock::parse_duration_ms(text),
        _ => None,
    };
    let ms = ms.filter(|ms| (0..=STEP_MS_MAX).contains(ms));
    ms.ok_or_else(|| {
        let message = format!("by: {by} is no duration to advance by");
        ApiError::bad_request("bad_duration", message, STEP_HINT)
    })
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
