//! Rules: made, listed, removed.

pub mod check;
pub mod described;
pub mod wire;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::{Read, Refusal};
use super::whose::{account, account_of};
use crate::model::rule::RuleId;
use crate::rules::Refused;
use crate::web::{Context, Json, Segment};
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
}

pub async fn list(
    State(context): State<Context>,
    RawQuery(query): RawQuery,
) -> Result<Response, Refusal> {
    let account = account_of(query.as_deref())?;
    let standing = context.rules.list(account.as_deref());
    let rules = standing.iter().map(|it| Shown::from(it.as_ref())).collect();
    Ok(Json(Listing { rules }).into_response())
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
