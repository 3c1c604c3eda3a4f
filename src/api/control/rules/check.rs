//! What rules are taken: those that say something, and can match something.

pub mod outcome;
pub mod then;

use super::super::error::ApiError;
use super::super::suggestion::did_you_mean;
use super::wire::{RuleConditionSpec, RuleRequest};
use crate::http::Operation;
use crate::model::glob::{glob, globs_intersect};
use crate::model::order::Vendor;
use crate::model::rule::{self, OutboundCall, ResultKind, Rule};
use then::check_action;

const TEXT_CHARS_MAX: usize = 1_000;

type CheckedRule<T> = Result<T, ApiError>;

fn bad_rule<T>(message: impl Into<String>, hint: impl Into<String>) -> CheckedRule<T> {
    Err(ApiError::bad_request("bad_rule", message, hint))
}

/// The rule, if it is one that can match any of the operations there are, or what is none.
///
/// # Errors
/// Says what is wrong with it, and what there is.
pub fn rule(sent: RuleRequest, operations: &[Operation]) -> CheckedRule<Rule> {
    text("name", sent.name.as_deref())?;
    text("account", sent.account.as_deref())?;
    if sent.times == Some(0) {
        return bad_rule(
            "times: 0 is never",
            "1 at least; left out, it is without end",
        );
    }
    let probability = sent.probability.unwrap_or(1.0);
    if !(probability > 0.0 && probability <= 1.0) {
        let message = format!("probability: {probability} is no chance to be taken");
        return bad_rule(message, "more than 0, and 1 at most");
    }
    let then = check_action(sent.then.0)?;
    let when = when(sent.when.map(|when| when.0).unwrap_or_default())?;
    let rulable: Vec<_> = operations.iter().filter(|it| !is_control(it)).collect();
    let rule = Rule {
        name: sent.name,
        account: sent.account,
        when,
        skip: sent.skip,
        times: sent.times,
        probability,
        then,
    };
    if rule.then.affects_orders() {
        check_order_rule(&rule, operations, &rulable)?;
    } else if !targets_outbound_call(&rule, &rulable)? {
        check_request_rule(&rule.when, operations, &rulable)?;
    }
    Ok(rule)
}

fn is_control(operation: &Operation) -> bool {
    operation.name.starts_with("control.")
}

fn text(field: &str, text: Option<&str>) -> CheckedRule<()> {
    let fits = |text: &str| !text.is_empty() && text.chars().count() <= TEXT_CHARS_MAX;
    if text.is_none_or(fits) {
        return Ok(());
    }
    let hint = format!("1 to {TEXT_CHARS_MAX} characters; leave it out for any");
    bad_rule(format!("{field}: is empty, or too long"), hint)
}

fn when(when: RuleConditionSpec) -> CheckedRule<rule::RuleCondition> {
    text("when.operation", when.operation.as_deref())?;
    text("when.method", when.method.as_deref())?;
    text("when.path", when.path.as_deref())?;
    text("when.fileName", when.file_name.as_deref())?;
    text("when.webhookUrl", when.webhook_url.as_deref())?;
    Ok(rule::RuleCondition {
        operation: when.operation,
        method: when.method.map(|method| method.to_ascii_uppercase()),
        path: when.path,
        file_name: when.file_name,
        webhook_url: when.webhook_url,
    })
}

/// A list of operations, for a hint.
fn operation_list<'o>(operations: impl IntoIterator<Item = &'o &'o Operation>) -> String {
    valid_values(operations.into_iter().map(|it| it.name))
}

/// The same, with what stuntdouble itself calls.
fn all_operation_list(rulable: &[&Operation]) -> String {
    let names = rulable.iter().map(|it| it.name);
    valid_values(names.chain(OutboundCall::ALL.map(OutboundCall::operation)))
}

fn valid_values<'o>(names: impl Iterator<Item = &'o str>) -> String {
    let names: Vec<_> = names.collect();
    match names.as_slice() {
        [] => "there is none".to_owned(),
        names => format!("there is: {}", names.join(", ")),
    }
}

/// Whether the rule is about calls of ours, and so need not be about requests.
fn targets_outbound_call(rule: &Rule, rulable: &[&Operation]) -> CheckedRule<bool> {
    let when = &rule.when;
    if OutboundCall::ALL
        .iter()
        .any(|call| rule.targets_call(*call))
    {
        return Ok(true);
    }
    if rule.then.webhook.is_none() && when.webhook_url.is_none() {
        return Ok(false);
    }
    let hint = "webhook and webhookUrl go with operation webhook.deliver, and without method, path and fileName";
    if let Some(pattern) = &when.operation
        && !rulable.iter().any(|it| glob(pattern, it.name))
    {
        return unknown_operation(pattern, rulable);
    }
    bad_rule("when: is about no delivery of a webhook", hint)
}

/// The operations that a rule names; all, if it names none.
fn operation_named<'o>(
    when: &rule::RuleCondition,
    operations: &[Operation],
    rulable: &[&'o Operation],
) -> CheckedRule<Vec<&'o Operation>> {
    let Some(pattern) = &when.operation else {
        return Ok(rulable.to_vec());
    };
    let named: Vec<_> = rulable
        .iter()
        .copied()
        .filter(|it| glob(pattern, it.name))
        .collect();
    if !named.is_empty() {
        return Ok(named);
    }
    if operations.iter().any(|it| glob(pattern, it.name)) {
        let message =
            format!("when.operation: {pattern} is the control plane, which is never ruled");
        return bad_rule(message, all_operation_list(rulable));
    }
    unknown_operation(pattern, rulable)
}

fn unknown_operation<T>(pattern: &str, rulable: &[&Operation]) -> CheckedRule<T> {
    let names = rulable.iter().map(|it| it.name);
    let suggestion = did_you_mean(
        pattern,
        names.chain(OutboundCall::ALL.map(OutboundCall::operation)),
    );
    let message = format!("when.operation: unknown operation {pattern}{suggestion}");
    bad_rule(message, all_operation_list(rulable))
}

fn check_request_rule(
    when: &rule::RuleCondition,
    all: &[Operation],
    rulable: &[&Operation],
) -> CheckedRule<()> {
    if when.file_name.is_some() {
        return bad_rule(
            "when.fileName: the body of a request is not read yet where rules apply",
            "fileName goes with outcome, processing, zeroCopy.put and file.fetch; requests are matched by operation, method and path",
        );
    }
    if let Some(path) = &when.path {
        if !path.starts_with(['/', '*', '?']) {
            return bad_rule(
                format!("when.path: {path} is like no path"),
                "paths begin with /",
            );
        }
        if path == "/_mock" || path.starts_with("/_mock/") {
            let message = format!("when.path: {path} is the control plane, which is never ruled");
            return bad_rule(message, all_operation_list(rulable));
        }
    }
    let named = operation_named(when, all, rulable)?;
    let Some(operation) = &when.operation else {
        // What is no operation is matched too.
        return Ok(());
    };
    let meets = |it: &&Operation| {
        let (method, path) = (when.method.as_deref(), when.path.as_deref());
        method.is_none_or(|method| glob(method, it.method.as_str()))
            && path.is_none_or(|path| globs_intersect(path, &path_glob(it.path)))
    };
    if operation == "*" || named.iter().copied().any(|it| meets(&it)) {
        return Ok(());
    }
    let routes: Vec<_> = named
        .iter()
        .map(|it| format!("{} {} {}", it.name, it.method, it.path))
        .collect();
    bad_rule(
        "when: operation, method and path have nothing in common",
        format!("there is: {}", routes.join(", ")),
    )
}

fn check_order_rule(rule: &Rule, all: &[Operation], rulable: &[&Operation]) -> CheckedRule<()> {
    let when = &rule.when;
    if when.method.is_some() || when.path.is_some() || when.webhook_url.is_some() {
        return bad_rule(
            "when: method, path and webhookUrl are for calls, outcome and processing are for orders",
            "orders are matched by operation, account and fileName",
        );
    }
    let named = operation_named(when, all, rulable)?;
    let fits = |makes: ResultKind| rule.then.is_applicable_to(makes);
    if named.iter().any(|it| it.result_kind.is_some_and(fits)) {
        let makers: Vec<_> = (named.iter().copied())
            .filter(|it| it.result_kind.is_some_and(fits))
            .collect();
        let vendors = vendors_of(&makers);
        let outcome = rule.then.outcome.as_ref();
        return outcome.map_or(Ok(()), |outcome| {
            outcome::check_code(outcome, &vendors, "then.outcome.")
        });
    }
    let fitting = rulable.iter().filter(|it| it.result_kind.is_some_and(fits));
    let pattern = when.operation.as_deref().unwrap_or("*");
    let field = if rule.then.outcome.is_some() {
        "then.outcome"
    } else {
        "then.processing"
    };
    let message = if named.iter().any(|it| it.result_kind.is_some()) {
        format!("{field}: no order of {pattern} comes to such")
    } else {
        format!("{field}: {pattern} makes no order")
    };
    bad_rule(message, operation_list(fitting))
}

/// Returns the vendors that have one of these operations.
pub fn vendors_of(operations: &[&Operation]) -> Vec<Vendor> {
    let has = |vendor: &Vendor| {
        let api = |it: &Operation| it.name.split('.').next() == Some(vendor.name());
        operations.iter().any(|it| api(it))
    };
    Vendor::ALL.into_iter().filter(has).collect()
}

/// A route's path as a glob: `/orders/{orderId}` is `/orders/*`.
fn path_glob(path: &str) -> String {
    let mut parts = path.split('{');
    let begin = parts.next().unwrap_or_default().to_owned();
    parts.fold(begin, |glob, part| {
        let rest = part.split_once('}').map_or("", |(_, rest)| rest);
        glob + "*" + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_routes_parameters_stand_for_anything() {
        assert_eq!(path_glob("/a/{b}/c/{*d}"), "/a/*/c/*");
        assert_eq!(path_glob("/a"), "/a");
    }
}
