//! Applies rules to requests: a delay, a stub response in place of the handler's, and a connection
//! fault (see [`super::fault`]).
//!
//! Rules do not apply to the control plane. The account of a request is resolved only if a rule may
//! match the request ([`AccountResolver`]), so requests are cheap without rules.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::header::CONTENT_TYPE;
use axum::http::{Extensions, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use futures_util::future::BoxFuture;

use super::browser::sandbox;
use super::explain_headers::{X_MOCK_REASON, header_line};
use super::{AppState, Services};
use crate::model::rule::{self, Fault, MatchInput, MatchTarget, StubResponse};
use crate::platform::clock;
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;

/// Finds the account of a request as the API's handler would find it. A resolver that reads the body
/// puts the bytes back.
pub type AccountResolver = for<'r> fn(
    state: &'r Services,
    request: &'r mut Request,
) -> BoxFuture<'r, Option<Arc<Account>>>;

/// Account of a request. Stored in the request's extensions by the first code that finds the account,
/// so that a request is resolved once.
#[derive(Debug, Clone)]
pub struct ResolvedAccount(Arc<Account>);

impl ResolvedAccount {
    /// Stores `account` in the extensions of its request.
    pub fn insert(extensions: &mut Extensions, account: &Arc<Account>) {
        extensions.insert(Self(Arc::clone(account)));
    }

    /// Returns the account that was found for the request. `None` if none was found, or if it was
    /// deleted since.
    #[must_use]
    pub fn get(extensions: &Extensions) -> Option<Arc<Account>> {
        extensions.get::<Self>()?.account()
    }

    /// Returns the account. `None` if the account was deleted since it was found, for example while a
    /// rule delayed the request.
    #[must_use]
    pub fn account(&self) -> Option<Arc<Account>> {
        let Self(account) = self;
        (!account.cancellation().is_cancelled()).then(|| Arc::clone(account))
    }
}

/// Resolver for an API without accounts. Always resolves to `None`.
pub fn no_account<'r>(_: &'r Services, _: &'r mut Request) -> BoxFuture<'r, Option<Arc<Account>>> {
    Box::pin(std::future::ready(None))
}

/// Effects of rules on a request.
#[derive(Default)]
pub(super) struct RequestRuleEffect {
    /// Response that replaces the handler's.
    pub(super) stub_response: Option<Response>,
    /// Fault of the connection while the response is written, whether a stub or the handler's.
    pub(super) fault: Option<Fault>,
}

/// Evaluates the rules for a request, records the decision in its journal `entry`, and waits for the
/// delay of a matching rule. Returns the remaining effects.
pub(super) async fn apply_rules(
    state: &AppState,
    operation: &'static str,
    account_resolver: AccountResolver,
    entry: &JournalEntry,
    request: &mut Request,
) -> RequestRuleEffect {
    let input = MatchInput {
        operation,
        account: None,
        subject: MatchTarget::Request {
            method: request.method().as_str(),
            path: request.uri().path(),
        },
    };
    if !state.rules.may_match(input) || is_control(request.uri().path()) {
        return RequestRuleEffect::default();
    }
    let (method, path) = (request.method().clone(), request.uri().path().to_owned());
    let account = account_resolver(state, request).await;
    // Numbers the request in the journal before a rule delays it.
    if let Some(account) = &account {
        entry.set_account(account);
        ResolvedAccount::insert(request.extensions_mut(), account);
    }
    let seq = entry.ensure_seq();
    let now = account
        .as_ref()
        .map_or_else(clock::real_now, |account| account.now());
    let input = MatchInput {
        operation,
        account: account.as_ref().map(|account| account.key.as_str()),
        subject: MatchTarget::Request {
            method: method.as_str(),
            path: &path,
        },
    };
    let decision = match state.rules.evaluate_and_count(input, now, Some(seq)).await {
        Ok(decision) => decision,
        Err(error) => {
            tracing::error!(%error, "rule evaluation failed");
            return RequestRuleEffect::default();
        }
    };
    let fault = decision.fault.as_ref().map(|(_, fault)| *fault);
    entry.set_rule(decision.rule, fault);
    sleep_ms(decision.delay_ms.unwrap_or_default()).await;
    RequestRuleEffect {
        stub_response: decision
            .respond
            .map(|(title, respond)| stub_response(&title, respond)),
        fault,
    }
}

/// Sleeps for `ms` milliseconds of real time.
pub async fn sleep_ms(ms: u32) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms.into())).await;
    }
}

/// `true` if `path` belongs to the control plane.
pub(super) fn is_control(path: &str) -> bool {
    path.split('/').nth(1) == Some("_mock")
}

fn stub_response(title: &str, respond: StubResponse) -> Response {
    let (media_type, body) = match respond.body {
        None => (None, String::new()),
        Some(rule::StubBody::Json(text)) => (Some("application/json"), text),
        Some(rule::StubBody::Text(text)) => (Some("text/plain; charset=utf-8"), text),
    };
    let mut response = Response::new(Body::from(body));
    if let Ok(status) = StatusCode::from_u16(respond.status) {
        *response.status_mut() = status;
    }
    let headers = response.headers_mut();
    if let Some(media_type) = media_type {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    }
    for (name, value) in &respond.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
    headers.insert(X_MOCK_REASON, header_line(title));
    sandbox(headers);
    response
}
