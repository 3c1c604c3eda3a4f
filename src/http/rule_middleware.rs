//! What rules do to requests: a delay, an answer in place of the front door's, and what becomes of
//! the answer on its way (see [`super::fault`]).
//!
//! The control plane is never ruled. Who a request belongs to is a front door's to say
//! ([`AccountResolver`]), and asked only where some rule is about such requests; where there are no rules
//! a request pays for one look at an empty list.

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
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;

/// Says whose a request is, as its front door will find if it comes to answer it. What it reads
/// of the body it puts back.
pub type AccountResolver = for<'r> fn(
    verbs: &'r Services,
    request: &'r mut Request,
) -> BoxFuture<'r, Option<Arc<Account>>>;

/// Account of a request, kept in the request's extensions by whoever finds it first, so that a request
/// is resolved once.
#[derive(Debug, Clone)]
pub struct ResolvedAccount(Arc<Account>);

impl ResolvedAccount {
    /// Keeps `account` in the extensions of its request.
    pub fn insert(extensions: &mut Extensions, account: &Arc<Account>) {
        extensions.insert(Self(Arc::clone(account)));
    }

    /// Returns the account that was found for the request. `None` if none was found, or if it was
    /// deleted since.
    #[must_use]
    pub fn get(extensions: &Extensions) -> Option<Arc<Account>> {
        extensions.get::<Self>()?.account()
    }

    /// `None` if the account was deleted since it was found, as it can be while a rule delays the request.
    #[must_use]
    pub fn account(&self) -> Option<Arc<Account>> {
        let Self(account) = self;
        (!account.cancellation().is_cancelled()).then(|| Arc::clone(account))
    }
}

/// The requests of a front door that has no accounts.
pub fn no_account<'r>(_: &'r Services, _: &'r mut Request) -> BoxFuture<'r, Option<Arc<Account>>> {
    Box::pin(std::future::ready(None))
}

/// What rules say to a request.
#[derive(Default)]
pub(super) struct RequestRuleEffect {
    /// In place of the front door's answer.
    pub(super) stub_response: Option<Response>,
    /// What becomes of the answer, whosever it is.
    pub(super) fault: Option<Fault>,
}

/// Does to a request what rules say. Delays have passed when this returns; it ends early when it
/// is dropped, as it is when the client goes.
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
    // The journal has the request before anything delays it.
    match &account {
        Some(account) => {
            entry.set_account(account);
            ResolvedAccount::insert(request.extensions_mut(), account);
        }
        None => {
            let _ = entry.ensure_seq();
        }
    }
    let input = MatchInput {
        operation,
        account: account.as_ref().map(|account| account.key.as_str()),
        subject: MatchTarget::Request {
            method: method.as_str(),
            path: &path,
        },
    };
    let choice = match state.rules.evaluate_and_count(input).await {
        Ok(choice) => choice,
        Err(error) => {
            tracing::error!(%error, "rules could not be asked");
            return RequestRuleEffect::default();
        }
    };
    let fault = choice.fault.as_ref().map(|(_, fault)| *fault);
    entry.set_rule(choice.rule, fault);
    sleep_ms(choice.delay_ms.unwrap_or_default()).await;
    RequestRuleEffect {
        stub_response: choice
            .respond
            .map(|(title, respond)| stub_response(&title, respond)),
        fault,
    }
}

/// Lets so many real milliseconds pass.
pub async fn sleep_ms(ms: u32) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms.into())).await;
    }
}

/// Whether it is a path of the control plane.
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
