//! The journal: listed, verified, cleared.

pub mod described;
mod query;
mod wire;

use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};

use super::error::{Read, Refusal};
use super::whose::account_of;
use crate::journal::{Count, Verdict, Wanted};
use crate::model::glob::glob;
use crate::model::rule::Outgoing;
use crate::web::{Context, Json, Operation, Verbs, X_MOCK_REASON, header_line, item, streamed};
use wire::{Listing, Met, Missed, Range, Shown, Sought, Verify};

const WITHIN_MS_MAX: u64 = 600_000;

pub async fn list(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = query::read(query.as_deref())?;
    let (exchanges, evicted) = context.journal.list(&query);
    let listing = Listing {
        requests: Vec::new(),
        evicted,
    };
    let items = stream::iter(exchanges).map(|exchange| item(&Shown::from(exchange.as_ref())));
    Ok(streamed(&listing, "requests", items).await?)
}

pub async fn delete(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let account = account_of(query.as_deref())?;
    context.journal.clear(account.as_deref());
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn verify(
    State(context): State<Context>,
    Read(asked): Read<Verify>,
) -> Result<Response, Refusal> {
    let count = count(&asked.count)?;
    let wanted = wanted(&context, asked.when.map(|when| when.0).unwrap_or_default())?;
    let account = asked.account.as_deref();
    let journal = &context.journal;
    if !journal.is_kept() {
        let message = "no requests are kept: --journal-requests is 0";
        let hint = "start the server with another --journal-requests";
        return Err(Refusal::conflict("evicted", message, hint));
    }
    let verdict = match asked.within_ms {
        None => journal.verify(account, &wanted, count),
        Some(ms) => {
            let within = Duration::from_millis(ms.min(WITHIN_MS_MAX));
            let verify = |within| journal.verify_within(account, &wanted, count, within);
            context.long_poll(within, verify).await
        }
    };
    Ok(told(verdict, count))
}

fn told(verdict: Verdict, wanted: Count) -> Response {
    match verdict {
        Verdict::Met { count } => Json(Met { ok: true, count }).into_response(),
        Verdict::Missed { count, near } => {
            let why = format!("{count} such requests were made, wanted {}", spelled(wanted));
            let why = [(X_MOCK_REASON, header_line(&why))];
            let near_misses = near.iter().map(Into::into).collect();
            let missed = Missed {
                ok: false,
                count,
                near_misses,
            };
            (StatusCode::UNPROCESSABLE_ENTITY, why, Json(missed)).into_response()
        }
        Verdict::Uncertain { count, evicted } => Refusal::conflict(
            "evicted",
            format!(
                "{count} such requests are kept, wanted {}; {evicted} that are kept no more may have been such",
                spelled(wanted)
            ),
            "keep more with --journal-requests and --journal-bytes, or DELETE /_mock/requests before the test",
        )
        .into_response(),
    }
}

fn spelled(count: Count) -> String {
    match count {
        Count { min, max: None } => format!("{min} at least"),
        Count {
            min,
            max: Some(max),
        } if min == max => min.to_string(),
        Count {
            min: 0,
            max: Some(max),
        } => format!("{max} at most"),
        Count {
            min,
            max: Some(max),
        } => format!("{min} to {max}"),
    }
}

fn count(sought: &Sought) -> Result<Count, Refusal> {
    let count = match *sought {
        Sought::Exactly(count) => Count {
            min: count,
            max: Some(count),
        },
        Sought::Between(Range { min, max }) => Count {
            min: min.unwrap_or(0),
            max,
        },
    };
    if count.max.is_some_and(|max| max < count.min) {
        let hint = "min is at most max";
        return Err(Refusal::bad("bad_count", "count: nothing is between", hint));
    }
    Ok(count)
}

fn wanted(verbs: &Verbs, when: wire::When) -> Result<Wanted, Refusal> {
    if let Some(pattern) = &when.operation {
        known(pattern, &verbs.operations)?;
    }
    Ok(Wanted {
        operation: when.operation,
        method: when.method.map(|method| method.to_ascii_uppercase()),
        path: when.path,
        file_name: when.file_name,
        status: when.status,
        query: when.query,
        headers: when.headers,
        body: when.body,
    })
}

/// Refuses what no request's operation is like.
fn known(pattern: &str, operations: &[Operation]) -> Result<(), Refusal> {
    let names = operations.iter().map(|it| it.name);
    let mut kept = names.filter(|name| !name.starts_with("control.")).chain([
        "unmatched",
        "bad_host",
        "unknown_host",
    ]);
    if kept.clone().any(|name| glob(pattern, name)) {
        return Ok(());
    }
    let calls = Outgoing::ALL.map(Outgoing::operation);
    let message = if calls.contains(&pattern) {
        format!("when.operation: {pattern} is a call of ours: GET /_mock/deliveries has those")
    } else {
        format!("when.operation: {pattern} is no operation that is kept")
    };
    let first = kept.next().unwrap_or_default().to_owned();
    let listed = kept.fold(first, |list, name| list + ", " + name);
    Err(Refusal::bad(
        "bad_when",
        message,
        format!("there is: {listed}"),
    ))
}
