//! Checks of requests before they are routed: a valid `Host` on every API, and host, origin and token
//! on the control plane.
//!
//! The server runs on developers' machines, where any web page can send requests to it. Without
//! these checks a page could reset the server, or plant a rule whose response is a script and open
//! it on the server's own origin.

use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, Version};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};

use super::browser::{Area, check_origin, is_inbox_delivery, requires_same_origin};
use super::cors::{AllowedOrigins, CorsVerdict, is_preflight, preflight_response};
use super::drain_body::UnreadBody;
use super::explain_error::explain_error;
use super::host::{AllowedHosts, Host};
use super::operation::{X_MOCK_REQUEST, start_journal_entry};
use super::origin::{origin_host, origin_of};
use super::record_body::record_body;
use super::request_log::RequestLog;
use super::{AppState, ConnectionHandle, Services};
use crate::model::clip::clip;

/// Name under which answered preflights are counted and recorded.
pub const PREFLIGHT: &str = "preflight";
/// Longest logged path, in characters.
const PATH_CHARS_MAX: usize = 300;
/// Longest logged method, in characters.
const METHOD_CHARS_MAX: usize = 100;
/// Health check of container engines and load balancers, which have no token.
const HEALTH: &str = "/_mock/health";
/// Path of the dashboard.
pub const DASHBOARD: &str = "/_mock/";
/// Prefix of the paths of the dashboard's files.
const DASHBOARD_FILES: &str = "/_mock/ui/";
/// Documentation page. A browser cannot send the token with the request for a page.
const DOCS: &str = "/_mock/docs";

/// Reason for refusing a request before it is routed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GuardRefusal {
    /// The `Host` header is missing, repeated or malformed. Holds the message.
    BadHost(String),
    /// The control plane must not be called by this host. Holds the host, with its port if it has one.
    UnknownHost(String),
    /// A web page of another origin made the request. Holds the header that says so.
    CrossOrigin(String),
    /// The control token is missing or wrong.
    Unauthorized,
    /// The origin of a preflight (CORS) is not allowed, or the page's own host name resolves to this
    /// server. Holds a message that names the setting.
    ForbiddenOrigin(String),
}

impl GuardRefusal {
    /// Names under which refused requests are counted and recorded.
    pub const NAMES: [&'static str; 5] = [
        "bad_host",
        "unknown_host",
        "cross_origin",
        "unauthorized",
        "forbidden_origin",
    ];

    /// Returns the name under which the request is counted and recorded. Also the control plane's error
    /// code.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::BadHost(_) => Self::NAMES[0],
            Self::UnknownHost(_) => Self::NAMES[1],
            Self::CrossOrigin(_) => Self::NAMES[2],
            Self::Unauthorized => Self::NAMES[3],
            Self::ForbiddenOrigin(_) => Self::NAMES[4],
        }
    }
}

/// Returns the response to a refused request, in the error form of the API that was called.
pub type GuardResponder = fn(&Services, &Parts, &GuardRefusal) -> Response;

/// State of [`require_control_access`]. Clones share it.
#[derive(Debug, Clone)]
pub struct Guard(Arc<GuardInner>);

#[derive(Debug)]
struct GuardInner {
    state: AppState,
    hosts: AllowedHosts,
    origins: AllowedOrigins,
    /// `None` if no control token is required.
    token: Option<String>,
    refuse: GuardResponder,
}

type GuardCheck = fn(&GuardInner, &Request) -> Result<(), GuardRefusal>;

/// All checks, in the order in which they are applied.
const CHECKS: [GuardCheck; 6] = [
    check_host,
    check_preflight,
    GuardInner::check_own_origin,
    GuardInner::check_known_host,
    GuardInner::check_same_origin,
    GuardInner::check_token,
];

impl Guard {
    /// Creates a guard with the settings of `state`. The control plane may be called by `api_hosts`
    /// and `bucket_hosts`, the vendors' real hosts. Pages of `api_hosts` may also call BIZ MORI's API;
    /// pages of `bucket_hosts` may not, for anybody can upload them.
    #[must_use]
    pub fn new(
        state: &AppState,
        api_hosts: impl IntoIterator<Item = &'static str> + Clone,
        bucket_hosts: impl IntoIterator<Item = &'static str>,
        refuse: GuardResponder,
    ) -> Self {
        // An empty environment variable counts as unset.
        let token = state.config.control.control_token.clone();
        let page_hosts = AllowedHosts::new(&state.config, api_hosts.clone());
        let hosts = api_hosts.into_iter().chain(bucket_hosts);
        Self(Arc::new(GuardInner {
            origins: AllowedOrigins::new(&state.config, page_hosts),
            hosts: AllowedHosts::new(&state.config, hosts),
            token: token.filter(|token| !token.is_empty()),
            state: state.clone(),
            refuse,
        }))
    }
}

/// Middleware around the whole router. Refuses requests that fail a check, answers preflights (CORS),
/// and adds the headers that protect browsers and that let pages read a response.
pub async fn require_control_access(
    State(Guard(guard)): State<Guard>,
    mut request: Request,
    next: Next,
) -> Response {
    let area = Area::for_path(request.uri().path());
    let cors = guard.origins.judge(&request);
    if let Some(verdict) = &cors {
        request.extensions_mut().insert(verdict.clone());
    }
    // For the log line below, which is written after the request has been consumed.
    let unreadable = cors
        .as_ref()
        .and_then(CorsVerdict::refusal)
        .map(|_| (request.method().clone(), request.uri().clone()));
    let checked = CHECKS.iter().try_for_each(|check| check(&guard, &request));
    let mut response = match checked {
        Err(refusal) => {
            let refuse = |parts: &Parts| (guard.refuse)(&guard.state, parts, &refusal);
            guard.respond(request, refusal.name(), refuse).await
        }
        Ok(()) if cors.is_some() && is_preflight(&request) => {
            guard.respond(request, PREFLIGHT, preflight_response).await
        }
        Ok(()) => next.run(request).await,
    };
    area.protect(response.headers_mut());
    if let Some(verdict) = cors {
        verdict.write(response.headers_mut());
        // The log line of a refused request (4xx, 5xx) already has the reason.
        if response.status().as_u16() < 400
            && let Some(((method, uri), reason)) = unreadable.zip(verdict.refusal())
        {
            tracing::warn!(
                method = &*clip(method.as_str(), METHOD_CHARS_MAX),
                path = &*clip(uri.path(), PATH_CHARS_MAX),
                reason,
                "a web page cannot read the response"
            );
        }
    }
    response
}

impl GuardInner {
    /// Protects against DNS rebinding: every host that the request names must be allowed. `Host` is
    /// checked even if a proxy is trusted, because a web page can add `X-Forwarded-Host` itself.
    fn check_known_host(&self, request: &Request) -> Result<(), GuardRefusal> {
        if !Area::for_path(request.uri().path()).is_own_page() {
            return Ok(());
        }
        let headers = request.headers();
        let named = [
            origin_host(headers, false),
            origin_host(headers, self.state.config.trust_forwarded),
            request.uri().authority().map(ToString::to_string),
        ];
        let is_allowed =
            |text: &String| Host::parse(text).is_some_and(|host| self.hosts.allows(host));
        match named.into_iter().flatten().find(|text| !is_allowed(text)) {
            None => Ok(()),
            Some(unknown) => Err(GuardRefusal::UnknownHost(unknown)),
        }
    }

    /// Protects against DNS rebinding: a page of an unknown host that resolves to this machine has the
    /// server's own origin. Its browser sends no preflight, and lets the page read every response of
    /// BIZ MORI's API.
    fn check_own_origin(&self, request: &Request) -> Result<(), GuardRefusal> {
        let verdict = request.extensions().get::<CorsVerdict>();
        let headers = request.headers();
        let Some((message, host)) = verdict
            .and_then(CorsVerdict::refusal)
            .zip(origin_host(headers, false))
        else {
            return Ok(());
        };
        let names_host = |origin: &HeaderValue| {
            origin
                .to_str()
                .ok()
                .and_then(|origin| origin.split_once("://"))
                .is_some_and(|(_, authority)| authority.eq_ignore_ascii_case(&host))
        };
        let is_own_page = headers.get_all(ORIGIN).iter().any(names_host);
        let is_known = Host::parse(&host).is_some_and(|host| self.hosts.allows(host));
        if is_own_page && !is_known {
            return Err(GuardRefusal::ForbiddenOrigin(message.to_owned()));
        }
        Ok(())
    }

    fn check_same_origin(&self, request: &Request) -> Result<(), GuardRefusal> {
        if !requires_same_origin(request.method(), request.uri().path()) {
            return Ok(());
        }
        let connection = request.extensions().get::<ConnectInfo<ConnectionHandle>>();
        let is_tls = connection.is_some_and(|ConnectInfo(connection)| connection.is_tls());
        let trusted = self.state.config.trust_forwarded;
        let own = origin_of(request.headers(), is_tls, trusted).ok();
        check_origin(request.headers(), own.as_deref()).map_err(GuardRefusal::CrossOrigin)
    }

    fn check_token(&self, request: &Request) -> Result<(), GuardRefusal> {
        let path = request.uri().path();
        let is_exempt = Area::for_path(path) != Area::Control
            || path == HEALTH
            || is_dashboard(request.method(), path)
            || is_docs_page(path)
            || is_inbox_delivery(request.method(), path);
        match &self.token {
            Some(token) if !is_exempt && !has_token(request.headers(), token) => {
                Err(GuardRefusal::Unauthorized)
            }
            _ => Ok(()),
        }
    }

    /// Responds to a request that is not routed. Counts the request under `name`, and records it.
    async fn respond(
        &self,
        request: Request,
        name: &'static str,
        build: impl FnOnce(&Parts) -> Response,
    ) -> Response {
        let state = &self.state;
        let in_flight = state
            .metrics
            .start_request(state.metrics.operation_index(name));
        let entry = start_journal_entry(state, name, &request);
        let log = RequestLog::new(&entry, name, &request, state.request_links.get());
        let request = request.map(|body| record_body(body, || entry.record_request()));
        let (request, unread_body) = UnreadBody::capture(request);
        let (parts, body) = request.into_parts();
        let mut response = build(&parts);
        drop(body);
        unread_body.drain().await;
        let area = Area::for_path(parts.uri.path());
        area.protect(response.headers_mut());
        if let Some(verdict) = parts.extensions.get::<CorsVerdict>() {
            verdict.write(response.headers_mut());
        }
        if !area.is_own_page() {
            response = explain_error(state, area, response).await;
        }
        let seq = HeaderValue::from(entry.ensure_seq());
        response.headers_mut().insert(X_MOCK_REQUEST, seq);
        let elapsed = in_flight.elapsed();
        in_flight.finish(response.status().as_u16(), elapsed);
        log.log_response(&response, elapsed);
        response.map(|body| record_body(body, || entry.record_response()))
    }
}

/// `true` if the request is for the dashboard or its files, which are the same for everybody and hold
/// no data. A browser cannot send a token with them.
fn is_dashboard(method: &Method, path: &str) -> bool {
    let is_page = path == DASHBOARD || path == DASHBOARD.trim_end_matches('/');
    method.is_safe() && (is_page || path.starts_with(DASHBOARD_FILES))
}

/// `true` for the documentation page and its files, which are the same for everybody.
fn is_docs_page(path: &str) -> bool {
    let rest = path.strip_prefix(DOCS);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Refuses preflights of pages whose origin is not allowed.
fn check_preflight(_: &GuardInner, request: &Request) -> Result<(), GuardRefusal> {
    let verdict = request.extensions().get::<CorsVerdict>();
    match verdict.and_then(CorsVerdict::refusal) {
        Some(message) if is_preflight(request) => {
            Err(GuardRefusal::ForbiddenOrigin(message.to_owned()))
        }
        _ => Ok(()),
    }
}

/// Requires one valid `Host` header. Only HTTP/1.0 may leave it out (RFC 9112 §3.2).
fn check_host(_: &GuardInner, request: &Request) -> Result<(), GuardRefusal> {
    let hosts = request.headers().get_all(HOST);
    let bad = |message: String| Err(GuardRefusal::BadHost(message));
    match hosts.iter().count() {
        0 if request.version() < Version::HTTP_11 => Ok(()),
        0 => bad("Host: missing, which HTTP/1.1 requires".to_owned()),
        1 => match hosts.iter().find_map(malformed_host) {
            None => Ok(()),
            Some(text) => bad(format!("Host: {text:?} is not a host")),
        },
        count => bad(format!("Host: expected once, got {count} times")),
    }
}

/// Returns the value as text if it is not a host.
fn malformed_host(value: &HeaderValue) -> Option<String> {
    let text = String::from_utf8_lossy(value.as_bytes());
    Host::parse(&text).is_none().then(|| text.into_owned())
}

/// `true` if the request carries `token`. Compares digests, so that the duration does not reveal how
/// much of a wrong token is right.
fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let (scheme, credential) = headers
        .get(AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|header| header.split_once(' '))
        .unwrap_or_default();
    let is_same = Sha256::digest(credential.trim()) == Sha256::digest(token);
    scheme.eq_ignore_ascii_case("bearer") && is_same
}
