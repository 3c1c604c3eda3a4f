//! The operations on the journal, described.

use serde_json::json;

use super::super::described::{account, refuses};
use super::wire::{RequestPage, RequestView, VerifyFailed, VerifyPassed, VerifyRequest};
use crate::http::openapi::{OperationDoc, Param};

const ACCOUNT: &str = "Only those of that key; left out, all.";

/// Refusal where no requests are kept.
const DISABLED: [(u16, &str); 1] = [(409, "journal_disabled")];

pub fn list(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let input = |name, schema| Param {
        name,
        required: false,
        schema,
    };
    let text = json!({"type": "string"});
    let number = json!({"type": "integer", "minimum": 0});
    let described = described
        .does(
            "What was asked and answered",
            "The newest last. A request is listed from when its account is known, with null for \
             what comes with its answer. Requests to the control plane are not kept.",
        )
        .asks_query(vec![
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
        .where_input("account", ACCOUNT)
        .where_input("operation", "A glob, such as `bizmori.*`.")
        .where_input("method", "A glob.")
        .where_input("path", "A glob.")
        .where_input(
            "status",
            "Only those that were answered so: a status such as 404, or a class such as 4xx.",
        )
        .where_input(
            "since",
            "Only those of greater numbers, the first of them; goes with `account`.",
        )
        .where_input(
            "limit",
            "The last so many, with `since` the first so many; 100 where it is left out.",
        )
        .answers::<RequestPage>(200, "What is kept of it.");
    refuses(described, &[&[(400, "bad_query")], &DISABLED])
}

pub fn get(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "A request and its answer",
            "That of an account which has this number in `X-Mock-Request`.",
        )
        .where_input("account", "The account's key.")
        .where_input("seq", "The request's number.")
        .answers::<RequestView>(200, "The request.");
    let codes = [(404, "unknown_request")];
    refuses(described, &[&codes, &DISABLED])
}

pub fn delete(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does("Forget requests", "Those of an account, or all.")
        .asks_query(vec![account()])
        .where_input("account", ACCOUNT)
        .answers_nothing(204, "They are gone.");
    refuses(described, &[&[(400, "bad_query")]])
}

pub fn verify(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "Verify what was asked",
            "Counts the requests that are as `when` says. With `timeoutMs` it waits until there are \
             enough, or, where there may be too many, until that time is over.",
        )
        .asks_json::<VerifyRequest>(true)
        .answers::<VerifyPassed>(200, "There are as many as wanted.")
        .answers::<VerifyFailed>(422, "There are not.");
    let codes = [(400, "bad_count"), (400, "bad_when"), (409, "evicted")];
    refuses(described, &[&codes, &DISABLED])
}
