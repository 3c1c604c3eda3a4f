//! The operations on rules, described.

use super::super::listing::{describe_page, describe_params};
use super::super::openapi::{ACCOUNT_ERRORS, STORE_ERRORS, account, error_responses};
use super::RulePage;
use super::wire::{RuleRequest, RuleView};
use crate::http::openapi::OperationDoc;

pub fn create(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Make a rule",
            "`when` says what it is about, each of its words a glob; `skip`, `times` and \
             `probability` say which of the matches it takes; `then` says what is done to them. A \
             rule that can match nothing is refused, with what there is.",
        )
        .json_body::<RuleRequest>(true)
        .response::<RuleView>(201, "The rule, as it stands.");
    let codes = [(400, "bad_rule"), (400, "too_many_rules")];
    error_responses(described, &[&codes, &ACCOUNT_ERRORS, &STORE_ERRORS])
}

pub fn list(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "The rules that stand",
            "In the order in which they were made, with how often each was applied.",
        )
        .query_params(describe_params([account()]))
        .describe_param("account", "Only those about it.")
        .response::<RulePage>(200, "The rules.");
    error_responses(describe_page(described), &[&[(400, "bad_query")]])
}

pub fn delete(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary("Remove a rule", "It is not applied any more.")
        .describe_param("id", "The rule's number.")
        .empty_response(204, "It is gone.");
    error_responses(described, &[&[(404, "unknown_rule")], &STORE_ERRORS])
}

pub fn delete_all(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary("Remove rules", "All of them, or those about an account.")
        .query_params(vec![account()])
        .describe_param("account", "Only those about it.")
        .empty_response(204, "They are gone.");
    error_responses(described, &[&[(400, "bad_query")], &STORE_ERRORS])
}
