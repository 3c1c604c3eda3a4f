//! Clocks: read, set, advanced, drained.

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::error::{Read, Refusal};
use super::whose::{AccountKey, account, account_of, seen};
use crate::accounts::Account;
use crate::clock::{self, Clock};
use crate::model::ids::ClockId;
use crate::model::job::Kind;
use crate::model::time::{DAY_MS, Timestamp};
use crate::web::{Context, Json, X_MOCK_REASON, header_line};
use crate::worker::Ran;

pub mod described;

pub(super) const INSTANT: &str = "such as 2026-03-12T10:00:00.000Z";
const DRAIN_MS: u64 = 10_000;
const DRAIN_MS_MAX: u64 = 600_000;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Clock")]
struct Shown {
    #[schemars(extend("format" = "date-time"))]
    now: String,
    #[schemars(extend("enum" = ["running", "frozen", "jump"]))]
    mode: &'static str,
    /// How far it is ahead of the real time.
    offset_ms: i64,
}

impl From<Clock> for Shown {
    fn from(clock: Clock) -> Self {
        let now = clock.now();
        let (mode, offset_ms) = match clock {
            Clock::Running { offset_ms } => ("running", offset_ms),
            Clock::Frozen { at } => ("frozen", at.since_ms(clock::real_now())),
            Clock::Jump { offset_ms } => ("jump", offset_ms),
        };
        Self {
            now: clock::iso(now),
            mode,
            offset_ms,
        }
    }
}

/// The clock the account goes by.
fn followed(account: Option<&Arc<Account>>) -> ClockId {
    account.map_or(ClockId::DEFAULT, |account| account.clock_id())
}

pub async fn get(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let account = match account_of(query.as_deref())? {
        Some(key) => seen(&context, &key)?,
        None => None,
    };
    let clock = context.accounts.clock(followed(account.as_ref()));
    Ok(Json(Shown::from(clock)).into_response())
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Set {
    /// The key; left out, the default clock or all accounts.
    account: Option<AccountKey>,
    mode: Mode,
    /// Where it is set to; left out, it stays where it is.
    #[schemars(extend("format" = "date-time"))]
    now: Option<String>,
}

#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub(super) enum Mode {
    Running,
    Frozen,
    /// Runs, and leaps to what is due next whenever no work is under way.
    Jump,
}

impl Mode {
    /// A clock that goes so, from `at` on.
    pub(super) fn showing(self, at: Timestamp) -> Clock {
        match self {
            Self::Running => Clock::running_from(at),
            Self::Frozen => Clock::Frozen { at },
            Self::Jump => Clock::jumping_from(at),
        }
    }
}

pub async fn set(
    State(context): State<Context>,
    Read(body): Read<Set>,
) -> Result<Response, Refusal> {
    let account = account(&context, body.account.as_deref()).await?;
    let at = match &body.now {
        None => None,
        Some(text) => Some(clock::parse_iso(text).ok_or_else(|| {
            Refusal::bad("bad_now", format!("now: {text} is no instant"), INSTANT)
        })?),
    };
    let mode = body.mode;
    let set = move |now| mode.showing(at.unwrap_or(now));
    let clock = context.accounts.set_clock(account, set).await?;
    Ok(Json(Shown::from(clock)).into_response())
}

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Advance {
    /// The key; left out, the default clock or all accounts.
    account: Option<AccountKey>,
    #[schemars(schema_with = "described::step")]
    by: Value,
}

#[derive(Serialize, JsonSchema)]
struct Advanced {
    #[schemars(extend("format" = "date-time"))]
    now: String,
    ran: Vec<Line>,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Ran")]
struct Line {
    /// When it fell due.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    #[schemars(schema_with = "described::kind")]
    kind: &'static str,
    /// What it is about: an id.
    subject: String,
}

impl From<Ran> for Line {
    fn from(ran: Ran) -> Self {
        Self {
            at: clock::iso(ran.at),
            kind: ran.kind.name(),
            subject: ran.subject,
        }
    }
}

pub async fn advance(
    State(context): State<Context>,
    Read(body): Read<Advance>,
) -> Result<Response, Refusal> {
    let by_ms = duration_ms(&body.by)?;
    let account = account(&context, body.account.as_deref()).await?;
    let (now, ran) = context.worker.advance(account, by_ms).await?;
    let ran = ran.into_iter().map(Line::from).collect();
    Ok(Json(Advanced {
        now: clock::iso(now),
        ran,
    })
    .into_response())
}

/// Milliseconds, or an ISO 8601 duration, forward.
fn duration_ms(by: &Value) -> Result<i64, Refusal> {
    let ms = match by {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => clock::parse_duration_ms(text),
        _ => None,
    };
    ms.filter(|ms| (0..=MAX_STEP_MS).contains(ms)).ok_or_else(|| {
        Refusal::bad(
            "bad_duration",
            format!("by: {by} is no duration to advance by"),
            "milliseconds, or an ISO 8601 duration without months and years such as PT5M or P7D, of 100 years at most",
        )
    })
}

const MAX_STEP_MS: i64 = 100 * 366 * DAY_MS;

#[derive(Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Drain {
    /// The key; left out, the default clock or all accounts.
    account: Option<AccountKey>,
    /// How long it waits, ten minutes at most; left out, ten seconds.
    timeout_ms: Option<u64>,
}

#[derive(Serialize, JsonSchema)]
struct Drained {
    idle: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    waiting: Vec<Waiting>,
}

#[derive(Serialize, JsonSchema)]
struct Waiting {
    #[schemars(schema_with = "described::kind")]
    kind: &'static str,
    /// What it is about: an id.
    subject: String,
}

impl From<(Kind, String)> for Waiting {
    fn from((kind, subject): (Kind, String)) -> Self {
        Self {
            kind: kind.name(),
            subject,
        }
    }
}

pub async fn drain(
    State(context): State<Context>,
    Read(body): Read<Drain>,
) -> Result<Response, Refusal> {
    let timeout = Duration::from_millis(body.timeout_ms.unwrap_or(DRAIN_MS).min(DRAIN_MS_MAX));
    let waiting = match &body.account {
        None => {
            let worker = &context.worker;
            let drain = |timeout| worker.drain(None, timeout);
            context.long_poll(timeout, drain).await?
        }
        Some(key) => match seen(&context, key)? {
            Some(account) => {
                let drain = |timeout| context.worker.drain(Some(&account), timeout);
                context.long_poll(timeout, drain).await?
            }
            None => Vec::new(),
        },
    };
    let waiting: Vec<_> = waiting.into_iter().map(Waiting::from).collect();
    let why = waiting
        .first()
        .map(|first| format!("{} {} is due or under way", first.kind, first.subject));
    let idle = waiting.is_empty();
    let drained = Json(Drained { idle, waiting });
    Ok(match why {
        None => drained.into_response(),
        Some(why) => {
            let why = [(X_MOCK_REASON, header_line(&why))];
            (StatusCode::REQUEST_TIMEOUT, why, drained).into_response()
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_milliseconds_or_a_duration_forward() {
        let ms = |by: Value| duration_ms(&by).ok();
        assert_eq!(ms(1500.into()), Some(1_500));
        assert_eq!(ms("P7D".into()), Some(604_800_000));
        for bad in [
            Value::Null,
            "soon".into(),
            (-1).into(),
            1.5.into(),
            "-PT1S".into(),
            i64::MAX.into(),
        ] {
            assert_eq!(ms(bad.clone()), None, "{bad}");
        }
    }

    #[test]
    fn a_shown_clock_says_its_now() {
        let shown = Shown::from(Clock::Frozen {
            at: Timestamp::from_ms(0),
        });
        assert_eq!(
            (shown.now.as_str(), shown.mode),
            ("1970-01-01T00:00:00.000Z", "frozen")
        );
    }
}
