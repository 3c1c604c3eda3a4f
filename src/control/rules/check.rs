//! What rules are taken: those that say something, and can match something.

use axum::http::{HeaderName, HeaderValue};
use serde_json::value::RawValue;

use super::super::error::Refusal;
use super::wire::{FINAL_RESULTS, Outcome, Respond, Sent, Then, When, label};
use crate::model::glob::{glob, meet};
use crate::model::rule::{self, Makes, Rule};
use crate::web::{Object, Operation};

const DELAY_MS_MAX: u32 = 600_000;
const TEXT_CHARS_MAX: usize = 1_000;
/// Headers that the server sets itself.
const HEADERS_OURS: [&str; 5] = [
    "connection",
    "content-length",
    "transfer-encoding",
    "x-mock-request",
    "x-mock-why",
];
/// Statuses whose answers have no body.
const STATUSES_BARE: [u16; 3] = [204, 205, 304];
const WHEN: &str = "there is: operation, method, path, fileName";
const THEN: &str = "there is: delayMs, respond, outcome";
const OUTCOMES: &str =
    "one of: status failed with or without errorCode, probability, watermarkText, finalResult";

type Checked<T> = Result<T, Refusal>;

fn bad<T>(message: impl Into<String>, hint: impl Into<String>) -> Checked<T> {
    Err(Refusal::bad("bad_rule", message, hint))
}

/// The rule, if it is one that can match any of the operations there are, or what is none.
///
/// # Errors
/// Says what is wrong with it, and what there is.
pub fn rule(sent: Sent, operations: &[Operation]) -> Checked<Rule> {
    text("name", sent.name.as_deref())?;
    text("account", sent.account.as_deref())?;
    if sent.times == Some(0) {
        return bad(
            "times: 0 is never",
            "1 at least; left out, it is without end",
        );
    }
    let probability = sent.probability.unwrap_or(1.0);
    if !(probability > 0.0 && probability <= 1.0) {
        let message = format!("probability: {probability} is no chance to be taken");
        return bad(message, "more than 0, and 1 at most");
    }
    let then = then(sent.then.0)?;
    let when = when(sent.when.map(|when| when.0).unwrap_or_default())?;
    let ruled: Vec<_> = operations.iter().filter(|it| !is_control(it)).collect();
    match &then.outcome {
        None => of_requests(&when, operations, &ruled)?,
        Some(outcome) => of_orders(&when, outcome, operations, &ruled)?,
    }
    Ok(Rule {
        name: sent.name,
        account: sent.account,
        when,
        skip: sent.skip,
        times: sent.times,
        probability,
        then,
    })
}

fn is_control(operation: &Operation) -> bool {
    operation.name.starts_with("control.")
}

fn text(field: &str, text: Option<&str>) -> Checked<()> {
    let fits = |text: &str| !text.is_empty() && text.chars().count() <= TEXT_CHARS_MAX;
    if text.is_none_or(fits) {
        return Ok(());
    }
    let hint = format!("1 to {TEXT_CHARS_MAX} characters; leave it out for any");
    bad(format!("{field}: is empty, or too long"), hint)
}

fn absent<T>(field: &str, value: Option<&T>, hint: &str) -> Checked<()> {
    if value.is_none() {
        return Ok(());
    }
    bad(
        format!("{field}: the contract has it, stuntdouble not yet"),
        hint,
    )
}

fn when(when: When) -> Checked<rule::When> {
    absent("when.webhookUrl", when.webhook_url.as_ref(), WHEN)?;
    text("when.operation", when.operation.as_deref())?;
    text("when.method", when.method.as_deref())?;
    text("when.path", when.path.as_deref())?;
    text("when.fileName", when.file_name.as_deref())?;
    Ok(rule::When {
        operation: when.operation,
        method: when.method.map(|method| method.to_ascii_uppercase()),
        path: when.path,
        file_name: when.file_name,
    })
}

fn then(then: Then) -> Checked<rule::Then> {
    absent("then.fault", then.fault.as_ref(), THEN)?;
    absent("then.processing", then.processing.as_ref(), THEN)?;
    absent("then.webhook", then.webhook.as_ref(), THEN)?;
    let delay_ms = then.delay_ms.map(delay_ms).transpose()?;
    let respond = then.respond.map(|Object(sent)| respond(sent)).transpose()?;
    let outcome = then.outcome.map(|Object(sent)| outcome(sent)).transpose()?;
    let then = rule::Then {
        delay_ms,
        respond,
        outcome,
    };
    match (then.is_to_requests(), then.outcome.is_some()) {
        (false, false) => bad("then: says nothing", THEN),
        (true, true) => bad(
            "then: delayMs and respond are for requests, outcome is for orders",
            "make two rules, each with counts of its own",
        ),
        _ => Ok(then),
    }
}

fn delay_ms(ms: u64) -> Checked<u32> {
    let fits = u32::try_from(ms).ok().filter(|ms| *ms <= DELAY_MS_MAX);
    fits.map_or_else(
        || {
            let hint = format!("{DELAY_MS_MAX} at most");
            bad(format!("then.delayMs: {ms} is too long"), hint)
        },
        Ok,
    )
}

fn respond(sent: Respond) -> Checked<rule::Respond> {
    let status = sent.status;
    if !(200..600).contains(&status) {
        return bad(
            format!("then.respond.status: {status} ends no request"),
            "200 to 599",
        );
    }
    for (name, value) in &sent.headers {
        let Ok(known) = HeaderName::try_from(name.as_str()) else {
            let message = format!("then.respond.headers: {name} is no header's name");
            return bad(message, "such as retry-after");
        };
        if HEADERS_OURS.contains(&known.as_str()) {
            let message = format!("then.respond.headers: {name} is set by the server");
            return bad(message, format!("any but {}", HEADERS_OURS.join(", ")));
        }
        if HeaderValue::try_from(value.as_str()).is_err() {
            let message = format!("then.respond.headers: {name} cannot have this value");
            return bad(message, "one line of text");
        }
    }
    if sent.body.is_some() && STATUSES_BARE.contains(&status) {
        let message = format!("then.respond.body: an answer of status {status} has none");
        return bad(message, "leave one of the two out");
    }
    Ok(rule::Respond {
        status,
        headers: sent.headers,
        body: sent.body.as_deref().map(body),
    })
}

/// A string is sent as it is, anything else as JSON.
fn body(raw: &RawValue) -> rule::Body {
    serde_json::from_str(raw.get())
        .map_or_else(|_| rule::Body::Json(raw.get().to_owned()), rule::Body::Text)
}

fn outcome(sent: Outcome) -> Checked<rule::Outcome> {
    let field = "then.outcome";
    if let Some(chance) = sent.probability
        && !(0.0..=1.0).contains(&chance)
    {
        return bad(
            format!("{field}.probability: {chance} is none"),
            "from 0 to 1",
        );
    }
    text(&format!("{field}.errorCode"), sent.error_code.as_deref())?;
    text(
        &format!("{field}.errorMessage"),
        sent.error_message.as_deref(),
    )?;
    text(
        &format!("{field}.finalResult"),
        sent.final_result.as_deref(),
    )?;
    let found = sent.watermark_text.as_ref().and_then(Option::as_deref);
    text(&format!("{field}.watermarkText"), found)?;
    match sent {
        Outcome {
            status: Some(status),
            error_code: code,
            error_message: message,
            probability: None,
            watermark_text: None,
            final_result: None,
        } if status == "failed" => Ok(rule::Outcome::Failed { code, message }),
        Outcome {
            status: None,
            error_code: None,
            error_message: None,
            probability,
            watermark_text,
            final_result,
        } => match (probability, watermark_text, final_result) {
            (Some(probability), None, None) => Ok(rule::Outcome::Probability { probability }),
            (None, Some(text), None) => Ok(rule::Outcome::WatermarkText { text }),
            (probability, None, Some(word)) => label(&word).map_or_else(
                || {
                    let known = FINAL_RESULTS.join(", ");
                    let hint = format!("there is: {known}, or a generator's name, such as Grok");
                    bad(
                        format!("{field}.finalResult: {word} is no final result"),
                        hint,
                    )
                },
                |label| Ok(rule::Outcome::FinalResult { label, probability }),
            ),
            _ => bad(format!("{field}: does not say one thing"), OUTCOMES),
        },
        Outcome {
            status: Some(status),
            ..
        } if status != "failed" => bad(
            format!("{field}.status: {status} is none"),
            "there is: failed",
        ),
        _ => bad(format!("{field}: does not say one thing"), OUTCOMES),
    }
}

/// A list of operations, for a hint.
fn told<'o>(operations: impl IntoIterator<Item = &'o &'o Operation>) -> String {
    let names: Vec<_> = operations.into_iter().map(|it| it.name).collect();
    match names.as_slice() {
        [] => "there is none".to_owned(),
        names => format!("there is: {}", names.join(", ")),
    }
}

/// The operations that a rule names; all, if it names none.
fn named<'o>(
    when: &rule::When,
    operations: &[Operation],
    ruled: &[&'o Operation],
) -> Checked<Vec<&'o Operation>> {
    let Some(pattern) = &when.operation else {
        return Ok(ruled.to_vec());
    };
    let named: Vec<_> = ruled
        .iter()
        .copied()
        .filter(|it| glob(pattern, it.name))
        .collect();
    if !named.is_empty() {
        return Ok(named);
    }
    let message = if operations.iter().any(|it| glob(pattern, it.name)) {
        format!("when.operation: {pattern} is the control plane, which is never ruled")
    } else {
        format!("when.operation: {pattern} is no operation")
    };
    bad(message, told(ruled))
}

fn of_requests(when: &rule::When, all: &[Operation], ruled: &[&Operation]) -> Checked<()> {
    if when.file_name.is_some() {
        return bad(
            "when.fileName: the body is not read yet where delayMs and respond apply",
            "fileName goes with outcome; requests are matched by operation, method and path",
        );
    }
    if let Some(path) = &when.path {
        if !path.starts_with(['/', '*', '?']) {
            return bad(
                format!("when.path: {path} is like no path"),
                "paths begin with /",
            );
        }
        if path == "/_mock" || path.starts_with("/_mock/") {
            let message = format!("when.path: {path} is the control plane, which is never ruled");
            return bad(message, told(ruled));
        }
    }
    let named = named(when, all, ruled)?;
    let Some(operation) = &when.operation else {
        // What is no operation is matched too.
        return Ok(());
    };
    let meets = |it: &&Operation| {
        let (method, path) = (when.method.as_deref(), when.path.as_deref());
        method.is_none_or(|method| glob(method, it.method.as_str()))
            && path.is_none_or(|path| meet(path, &template(it.path)))
    };
    if operation == "*" || named.iter().copied().any(|it| meets(&it)) {
        return Ok(());
    }
    let routes: Vec<_> = named
        .iter()
        .map(|it| format!("{} {} {}", it.name, it.method, it.path))
        .collect();
    bad(
        "when: operation, method and path have nothing in common",
        format!("there is: {}", routes.join(", ")),
    )
}

fn of_orders(
    when: &rule::When,
    outcome: &rule::Outcome,
    all: &[Operation],
    ruled: &[&Operation],
) -> Checked<()> {
    if when.method.is_some() || when.path.is_some() {
        return bad(
            "when: method and path are for requests, outcome is for orders",
            "orders are matched by operation, account and fileName",
        );
    }
    let named = named(when, all, ruled)?;
    let fits = |makes: Makes| outcome.fits(makes);
    if named.iter().any(|it| it.makes.is_some_and(fits)) {
        return Ok(());
    }
    let fitting = ruled.iter().filter(|it| it.makes.is_some_and(fits));
    let pattern = when.operation.as_deref().unwrap_or("*");
    let message = if named.iter().any(|it| it.makes.is_some()) {
        format!("then.outcome: no order of {pattern} comes to such")
    } else {
        format!("then.outcome: {pattern} makes no order")
    };
    bad(message, told(fitting))
}

/// A route's path as a glob: `/orders/{orderId}` is `/orders/*`.
fn template(path: &str) -> String {
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
        assert_eq!(template("/a/{b}/c/{*d}"), "/a/*/c/*");
        assert_eq!(template("/a"), "/a");
    }
}
