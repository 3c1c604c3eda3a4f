//! `GET /_mock/events`: stream of changes, as server-sent events.
//!
//! A stream holds no events. It holds the revision up to which its client has the changes, and reads what
//! changed since from the log of changes. A client that reads slowly, or not at all, falls behind in
//! revisions and costs no memory.
//!
//! Format: <https://html.spec.whatwg.org/multipage/server-sent-events.html>

mod batch;

use std::io;
use std::time::Duration;

use axum::Extension;
use axum::body::Body;
use axum::extract::{ConnectInfo, RawQuery, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, Method};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use serde_json::json;
use tokio::time::{Instant, sleep_until};

use super::error::ControlError;
use super::error_code::ControlErrorCode;
use super::named_account::NamedAccount;
use super::openapi::{account_param, describe_errors};
use super::query::ControlQuery;
use crate::http::openapi::{OperationDoc, Param};
use crate::http::{AppState, ConnectionHandle, Routes, Services};
use crate::platform::change_log::{ChangeReader, READERS_MAX};
use batch::{Batch, write_event};

/// Shortest time between two batches.
const BATCH_INTERVAL: Duration = Duration::from_millis(100);
/// Additional time before the next batch, if a batch could not tell all changes. More rows a second would
/// cost a busy server, and nobody reads them.
const BUSY_BATCH_DELAY: Duration = Duration::from_millis(300);
/// Longest time without a byte. Shorter than the idle timeouts of common proxies.
const KEEP_ALIVE: Duration = Duration::from_secs(15);
const MEDIA_TYPE: &str = "text/event-stream";
/// Sent by browsers that reconnect: the `id` of the last event.
const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");
/// Keeps nginx from holding events back.
const X_ACCEL_BUFFERING: HeaderName = HeaderName::from_static("x-accel-buffering");

/// Adds the route of the stream.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.streamEvents", Method::GET, "/_mock/events", get)
        .docs(describe)
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let since = Param {
        name: "since",
        required: false,
        schema: json!({"type": "integer", "minimum": 0}),
    };
    let doc = doc
        .summary(
            "Stream events",
            "Server-sent events about what changes, until the client or the server stops. At most 10 \
             batches a second. In a batch each request, order or delivery occurs once. `requests` has \
             `{rows, evicted}`, with up to 200 rows of `GET /_mock/requests?rows=true`. `orders`, \
             `deliveries`, `inbox`, `clock`, `rules`, `accounts` and `cleared` (recorded requests were \
             deleted) have `{changed: [{revision, account, id, name}]}`: read these again. `skipped` has \
             `{from, to, count}`: number of changes left out, because the client fell behind or a batch \
             was full. `restarted` has `{revision}`: `since` is not a revision of this process, so read \
             everything again. The `id` of an event is the revision to resume after.",
        )
        .query_params(vec![account_param(), since])
        .describe_param(
            "account",
            "Only events about the account with this key, and about what concerns all accounts.",
        )
        .describe_param(
            "since",
            "Revision after which the stream starts. The header `Last-Event-ID` takes precedence. From \
             now on if both are missing.",
        )
        .binary_response(200, "Stream of events.", &[MEDIA_TYPE]);
    describe_errors(doc, &[ControlErrorCode::TooManyStreams])
}

async fn get(
    State(state): State<AppState>,
    named: NamedAccount,
    RawQuery(query): RawQuery,
    connection: Option<Extension<ConnectInfo<ConnectionHandle>>>,
    headers: HeaderMap,
) -> Result<Response, ControlError> {
    let query = ControlQuery::parse(query.as_deref(), &["since"])?;
    let since = match last_event_id(&headers)? {
        Some(id) => Some(id),
        None => query.number("since")?,
    };
    let (reader, greeting) = open(&state, since)?;
    let connection = connection.map(|Extension(ConnectInfo(connection))| connection);
    let now = Instant::now();
    let events = EventStream {
        state,
        account: named.key().map(str::to_owned),
        connection: connection.unwrap_or_default(),
        reader,
        greeting: Some(greeting),
        batch_at: now,
        keep_alive_at: now + KEEP_ALIVE,
    };
    let events = stream::unfold(events, async |mut events| {
        Some((events.next().await?, events))
    });
    let headers = [
        (CONTENT_TYPE, MEDIA_TYPE),
        (CACHE_CONTROL, "no-store"),
        (X_ACCEL_BUFFERING, "no"),
    ];
    Ok((headers, Body::from_stream(events)).into_response())
}

/// Returns the value of `Last-Event-ID`. `None` if the header is missing or empty.
fn last_event_id(headers: &HeaderMap) -> Result<Option<u64>, ControlError> {
    let Some(value) = headers.get(LAST_EVENT_ID).filter(|value| !value.is_empty()) else {
        return Ok(None);
    };
    let id = value.to_str().ok().and_then(|text| text.parse().ok());
    id.map(Some).ok_or_else(|| {
        let text = String::from_utf8_lossy(value.as_bytes());
        ControlError::new(
            ControlErrorCode::BadQuery,
            format!("Last-Event-ID: invalid number {text}"),
            "send the id of an event, or omit the header",
        )
    })
}

/// Returns a reader of the changes after `since`, and the first bytes of the stream.
fn open(state: &Services, since: Option<u64>) -> Result<(ChangeReader, Vec<u8>), ControlError> {
    let known = since.filter(|since| state.changes.has_issued(*since));
    let reader = state.changes.reader(known).ok_or_else(|| {
        ControlError::new(
            ControlErrorCode::TooManyStreams,
            format!("{READERS_MAX} streams of events are open, which is the most"),
            "close one: a tab of the dashboard, or a stuntdouble events",
        )
    })?;
    let revision = reader.revision();
    let mut greeting =
        format!(": events after revision {revision}\nid: {revision}\n\n").into_bytes();
    if since.is_some() && known.is_none() {
        let data = json!({"revision": revision}).to_string();
        write_event(&mut greeting, revision, "restarted", data.as_bytes());
    }
    Ok((reader, greeting))
}

/// Stream of events of one client.
struct EventStream {
    state: AppState,
    /// Key of the account that the client asks for. `None` for all.
    account: Option<String>,
    connection: ConnectionHandle,
    reader: ChangeReader,
    /// First bytes of the stream. `None` after they have been sent.
    greeting: Option<Vec<u8>>,
    /// Earliest time of the next batch.
    batch_at: Instant,
    /// Time at which a comment is sent if nothing else is.
    keep_alive_at: Instant,
}

impl EventStream {
    /// Returns the next bytes. `None` when the server stops. Returns an error, which closes the
    /// connection, if the server stops while the client does not read.
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        let stopping = self.state.stopping.clone();
        let bytes = tokio::select! {
            biased;
            () = stopping.cancelled() => None,
            bytes = self.next_piece() => Some(bytes),
        };
        match bytes {
            Some(bytes) => Some(Ok(bytes.into())),
            None if self.connection.is_written() => None,
            None => Some(Err(io::Error::other("the server stops"))),
        }
    }

    async fn next_piece(&mut self) -> Vec<u8> {
        if let Some(greeting) = self.greeting.take() {
            return greeting;
        }
        loop {
            sleep_until(self.batch_at).await;
            // Nothing is built for a client that has not accepted what was sent before.
            self.connection.wait_until_written().await;
            let is_changed = tokio::select! {
                biased;
                () = self.reader.changed() => true,
                () = sleep_until(self.keep_alive_at) => false,
            };
            let now = Instant::now();
            self.batch_at = now + BATCH_INTERVAL;
            let piece = if is_changed { self.read_batch() } else { None };
            let is_silent = now >= self.keep_alive_at;
            if let Some(piece) = piece.or_else(|| is_silent.then(|| self.keep_alive())) {
                self.keep_alive_at = now + KEEP_ALIVE;
                return piece;
            }
        }
    }

    /// Returns the events about what changed since the last batch. `None` if none of it concerns the
    /// client.
    fn read_batch(&mut self) -> Option<Vec<u8>> {
        let before = self.reader.revision();
        let unread = self.reader.read();
        let after = self.reader.revision();
        let batch = Batch::collect(&self.state, self.account.as_deref(), &unread);
        if batch.is_incomplete() {
            self.batch_at += BUSY_BATCH_DELAY;
        }
        batch.write(&self.state, self.account.as_deref(), (before, after))
    }

    fn keep_alive(&self) -> Vec<u8> {
        format!(": keep-alive\nid: {}\n\n", self.reader.revision()).into_bytes()
    }
}
