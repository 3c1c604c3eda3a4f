//! Journal of requests: list, show, verify and clear.

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
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use super::suggestion::did_you_mean;
use crate::http::openapi::{OperationDoc, Param};
use crate::http::{
    AppState, Json, Operation, PREFLIGHT, PathParamPair, Routes, Services, X_MOCK_REASON,
    header_line, serialize_item, stream_listing,
};
use crate::model::glob::glob;
use crate::model::rule::OutboundCall;
use crate::services::journal::{CountRange, Exchange, RequestMatcher, VerifyVerdict};
pub use wire::RequestRow;
use wire::{
    CountBounds, CountSpec, NearMissView, RequestPage, RequestView, StatusSpec, VerifyFailed,
    VerifyPassed, VerifyRequest,
};

const ACCOUNT_TEXT: &str = "Only requests of the account with this key. All requests if omitted.";

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
const NAMES_WITHOUT_ROUTE: [&str; 5] = [
    "unmatched",
    "bad_host",
    "unknown_host",
    "forbidden_origin",
    PREFLIGHT,
];
/// Path segment in place of a key, for requests without an account.
const NO_ACCOUNT: &str = "-";
const TIMEOUT_MS_MAX: u64 = 600_000;

/// Checks that the journal is enabled.
fn check_enabled(state: &Services) -> Result<(), ControlError> {
    if state.journal.is_enabled() {
        return Ok(());
    }
    let message = "the journal is disabled: --journal-requests-max is 0";
    let hint = "start the server with a larger --journal-requests-max";
    Err(ControlError::new(
        ControlErrorCode::JournalDisabled,
        message,
        hint,
    ))
}

fn describe_list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let param = |name, schema| Param {
        name,
        required: false,
        schema,
    };
    let text = json!({"type": "string"});
    let number = json!({"type": "integer", "minimum": 0});
    let mut doc = doc
        .summary(
            "List requests",
            "Newest last. A request is listed as soon as its account is known; fields of the response \
             are null until the response is sent. Requests to the control plane are not recorded.",
        )
        .query_params(vec![
            account_param(),
            param("operation", text.clone()),
            param("method", text.clone()),
            param("path", text),
            param(
                "status",
                json!({"type": "string", "pattern": "^([0-9]+|[1-5][xX]{2})$"}),
            ),
            param("orderId", json!({"type": "string"})),
            param("since", number.clone()),
            param("limit", number),
            param("rows", json!({"type": "boolean"})),
        ])
        .describe_param("account", ACCOUNT_TEXT)
        .describe_param("operation", "A glob, such as `bizmori.*`.")
        .describe_param("method", "A glob.")
        .describe_param("path", "A glob.")
        .describe_param(
            "status",
            "Only requests with this response status: a status such as 404, or a class such as 4xx.",
        )
        .describe_param("orderId", "Only requests about the order with this id.")
        .describe_param(
            "rows",
            "If true, the requests are rows without headers and bodies.",
        )
        .describe_param(
            "since",
            "Only requests with a greater `seq`, oldest first. Requires `account`.",
        )
        .describe_param(
            "limit",
            "Number of requests: the last ones, or with `since` the first ones; 100 if omitted.",
        );
    let pages = [
        doc.schema::<RequestPage<RequestView>>(),
        doc.schema::<RequestPage<RequestRow>>(),
    ];
    let doc = doc.response_schema(200, "Recorded requests.", &json!({"anyOf": pages}));
    describe_errors(doc, &[ControlErrorCode::JournalDisabled])
}

async fn list(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let (query, rows) = query::parse(named.key(), query.as_deref())?;
    check_enabled(&state)?;
    let (exchanges, evicted) = state.journal.list(&query);
    let listing = RequestPage::<RequestRow> {
        requests: Vec::new(),
        evicted,
    };
    let show = move |exchange: Arc<Exchange>| {
        if rows {
            serialize_item(&RequestRow::from(exchange.as_ref()))
        } else {
            serialize_item(&RequestView::new(&exchange))
        }
    };
    let items = stream::iter(exchanges).map(show);
    Ok(stream_listing(&listing, "requests", items).await?)
}

fn describe_get(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get a request",
            "Returns the request of an account with this number, which is in `X-Mock-Request`.",
        )
        .describe_param(
            "account",
            "Key of the account, or `-` for requests without an account.",
        )
        .describe_param("seq", "Number of the request.")
        .response::<RequestView>(200, "Request and its response.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::JournalDisabled,
            ControlErrorCode::UnknownRequest,
        ],
    )
}

async fn get(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParamPair(key, seq): PathParamPair,
) -> Result<Response, ControlError> {
    let named = named.merged_with(Some(key))?;
    check_enabled(&state)?;
    let key = named.key().filter(|key| *key != NO_ACCOUNT);
    let number: Option<u64> = seq.parse().ok();
    let found = number.and_then(|number| state.journal.find(key, number));
    let exchange = found.ok_or_else(|| {
        let (message, hint) = match key {
            Some(key) => (
                format!("no request {seq} of account {key}"),
                format!("GET /_mock/requests?account={key} lists the recorded requests"),
            ),
            None => (
                format!("no request {seq} without an account"),
                "GET /_mock/requests lists the recorded requests".to_owned(),
            ),
        };
        ControlError::new(ControlErrorCode::UnknownRequest, message, hint)
    })?;
    Ok(Json(RequestView::new(&exchange)).into_response())
}

fn describe_delete(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Delete requests",
            "Deletes the recorded requests of an account, or all.",
        )
        .query_params(vec![account_param()])
        .describe_param("account", ACCOUNT_TEXT)
        .empty_response(204, "The requests are deleted.");
    describe_errors(doc, &[])
}

async fn delete(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    state.journal.clear(named.key());
    Ok(StatusCode::NO_CONTENT.into_response())
}

fn describe_verify(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Verify requests",
            "Counts the requests that match `when`. With `timeoutMs` the call waits until there are \
             enough. If `count` has a maximum, it waits for the whole timeout.",
        )
        .json_body::<VerifyRequest>(true)
        .response::<VerifyPassed>(200, "The count is as expected.")
        .response::<VerifyFailed>(422, "The count is not as expected.");
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
    State(state): State<AppState>,
    named: NamedAccount,
    ControlJson(request): ControlJson<VerifyRequest>,
) -> Result<Response, ControlError> {
    let count = parse_count(&request.count)?;
    let matcher = parse_matcher(&state, request.when.map(|when| when.0).unwrap_or_default())?;
    check_enabled(&state)?;
    let (account, journal) = (named.key(), &state.journal);
    let verdict = match request.timeout_ms {
        None => journal.verify(account, &matcher, count),
        Some(ms) => {
            let within = Duration::from_millis(ms.min(TIMEOUT_MS_MAX));
            let verify = |within| journal.verify_within(account, &matcher, count, within);
            state.long_poll(within, verify).await
        }
    };
    Ok(verdict_response(verdict, count))
}

fn verdict_response(verdict: VerifyVerdict, expected: CountRange) -> Response {
    match verdict {
        VerifyVerdict::Satisfied { count } => Json(VerifyPassed { ok: true, count }).into_response(),
        VerifyVerdict::Unsatisfied { count, near } => {
            let reason = format!("expected {} matching requests, got {count}", describe_count(expected));
            let header = [(X_MOCK_REASON, header_line(&reason))];
            let near_misses = near.iter().map(NearMissView::new).collect();
            let missed = VerifyFailed {
                ok: false,
                count,
                near_misses,
            };
            (StatusCode::UNPROCESSABLE_ENTITY, header, Json(missed)).into_response()
        }
        VerifyVerdict::Indeterminate { count, evicted } => ControlError::new(
            ControlErrorCode::Evicted,
            format!(
                "expected {} matching requests, got {count}; {evicted} evicted requests may have matched",
                describe_count(expected)
            ),
            "keep more with --journal-requests-max and --journal-bytes-max, or DELETE /_mock/requests before the test",
        )
        .into_response(),
    }
}

fn describe_count(count: CountRange) -> String {
    match count {
        CountRange { min, max: None } => format!("at least {min}"),
        CountRange {
            min,
            max: Some(max),
        } if min == max => min.to_string(),
        CountRange {
            min: 0,
            max: Some(max),
        } => format!("at most {max}"),
        CountRange {
            min,
            max: Some(max),
        } => format!("{min} to {max}"),
    }
}

fn parse_count(spec: &CountSpec) -> Result<CountRange, ControlError> {
    let count = match *spec {
        CountSpec::Exactly(count) => CountRange {
            min: count,
            max: Some(count),
        },
        CountSpec::Between(CountBounds { min, max }) => CountRange {
            min: min.unwrap_or(0),
            max,
        },
    };
    if count.max.is_some_and(|max| max < count.min) {
        let hint = "set min to at most max";
        return Err(ControlError::new(
            ControlErrorCode::BadCount,
            "count: min is greater than max",
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

/// Checks that the pattern matches the name of an operation that the journal records.
fn check_operation(pattern: &str, operations: &[Operation]) -> Result<(), ControlError> {
    let recorded = operations.iter().filter(|it| !is_control_operation(it));
    let mut names = recorded.map(|it| it.name).chain(NAMES_WITHOUT_ROUTE);
    if names.clone().any(|name| glob(pattern, name)) {
        return Ok(());
    }
    let calls = OutboundCall::ALL.map(OutboundCall::operation);
    let message = if calls.contains(&pattern) {
        format!("when.operation: {pattern} is an outbound call, which GET /_mock/deliveries lists")
    } else {
        let suggestion = did_you_mean(pattern, names.clone());
        format!("when.operation: no recorded operation matches {pattern}{suggestion}")
    };
    let first = names.next().unwrap_or_default().to_owned();
    let listed = names.fold(first, |list, name| list + ", " + name);
    Err(ControlError::new(
        ControlErrorCode::BadWhen,
        message,
        format!("valid values: {listed}"),
    ))
}
