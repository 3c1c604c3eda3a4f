//! What a listing of the journal is asked for.

use super::super::error::ControlError;
use super::super::error_code::ControlErrorCode;
use super::super::query::ControlQuery;
use crate::services::journal::{self, StatusFilter};

const LIMIT: u32 = 100;
const LIMIT_MAX: u32 = 10_000;
const KNOWN_PARAMS: [&str; 6] = ["operation", "method", "path", "status", "since", "limit"];

/// Parses the query of a listing of `account`, or of all requests if it is `None`.
///
/// # Errors
/// Names the parameter that is unknown or malformed.
pub fn parse(
    account: Option<&str>,
    text: Option<&str>,
) -> Result<journal::RequestQuery, ControlError> {
    let query = ControlQuery::parse(text, &KNOWN_PARAMS)?;
    let read = journal::RequestQuery {
        account: account.map(str::to_owned),
        operation: query.text("operation"),
        method: query.text("method").map(|it| it.to_ascii_uppercase()),
        path: query.text("path"),
        status: query.text("status").as_deref().map(status).transpose()?,
        since: query.number("since")?,
        limit: usize::try_from(query.limit(LIMIT, 0..=LIMIT_MAX)?).unwrap_or(usize::MAX),
    };
    if read.since.is_some() && read.account.is_none() {
        let hint = "give account too: each account's requests have numbers of their own";
        return Err(ControlError::new(
            ControlErrorCode::BadQuery,
            "since: of which account?",
            hint,
        ));
    }
    Ok(read)
}

fn status(text: &str) -> Result<StatusFilter, ControlError> {
    let parsed: Result<StatusFilter, String> = text.parse();
    parsed.map_err(|_| {
        let message = format!("status: {text} is no status");
        ControlError::new(
            ControlErrorCode::BadQuery,
            message,
            "such as 404, or 4xx for a class",
        )
    })
}
