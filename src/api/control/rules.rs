//! Rules: made, listed, removed.

pub mod check;
mod header_text;
pub mod wire;

use axum::extract::{RawQuery, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt, stream};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::{ControlError, ControlJson};
use super::error_code::ControlErrorCode;
use super::listing::{self, PageParams, describe_page};
use super::named_account::NamedAccount;
use super::openapi::{account, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, PathParam, Routes, item, streamed};
use crate::model::rule::RuleId;
use crate::services::rules::AddRuleError;
use wire::{RuleRequest, RuleView};

/// Adds the routes of rules.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.createRule", Method::POST, "/_mock/rules", create)
        .docs(describe_create)
        .on("control.listRules", Method::GET, "/_mock/rules", list)
        .docs(describe_list)
        .on(
            "control.deleteRule",
            Method::DELETE,
            "/_mock/rules/{id}",
            delete,
        )
        .docs(describe_delete)
        .on(
            "control.deleteRules",
            Method::DELETE,
            "/_mock/rules",
            delete_all,
        )
        .docs(describe_delete_all)
}

impl From<AddRuleError> for ControlError {
    fn from(refused: AddRuleError) -> Self {
        match refused {
            AddRuleError::LimitExceeded(line) => {
                let hint = "remove some with DELETE /_mock/rules, or POST /_mock/reset";
                Self::new(ControlErrorCode::TooManyRules, line, hint)
            }
            AddRuleError::Store(error) => error.into(),
        }
    }
}

fn describe_create(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Make a rule",
            "`when` says what it is about, each of its words a glob; `skip`, `times` and \
             `probability` say which of the matches it takes; `then` says what is done to them. A \
             rule that can match nothing is refused, with what there is.",
        )
        .json_body::<RuleRequest>(true)
        .response::<RuleView>(201, "The rule, as it stands.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::BadRule,
            ControlErrorCode::TooManyRules,
            ControlErrorCode::UnknownAccount,
        ],
    )
}

async fn create(
    State(context): State<AppState>,
    named: NamedAccount,
    ControlJson(sent): ControlJson<RuleRequest>,
) -> Result<Response, ControlError> {
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

fn describe_list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "The rules that stand",
            "In the order in which they were made, with how often each was applied.",
        )
        .query_params(listing::describe_params([account()]))
        .describe_param("account", "Only those about it.")
        .response::<RulePage>(200, "The rules.");
    describe_errors(describe_page(doc), &[])
}

async fn list(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
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
    let items = stream::iter(rules).map(|rule| item(&RuleView::from(rule.as_ref())));
    Ok(streamed(&frame, "rules", items).await?)
}

fn describe_delete(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary("Remove a rule", "It is not applied any more.")
        .describe_param("id", "The rule's number.")
        .empty_response(204, "It is gone.");
    describe_errors(
        doc,
        &[ControlErrorCode::AccountGone, ControlErrorCode::UnknownRule],
    )
}

async fn delete(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
) -> Result<Response, ControlError> {
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
    Err(ControlError::new(
        ControlErrorCode::UnknownRule,
        format!("no rule {id}"),
        hint,
    ))
}

fn describe_delete_all(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary("Remove rules", "All of them, or those about an account.")
        .query_params(vec![account()])
        .describe_param("account", "Only those about it.")
        .empty_response(204, "They are gone.");
    describe_errors(doc, &[ControlErrorCode::AccountGone])
}

async fn delete_all(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    context.rules.clear(named.key()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
