//! Clocks: show, set, advance and drain.

use axum::extract::{RawQuery, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::error::{ControlError, ControlJson};
use super::error_code::ControlErrorCode;
use super::named_account::{AccountKey, NamedAccount, Scope};
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Routes, Services};
use crate::model::ids::ClockId;
use crate::model::job::{Job, JobKind};
use crate::model::time::Timestamp;
use crate::platform::clock::{self, Clock};
use crate::services::accounts::Account;
use crate::services::worker::{ExecutedJob, PendingWork, WaitTarget};

mod advance;
mod drain;

/// Adds the routes of clocks.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.getClock", Method::GET, "/_mock/clock", get)
        .docs(describe_get)
        .on("control.setClock", Method::PUT, "/_mock/clock", set)
        .docs(describe_set)
        .on(
            "control.advanceClock",
            Method::POST,
            "/_mock/clock/advance",
            advance::advance,
        )
        .docs(advance::describe)
        .on("control.drain", Method::POST, "/_mock/drain", drain::drain)
        .docs(drain::describe)
}

pub(super) const INSTANT_EXAMPLE: &str = "send an instant such as 2026-03-12T10:00:00.000Z";

/// Clock, and the next job that is due by it.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Clock")]
struct ClockView {
    #[schemars(extend("format" = "date-time"))]
    now: String,
    #[schemars(extend("enum" = ["running", "frozen", "jump"]))]
    mode: &'static str,
    /// Milliseconds by which the clock is ahead of the real time.
    offset_ms: i64,
    /// True for the default clock, which accounts without a clock of their own follow.
    is_default: bool,
    /// Next due job of the account, or of the accounts that follow the default clock.
    next: Option<JobLine>,
}

/// Due or executed job.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Job")]
pub(super) struct JobLine {
    /// Due time of the job.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    #[schemars(schema_with = "kind")]
    kind: &'static str,
    /// Id of the entity that the job concerns, such as an order or a delivery.
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

/// Work that has not ended.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Waiting")]
pub(super) struct WaitingLine {
    #[schemars(schema_with = "awaited")]
    kind: &'static str,
    /// Id of the entity that the work concerns, such as an order or a delivery.
    subject: String,
    /// Due time. Null if the work waits for a call of the client.
    #[schemars(extend("format" = "date-time"))]
    at: Option<String>,
}

impl From<PendingWork> for WaitingLine {
    fn from(waiting: PendingWork) -> Self {
        Self {
            kind: waiting.wait_target.name(),
            subject: waiting.subject,
            at: waiting.at.map(clock::iso),
        }
    }
}

/// Returns the current state of the clock of `account`, or of the default clock if `account` is
/// `None`.
async fn clock_view(
    state: &Services,
    account: Option<&Account>,
) -> Result<ClockView, ControlError> {
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

fn describe_get(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get a clock",
            "Returns the clock of the account, or the default clock.",
        )
        .query_params(vec![account_param()])
        .describe_param(
            "account",
            "Key of the account. The default clock if omitted.",
        )
        .response::<ClockView>(200, "Clock.");
    describe_errors(doc, &[ControlErrorCode::UnknownAccount])
}

async fn get(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    let clock = match named.usable_scope(&state)? {
        Scope::Account(account) => clock_view(&state, Some(&account)).await?,
        Scope::All => clock_view(&state, None).await?,
        // The account would follow the default clock, and has no jobs.
        Scope::Unknown => ClockView {
            next: None,
            ..clock_view(&state, None).await?
        },
    };
    Ok(Json(clock).into_response())
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SetClock {
    /// Key of the account. The default clock if omitted.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
    mode: ClockMode,
    /// Instant to set. The instant stays the same if omitted.
    #[schemars(extend("format" = "date-time"))]
    now: Option<String>,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum ClockMode {
    Running,
    Frozen,
    /// Runs, and leaps to the next due job whenever nothing is in flight.
    Jump,
}

impl ClockMode {
    /// Returns the mode of `clock`.
    pub(super) const fn of(clock: Clock) -> Self {
        match clock {
            Clock::Running { .. } => Self::Running,
            Clock::Frozen { .. } => Self::Frozen,
            Clock::Jump { .. } => Self::Jump,
        }
    }

    /// Returns a clock in this mode that shows `at` now.
    pub(super) fn clock_at(self, at: Timestamp) -> Clock {
        match self {
            Self::Running => Clock::running_from(at),
            Self::Frozen => Clock::Frozen { at },
            Self::Jump => Clock::jumping_from(at),
        }
    }
}

fn describe_set(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Set a clock",
            "Gives the account a clock of its own, or sets the default clock, which all other accounts \
             follow. In mode `jump` the clock runs, and leaps to the next due order, report or \
             webhook whenever nothing is in flight. Expiries on the way happen at their own time, \
             but the clock does not leap for them. It does not leap either while a client owes an \
             upload whose URL was handed out less than 5 s ago by real time.",
        )
        .json_body::<SetClock>(true)
        .response::<ClockView>(200, "Clock after the change.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::BadNow,
            ControlErrorCode::UnknownAccount,
        ],
    )
}

async fn set(
    State(state): State<AppState>,
    named: NamedAccount,
    ControlJson(body): ControlJson<SetClock>,
) -> Result<Response, ControlError> {
    let account = named.create_account(&state).await?;
    let at = match &body.now {
        None => None,
        Some(text) => Some(clock::parse_iso(text).ok_or_else(|| {
            ControlError::new(
                ControlErrorCode::BadNow,
                format!("now: invalid instant {text}"),
                INSTANT_EXAMPLE,
            )
        })?),
    };
    let mode = body.mode;
    let set = move |now| mode.clock_at(at.unwrap_or(now));
    state.accounts.set_clock(account.clone(), set).await?;
    Ok(Json(clock_view(&state, account.as_deref()).await?).into_response())
}

/// Schema of the name of a job kind.
pub(super) fn kind(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": JobKind::ALL.map(JobKind::name)})
}

/// Schema of the name of what unfinished work waits for.
fn awaited(_: &mut SchemaGenerator) -> Schema {
    json_schema!({"type": "string", "enum": WaitTarget::ALL.map(WaitTarget::name)})
}
