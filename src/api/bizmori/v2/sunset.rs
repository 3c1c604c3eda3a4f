//! End of the v2 watermark routes in revision `2026-10`. Every response announces it (RFC 9745,
//! RFC 8594, RFC 8288). From [`V2_SUNSET`] on, judged by the account's clock, the routes answer 410.

use axum::extract::Request;
use axum::handler::Handler;
use axum::http::header::LINK;
use axum::http::{HeaderName, HeaderValue};
use axum::response::Response;

use crate::api::bizmori::auth::account_of_key;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Services};
use crate::model::account::Revision;
use crate::platform::clock;
use crate::services::accounts::Account;
use crate::services::orders::V2_SUNSET;

const DEPRECATION: HeaderName = HeaderName::from_static("deprecation");
const SUNSET: HeaderName = HeaderName::from_static("sunset");

/// Checks that the sunset has not passed by the account's clock.
///
/// # Errors
/// Returns `WATERMARK_V2_API_SUNSET` if the API has ended.
pub fn check_sunset(state: &Services, account: &Account) -> Result<(), ApiError> {
    let ends = state.orders.revision(account) == Revision::V2026_10;
    if ends && account.now() >= V2_SUNSET {
        let message = "the v2 watermark API has ended by the account's clock: use v3";
        return Err(ApiError::new(ErrorCode::WatermarkV2ApiSunset, message));
    }
    Ok(())
}

/// Describes the headers that announce the sunset.
pub fn describe_deprecation(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    doc.with_header_on_all("Deprecation", "`true`. Only in revision 2026-10.")
        .with_header_on_all(
            "Sunset",
            "Date of the route's end. Only in revision 2026-10.",
        )
        .with_header_on_all("Link", "Successor route in v3. Only in revision 2026-10.")
}

/// Calls `route`, and adds to its response the date of the sunset and the successor route if the
/// revision has a sunset. The server's revision counts if the request has no valid key.
pub async fn with_deprecation_headers<T>(
    route: impl Handler<T, AppState>,
    request: Request,
    state: AppState,
) -> Response {
    let (mut parts, body) = request.into_parts();
    let revision = match account_of_key(&mut parts, &state).await {
        Ok(account) => state.orders.revision(&account),
        Err(_) => state.config.orders.revision,
    };
    let successor = parts.uri.path().replacen("/v2/", "/v3/", 1);
    let request = Request::from_parts(parts, body);
    let mut response = route.call(request, state).await;
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
