//! What a listing of the journal is asked for.

use super::super::error::Refusal;
use super::super::query::Query;
use crate::journal;

const LIMIT: u32 = 100;
const LIMIT_MAX: u32 = 10_000;
const KNOWN: [&str; 7] = [
    "account",
    "operation",
    "method",
    "path",
    "status",
    "since",
    "limit",
];

/// The query, if all of it is known.
pub fn read(text: Option<&str>) -> Result<journal::Query, Refusal> {
    let query = Query::read(text, &KNOWN)?;
    let read = journal::Query {
        account: query.text("account"),
        operation: query.text("operation"),
        method: query.text("method").map(|it| it.to_ascii_uppercase()),
        path: query.text("path"),
        status: query.number("status")?,
        since: query.number("since")?,
        limit: usize::try_from(query.limit(LIMIT, 0..=LIMIT_MAX)?).unwrap_or(usize::MAX),
    };
    if read.since.is_some() && read.account.is_none() {
        let hint = "give account too: each account's requests have numbers of their own";
        return Err(Refusal::bad("bad_query", "since: of which account?", hint));
    }
    Ok(read)
}
