//! Accounts: looked at, set up, removed.

use axum::extract::{FromRequestParts, Path, State};
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::error::{Read, Refusal};
use crate::accounts::Account;
use crate::model::account::Settings;
use crate::web::{Context, Json};

#[derive(Serialize)]
struct Shown {
    key: String,
    #[serde(flatten)]
    settings: Settings,
}

impl From<&Account> for Shown {
    fn from(account: &Account) -> Self {
        Self {
            key: account.key.clone(),
            settings: account.settings(),
        }
    }
}

/// The key in the path.
pub struct Key(String);

impl FromRequestParts<Context> for Key {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, context: &Context) -> Result<Self, Refusal> {
        let read = Path::<String>::from_request_parts(parts, context).await;
        read.map(|Path(key)| Self(key)).map_err(|_| {
            let key = parts.uri.path().rsplit('/').next().unwrap_or_default();
            let hint = "percent-encode the key as UTF-8";
            Refusal::bad("bad_key", format!("{key} is no key"), hint)
        })
    }
}

#[derive(Serialize)]
struct Listing {
    accounts: Vec<Shown>,
}

pub async fn list(State(context): State<Context>) -> Response {
    let accounts = context
        .accounts
        .all()
        .iter()
        .map(|account| Shown::from(account.as_ref()))
        .collect();
    Json(Listing { accounts }).into_response()
}

pub async fn get(State(context): State<Context>, Key(key): Key) -> Result<Response, Refusal> {
    let account = context.accounts.get(&key).ok_or_else(|| {
        let hint = "it is made at its first use, or by PUT /_mock/accounts/{key}";
        Refusal::not_found("unknown_account", format!("no account {key}"), hint)
    })?;
    Ok(Json(Shown::from(account.as_ref())).into_response())
}

pub async fn set(
    State(context): State<Context>,
    Key(key): Key,
    Read(settings): Read<Settings>,
) -> Result<Response, Refusal> {
    if settings.retention_days == Some(0) {
        let why = "retentionDays: 0 is no retention";
        let hint = "give 1 day or more; null is the server's --retention-days";
        return Err(Refusal::bad("bad_body", why, hint));
    }
    let sunset = context.orders.sunset_by(&settings);
    let configured = context.accounts.configure(&key, settings, sunset);
    let account = configured.await?;
    Ok(Json(Shown::from(account.as_ref())).into_response())
}

pub async fn delete(State(context): State<Context>, Key(key): Key) -> Result<Response, Refusal> {
    context.accounts.forget(&key).await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
