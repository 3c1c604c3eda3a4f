//! The operations on rules, described.

use super::super::described::{ACCOUNT, STORE, account, refuses};
use super::super::listing::{describe_page, inputs};
use super::RulePage;
use super::wire::{RuleRequest, RuleView};
use crate::http::openapi::OperationDoc;

pub fn create(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "Make a rule",
            "`when` says what it is about, each of its words a glob; `skip`, `times` and \
             `probability` say which of the matches it takes; `then` says what is done to them. A \
             rule that can match nothing is refused, with what there is.",
        )
        .asks_json::<RuleRequest>(true)
        .answers::<RuleView>(201, "The rule, as it stands.");
    let codes = [(400, "bad_rule"), (400, "too_many_rules")];
    refuses(described, &[&codes, &ACCOUNT, &STORE])
}

pub fn list(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "The rules that stand",
            "In the order in which they were made, with how often each was applied.",
        )
        .asks_query(inputs([account()]))
        .where_input("account", "Only those about it.")
        .answers::<RulePage>(200, "The rules.");
    refuses(describe_page(described), &[&[(400, "bad_query")]])
}

pub fn delete(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does("Remove a rule", "It is not applied any more.")
        .where_input("id", "The rule's number.")
        .answers_nothing(204, "It is gone.");
    refuses(described, &[&[(404, "unknown_rule")], &STORE])
}

pub fn delete_all(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does("Remove rules", "All of them, or those about an account.")
        .asks_query(vec![account()])
        .where_input("account", "Only those about it.")
        .answers_nothing(204, "They are gone.");
    refuses(described, &[&[(400, "bad_query")], &STORE])
}
