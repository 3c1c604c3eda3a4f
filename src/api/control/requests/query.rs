//! Query parameters of the list of requests.

use super::super::error::ControlError;
use super::super::error_code::ControlErrorCode;
use super::super::query::ControlQuery;
use crate::services::journal::{self, StatusFilter};

const LIMIT_DEFAULT: u32 = 100;
const LIMIT_MAX: u32 = 10_000;
const KNOWN_PARAMS: [&str; 8] = [
    "operation",
    "method",
    "path",
    "status",
    "orderId",
    "since",
    "limit",
    "rows",
];

/// Parses the query of a list of the requests of `account`, or of all requests if `account` is
/// `None`. Also returns whether the requests are listed as rows.
///
/// # Errors
/// Returns an error if a parameter is unknown or malformed.
pub fn parse(
    account: Option<&str>,
    text: Option<&str>,
) -> Result<(journal::RequestQuery, bool), ControlError> {
    let query = ControlQuery::parse(text, &KNOWN_PARAMS)?;
    let request_query = journal::RequestQuery {
        account: account.map(str::to_owned),
        operation: query.text("operation"),
        method: query.text("method").map(|it| it.to_ascii_uppercase()),
        path: query.text("path"),
        status: query.text("status").as_deref().map(status).transpose()?,
        order_id: query.text("orderId"),
        since: query.number("since")?,
        limit: usize::try_from(query.limit(LIMIT_DEFAULT, 0..=LIMIT_MAX)?).unwrap_or(usize::MAX),
    };
    if request_query.since.is_some() && request_query.account.is_none() {
        let hint = "add account, since the requests of each account have numbers of their own";
        return Err(ControlError::new(
            ControlErrorCode::BadQuery,
            "since: account is missing",
            hint,
        ));
    }
    Ok((request_query, query.flag("rows")?))
}

fn status(text: &str) -> Result<StatusFilter, ControlError> {
    let parsed: Result<StatusFilter, String> = text.parse();
    parsed.map_err(|_| {
        let message = format!("status: invalid status {text}");
        ControlError::new(
            ControlErrorCode::BadQuery,
            message,
            "send a status such as 404, or a class such as 4xx",
        )
    })
}
