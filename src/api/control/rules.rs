//! Rules: create, list, edit and delete.

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
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, PathParam, Routes, serialize_item, stream_listing};
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
        .on("control.putRule", Method::PUT, "/_mock/rules/{id}", put)
        .docs(describe_put)
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
    fn from(error: AddRuleError) -> Self {
        match error {
            AddRuleError::LimitExceeded(message) => {
                let hint = "delete some with DELETE /_mock/rules, or POST /_mock/reset";
                Self::new(ControlErrorCode::TooManyRules, message, hint)
            }
            AddRuleError::Internal(error) => error.into(),
        }
    }
}

fn describe_create(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Create a rule",
            "`when` selects requests or orders by globs. `skip`, `times` and `probability` select some \
             of the matches. `then` has the effects. A rule that cannot match anything is refused \
             with the valid values.",
        )
        .json_body::<RuleRequest>(true)
        .response::<RuleView>(201, "Rule that was created.");
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
    State(state): State<AppState>,
    named: NamedAccount,
    ControlJson(request): ControlJson<RuleRequest>,
) -> Result<Response, ControlError> {
    let account = named.key().map(str::to_owned);
    let rule = check::rule(
        RuleRequest { account, ..request },
        &state.operations,
        &state.vendors,
    )?;
    let account = named.create_account(&state).await?;
    let rule = state.rules.add(account, rule).await?;
    let view = Json(RuleView::from(rule.as_ref()));
    Ok((StatusCode::CREATED, view).into_response())
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Rules")]
struct RulePage<'r> {
    rules: Vec<RuleView<'r>>,
    /// Value of `after` for the next page. Null on the last page.
    next: Option<String>,
}

fn describe_list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "List rules",
            "In the order of their creation, with their hit counts.",
        )
        .query_params(listing::describe_params([account_param()]))
        .describe_param("account", "Only rules that name this account.")
        .response::<RulePage>(200, "Page of rules.");
    describe_errors(describe_page(doc), &[])
}

async fn list(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = ControlQuery::parse(query.as_deref(), &["limit", "after"])?;
    let page = PageParams::<i64>::read(&query)?;
    let mut rules = state.rules.list(named.key());
    if let Some(after) = page.after {
        // The rule of the cursor may have been deleted.
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

fn describe_put(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Edit a rule",
            "Replaces the whole rule, except for its id, its account and its hit count. Fields left out \
             return to their defaults. A request that is evaluated at the same time gets all of the \
             old rule or all of the new one.",
        )
        .describe_param("id", "Number of the rule.")
        .json_body::<RuleRequest>(true)
        .response::<RuleView>(200, "Rule after the edit.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::BadRule,
            ControlErrorCode::TooManyRules,
            ControlErrorCode::UnknownRule,
        ],
    )
}

async fn put(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
    ControlJson(request): ControlJson<RuleRequest>,
) -> Result<Response, ControlError> {
    let all = state.rules.list(None);
    let parsed = RuleId::parse(&id);
    let Some(old) = all.iter().find(|rule| Some(rule.id) == parsed) else {
        return Err(unknown_rule(&id));
    };
    let account = old.rule.account.clone();
    if named.key().is_some() && named.key() != account.as_deref() {
        let message = format!("account: rule {id} is not a rule of this account");
        let hint = "the account of a rule cannot be changed: delete the rule and create another";
        return Err(ControlError::new(ControlErrorCode::BadRule, message, hint));
    }
    let rule = check::rule(
        RuleRequest { account, ..request },
        &state.operations,
        &state.vendors,
    )?;
    let edited = state.rules.update(old.id, rule).await?;
    let edited = edited.ok_or_else(|| unknown_rule(&id))?;
    Ok(Json(RuleView::from(edited.as_ref())).into_response())
}

fn unknown_rule(id: &str) -> ControlError {
    let hint = "GET /_mock/rules lists all rules";
    ControlError::new(ControlErrorCode::UnknownRule, format!("no rule {id}"), hint)
}

fn describe_delete(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary("Delete a rule", "The rule is no longer applied.")
        .describe_param("id", "Number of the rule.")
        .empty_response(204, "The rule is deleted.");
    describe_errors(
        doc,
        &[ControlErrorCode::AccountGone, ControlErrorCode::UnknownRule],
    )
}

async fn delete(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(id): PathParam,
) -> Result<Response, ControlError> {
    // A call that names an account can only delete the rules that name this account.
    let is_of_scope = |id: RuleId| {
        let mut rules = state.rules.list(named.key()).into_iter();
        rules.any(|rule| rule.id == id)
    };
    let removed = match RuleId::parse(&id) {
        Some(id) => is_of_scope(id) && state.rules.remove(id).await?,
        None => false,
    };
    if removed {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Err(unknown_rule(&id))
}

fn describe_delete_all(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Delete rules",
            "Deletes all rules, or those that name an account.",
        )
        .query_params(vec![account_param()])
        .describe_param("account", "Only rules that name this account.")
        .empty_response(204, "The rules are deleted.");
    describe_errors(doc, &[ControlErrorCode::AccountGone])
}

async fn delete_all(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    ControlQuery::parse(query.as_deref(), &[])?;
    state.rules.clear(named.key()).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
