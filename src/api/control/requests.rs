//! The journal: listed, verified, cleared.

pub mod openapi;
mod query;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};

use super::error::{ApiError, ControlJson};
use super::named_account::NamedAccount;
use super::query::ControlQuery;
use super::suggestion::did_you_mean;
use crate::http::{
    AppState, Json, Operation, PathParamPair, Services, X_MOCK_REASON, header_line, serialize_item,
    stream_listing,
};
use crate::model::account::Revision;
use crate::model::glob::glob;
use crate::model::rule::OutboundCall;
use crate::services::journal::{CountRange, Exchange, RequestMatcher, VerifyVerdict};
use wire::{
    CountSpec, NearMissView, Range, RequestPage, RequestView, StatusSpec, VerifyFailed,
    VerifyPassed, VerifyRequest,
};

const TIMEOUT_MS_MAX: u64 = 600_000;

/// Refuses a call for requests where none are kept.
fn check_enabled(state: &Services) -> Result<(), ApiError> {
    if state.journal.is_enabled() {
        return Ok(());
    }
    let message = "no requests are kept: --journal-requests is 0";
    let hint = "start the server with another --journal-requests";
    Err(ApiError::conflict("journal_disabled", message, hint))
}

pub async fn list(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = query::parse(named.key(), query.as_deref())?;
    check_enabled(&context)?;
    let (exchanges, evicted) = context.journal.list(&query);
    let listing = RequestPage {
        requests: Vec::new(),
        evicted,
    };
    let revision = context.config.orders.revision;
    let shown =
        move |exchange: Arc<Exchange>| serialize_item(&RequestView::new(&exchange, revision));
    let items = stream::iter(exchanges).map(shown);
    Ok(stream_listing(&listing, "requests", items).await?)
}

pub async fn get(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParamPair(key, seq): PathParamPair,
) -> Result<Response, ApiError> {
    let named = named.merged_with(Some(key))?;
    check_enabled(&context)?;
    let key = named.key().unwrap_or_default();
    let number: Option<u64> = seq.parse().ok();
    let found = number.and_then(|number| context.journal.find(key, number));
    let exchange = found.ok_or_else(|| {
        let message = format!("no request {seq} of account {key} is kept");
        let hint = format!("GET /_mock/requests?account={key} lists those that are");
        ApiError::not_found("unknown_request", message, hint)
    })?;
    let shown = RequestView::new(&exchange, context.config.orders.revision);
    Ok(Json(shown).into_response())
}

pub async fn delete(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    context.journal.clear(named.key());
    Ok(StatusCode::NO_CONTENT.into_response())
}

pub async fn verify(
    State(context): State<AppState>,
    named: NamedAccount,
    ControlJson(request): ControlJson<VerifyRequest>,
) -> Result<Response, ApiError> {
    let count = parse_count(&request.count)?;
    let wanted = parse_matcher(
        &context,
        request.when.map(|when| when.0).unwrap_or_default(),
    )?;
    check_enabled(&context)?;
    let (account, journal) = (named.key(), &context.journal);
    let verdict = match request.timeout_ms {
        None => journal.verify(account, &wanted, count),
        Some(ms) => {
            let within = Duration::from_millis(ms.min(TIMEOUT_MS_MAX));
            let verify = |within| journal.verify_within(account, &wanted, count, within);
            context.long_poll(within, verify).await
        }
    };
    Ok(verdict_response(
        verdict,
        count,
        context.config.orders.revision,
    ))
}

fn verdict_response(verdict: VerifyVerdict, wanted: CountRange, revision: Revision) -> Response {
    match verdict {
        VerifyVerdict::Satisfied { count } => Json(VerifyPassed { ok: true, count }).into_response(),
        VerifyVerdict::Unsatisfied { count, near } => {
            let why = format!("{count} such requests were made, wanted {}", describe_count(wanted));
            let why = [(X_MOCK_REASON, header_line(&why))];
            let near_misses = near.iter().map(|near| NearMissView::new(near, revision)).collect();
            let missed = VerifyFailed {
                ok: false,
                count,
                near_misses,
            };
            (StatusCode::UNPROCESSABLE_ENTITY, why, Json(missed)).into_response()
        }
        VerifyVerdict::Indeterminate { count, evicted } => ApiError::conflict(
            "evicted",
            format!(
                "{count} such requests are kept, wanted {}; {evicted} that are kept no more may have been such",
                describe_count(wanted)
            ),
            "keep more with --journal-requests and --journal-bytes, or DELETE /_mock/requests before the test",
        )
        .into_response(),
    }
}

fn describe_count(count: CountRange) -> String {
    match count {
        CountRange { min, max: None } => format!("{min} at least"),
        CountRange {
            min,
            max: Some(max),
        } if min == max => min.to_string(),
        CountRange {
            min: 0,
            max: Some(max),
        } => format!("{max} at most"),
        CountRange {
            min,
            max: Some(max),
        } => format!("{min} to {max}"),
    }
}

fn parse_count(sought: &CountSpec) -> Result<CountRange, ApiError> {
    let count = match *sought {
        CountSpec::Exactly(count) => CountRange {
            min: count,
            max: Some(count),
        },
        CountSpec::Between(Range { min, max }) => CountRange {
            min: min.unwrap_or(0),
            max,
        },
    };
    if count.max.is_some_and(|max| max < count.min) {
        let hint = "min is at most max";
        return Err(ApiError::bad_request(
            "bad_count",
            "count: nothing is between",
            hint,
        ));
    }
    Ok(count)
}

fn parse_matcher(
    state: &Services,
    when: wire::RequestCriteria,
) -> Result<RequestMatcher, ApiError> {
    if let Some(pattern) = &when.operation {
        check_operation(pattern, &state.operations)?;
    }
    Ok(RequestMatcher {
        operation: when.operation,
        method: when.method.map(|method| method.to_ascii_uppercase()),
        path: when.path,
        file_name: when.file_name,
        status: when.status.map(|StatusSpec(filter)| filter),
        query: when.query,
        headers: when.headers,
        body: when.body,
    })
}

/// Refuses what no request's operation is like.
fn check_operation(pattern: &str, operations: &[Operation]) -> Result<(), ApiError> {
    let names = operations.iter().map(|it| it.name);
    let mut stored = names.filter(|name| !name.starts_with("control.")).chain([
        "unmatched",
        "bad_host",
        "unknown_host",
    ]);
    if stored.clone().any(|name| glob(pattern, name)) {
        return Ok(());
    }
    let calls = OutboundCall::ALL.map(OutboundCall::operation);
    let message = if calls.contains(&pattern) {
        format!("when.operation: {pattern} is a call of ours: GET /_mock/deliveries has those")
    } else {
        let suggestion = did_you_mean(pattern, stored.clone());
        format!("when.operation: {pattern} is no operation that is kept{suggestion}")
    };
    let first = stored.next().unwrap_or_default().to_owned();
    let listed = stored.fold(first, |list, name| list + ", " + name);
    Err(ApiError::bad_request(
        "bad_when",
        message,
        format!("there is: {listed}"),
    ))
}
