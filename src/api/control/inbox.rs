//! Inboxes: list, set up and delete. `receive` stores messages, `messages` shows them.

pub mod messages;
pub mod receive;

use axum::extract::{RawQuery, State};
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::error::{ControlError, ControlJson};
use super::error_code::ControlErrorCode;
use super::listing::{self, PageParams, describe_page};
use super::named_account::{AccountKey, NamedAccount};
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, PathParam, Routes};
use crate::services::inbox::{InboxConfig, InboxError, InboxSummary, MAILBOXES_MAX};

/// Adds the routes of inboxes.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.listInboxes", Method::GET, "/_mock/inbox", list)
        .docs(describe_list)
        .on("control.setInbox", Method::PUT, "/_mock/inbox/{name}", set)
        .docs(describe_set)
        .on(
            "control.postToInbox",
            Method::POST,
            "/_mock/inbox/{name}",
            receive::post,
        )
        .docs(receive::describe)
        .on(
            "control.listMessages",
            Method::GET,
            "/_mock/inbox/{name}/messages",
            messages::get,
        )
        .docs(messages::describe)
        .on(
            "control.deleteInbox",
            Method::DELETE,
            "/_mock/inbox/{name}",
            remove,
        )
        .docs(describe_remove)
}

const DELAY_MS_MAX: u32 = 600_000;
const STATUSES_MAX: usize = 1_000;
const SECRET_BYTES_MAX: usize = 1_000;
const NAME_BYTES_MAX: usize = 200;
const NAME_TEXT: &str = "Name of the inbox: any text of at most 200 bytes.";

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InboxSettings {
    /// Statuses of the responses to messages, one after the other. All further responses are 200.
    statuses: Vec<u16>,
    /// Real milliseconds between a message and its response.
    delay_ms: u32,
    /// Secret to verify signatures with. Null: the secrets of the account's webhooks whose URL is
    /// this inbox.
    secret: Option<String>,
    /// Key of the account that owns the inbox. Messages get the time of the account's clock.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
}

/// Inbox with its settings.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Inbox")]
struct InboxView {
    name: String,
    /// Key of the account that owns the inbox. Null until the first message of an account's
    /// webhook.
    account: Option<String>,
    statuses: Vec<u16>,
    delay_ms: u32,
    secret: Option<String>,
    /// Number of stored messages.
    messages: usize,
    /// Number of older messages that were evicted.
    evicted: u64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Inboxes")]
struct InboxPage {
    /// Inboxes in the order of their creation.
    inboxes: Vec<InboxView>,
    /// Value of `after` for the next page. Null on the last page.
    next: Option<String>,
}

impl From<InboxSummary> for InboxView {
    fn from(summary: InboxSummary) -> Self {
        Self {
            name: summary.name,
            account: summary.account,
            statuses: summary.config.statuses.clone(),
            delay_ms: summary.config.delay_ms,
            secret: summary.config.secret.clone(),
            messages: summary.messages,
            evicted: summary.evicted,
        }
    }
}

/// Returns the error of a call for the inbox with that name.
fn inbox_error(error: InboxError, name: &str) -> ControlError {
    match error {
        InboxError::Ambiguous => {
            let message = format!("several accounts have an inbox {name}");
            let hint = "add account to the request; GET /_mock/inbox lists all inboxes";
            ControlError::new(ControlErrorCode::AmbiguousInbox, message, hint)
        }
        InboxError::Evicted => {
            let message = format!(
                "the inbox {name} and its messages were evicted: of more than {MAILBOXES_MAX} inboxes it was unused for longest"
            );
            let hint = "delete inboxes, or the accounts that own them, at the end of a test; the next message creates the inbox again";
            ControlError::new(ControlErrorCode::InboxEvicted, message, hint)
        }
    }
}

fn check_name(name: &str) -> Result<(), ControlError> {
    if name.len() <= NAME_BYTES_MAX {
        return Ok(());
    }
    let message = format!("the inbox's name has {} bytes", name.len());
    let hint = format!("{NAME_BYTES_MAX} at most");
    Err(ControlError::new(ControlErrorCode::BadInbox, message, hint))
}

fn check(settings: &InboxSettings) -> Result<(), ControlError> {
    let bad = |message: String, hint: String| {
        Err(ControlError::new(ControlErrorCode::BadInbox, message, hint))
    };
    let mut statuses = settings.statuses.iter();
    if let Some(status) = statuses.find(|it| !(200..600).contains(*it)) {
        return bad(
            format!("statuses: expected 200 to 599, got {status}"),
            "use 200 to 599".to_owned(),
        );
    }
    if settings.statuses.len() > STATUSES_MAX {
        let count = settings.statuses.len();
        let message = format!("statuses: expected at most {STATUSES_MAX}, got {count}");
        return bad(message, "send fewer statuses".to_owned());
    }
    if settings.delay_ms > DELAY_MS_MAX {
        let delay_ms = settings.delay_ms;
        let message = format!("delayMs: expected at most {DELAY_MS_MAX}, got {delay_ms}");
        return bad(message, "send a shorter delay".to_owned());
    }
    match settings.secret.as_ref().map(String::len) {
        Some(0) => bad(
            "secret: must not be empty".to_owned(),
            "omit secret to use the secrets of the webhooks that post to this inbox".to_owned(),
        ),
        Some(bytes) if bytes > SECRET_BYTES_MAX => bad(
            format!("secret: has {bytes} bytes"),
            format!("{SECRET_BYTES_MAX} at most"),
        ),
        _ => Ok(()),
    }
}

fn describe_list(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "List inboxes",
            "Returns the inboxes that were set up and those that a message created.",
        )
        .query_params(listing::describe_params([account_param()]))
        .describe_param("account", "Only inboxes of the account with this key.")
        .response::<InboxPage>(200, "Page of inboxes.");
    describe_errors(describe_page(doc), &[])
}

async fn list(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = ControlQuery::parse(query.as_deref(), &["limit", "after"])?;
    let page = PageParams::<u64>::read(&query)?;
    let mut inboxes = state.inbox.list(named.key());
    let after = page.after.unwrap_or_default();
    inboxes.retain(|inbox| inbox.id > after);
    let next = listing::cut_page(&mut inboxes, page.limit, |last| last.id);
    let frame = InboxPage {
        inboxes: Vec::new(),
        next,
    };
    listing::page_response(&frame, "inboxes", inboxes, |it| Some(InboxView::from(it))).await
}

fn describe_set(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Set up an inbox",
            "An inbox receives webhooks: register `/_mock/inbox/{name}` of this server as a webhook's \
             URL. An existing inbox is emptied. The inbox belongs to the named account, else to the \
             account whose webhook posts to it first. Two accounts that use the same name have two \
             inboxes. Without an account, the call concerns the only inbox of that name.",
        )
        .describe_param("name", NAME_TEXT)
        .json_body::<InboxSettings>(false)
        .response::<InboxView>(200, "Inbox.");
    describe_errors(
        doc,
        &[
            ControlErrorCode::AccountGone,
            ControlErrorCode::AmbiguousInbox,
            ControlErrorCode::BadInbox,
            ControlErrorCode::UnknownAccount,
        ],
    )
}

async fn set(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
    ControlJson(settings): ControlJson<InboxSettings>,
) -> Result<Response, ControlError> {
    check_name(&name)?;
    check(&settings)?;
    named.create_account(&state).await?;
    let config = InboxConfig {
        statuses: settings.statuses.clone(),
        delay_ms: settings.delay_ms,
        secret: settings.secret.clone(),
    };
    let set = state.inbox.configure(named.key(), &name, config);
    let account = set.map_err(|error| inbox_error(error, &name))?;
    let inbox = InboxView {
        name,
        account,
        statuses: settings.statuses,
        delay_ms: settings.delay_ms,
        secret: settings.secret,
        messages: 0,
        evicted: 0,
    };
    Ok(Json(inbox).into_response())
}

fn describe_remove(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Delete an inbox",
            "Deletes the inbox and its messages. Without an account, the call concerns the only inbox \
             of that name.",
        )
        .describe_param("name", NAME_TEXT)
        .empty_response(204, "The inbox is deleted.");
    describe_errors(doc, &[ControlErrorCode::AmbiguousInbox])
}

async fn remove(
    State(state): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
) -> Result<Response, ControlError> {
    let removed = state.inbox.remove(named.key(), &name);
    removed.map_err(|error| inbox_error(error, &name))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
