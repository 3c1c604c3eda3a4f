//! Log lines of requests: a warning for each refused or unanswered request, an error for each internal
//! fault, and a debug line for each other request. All responses pass here, so no other place logs a
//! refusal.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, HeaderValue, Method, Uri};
use axum::response::Response;

use super::explain_headers::X_MOCK_REASON;
use super::record_body::packed_headers;
use super::rule_middleware::is_control;
use crate::model::account::key_hash;
use crate::model::clip::clip;
use crate::services::journal::{JournalEntry, PackedHeaders};

/// Longest logged path, in characters.
const PATH_CHARS_MAX: usize = 300;
/// Longest logged key or method, in characters.
const KEY_CHARS_MAX: usize = 100;
/// Longest logged cause, in characters.
const CAUSE_CHARS_MAX: usize = 500;
const API_KEY: &str = "apikey";
/// Path segment of the dashboard's URLs for requests of no account.
const NO_ACCOUNT: &str = "-";

/// Response extension with the cause of an internal error. Not every API shows the cause to the client,
/// so the log has to name it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InternalFault(pub String);

/// Log of a request in flight. Logs that the request ended without a response if it is dropped before
/// [`RequestLog::log_response`].
#[derive(Debug)]
pub(super) struct RequestLog {
    entry: JournalEntry,
    operation: &'static str,
    method: Method,
    uri: Uri,
    /// Header with the client's key. `None` on the control plane, whose token is a secret.
    key: Option<HeaderValue>,
    /// URL of the dashboard for links. `None` if the lines have none, and on the control plane, whose
    /// requests are not recorded.
    links: Option<Arc<str>>,
    received: Instant,
    is_answered: bool,
}

impl RequestLog {
    pub(super) fn new(
        entry: &JournalEntry,
        operation: &'static str,
        request: &Request,
        links: Option<&Arc<str>>,
    ) -> Self {
        let (headers, uri) = (request.headers(), request.uri());
        let (key, links) = if is_control(uri.path()) {
            (None, None)
        } else {
            let key = headers.get(AUTHORIZATION).or_else(|| headers.get(API_KEY));
            (key, links.cloned())
        };
        Self {
            entry: entry.clone(),
            operation,
            method: request.method().clone(),
            uri: uri.clone(),
            key: key.cloned(),
            links,
            received: Instant::now(),
            is_answered: false,
        }
    }

    /// Completes the journal entry with the response, and logs the exchange.
    pub(super) fn log_response(mut self, response: &Response, elapsed: Duration) {
        self.is_answered = true;
        let status = response.status().as_u16();
        let duration_ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        self.entry
            .complete(status, duration_ms, || packed_headers(response.headers()));
        if status >= 400 {
            let fault = response.extensions().get::<InternalFault>();
            self.log_refused(status, reason(response.headers()), fault);
        } else {
            let (operation, request) = (self.operation, self.entry.ensure_seq());
            let key = self.entry.account();
            tracing::debug!(
                status,
                method = self.method.as_str(),
                path = self.uri.path(),
                key,
                operation,
                request,
                durationMs = duration_ms,
                "request answered"
            );
        }
    }

    fn log_refused(&self, status: u16, reason: Option<&str>, fault: Option<&InternalFault>) {
        let (operation, request) = (self.operation, self.entry.ensure_seq());
        let method = &*clip(self.method.as_str(), KEY_CHARS_MAX);
        let path = &*clip(self.uri.path(), PATH_CHARS_MAX);
        let (key, link) = (self.shown_key(), self.link());
        if let Some(InternalFault(cause)) = fault {
            let reason = &*clip(cause, CAUSE_CHARS_MAX);
            tracing::error!(
                status,
                method,
                path,
                key,
                reason,
                operation,
                request,
                link,
                "request failed because of an internal error"
            );
        } else {
            tracing::warn!(
                status,
                method,
                path,
                key,
                reason,
                operation,
                request,
                link,
                "request refused"
            );
        }
    }

    /// Returns the URL at which the dashboard shows the request. `None` without a dashboard to link to.
    fn link(&self) -> Option<String> {
        let dashboard = self.links.as_deref()?;
        let account = self.entry.account().map(key_hash);
        let account = account.as_deref().unwrap_or(NO_ACCOUNT);
        let request = self.entry.ensure_seq();
        Some(format!("{dashboard}#/traffic/{account}/{request}"))
    }

    /// Returns the key of the request's account, else the unknown key that the request names.
    fn shown_key(&self) -> Option<String> {
        let clipped = |key: &str| clip(key, KEY_CHARS_MAX).into_owned();
        if let Some(key) = self.entry.account() {
            return Some(clipped(key));
        }
        if let Some(key) = self.entry.unknown_key() {
            return Some(key.into_string());
        }
        let header = String::from_utf8_lossy(self.key.as_ref()?.as_bytes());
        match header.trim().split_once(' ') {
            Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => Some(clipped(key)),
            // Credentials of another scheme, such as a signature.
            Some(_) => None,
            None => Some(clipped(&header)),
        }
    }
}

/// Returns the value of `X-Mock-Reason`. `None` if the response has no such header.
fn reason(headers: &HeaderMap) -> Option<&str> {
    headers.get(X_MOCK_REASON)?.to_str().ok()
}

impl Drop for RequestLog {
    /// Logs a request that ended without a response of its handler, because the handler panicked, the
    /// client hung up, or the server stopped.
    fn drop(&mut self) {
        if self.is_answered {
            return;
        }
        let duration_ms = u64::try_from(self.received.elapsed().as_millis()).unwrap_or(u64::MAX);
        let (operation, request) = (self.operation, self.entry.ensure_seq());
        if std::thread::panicking() {
            self.entry
                .complete(500, duration_ms, PackedHeaders::default);
            // The panic hook has logged the panic itself.
            self.log_refused(500, Some("the handler panicked"), None);
        } else if is_control(self.uri.path()) {
            // Clients often abandon long polls and streams of the control plane.
            tracing::debug!(operation, durationMs = duration_ms, "request abandoned");
        } else {
            let method = &*clip(self.method.as_str(), KEY_CHARS_MAX);
            let path = &*clip(self.uri.path(), PATH_CHARS_MAX);
            let (key, link) = (self.shown_key(), self.link());
            tracing::warn!(
                method,
                path,
                key,
                operation,
                request,
                durationMs = duration_ms,
                link,
                "request ended before it was answered: the client hung up, or the server stopped"
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Seek};
    use std::sync::Arc;

    use axum::body::Body;

    use super::*;
    use crate::platform::change_log::ChangeLog;
    use crate::services::journal::{Journal, JournalLimits, RequestHead, RequestQuery};

    /// Runs `act` with the log of a request for `path`. Returns the log lines without times, and the
    /// status in the journal.
    fn log_of(path: &str, act: impl FnOnce(RequestLog)) -> (String, Option<u16>) {
        log_with_links(path, None, act)
    }

    /// Like [`log_of`], with the dashboard at `links`.
    fn log_with_links(
        path: &str,
        dashboard: Option<&Arc<str>>,
        act: impl FnOnce(RequestLog),
    ) -> (String, Option<u16>) {
        let limits = JournalLimits {
            requests: 10,
            bytes: 100_000,
        };
        let journal = Journal::new(limits, ChangeLog::default());
        let request = Request::builder()
            .uri(path)
            .header(API_KEY, "live")
            .body(Body::empty())
            .expect("a request");
        let entry = journal.start_entry("an.operation", true, || RequestHead {
            method: "GET",
            path,
            query: None,
            head: packed_headers(request.headers()),
        });
        let log = Arc::new(tempfile::tempfile().expect("a file"));
        let lines = tracing_subscriber::fmt()
            .with_writer(Arc::clone(&log))
            .without_time()
            .with_ansi(false)
            .with_target(false);
        let (mut log, mut text) = (log, String::new());
        tracing::subscriber::with_default(lines.finish(), || {
            act(RequestLog::new(&entry, "an.operation", &request, dashboard));
        });
        let file = Arc::get_mut(&mut log).expect("the only reference");
        file.rewind().expect("a file");
        file.read_to_string(&mut text).expect("text");
        let query = RequestQuery {
            limit: 1,
            ..RequestQuery::default()
        };
        let status = journal
            .list(&query)
            .0
            .first()
            .and_then(|exchange| exchange.status());
        (text, status)
    }

    #[test]
    fn panic_of_handler_logs_500_and_completes_the_journal_entry() {
        let (text, status) = log_of("/x", |log| {
            let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                let _log = log;
                panic!("on purpose");
            }));
            assert!(panicked.is_err());
        });
        let line = " WARN request refused status=500 method=\"GET\" path=\"/x\" key=\"live\" \
            reason=\"the handler panicked\" operation=\"an.operation\" request=1\n";
        assert_eq!((text.as_str(), status), (line, Some(500)));
    }

    #[test]
    fn log_response_with_internal_fault_logs_the_cause_once() {
        let (text, status) = log_of("/x", |log| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = axum::http::StatusCode::INTERNAL_SERVER_ERROR;
            let fault = InternalFault("the disk\nis full".to_owned());
            response.extensions_mut().insert(fault);
            log.log_response(&response, Duration::ZERO);
        });
        let line = "ERROR request failed because of an internal error status=500 method=\"GET\" \
            path=\"/x\" key=\"live\" reason=\"the disk\\nis full\" operation=\"an.operation\" \
            request=1\n";
        assert_eq!((text.as_str(), status), (line, Some(500)));
    }

    #[test]
    fn log_of_failure_with_links_ends_with_the_request_in_the_dashboard() {
        let links = Arc::from("http://127.0.0.1:8080/_mock/");
        let refuse = |log: RequestLog| {
            let mut response = Response::new(Body::empty());
            *response.status_mut() = axum::http::StatusCode::NOT_FOUND;
            log.log_response(&response, Duration::ZERO);
        };
        let ending = " link=\"http://127.0.0.1:8080/_mock/#/traffic/-/1\"\n";
        for (text, _) in [
            log_with_links("/x", Some(&links), refuse),
            log_with_links("/x", Some(&links), drop),
        ] {
            assert!(text.ends_with(ending), "{text}");
        }
        let (control, _) = log_with_links("/_mock/x", Some(&links), refuse);
        assert!(control.ends_with("request=1\n"), "{control}");
    }

    #[test]
    fn drop_before_response_logs_a_warning_and_leaves_the_entry_pending() {
        let (text, status) = log_of("/x", drop);
        assert!(
            text.starts_with(" WARN request ended before it was answered"),
            "{text}"
        );
        assert_eq!(status, None);
        assert_eq!(log_of("/_mock/x", drop).0, "");
    }
}
