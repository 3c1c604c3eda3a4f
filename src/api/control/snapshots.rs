//! Snapshots: list, take, restore and delete.

use axum::extract::State;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{ControlError, ControlJson, run_to_completion};
use super::error_code::ControlErrorCode;
use super::named_account::{AccountKey, NamedAccount};
use super::openapi::describe_errors;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, PathParam, Routes};
use crate::platform::clock::iso;
use crate::services::snapshots::{SNAPSHOTS_MAX, SnapshotError, SnapshotManifest};

/// Adds the routes of snapshots.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "control.listSnapshots",
            Method::GET,
            "/_mock/snapshots",
            list,
        )
        .docs(describe_list)
        .on(
            "control.takeSnapshot",
            Method::PUT,
            "/_mock/snapshots/{name}",
            take,
        )
        .docs(describe_take)
        .on(
            "control.restoreSnapshot",
            Method::POST,
            "/_mock/snapshots/{name}/restore",
            restore,
        )
        .docs(describe_restore)
        .on(
            "control.removeSnapshot",
            Method::DELETE,
            "/_mock/snapshots/{name}",
            remove,
        )
        .docs(describe_remove)
}

const NAME_TEXT: &str = "Name of the snapshot: 1 to 100 characters.";
const NAME_CHARS_MAX: usize = 100;

#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Snapshot")]
struct SnapshotView {
    name: String,
    /// Key of the account whose state the snapshot contains. Null: all state.
    account: Option<String>,
    /// Real time.
    #[schemars(extend("format" = "date-time"))]
    taken_at: String,
    /// Number of accounts.
    accounts: usize,
    /// Number of orders and documents.
    orders: u64,
    /// Size of all files.
    bytes: u64,
}

impl From<SnapshotManifest> for SnapshotView {
    fn from(manifest: SnapshotManifest) -> Self {
        Self {
            name: manifest.name,
            account: manifest.account,
            taken_at: iso(manifest.taken_at),
            accounts: manifest.accounts,
            orders: manifest.orders,
            bytes: manifest.bytes,
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
#[schemars(rename = "SnapshotScope")]
pub struct SnapshotScope {
    /// Key of the account. All state if omitted.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
}

fn snapshot_error(
    state: &AppState,
    error: SnapshotError,
    name: &str,
    key: Option<&str>,
) -> ControlError {
    if let (SnapshotError::Unknown, None) = (&error, key) {
        let all = state.snapshots.list(None).into_iter();
        let mut owners = all.filter(|it| it.name == name).filter_map(|it| it.account);
        if let Some(owner) = owners.next() {
            let message = format!("no snapshot {name} of everything; account {owner} has one");
            let hint = "add this account to the request";
            return ControlError::new(ControlErrorCode::UnknownSnapshot, message, hint);
        }
    }
    match error {
        SnapshotError::Unknown => ControlError::new(
            ControlErrorCode::UnknownSnapshot,
            match key {
                Some(key) => format!("no snapshot {name} of account {key}, or of everything"),
                None => format!("no snapshot {name}"),
            },
            "GET /_mock/snapshots lists all snapshots",
        ),
        SnapshotError::UnknownAccount => ControlError::new(
            ControlErrorCode::UnknownAccount,
            format!("no account {}", key.unwrap_or_default()),
            "an account exists after the first use of its key, and in a snapshot if it existed at that time",
        ),
        SnapshotError::Full => ControlError::new(
            ControlErrorCode::TooManySnapshots,
            format!("there are {SNAPSHOTS_MAX} snapshots"),
            "remove some with DELETE /_mock/snapshots/{name}",
        ),
        SnapshotError::Internal(error) => error.into(),
    }
}

fn describe_list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "List snapshots",
            "Sorted by name. With an account, only its snapshots.",
        )
        .response::<SnapshotPage>(200, "Snapshots.");
    describe_errors(doc, &[])
}

async fn list(State(state): State<AppState>, named: NamedAccount) -> Response {
    let manifests = state.snapshots.list(named.key());
    let snapshots = manifests.into_iter().map(SnapshotView::from).collect();
    Json(SnapshotPage { snapshots }).into_response()
}

fn describe_take(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Take a snapshot",
            "Stores all state, or that of one account: orders, files, webhooks and their deliveries, \
             rules, clocks, settings and pending jobs. The journal and the inboxes are not included. \
             The snapshot replaces an earlier one of the same name and account, and survives \
             resets.",
        )
        .describe_param("name", NAME_TEXT)
        .json_body::<SnapshotScope>(false)
        .response::<SnapshotView>(200, "Content of the snapshot.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::BadName,
            ControlErrorCode::TooManySnapshots,
            ControlErrorCode::UnknownAccount,
        ],
    )
}

async fn take(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
    ControlJson(SnapshotScope { .. }): ControlJson<SnapshotScope>,
) -> Result<Response, ControlError> {
    let chars = name.chars().count();
    if !(1..=NAME_CHARS_MAX).contains(&chars) || name.contains(char::REPLACEMENT_CHARACTER) {
        let message = format!("invalid name {name}");
        let hint = "use 1 to 100 characters, percent-encoded as UTF-8";
        return Err(ControlError::new(ControlErrorCode::BadName, message, hint));
    }
    let key = named.key();
    let result = state.snapshots.take(&name, key).await;
    let manifest = result.map_err(|error| snapshot_error(&state, error, &name, key))?;
    Ok(Json(SnapshotView::from(manifest)).into_response())
}

fn describe_restore(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Restore a snapshot",
            "Resets everything, or one account, and then restores the content of the snapshot. A \
             running clock continues from the time of the snapshot. With an account, the account's \
             own snapshot of this name is restored, else its part of the snapshot of all state.",
        )
        .describe_param("name", NAME_TEXT)
        .json_body::<SnapshotScope>(false)
        .response::<SnapshotView>(200, "Content of the snapshot.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::UnknownAccount,
            ControlErrorCode::UnknownSnapshot,
        ],
    )
}

async fn restore(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
    ControlJson(SnapshotScope { .. }): ControlJson<SnapshotScope>,
) -> Result<Response, ControlError> {
    run_to_completion(async move {
        let key = named.key();
        let restored = state.snapshots.restore(&name, key).await;
        let manifest = restored.map_err(|error| snapshot_error(&state, error, &name, key))?;
        if key.is_none() {
            state.journal.clear(None);
        }
        state.inbox.clear(key);
        state.journal.drop_ended_accounts();
        Ok(Json(SnapshotView::from(manifest)).into_response())
    })
    .await
}

fn describe_remove(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Delete a snapshot",
            "Deletes the snapshot of the account, or that of all state. Restored state stays.",
        )
        .describe_param("name", NAME_TEXT)
        .empty_response(204, "The snapshot is deleted.");
    describe_errors(doc, &[ControlErrorCode::UnknownSnapshot])
}

async fn remove(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
) -> Result<Response, ControlError> {
    let key = named.key();
    let removed = state.snapshots.remove(&name, key).await;
    removed.map_err(|error| snapshot_error(&state, error, &name, key))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
