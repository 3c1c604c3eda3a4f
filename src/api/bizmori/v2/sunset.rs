//! The end of the v2 watermark routes, in revision `2026-10`: announced on every answer
//! (RFC 9745, RFC 8594, RFC 8288), and from its instant of the account's clock on 410.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::handler::Handler;
use axum::http::header::{AUTHORIZATION, LINK};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;

use super::auth::{AuthenticatedAccount, parse_bearer};
use super::error::{ApiError, ErrorCode};
use crate::http::{AppState, Services};
use crate::model::account::Revision;
use crate::platform::clock;
use crate::services::accounts::Account;
use crate::services::orders::V2_SUNSET;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Who calls a route that ends, before it has.
pub struct CallerBeforeSunset(pub Arc<Account>);

impl FromRequestParts<AppState> for CallerBeforeSunset {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, context: &AppState) -> Result<Self, ApiError> {
        let AuthenticatedAccount(account) =
            AuthenticatedAccount::from_request_parts(parts, context).await?;
        let ends = context.orders.revision(&account) == Revision::V2026_10;
        if ends && account.now() >= V2_SUNSET {
            let line = "the v2 watermark API has ended by the account's clock: use v3";
            return Err(ApiError::new(ErrorCode::WatermarkV2ApiSunset, line));
        }
        Ok(Self(account))
    }
}

/// The answer of a route that ends; it says when, and what comes after it.
pub async fn with_deprecation_headers<T>(
    route: impl Handler<T, AppState>,
    request: Request,
    context: AppState,
) -> Response {
    let revision = revision_of_request(&context, request.headers());
    let successor = request.uri().path().replacen("/v2/", "/v3/", 1);
    let mut response = route.call(request, context).await;
    if revision == Revision::V2026_10 {
        let link = format!("<{successor}>; rel=\"successor-version\"");
        let headers = response.headers_mut();
        headers.insert(DEPRECATION, HeaderValue::from_static("true"));
        for (name, value) in [(SUNSET, clock::http_date(V2_SUNSET)), (LINK, link)] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
    response
}

/// That of the key's account; the server's where there is none.
fn revision_of_request(state: &Services, headers: &HeaderMap) -> Revision {
    let shown = headers.get(AUTHORIZATION);
    let key = shown
        .and_then(|value| value.to_str().ok())
        .and_then(parse_bearer);
    let account = key.and_then(|key| state.accounts.by_key(key));
    account.map_or(state.config.orders.revision, |account| {
        state.orders.revision(&account)
    })
}
