//! The journal: listed, verified, cleared.

mod query;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use axum::extract::{RawQuery, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use serde_json::json;

use super::error::{ControlError, ControlJson};
use super::error_code::ControlErrorCode;
use super::is_control_operation;
use super::named_account::NamedAccount;
use super::openapi::{account, describe_errors};
use super::query::ControlQuery;
use super::suggestion::did_you_mean;
use crate::http::openapi::{OperationDoc, Param};
use crate::http::{
    AppState, Json, Operation, PathParamPair, Routes, Services, X_MOCK_REASON, header_line, item,
    streamed,
};
use crate::model::account::Revision;
use crate::model::glob::glob;
use crate::model::rule::OutboundCall;
use crate::services::journal::{CountRange, Exchange, RequestMatcher, VerifyVerdict};
use wire::{
    CountSpec, NearMissView, Range, RequestPage, RequestView, StatusSpec, VerifyFailed,
    VerifyPassed, VerifyRequest,
};

const ACCOUNT_TEXT: &str = "Only those of that key; left out, all.";

/// Adds the routes of the journal.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.listRequests", Method::GET, "/_mock/requests", list)
        .docs(describe_list)
        .on(
            "control.getRequest",
            Method::GET,
            "/_mock/requests/{account}/{seq}",
            get,
        )
        .docs(describe_get)
        .on(
            "control.deleteRequests",
            Method::DELETE,
            "/_mock/requests",
            delete,
        )
        .docs(describe_delete)
        .on(
            "control.verifyRequests",
            Method::POST,
            "/_mock/requests/verify",
            verify,
        )
        .docs(describe_verify)
}

/// Names under which the journal records requests that no route answers.
const NAMES_WITHOUT_ROUTE: [&str; 3] = ["unmatched", "bad_host", "unknown_host"];
const TIMEOUT_MS_MAX: u64 = 600_000;

/// Refuses a call for requests where none are kept.
fn check_enabled(state: &Services) -> Result<(), ControlError> {
    if state.journal.is_enabled() {
        return Ok(());
    }
    let message = "no requests are kept: --journal-requests-max is 0";
    let hint = "start the server with another --journal-requests-max";
    Err(ControlError::new(
        ControlErrorCode::JournalDisabled,
        message,
        hint,
    ))
}

fn describe_list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let input = |name, schema| Param {
        name,
        required: false,
        schema,
    };
    let text = json!({"type": "string"});
    let number = json!({"type": "integer", "minimum": 0});
    let doc = doc
        .summary(
            "What was asked and answered",
            "The newest last. A request is listed from when its account is known, with null for \
             what comes with its answer. Requests to the control plane are not kept.",
        )
        .query_params(vec![
            account(),
            input("operation", text.clone()),
            input("method", text.clone()),
            input("path", text),
            input(
                "status",
                json!({"type": "string", "pattern": "^([0-9]+|[1-5][xX]{2})$"}),
            ),
            input("since", number.clone()),
            input("limit", number),
        ])
        .describe_param("account", ACCOUNT_TEXT)
        .describe_param("operation", "A glob, such as `bizmori.*`.")
        .describe_param("method", "A glob.")
        .describe_param("path", "A glob.")
        .describe_param(
            "status",
            "Only those that were answered so: a status such as 404, or a class such as 4xx.",
        )
        .describe_param(
            "since",
            "Only those of greater numbers, the first of them; goes with `account`.",
        )
        .describe_param(
            "limit",
            "The last so many, with `since` the first so many; 100 where it is left out.",
        )
        .response::<RequestPage>(200, "What is kept of it.");
    describe_errors(doc, &[ControlErrorCode::JournalDisabled])
}

async fn list(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = query::parse(named.key(), query.as_deref())?;
    check_enabled(&context)?;
    let (exchanges, evicted) = context.journal.list(&query);
    let listing = RequestPage {
        requests: Vec::new(),
        evicted,
    };
    let revision = context.config.orders.revision;
    let shown = move |exchange: Arc<Exchange>| item(&RequestView::new(&exchange, revision));
    let items = stream::iter(exchanges).map(shown);
    Ok(streamed(&listing, "requests", items).await?)
}

fn describe_get(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "A request and its answer",
            "That of an account which has this number in `X-Mock-Request`.",
        )
        .describe_param("account", "The account's key.")
        .describe_param("seq", "The request's number.")
        .response::<RequestView>(200, "The request.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::JournalDisabled,
            ControlErrorCode::UnknownRequest,
        ],
    )
}

async fn get(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParamPair(key, seq): PathParamPair,
) -> Result<Response, ControlError> {
    let named = named.merged_with(Some(key))?;
    check_enabled(&context)?;
    let key = named.key().unwrap_or_default();
    let number: Option<u64> = seq.parse().ok();
    let found = number.and_then(|number| context.journal.find(key, number));
    let exchange = found.ok_or_else(|| {
        let message = format!("no request {seq} of account {key} is kept");
        let hint = format!("GET /_mock/requests?account={key} lists those that are");
        ControlError::new(ControlErrorCode::UnknownRequest, message, hint)
    })?;
    let shown = RequestView::new(&exchange, context.config.orders.revision);
    Ok(Json(shown).into_response())
}

fn describe_delete(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary("Forget requests", "Those of an account, or all.")
        .query_params(vec![account()])
        .describe_param("account", ACCOUNT_TEXT)
        .empty_response(204, "They are gone.");
    describe_errors(doc, &[])
}

async fn delete(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    context.journal.clear(named.key());
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn describe_verify(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Verify what was asked",
            "Counts the requests that are as `when` says. With `timeoutMs` it waits until there are \
             enough, or, where there may be too many, until that time is over.",
        )
        .json_body::<VerifyRequest>(true)
        .response::<VerifyPassed>(200, "There are as many as wanted.")
        .response::<VerifyFailed>(422, "There are not.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::BadCount,
            ControlErrorCode::BadWhen,
            ControlErrorCode::Evicted,
            ControlErrorCode::JournalDisabled,
        ],
    )
}

async fn verify(
    State(context): State<AppState>,
    named: NamedAccount,
    ControlJson(request): ControlJson<VerifyRequest>,
) -> Result<Response, ControlError> {
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
        VerifyVerdict::Indeterminate { count, evicted } => ControlError::new(
            ControlErrorCode::Evicted,
            format!(
                "{count} such requests are kept, wanted {}; {evicted} that are kept no more may have been such",
                describe_count(wanted)
            ),
            "keep more with --journal-requests-max and --journal-bytes-max, or DELETE /_mock/requests before the test",
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

fn parse_count(sought: &CountSpec) -> Result<CountRange, ControlError> {
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
        return Err(ControlError::new(
            ControlErrorCode::BadCount,
            "count: nothing is between",
            hint,
        ));
    }
    Ok(count)
}

fn parse_matcher(
    state: &Services,
    when: wire::RequestCriteria,
) -> Result<RequestMatcher, ControlError> {
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
fn check_operation(pattern: &str, operations: &[Operation]) -> Result<(), ControlError> {
    let recorded = operations.iter().filter(|it| !is_control_operation(it));
    let mut names = recorded.map(|it| it.name).chain(NAMES_WITHOUT_ROUTE);
    if names.clone().any(|name| glob(pattern, name)) {
        return Ok(());
    }
    let calls = OutboundCall::ALL.map(OutboundCall::operation);
    let message = if calls.contains(&pattern) {
        format!("when.operation: {pattern} is a call of ours: GET /_mock/deliveries has those")
    } else {
        let suggestion = did_you_mean(pattern, names.clone());
        format!("when.operation: {pattern} is no operation that is kept{suggestion}")
    };
    let first = names.next().unwrap_or_default().to_owned();
    let listed = names.fold(first, |list, name| list + ", " + name);
    Err(ControlError::new(
        ControlErrorCode::BadWhen,
        message,
        format!("there is: {listed}"),
    ))
}
