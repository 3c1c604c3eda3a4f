//! What a listing of the journal is asked for.

use super::super::error::Refusal;
use crate::journal::Query;

const LIMIT: usize = 100;
const LIMIT_MAX: usize = 10_000;
const HINT: &str = "there is: account, operation, method, path, status, since, limit";

/// The query, if all of it is known.
pub fn read(text: &str) -> Result<Query, Refusal> {
    let mut query = Query {
        limit: LIMIT,
        ..Query::default()
    };
    for (name, value) in url::form_urlencoded::parse(text.as_bytes()) {
        let text = || Some(value.to_string());
        match name.as_ref() {
            "account" => query.account = text(),
            "operation" => query.operation = text(),
            "method" => query.method = Some(value.to_ascii_uppercase()),
            "path" => query.path = text(),
            "status" => query.status = Some(number(&name, &value)?),
            "since" => query.since = Some(number(&name, &value)?),
            "limit" => query.limit = number::<usize>(&name, &value)?.min(LIMIT_MAX),
            other => {
                return Err(Refusal::bad(
                    "bad_query",
                    format!("no parameter {other}"),
                    HINT,
                ));
            }
        }
    }
    if query.since.is_some() && query.account.is_none() {
        let hint = "give account too: each account's requests have numbers of their own";
        return Err(Refusal::bad("bad_query", "since: of which account?", hint));
    }
    Ok(query)
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, Refusal> {
    value.parse().map_err(|_| {
        let message = format!("{name}: {value} is no such number");
        Refusal::bad("bad_query", message, "a whole number, such as 200")
    })
}
