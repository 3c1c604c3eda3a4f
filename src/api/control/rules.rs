//! Rules: made, listed, removed.

pub mod check;
mod header_text;
pub mod openapi;
pub mod wire;

use axum::extract::{RawQuery, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::{ApiError, ControlJson};
use super::listing::{self, PageParams};
use super::named_account::NamedAccount;
use super::query::ControlQuery;
use crate::http::{AppState, Json, PathParam, serialize_item, stream_listing};
use crate::model::rule::RuleId;
use crate::services::rules::AddRuleError;
use wire::{RuleRequest, RuleView};

impl From<AddRuleError> for ApiError {
    fn from(refused: AddRuleError) -> Self {
        match refused {
            AddRuleError::LimitExceeded(line) => {
                let hint = "remove some with DELETE /_mock/rules, or POST /_mock/reset";
                Self::bad_request("too_many_rules", line, hint)
            }
            AddRuleError::Internal(error) => error.into(),
        }
    }
}

pub async fn create(
    State(context): State<AppState>,
    named: NamedAccount,
    ControlJson(sent): ControlJson<RuleRequest>,
) -> Result<Response, ApiError> {
    let account = named.key().map(str::to_owned);
    let rule = check::rule(RuleRequest { account, ..sent }, &context.operations)?;
    let account = named.create_account(&context).await?;
    let standing = context.rules.add(account, rule).await?;
    let shown = Json(RuleView::from(standing.as_ref()));
    Ok((StatusCode::CREATED, shown).into_response())
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Rules")]
struct RulePage<'r> {
    rules: Vec<RuleView<'r>>,
    /// The `after` of the next page; null on the last one.
    next: Option<String>,
}

pub async fn list(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = ControlQuery::parse(query.as_deref(), &["limit", "after"])?;
    let page = PageParams::<i64>::read(&query)?;
    let mut rules = context.rules.list(named.key());
    if let Some(after) = page.after {
        // The rule itself may be gone.
        let place = rules.iter().position(|rule| rule.id.0 == after);
        let later = || rules.iter().position(|rule| rule.id.0 > after);
        let first = place.map(|place| place + 1).or_else(later);
        rules.drain(..first.unwrap_or(rules.len()));
    }
    let next = listing::cut_page(&mut rules, page.limit, |last| last.id);
    let frame = RulePage {
        rules: Vec::new(),
        next,
    };
    let items = stream::iter(rules).map(|rule| serialize_item(&RuleView::from(rule.as_ref())));
    Ok(stream_listing(&frame, "rules", items).await?)
}

pub async fn delete(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
) -> Result<Response, ApiError> {
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
    Err(ApiError::not_found(
        "unknown_rule",
        format!("no rule {id}"),
        hint,
    ))
}

pub async fn delete_all(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    context.rules.clear(named.key()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
