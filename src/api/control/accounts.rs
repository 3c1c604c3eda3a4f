//! Accounts: list, show, set up and delete.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Path, RawQuery, State};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::error::{ControlError, ControlJson, run_to_completion};
use super::error_code::ControlErrorCode;
use super::listing::{self, PageParams, describe_page};
use super::named_account::NamedAccount;
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Routes};
use crate::model::account::AccountSettings;
use crate::platform::clock;
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
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Account")]
struct AccountView {
    key: String,
    /// First 8 hexadecimal digits of the SHA-256 of the key, by which the dashboard's links name the account.
    hash: String,
    /// Time of the default clock when the account was created.
    #[schemars(extend("format" = "date-time"))]
    created_at: String,
    #[serde(flatten)]
    settings: AccountSettings,
}

impl From<&Account> for AccountView {
    fn from(account: &Account) -> Self {
        Self {
            key: account.key.clone(),
            hash: key_hash(&account.key),
            created_at: clock::iso(account.created_at),
            settings: account.settings(),
        }
    }
}

/// Returns the first 8 hexadecimal digits of the SHA-256 of a key.
fn key_hash(key: &str) -> String {
    hex::encode(&Sha256::digest(key)[..4])
}

const KEY_TEXT: &str = "API key of the account.";

/// Key of an account in the path.
pub struct AccountKeyInPath(String);

impl FromRequestParts<AppState> for AccountKeyInPath {
    type Rejection = ControlError;

    async fn from_request_parts(parts: &mut Parts, state: &AppState) -> Result<Self, ControlError> {
        let read = Path::<String>::from_request_parts(parts, state).await;
        let Path(key) = read.map_err(|_| {
            let key = parts.uri.path().rsplit('/').next().unwrap_or_default();
            let hint = "percent-encode the key as UTF-8";
            ControlError::new(ControlErrorCode::BadKey, format!("invalid key {key}"), hint)
        })?;
        // Refuses a call whose query or body names a different account than the path.
        let named = NamedAccount::from_request_parts(parts, state).await?;
        named.merged_with(Some(key.clone()))?;
        if is_too_long(&key) {
            let message = format!("the key has {} characters", key.chars().count());
            let hint = format!("a key has at most {KEY_CHARS_MAX} characters");
            return Err(ControlError::new(ControlErrorCode::BadKey, message, hint));
        }
        Ok(Self(key))
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Accounts")]
struct AccountPage {
    /// Accounts in ascending order of their keys.
    accounts: Vec<AccountView>,
    /// Value of `after` for the next page. Null on the last page.
    next: Option<String>,
}

fn describe_list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "List accounts",
            "Includes accounts that were created by their first use. Paged.",
        )
        .query_params(listing::describe_params([account_param()]))
        .describe_param("account", "Only the account with this key.")
        .response::<AccountPage>(200, "Page of accounts.");
    describe_errors(describe_page(doc), &[])
}

async fn list(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = ControlQuery::parse(query.as_deref(), &["limit", "after"])?;
    let page = PageParams::<String>::read(&query)?;
    let mut accounts = if let Some(key) = named.key() {
        state.accounts.by_key(key).into_iter().collect()
    } else {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let one_more = limit.saturating_add(1);
        state.accounts.page(page.after.as_deref(), one_more)
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
        .summary("Get an account", "Returns the settings of the account.")
        .describe_param("key", KEY_TEXT)
        .response::<AccountView>(200, "Account with its settings.");
    describe_errors(
        doc,
        &[ControlErrorCode::BadKey, ControlErrorCode::UnknownAccount],
    )
}

async fn get(
    State(state): State<AppState>,
    AccountKeyInPath(key): AccountKeyInPath,
) -> Result<Response, ControlError> {
    let account = state.accounts.by_key(&key).ok_or_else(|| {
        let hint = "an account is created by its first use, or by PUT /_mock/accounts/{key}";
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
            "Set up an account",
            "Creates the account if it does not exist. Omitted fields get their defaults.",
        )
        .describe_param("key", KEY_TEXT)
        .json_body::<AccountSettings>(false)
        .response::<AccountView>(200, "Account with its new settings.");
    describe_errors(
        doc,
        &[ControlErrorCode::AccountGone, ControlErrorCode::BadKey],
    )
}

/// Checks the values of settings that their types do not check.
///
/// # Errors
/// Returns an error if a value is out of range.
pub fn check_settings(settings: &AccountSettings) -> Result<(), ControlError> {
    if settings.retention_days != Some(0) {
        return Ok(());
    }
    let message = "retentionDays: must be at least 1";
    let hint = "set 1 or more days, or null for the server's --retention-days";
    Err(ControlError::new(ControlErrorCode::BadBody, message, hint))
}

async fn set(
    State(state): State<AppState>,
    AccountKeyInPath(key): AccountKeyInPath,
    ControlJson(settings): ControlJson<AccountSettings>,
) -> Result<Response, ControlError> {
    check_settings(&settings)?;
    let sunset = state.orders.sunset_for(&settings);
    let configured = state.accounts.configure(&key, settings, sunset);
    let account = configured.await?;
    Ok(Json(AccountView::from(account.as_ref())).into_response())
}

fn describe_delete(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Delete an account",
            "Deletes the account and all that it owns, such as in the teardown of a test. An unknown \
             account is no error.",
        )
        .describe_param("key", KEY_TEXT)
        .empty_response(204, "The account is deleted.");
    describe_errors(
        doc,
        &[ControlErrorCode::AccountGone, ControlErrorCode::BadKey],
    )
}

async fn delete(
    State(state): State<AppState>,
    AccountKeyInPath(key): AccountKeyInPath,
) -> Result<Response, ControlError> {
    run_to_completion(async move {
        state.accounts.delete(&key).await?;
        state.journal.drop_ended_accounts();
        state.inbox.clear(Some(&key));
        Ok(StatusCode::NO_CONTENT.into_response())
    })
    .await
}
