//! Snapshots: taken, listed, brought back, removed.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{ApiError, ControlJson, run_to_completion};
use super::named_account::{AccountKey, NamedAccount};
use super::openapi::{ACCOUNT_ERRORS, STORE_ERRORS, error_responses};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, PathParam};
use crate::platform::clock::iso;
use crate::services::snapshots::{SNAPSHOTS_MAX, SnapshotError, SnapshotManifest};

const NAME: &str = "The snapshot's name: 1 to 100 characters.";
const NAME_CHARS_MAX: usize = 100;
const UNKNOWN_SNAPSHOT: [(u16, &str); 1] = [(404, "unknown_snapshot")];

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Snapshot")]
struct SnapshotView {
    name: String,
    /// The key of the account that it is of; null: of everything.
    account: Option<String>,
    /// By the real time.
    #[schemars(extend("format" = "date-time"))]
    taken_at: String,
    /// How many accounts it holds.
    accounts: usize,
    /// How many orders and documents.
    orders: u64,
    /// Of all files.
    bytes: u64,
}

impl From<SnapshotManifest> for SnapshotView {
    fn from(about: SnapshotManifest) -> Self {
        Self {
            name: about.name,
            account: about.account,
            taken_at: iso(about.taken_at),
            accounts: about.accounts,
            orders: about.orders,
            bytes: about.bytes,
        }
    }
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Snapshots")]
struct SnapshotPage {
    snapshots: Vec<SnapshotView>,
}

#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "SnapshotOf")]
pub struct SnapshotScope {
    /// The key of the one account that is meant; left out, all that there is.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
}

fn snapshot_error(
    context: &AppState,
    error: SnapshotError,
    name: &str,
    key: Option<&str>,
) -> ApiError {
    if let (SnapshotError::Unknown, None) = (&error, key) {
        let all = context.snapshots.list(None).into_iter();
        let mut owners = all.filter(|it| it.name == name).filter_map(|it| it.account);
        if let Some(owner) = owners.next() {
            let message = format!("no snapshot {name} of everything; account {owner} has one");
            let hint = "name the account of which it is";
            return ApiError::not_found("unknown_snapshot", message, hint);
        }
    }
    match error {
        SnapshotError::Unknown => ApiError::not_found(
            "unknown_snapshot",
            match key {
                Some(key) => format!("no snapshot {name} of account {key}, or of everything"),
                None => format!("no snapshot {name}"),
            },
            "GET /_mock/snapshots lists those there are",
        ),
        SnapshotError::UnknownAccount => ApiError::not_found(
            "unknown_account",
            format!("no account {}", key.unwrap_or_default()),
            "an account is there once its key was used, and in a snapshot if it was there then",
        ),
        SnapshotError::Full => ApiError::conflict(
            "too_many_snapshots",
            format!("there are {SNAPSHOTS_MAX} snapshots"),
            "remove some with DELETE /_mock/snapshots/{name}",
        ),
        SnapshotError::Internal(error) => error.into(),
    }
}

pub fn describe_list(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary("The snapshots", "By name, of one account or all.")
        .response::<SnapshotPage>(200, "The snapshots.");
    error_responses(described, &[])
}

pub async fn list(State(context): State<AppState>, named: NamedAccount) -> Response {
    let snapshots = context.snapshots.list(named.key());
    let snapshots = snapshots.into_iter().map(SnapshotView::from).collect();
    Json(SnapshotPage { snapshots }).into_response()
}

pub fn describe_take(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Take a snapshot",
            "Of everything, or of one account: orders, files, webhooks and their deliveries, \
             rules, clocks and settings, and the work that is to come. The journal and the inbox \
             are no part of it. It takes the place of an earlier one of the same name and account, \
             and outlives resets.",
        )
        .describe_param("name", NAME)
        .json_body::<SnapshotScope>(false)
        .response::<SnapshotView>(200, "What it holds.");
    let codes = [(400, "bad_name"), (409, "too_many_snapshots")];
    error_responses(described, &[&codes, &ACCOUNT_ERRORS, &STORE_ERRORS])
}

pub async fn take(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
    ControlJson(SnapshotScope { .. }): ControlJson<SnapshotScope>,
) -> Result<Response, ApiError> {
    let chars = name.chars().count();
    if !(1..=NAME_CHARS_MAX).contains(&chars) || name.contains(char::REPLACEMENT_CHARACTER) {
        let message = format!("{name} is no name");
        let hint = "1 to 100 characters, percent-encoded as UTF-8";
        return Err(ApiError::bad_request("bad_name", message, hint));
    }
    let key = named.key();
    let accepted = context.snapshots.take(&name, key).await;
    let about = accepted.map_err(|error| snapshot_error(&context, error, &name, key))?;
    Ok(Json(SnapshotView::from(about)).into_response())
}

pub fn describe_restore(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Restore a snapshot",
            "A reset, of everything or of one account, and then what the snapshot holds. A clock \
             that ran goes on from where it was when the snapshot was taken. With an account, its \
             own snapshot of this name is restored, or else its part of the one of everything.",
        )
        .describe_param("name", NAME)
        .json_body::<SnapshotScope>(false)
        .response::<SnapshotView>(200, "What it holds.");
    error_responses(
        described,
        &[&UNKNOWN_SNAPSHOT, &ACCOUNT_ERRORS, &STORE_ERRORS],
    )
}

pub async fn restore(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
    ControlJson(SnapshotScope { .. }): ControlJson<SnapshotScope>,
) -> Result<Response, ApiError> {
    run_to_completion(async move {
        let key = named.key();
        let restored = context.snapshots.restore(&name, key).await;
        let about = restored.map_err(|error| snapshot_error(&context, error, &name, key))?;
        if key.is_none() {
            context.journal.clear(None);
        }
        context.inbox.clear(key);
        context.journal.drop_ended_accounts();
        Ok(Json(SnapshotView::from(about)).into_response())
    })
    .await
}

pub fn describe_remove(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "Remove a snapshot",
            "That of the account, or that of everything. What was restored from it stays.",
        )
        .describe_param("name", NAME)
        .empty_response(204, "It is gone.");
    error_responses(described, &[&UNKNOWN_SNAPSHOT])
}

pub async fn remove(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
) -> Result<Response, ApiError> {
    let key = named.key();
    let removed = context.snapshots.remove(&name, key).await;
    removed.map_err(|error| snapshot_error(&context, error, &name, key))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
