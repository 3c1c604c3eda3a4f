//! Accounts: looked at, set up, removed.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::error::{ControlError, ControlJson, run_to_completion};
use super::error_code::ControlErrorCode;
use super::listing::{self, PageParams, describe_page};
use super::named_account::NamedAccount;
use super::openapi::{account, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Routes};
use crate::model::account::AccountSettings;
use crate::services::accounts::{Account, KEY_CHARS_MAX, is_too_long};

/// Adds the routes of accounts.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.listAccounts", Method::GET, "/_mock/accounts", list)
        .docs(describe_list)
        .on(
            "control.getAccount",
            Method::GET,
            "/_mock/accounts/{key}",
            get,
        )
        .docs(describe_get)
        .on(
            "control.setAccount",
            Method::PUT,
            "/_mock/accounts/{key}",
            set,
        )
        .docs(describe_set)
        .on(
            "control.deleteAccount",
            Method::DELETE,
            "/_mock/accounts/{key}",
            delete,
        )
        .docs(describe_delete)
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Account")]
struct AccountView {
    key: String,
    #[serde(flatten)]
    settings: AccountSettings,
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        Self {
            key: account.key.clone(),
            settings: account.settings(),
        }
    }
}

const KEY: &str = "The API key behind which the account is.";

/// The key in the path.
pub struct AccountKeyInPath(String);

impl FromRequestParts<AppState> for AccountKeyInPath {
    type Rejection = ControlError;

    async fn from_request_parts(
        parts: &mut Parts,
        context: &AppState,
    ) -> Result<Self, ControlError> {
        let read = Path::<String>::from_request_parts(parts, context).await;
        let Path(key) = read.map_err(|_| {
            let key = parts.uri.path().rsplit('/').next().unwrap_or_default();
            let hint = "percent-encode the key as UTF-8";
            ControlError::new(ControlErrorCode::BadKey, format!("{key} is no key"), hint)
        })?;
        // Refuses a call whose query or body names another account than its path.
        let named = NamedAccount::from_request_parts(parts, context).await?;
        named.merged_with(Some(key.clone()))?;
        if is_too_long(&key) {
            let message = format!("the key has {} characters", key.chars().count());
            let hint = format!("{KEY_CHARS_MAX} at most");
            return Err(ControlError::new(ControlErrorCode::BadKey, message, hint));
        }
        Ok(Self(key))
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Accounts")]
struct AccountPage {
    /// By key.
    accounts: Vec<AccountView>,
    /// The `after` of the next page; null on the last one.
    next: Option<String>,
}

fn describe_list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary("The accounts", "Page by page, those made by use included.")
        .query_params(listing::describe_params([account()]))
        .describe_param("account", "Only the account of that key.")
        .response::<AccountPage>(200, "The accounts.");
    describe_errors(describe_page(doc), &[])
}

async fn list(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = ControlQuery::parse(query.as_deref(), &["limit", "after"])?;
    let page = PageParams::<String>::read(&query)?;
    let mut accounts = if let Some(key) = named.key() {
        context.accounts.by_key(key).into_iter().collect()
    } else {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let one_more = limit.saturating_add(1);
        context.accounts.page(page.after.as_deref(), one_more)
    };
    let next = listing::cut_page(&mut accounts, page.limit, |last| last.key.clone());
    let frame = AccountPage {
        accounts: Vec::new(),
        next,
    };
    let show = |account: Arc<Account>| Some(AccountView::from(account.as_ref()));
    listing::page_response(&frame, "accounts", accounts, show).await
}

fn describe_get(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary("An account", "How it is set up.")
        .describe_param("key", KEY)
        .response::<AccountView>(200, "The account.");
    describe_errors(
        doc,
        &[ControlErrorCode::BadKey, ControlErrorCode::UnknownAccount],
    )
}

async fn get(
    State(context): State<AppState>,
    AccountKeyInPath(key): AccountKeyInPath,
) -> Result<Response, ControlError> {
    let account = context.accounts.by_key(&key).ok_or_else(|| {
        let hint = "it is made at its first use, or by PUT /_mock/accounts/{key}";
        ControlError::new(
            ControlErrorCode::UnknownAccount,
            format!("no account {key}"),
            hint,
        )
    })?;
    Ok(Json(AccountView::from(account.as_ref())).into_response())
}

fn describe_set(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Set an account up",
            "Makes it where it is not there yet. What is left out is set to its default.",
        )
        .describe_param("key", KEY)
        .json_body::<AccountSettings>(false)
        .response::<AccountView>(200, "The account as it is set up now.");
    describe_errors(
        doc,
        &[ControlErrorCode::AccountGone, ControlErrorCode::BadKey],
    )
}

/// Checks that an account can be set up so.
///
/// # Errors
/// Names the field, and says what it may be.
pub fn check(settings: &AccountSettings) -> Result<(), ControlError> {
    if settings.retention_days != Some(0) {
        return Ok(());
    }
    let why = "retentionDays: 0 is no retention";
    let hint = "give 1 day or more; null is the server's --retention-days";
    Err(ControlError::new(ControlErrorCode::BadBody, why, hint))
}

async fn set(
    State(context): State<AppState>,
    AccountKeyInPath(key): AccountKeyInPath,
    ControlJson(settings): ControlJson<AccountSettings>,
) -> Result<Response, ControlError> {
    check(&settings)?;
    let sunset = context.orders.sunset_for(&settings);
    let configured = context.accounts.configure(&key, settings, sunset);
    let account = configured.await?;
    Ok(Json(AccountView::from(account.as_ref())).into_response())
}

fn describe_delete(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Remove an account",
            "With all that it owns: a test's teardown. One that is not there is gone already.",
        )
        .describe_param("key", KEY)
        .empty_response(204, "It is gone.");
    describe_errors(
        doc,
        &[ControlErrorCode::AccountGone, ControlErrorCode::BadKey],
    )
}

async fn delete(
    State(context): State<AppState>,
    AccountKeyInPath(key): AccountKeyInPath,
) -> Result<Response, ControlError> {
    run_to_completion(async move {
        context.accounts.delete(&key).await?;
        context.journal.drop_ended_accounts();
        context.inbox.clear(Some(&key));
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}
