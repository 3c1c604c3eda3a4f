//! Rules: made, listed, removed.

pub mod check;
pub mod described;
mod header_text;
pub mod wire;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::{Read, Refusal};
use super::listing::{self, Page};
use super::named_account::NamedAccount;
use super::query::Query;
use crate::http::{Context, Json, Segment, item, streamed};
use crate::model::rule::RuleId;
use crate::services::rules::Refused;
use wire::{Sent, Shown};

impl From<Refused> for Refusal {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Full(line) => {
                let hint = "remove some with DELETE /_mock/rules, or POST /_mock/reset";
                Self::bad("too_many_rules", line, hint)
            }
            Refused::Store(error) => error.into(),
        }
    }
}

pub async fn create(
    State(context): State<Context>,
    named: NamedAccount,
    Read(sent): Read<Sent>,
) -> Result<Response, Refusal> {
    let account = named.key().map(str::to_owned);
    let rule = check::rule(Sent { account, ..sent }, &context.operations)?;
    let account = named.admit(&context).await?;
    let standing = context.rules.add(account, rule).await?;
    let shown = Json(Shown::from(standing.as_ref()));
    Ok((StatusCode::CREATED, shown).into_response())
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Rules")]
struct Listing<'r> {
    rules: Vec<Shown<'r>>,
    /// The `after` of the next page; null on the last one.
    next: Option<String>,
}

pub async fn list(
    State(context): State<Context>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["limit", "after"])?;
    let page = Page::<i64>::read(&query)?;
    let mut rules = context.rules.list(named.key());
    if let Some(after) = page.after {
        // The rule itself may be gone.
        let place = rules.iter().position(|rule| rule.id.0 == after);
        let later = || rules.iter().position(|rule| rule.id.0 > after);
        let first = place.map(|place| place + 1).or_else(later);
        rules.drain(..first.unwrap_or(rules.len()));
    }
    let next = listing::cut(&mut rules, page.limit, |last| last.id);
    let frame = Listing {
        rules: Vec::new(),
        next,
    };
    let items = stream::iter(rules).map(|rule| item(&Shown::from(rule.as_ref())));
    Ok(streamed(&frame, "rules", items).await?)
}

pub async fn delete(
    State(context): State<Context>,
    named: NamedAccount,
    Segment(id): Segment,
) -> Result<Response, Refusal> {
    // A rule of another account, or of all, is none of the account that the call names.
    let is_of_scope = |id: RuleId| {
        let mut rules = context.rules.list(named.key()).into_iter();
        rules.any(|rule| rule.id == id)
    };
    let removed = match id.parse().map(RuleId) {
        Ok(id) => is_of_scope(id) && context.rules.remove(id).await?,
        Err(_) => false,
    };
    if removed {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let hint = "GET /_mock/rules lists those there are";
    Err(Refusal::not_found(
        "unknown_rule",
        format!("no rule {id}"),
        hint,
    ))
}

pub async fn delete_all(
    State(context): State<Context>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    Query::read(query.as_deref(), &[])?;
    context.rules.clear(named.key()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
