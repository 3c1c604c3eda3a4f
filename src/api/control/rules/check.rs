//! Checks of new rules: a rule must have an effect, and must be able to match.

pub mod outcome;
pub mod then;

use super::super::error::ControlError;
use super::super::error_code::ControlErrorCode;
use super::super::is_control_operation;
use super::super::suggestion::did_you_mean;
use super::wire::{RuleConditionSpec, RuleRequest};
use crate::http::Operation;
use crate::model::glob::{glob, globs_intersect};
use crate::model::order::Vendor;
use crate::model::rule::{self, OutboundCall, ResultKind, Rule};
use crate::services::vendors::Vendors;
use then::check_action;

const TEXT_CHARS_MAX: usize = 1_000;

type CheckedRule<T> = Result<T, ControlError>;

fn bad_rule<T>(message: impl Into<String>, hint: impl Into<String>) -> CheckedRule<T> {
    Err(ControlError::new(ControlErrorCode::BadRule, message, hint))
}

/// Returns the rule if it can match one of `operations`, an outbound call, or a request without an
/// operation.
///
/// # Errors
/// Returns an error if a field is invalid. The hint has the valid values.
pub fn rule(
    request: RuleRequest,
    operations: &[Operation],
    vendors: &Vendors,
) -> CheckedRule<Rule> {
    text("name", request.name.as_deref())?;
    text("account", request.account.as_deref())?;
    if request.times == Some(0) {
        return bad_rule("times: must be at least 1", "omit times for no limit");
    }
    let probability = request.probability.unwrap_or(1.0);
    if !(probability > 0.0 && probability <= 1.0) {
        let message = format!("probability: expected more than 0 and at most 1, got {probability}");
        return bad_rule(message, "omit probability for every match");
    }
    let then = check_action(request.then.0)?;
    let when = when(request.when.map(|when| when.0).unwrap_or_default())?;
    let rulable: Vec<_> = operations
        .iter()
        .filter(|it| !is_control_operation(it))
        .collect();
    let rule = Rule {
        name: request.name,
        account: request.account,
        enabled: request.enabled.unwrap_or(true),
        when,
        skip: request.skip,
        times: request.times,
        probability,
        then,
    };
    if rule.then.affects_orders() {
        check_order_rule(&rule, operations, &rulable, vendors)?;
    } else if !targets_outbound_call(&rule, &rulable)? {
        check_request_rule(&rule.when, operations, &rulable)?;
    }
    Ok(rule)
}

fn text(field: &str, text: Option<&str>) -> CheckedRule<()> {
    let fits = |text: &str| !text.is_empty() && text.chars().count() <= TEXT_CHARS_MAX;
    if text.is_none_or(fits) {
        return Ok(());
    }
    let hint = format!("use 1 to {TEXT_CHARS_MAX} characters, or omit the field");
    bad_rule(format!("{field}: is empty or too long"), hint)
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

/// Returns a hint with the names of operations.
fn operation_list<'o>(operations: impl IntoIterator<Item = &'o &'o Operation>) -> String {
    valid_values(operations.into_iter().map(|it| it.name))
}

/// Returns a hint with the names of operations and outbound calls.
fn all_operation_list(rulable: &[&Operation]) -> String {
    let names = rulable.iter().map(|it| it.name);
    valid_values(names.chain(OutboundCall::ALL.map(OutboundCall::operation)))
}

fn valid_values<'o>(names: impl Iterator<Item = &'o str>) -> String {
    let names: Vec<_> = names.collect();
    match names.as_slice() {
        [] => "there are no valid values".to_owned(),
        names => format!("valid values: {}", names.join(", ")),
    }
}

/// `true` if the rule matches outbound calls. Such a rule needs no matching operation.
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
    let hint = "use webhook and webhookUrl with operation webhook.deliver, and without method, path and fileName";
    if let Some(pattern) = &when.operation
        && !rulable.iter().any(|it| glob(pattern, it.name))
    {
        return unknown_operation(pattern, rulable);
    }
    bad_rule("when: does not match webhook deliveries", hint)
}

/// Returns the operations that a rule's pattern matches. All operations if the rule has no pattern.
fn matching_operations<'o>(
    when: &rule::RuleCondition,
    operations: &[Operation],
    rulable: &[&'o Operation],
) -> CheckedRule<Vec<&'o Operation>> {
    let Some(pattern) = &when.operation else {
        return Ok(rulable.to_vec());
    };
    let matching: Vec<_> = rulable
        .iter()
        .copied()
        .filter(|it| glob(pattern, it.name))
        .collect();
    if !matching.is_empty() {
        return Ok(matching);
    }
    if operations.iter().any(|it| glob(pattern, it.name)) {
        let message =
            format!("when.operation: {pattern} is the control plane, to which rules do not apply");
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
            "when.fileName: not available for requests, whose bodies are not yet read when rules apply",
            "use fileName with outcome, processing, zeroCopy.put and file.fetch; match requests by operation, method and path",
        );
    }
    if let Some(path) = &when.path {
        if !path.starts_with(['/', '*', '?']) {
            return bad_rule(
                format!("when.path: {path} matches no path"),
                "start the path with /",
            );
        }
        if path == "/_mock" || path.starts_with("/_mock/") {
            let message =
                format!("when.path: {path} is the control plane, to which rules do not apply");
            return bad_rule(message, all_operation_list(rulable));
        }
    }
    let matching = matching_operations(when, all, rulable)?;
    let Some(operation) = &when.operation else {
        // Without a pattern, requests to unknown routes match too.
        return Ok(());
    };
    let is_match = |it: &&Operation| {
        let (method, path) = (when.method.as_deref(), when.path.as_deref());
        method.is_none_or(|method| glob(method, it.method.as_str()))
            && path.is_none_or(|path| globs_intersect(path, &path_glob(it.path)))
    };
    if operation == "*" || matching.iter().copied().any(|it| is_match(&it)) {
        return Ok(());
    }
    let routes: Vec<_> = matching
        .iter()
        .map(|it| format!("{} {} {}", it.name, it.method, it.path))
        .collect();
    bad_rule(
        "when: operation, method and path have nothing in common",
        format!("valid routes: {}", routes.join(", ")),
    )
}

fn check_order_rule(
    rule: &Rule,
    all: &[Operation],
    rulable: &[&Operation],
    registry: &Vendors,
) -> CheckedRule<()> {
    let when = &rule.when;
    if when.method.is_some() || when.path.is_some() || when.webhook_url.is_some() {
        return bad_rule(
            "when: method, path and webhookUrl match calls, but outcome and processing are for orders",
            "match orders by operation, account and fileName",
        );
    }
    let matching = matching_operations(when, all, rulable)?;
    let fits = |kind: ResultKind| rule.then.is_applicable_to(kind);
    if matching.iter().any(|it| it.result_kind.is_some_and(fits)) {
        let creating: Vec<_> = (matching.iter().copied())
            .filter(|it| it.result_kind.is_some_and(fits))
            .collect();
        let vendors = vendors_of(&creating);
        let outcome = rule.then.outcome.as_ref();
        return outcome.map_or(Ok(()), |outcome| {
            outcome::check_code(outcome, registry, &vendors, "then.outcome.")
        });
    }
    let fitting = rulable.iter().filter(|it| it.result_kind.is_some_and(fits));
    let pattern = when.operation.as_deref().unwrap_or("*");
    let field = if rule.then.outcome.is_some() {
        "then.outcome"
    } else {
        "then.processing"
    };
    let message = if matching.iter().any(|it| it.result_kind.is_some()) {
        format!("{field}: not supported by operation {pattern}")
    } else {
        format!("{field}: operation {pattern} creates no orders")
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

/// Returns the path of a route as a glob: `/orders/*` for `/orders/{orderId}`.
fn path_glob(path: &str) -> String {
    let mut parts = path.split('{');
    let start = parts.next().unwrap_or_default().to_owned();
    parts.fold(start, |glob, part| {
        let rest = part.split_once('}').map_or("", |(_, rest)| rest);
        glob + "*" + rest
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_glob_replaces_parameters_by_asterisks() {
        assert_eq!(path_glob("/a/{b}/c/{*d}"), "/a/*/c/*");
        assert_eq!(path_glob("/a"), "/a");
    }
}
