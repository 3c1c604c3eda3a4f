//! The control plane behind a token, where one is set.

use axum::extract::{Request, State};
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use sha2::{Digest, Sha256};

use super::Context;
use super::operation::{REQUEST, begin};
use super::ruled::is_control;

/// What is refused is counted under that name.
pub const UNAUTHORIZED: &str = "unauthorized";
/// Where anyone may post: the senders of webhooks have no token.
const INBOX: &str = "/_mock/inbox/";

/// Has `refuse` answer what comes to the control plane without the token.
pub async fn guard(
    State((context, refuse)): State<(Context, fn() -> Response)>,
    request: Request,
    next: Next,
) -> Response {
    let token = context.config.control.control_token.as_deref();
    // An empty one is how a variable is often left unset.
    let token = token.filter(|token| !token.is_empty());
    if token.is_none_or(|token| may_pass(&request, token)) {
        return next.run(request).await;
    }
    let counted = context.metrics.begin(context.metrics.place(UNAUTHORIZED));
    let entry = begin(&context, UNAUTHORIZED, &request);
    let mut response = refuse();
    let seq = HeaderValue::from(entry.number());
    response.headers_mut().insert(REQUEST, seq);
    let took = counted.elapsed();
    counted.answered(response.status().as_u16(), took);
    response
}

fn may_pass(request: &Request, token: &str) -> bool {
    let path = request.uri().path();
    let is_delivery = request.method() == Method::POST && path.starts_with(INBOX);
    !is_control(path) || is_delivery || is_shown(request, token)
}

/// Whether the token is shown; how much of another is like it is not told by the time it takes.
fn is_shown(request: &Request, token: &str) -> bool {
    let header = request.headers().get(AUTHORIZATION);
    let header = header
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let (scheme, shown) = header.split_once(' ').unwrap_or_default();
    let is_same = Sha256::digest(shown.trim()) == Sha256::digest(token);
    scheme.eq_ignore_ascii_case("bearer") && is_same
}
