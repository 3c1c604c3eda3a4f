//! Rules: made, listed, removed.

pub mod check;
pub mod described;
pub mod wire;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::{Read, Refusal};
use super::listing::{self, Page};
use super::query::Query;
use super::whose::{account, account_of};
use crate::model::rule::RuleId;
use crate::rules::Refused;
use crate::web::{Context, Json, Segment, item, streamed};
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
    Read(sent): Read<Sent>,
) -> Result<Response, Refusal> {
    let rule = check::rule(sent, &context.operations)?;
    let account = account(&context, rule.account.as_deref()).await?;
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
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let query = Query::read(query.as_deref(), &["account", "limit", "after"])?;
    let page = Page::<i64>::read(&query)?;
    let mut rules = context.rules.list(query.text("account").as_deref());
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
    Segment(id): Segment,
) -> Result<Response, Refusal> {
    let removed = match id.parse() {
        Ok(number) => context.rules.remove(RuleId(number)).await?,
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
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let account = account_of(query.as_deref())?;
    context.rules.clear(account.as_deref()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
