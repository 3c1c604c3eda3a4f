//! The operations on the journal, described.

use serde_json::json;

use super::super::openapi::{account, error_responses};
use super::wire::{RequestPage, RequestView, VerifyFailed, VerifyPassed, VerifyRequest};
use crate::http::openapi::{OperationDoc, Param};

const ACCOUNT_TEXT: &str = "Only those of that key; left out, all.";

/// Refusal where no requests are kept.
const DISABLED_ERROR: [(u16, &str); 1] = [(409, "journal_disabled")];

pub fn list(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let input = |name, schema| Param {
        name,
        required: false,
        schema,
    };
    let text = json!({"type": "string"});
    let number = json!({"type": "integer", "minimum": 0});
    let described = described
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
    error_responses(described, &[&[(400, "bad_query")], &DISABLED_ERROR])
}

pub fn get(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "A request and its answer",
            "That of an account which has this number in `X-Mock-Request`.",
        )
        .describe_param("account", "The account's key.")
        .describe_param("seq", "The request's number.")
        .response::<RequestView>(200, "The request.");
    let codes = [(404, "unknown_request")];
    error_responses(described, &[&codes, &DISABLED_ERROR])
}

pub fn delete(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary("Forget requests", "Those of an account, or all.")
        .query_params(vec![account()])
        .describe_param("account", ACCOUNT_TEXT)
        .empty_response(204, "They are gone.");
    error_responses(described, &[&[(400, "bad_query")]])
}

pub fn verify(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Verify what was asked",
            "Counts the requests that are as `when` says. With `timeoutMs` it waits until there are \
             enough, or, where there may be too many, until that time is over.",
        )
        .json_body::<VerifyRequest>(true)
        .response::<VerifyPassed>(200, "There are as many as wanted.")
        .response::<VerifyFailed>(422, "There are not.");
    let codes = [(400, "bad_count"), (400, "bad_when"), (409, "evicted")];
    error_responses(described, &[&codes, &DISABLED_ERROR])
}
