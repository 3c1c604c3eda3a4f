//! `GET /_mock/jobs`: what is due, and when.

use std::fmt;
use std::str::FromStr;

use axum::extract::{RawQuery, State};
use axum::http::Method;
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use super::clock::kind;
use super::error::ControlError;
use super::listing::{self, PageParams, cut_page, describe_page};
use super::named_account::{NamedAccount, Scope};
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Routes};
use crate::model::time::Timestamp;
use crate::platform::clock::iso;
use crate::services::worker::ListedJob;

/// Adds the route of jobs.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.listJobs", Method::GET, "/_mock/jobs", list)
        .docs(describe)
}

#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Jobs")]
struct JobPage {
    /// Jobs, the earliest first.
    jobs: Vec<JobView>,
    /// Value of `after` for the page of later jobs. Null on the last page.
    next: Option<String>,
}

/// Work that is due, or running.
#[derive(Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ListedJob")]
struct JobView {
    /// Due time by the clock.
    #[schemars(extend("format" = "date-time"))]
    at: String,
    #[schemars(schema_with = "kind")]
    kind: &'static str,
    /// Id of the entity that the job concerns, such as an order or a webhook.
    subject: String,
    account: String,
    /// Clock by which the job is due: the key of its account, or `default`.
    clock: String,
    /// Order that the job is about; of a webhook, that of its next delivery. Null if it is about none.
    order_id: Option<String>,
    is_running: bool,
}

/// Position in the list: the due time and the id of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct JobCursor(i64, i64);

impl fmt::Display for JobCursor {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}.{}", self.0, self.1)
    }
}

impl FromStr for JobCursor {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (due_at, id) = text.split_once('.').ok_or(())?;
        let number = |text: &str| text.parse().map_err(|_| ());
        Ok(Self(number(due_at)?, number(id)?))
    }
}

impl From<ListedJob> for JobView {
    fn from(listed: ListedJob) -> Self {
        let account = listed.account.key.clone();
        Self {
            at: iso(listed.job.due_at),
            kind: listed.job.kind.name(),
            clock: if listed.is_on_default_clock {
                "default".to_owned()
            } else {
                account.clone()
            },
            account,
            subject: listed.job.subject,
            order_id: listed.order,
            is_running: listed.is_running,
        }
    }
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "List jobs",
            "Work that the server will do by the accounts' clocks, or is doing: the earliest first. \
             Orders that wait for a client or that a rule holds have no job to process them.",
        )
        .query_params(listing::describe_params([account_param()]))
        .describe_param("account", "Only jobs of the account with this key.")
        .response::<JobPage>(200, "Page of jobs.");
    describe_errors(describe_page(doc), &[])
}

async fn list(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
) -> Result<Response, ControlError> {
    let query = ControlQuery::parse(query.as_deref(), &["limit", "after"])?;
    let page: PageParams<JobCursor> = PageParams::read(&query)?;
    let scope = named.scope(&state);
    let mut jobs = Vec::new();
    if !matches!(scope, Scope::Unknown) {
        let account = scope.account().map(AsRef::as_ref);
        let after = page.after.map(|it| (Timestamp::from_ms(it.0), it.1));
        let listed = state.worker.list_jobs(account, after, page.limit + 1);
        jobs = listed.await?;
    }
    let next = cut_page(&mut jobs, page.limit, |listed| {
        JobCursor(listed.job.due_at.ms(), listed.job.id)
    });
    let jobs = jobs.into_iter().map(JobView::from).collect();
    Ok(Json(JobPage { jobs, next }).into_response())
}
