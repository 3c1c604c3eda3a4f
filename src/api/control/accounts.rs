//! Accounts: looked at, set up, removed.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::described::{ACCOUNT, STORE, account, refuses};
use super::error::{ApiError, ControlJson, to_its_end};
use super::listing::{self, PageParams, describe_page};
use super::named_account::NamedAccount;
use super::query::ControlQuery;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json};
use crate::model::account::AccountSettings;
use crate::services::accounts::{Account, KEY_CHARS_MAX, is_too_long};

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
const BAD_KEY: [(u16, &str); 1] = [(400, "bad_key")];

/// The key in the path.
pub struct AccountKeyInPath(String);

impl FromRequestParts<AppState> for AccountKeyInPath {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, context: &AppState) -> Result<Self, ApiError> {
        let read = Path::<String>::from_request_parts(parts, context).await;
        let Path(key) = read.map_err(|_| {
            let key = parts.uri.path().rsplit('/').next().unwrap_or_default();
            let hint = "percent-encode the key as UTF-8";
            ApiError::bad("bad_key", format!("{key} is no key"), hint)
        })?;
        // Refuses a call whose query or body names another account than its path.
        let named = NamedAccount::from_request_parts(parts, context).await?;
        named.merged_with(Some(key.clone()))?;
        if is_too_long(&key) {
            let message = format!("the key has {} characters", key.chars().count());
            let hint = format!("{KEY_CHARS_MAX} at most");
            return Err(ApiError::bad("bad_key", message, hint));
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

pub fn describe_list(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does("The accounts", "Page by page, those made by use included.")
        .asks_query(listing::inputs([account()]))
        .where_input("account", "Only the account of that key.")
        .answers::<AccountPage>(200, "The accounts.");
    refuses(describe_page(described), &[&[(400, "bad_query")]])
}

pub async fn list(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ApiError> {
    let query = ControlQuery::read(query.as_deref(), &["limit", "after"])?;
    let page = PageParams::<String>::read(&query)?;
    let mut accounts = if let Some(key) = named.key() {
        context.accounts.get(key).into_iter().collect()
    } else {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let one_more = limit.saturating_add(1);
        context.accounts.page(page.after.as_deref(), one_more)
    };
    let next = listing::cut(&mut accounts, page.limit, |last| last.key.clone());
    let frame = AccountPage {
        accounts: Vec::new(),
        next,
    };
    let show = |account: Arc<Account>| Some(AccountView::from(account.as_ref()));
    listing::answer(&frame, "accounts", accounts, show).await
}

pub fn describe_get(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does("An account", "How it is set up.")
        .where_input("key", KEY)
        .answers::<AccountView>(200, "The account.");
    refuses(described, &[&BAD_KEY, &ACCOUNT])
}

pub async fn get(
    State(context): State<AppState>,
    AccountKeyInPath(key): AccountKeyInPath,
) -> Result<Response, ApiError> {
    let account = context.accounts.get(&key).ok_or_else(|| {
        let hint = "it is made at its first use, or by PUT /_mock/accounts/{key}";
        ApiError::not_found("unknown_account", format!("no account {key}"), hint)
    })?;
    Ok(Json(AccountView::from(account.as_ref())).into_response())
}

pub fn describe_set(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "Set an account up",
            "Makes it where it is not there yet. What is left out is set to its default.",
        )
        .where_input("key", KEY)
        .asks_json::<AccountSettings>(false)
        .answers::<AccountView>(200, "The account as it is set up now.");
    refuses(described, &[&BAD_KEY, &STORE])
}

/// Checks that an account can be set up so.
///
/// # Errors
/// Names the field, and says what it may be.
pub fn check(settings: &AccountSettings) -> Result<(), ApiError> {
    if settings.retention_days != Some(0) {
        return Ok(());
    }
    let why = "retentionDays: 0 is no retention";
    let hint = "give 1 day or more; null is the server's --retention-days";
    Err(ApiError::bad("bad_body", why, hint))
}

pub async fn set(
    State(context): State<AppState>,
    AccountKeyInPath(key): AccountKeyInPath,
    ControlJson(settings): ControlJson<AccountSettings>,
) -> Result<Response, ApiError> {
    check(&settings)?;
    let sunset = context.orders.sunset_by(&settings);
    let configured = context.accounts.configure(&key, settings, sunset);
    let account = configured.await?;
    Ok(Json(AccountView::from(account.as_ref())).into_response())
}

pub fn describe_delete(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .does(
            "Remove an account",
            "With all that it owns: a test's teardown. One that is not there is gone already.",
        )
        .where_input("key", KEY)
        .answers_nothing(204, "It is gone.");
    refuses(described, &[&BAD_KEY, &STORE])
}

pub async fn delete(
    State(context): State<AppState>,
    AccountKeyInPath(key): AccountKeyInPath,
) -> Result<Response, ApiError> {
    to_its_end(async move {
        context.accounts.forget(&key).await?;
        context.journal.sweep();
        context.inbox.clear(Some(&key));
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}
