//! The inbox: listed, set up, removed. Messages come in `receive`, and are read in `messages`.

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
use super::openapi::{account, describe_errors};
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
const NAME: &str = "The inbox's name, any of 200 bytes at most.";

#[derive(Default, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct InboxSettings {
    /// Statuses that are answered one after the other; then 200.
    statuses: Vec<u16>,
    /// Real milliseconds before a message is answered.
    delay_ms: u32,
    /// The secret that signatures are checked with; null, those of the account's webhooks whose URL is
    /// this inbox.
    secret: Option<String>,
    /// The key of the account that the inbox belongs to. Its clock tells when a message came.
    #[serde(rename = "account")]
    _account: Option<AccountKey>,
}

/// An inbox as it is set up.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Inbox")]
struct InboxView {
    name: String,
    /// Null until the first message from a webhook of an account.
    account: Option<String>,
    statuses: Vec<u16>,
    delay_ms: u32,
    secret: Option<String>,
    /// Number of messages that are kept.
    messages: usize,
    /// Number of older ones that are kept no more.
    evicted: u64,
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Inboxes")]
struct InboxPage {
    /// In the order in which they were made.
    inboxes: Vec<InboxView>,
    /// The `after` of the next page; null on the last one.
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

/// Returns the refusal of a call for the inbox of that name.
fn inbox_error(error: InboxError, name: &str) -> ControlError {
    match error {
        InboxError::Ambiguous => {
            let message = format!("several accounts have an inbox {name}");
            let hint = "name the account; GET /_mock/inbox lists all inboxes";
            ControlError::new(ControlErrorCode::AmbiguousInbox, message, hint)
        }
        InboxError::Evicted => {
            let message = format!(
                "the inbox {name} was removed with its messages: of more than {MAILBOXES_MAX} it was unused for longest"
            );
            let hint = "remove inboxes, or accounts with theirs, when a test is done; the next message makes it anew";
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
            format!("statuses: {status} ends no request"),
            "200 to 599".to_owned(),
        );
    }
    if settings.statuses.len() > STATUSES_MAX {
        let message = format!("statuses: {} of them", settings.statuses.len());
        return bad(message, format!("{STATUSES_MAX} at most"));
    }
    if settings.delay_ms > DELAY_MS_MAX {
        let message = format!("delayMs: {} is too long", settings.delay_ms);
        return bad(message, format!("{DELAY_MS_MAX} at most"));
    }
    match settings.secret.as_ref().map(String::len) {
        Some(0) => bad(
            "secret: is empty".to_owned(),
            "leave it out, and the secrets of the webhooks that come here are taken".to_owned(),
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
            "The inboxes",
            "Those that were set up, and those that a message has made.",
        )
        .query_params(listing::describe_params([account()]))
        .describe_param("account", "Only those of that key.")
        .response::<InboxPage>(200, "The inboxes.");
    describe_errors(describe_page(doc), &[])
}

async fn list(
    State(context): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = ControlQuery::parse(query.as_deref(), &["limit", "after"])?;
    let page = PageParams::<u64>::read(&query)?;
    let mut inboxes = context.inbox.list(named.key());
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
            "A receiver of webhooks: register `/_mock/inbox/{name}` of this server as a webhook's \
             URL. It is made anew, empty. It belongs to the account that is named, or else to the \
             one whose webhook posts to it first; two accounts that use one name have two inboxes. \
             Without an account, the only inbox of that name is meant.",
        )
        .describe_param("name", NAME)
        .json_body::<InboxSettings>(false)
        .response::<InboxView>(200, "The inbox.");
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
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
    ControlJson(settings): ControlJson<InboxSettings>,
) -> Result<Response, ControlError> {
    check_name(&name)?;
    check(&settings)?;
    named.create_account(&context).await?;
    let script = InboxConfig {
        statuses: settings.statuses.clone(),
        delay_ms: settings.delay_ms,
        secret: settings.secret.clone(),
    };
    let set = context.inbox.configure(named.key(), &name, script);
    let account = set.map_err(|error| inbox_error(error, &name))?;
    let shown = InboxView {
        name,
        account,
        statuses: settings.statuses,
        delay_ms: settings.delay_ms,
        secret: settings.secret,
        messages: 0,
        evicted: 0,
    };
    Ok(Json(shown).into_response())
}

fn describe_remove(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Remove an inbox",
            "With all that is in it. Without an account, the only inbox of that name is meant.",
        )
        .describe_param("name", NAME)
        .empty_response(204, "It is gone.");
    describe_errors(doc, &[ControlErrorCode::AmbiguousInbox])
}

async fn remove(
    State(context): State<AppState>,
    named: NamedAccount,
    PathParam(name): PathParam,
) -> Result<Response, ControlError> {
    let removed = context.inbox.remove(named.key(), &name);
    removed.map_err(|error| inbox_error(error, &name))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
