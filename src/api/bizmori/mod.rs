//! BIZ MORI's API, as `contract/bizmori.md` has it: orders and webhooks of `/api/v2`.

mod auth;
mod create;
mod download;
mod error;
mod events;
mod fixtures;
mod legacy_webhook;
mod listing;
mod orders;
mod profile;
mod request;
mod sunset;
mod test_samples;
mod test_uploads;
mod token;
mod uploads;
mod v3;
mod webhooks;
mod wire;
mod wire_webhooks;

use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::http::{AppState, Json, Routes};
use crate::model::rule::ResultKind;
pub use auth::resolve_account;
use error::ApiError;
pub use error::ErrorCode;

pub use profile::PROFILE;

/// The operations of this front door.
#[must_use]
pub fn routes(context: Option<AppState>) -> Routes {
    let routes = Routes::new(context).account_resolver(resolve_account);
    v3::routes(webhook_routes(order_routes(routes)))
}

fn order_routes(routes: Routes) -> Routes {
    routes
        .on(
            "bizmori.createAntiAi",
            Method::POST,
            "/api/v2/orders/anti-ai",
            create::anti_ai,
        )
        .produces(ResultKind::Outputs)
        .fixture_builder(fixtures::anti_ai)
        .on(
            "bizmori.confirmAntiAi",
            Method::POST,
            "/api/v2/orders/anti-ai/confirm",
            orders::confirm_anti_ai,
        )
        .on(
            "bizmori.createAntiAiWithUrls",
            Method::POST,
            "/api/v2/orders/anti-ai/with-urls",
            create::anti_ai_with_urls,
        )
        .produces(ResultKind::Outputs)
        .on(
            "bizmori.createWatermarkEmbed",
            Method::POST,
            "/api/v2/orders/wtr-embed",
            create::watermark_embed,
        )
        .produces(ResultKind::Outputs)
        .fixture_builder(fixtures::watermark_embed)
        .on(
            "bizmori.createWatermarkExtract",
            Method::POST,
            "/api/v2/orders/wtr-extract",
            create::watermark_extract,
        )
        .produces(ResultKind::Extraction)
        .fixture_builder(fixtures::watermark_extract)
        .on(
            "bizmori.createAiDetection",
            Method::POST,
            "/api/v2/orders/ai-detection",
            create::ai_detection,
        )
        .produces(ResultKind::Detection)
        .fixture_builder(fixtures::ai_detection)
        .on(
            "bizmori.confirmAiDetection",
            Method::POST,
            "/api/v2/orders/ai-detection/confirm",
            orders::confirm_ai_detection,
        )
        .on(
            "bizmori.listOrders",
            Method::GET,
            "/api/v2/orders",
            listing::list,
        )
        .on(
            "bizmori.getRecentStats",
            Method::GET,
            "/api/v2/orders/stats/recent",
            listing::recent,
        )
        .on(
            "bizmori.refreshUploadUrls",
            Method::POST,
            "/api/v2/orders/{orderId}/refresh-urls",
            orders::refresh_urls,
        )
        .on(
            "bizmori.getOrder",
            Method::GET,
            "/api/v2/orders/{orderId}",
            orders::get,
        )
        .on(
            "bizmori.downloadOrder",
            Method::GET,
            "/api/v2/orders/{orderId}/download",
            download::get,
        )
        .on(
            "bizmori.putTestUpload",
            Method::PUT,
            "/api/v2/test-uploads/{signedToken}",
            test_uploads::put,
        )
        .on(
            "bizmori.getTestSample",
            Method::GET,
            "/api/v2/test-samples/{signedToken}",
            test_samples::get,
        )
}

fn webhook_routes(routes: Routes) -> Routes {
    routes
        .on(
            "bizmori.createWebhook",
            Method::POST,
            "/api/v2/orders/webhooks",
            webhooks::create,
        )
        .on(
            "bizmori.listWebhooks",
            Method::GET,
            "/api/v2/orders/webhooks",
            webhooks::list,
        )
        .on(
            "bizmori.getWebhook",
            Method::GET,
            "/api/v2/orders/webhooks/{webhookId}",
            webhooks::get,
        )
        .on(
            "bizmori.updateWebhook",
            Method::PUT,
            "/api/v2/orders/webhooks/{webhookId}",
            webhooks::update,
        )
        .on(
            "bizmori.deleteWebhook",
            Method::DELETE,
            "/api/v2/orders/webhooks/{webhookId}",
            webhooks::delete,
        )
        .on(
            "bizmori.listWebhookEvents",
            Method::GET,
            "/api/v2/orders/webhooks/{webhookId}/events",
            webhooks::events,
        )
        .on(
            "bizmori.retryWebhookEvent",
            Method::POST,
            "/api/v2/orders/webhooks/{webhookId}/events/{eventRowId}/retry",
            webhooks::retry_event,
        )
        .on(
            "bizmori.retryFailedWebhookEvents",
            Method::POST,
            "/api/v2/orders/webhooks/{webhookId}/events/retry-failed",
            webhooks::retry_failed_events,
        )
        .on(
            "bizmori.createLegacyWebhook",
            Method::POST,
            "/api/v2/orders/webhook",
            legacy_webhook::set,
        )
        .on(
            "bizmori.getLegacyWebhook",
            Method::GET,
            "/api/v2/orders/webhook",
            legacy_webhook::get,
        )
        .on(
            "bizmori.deleteLegacyWebhook",
            Method::DELETE,
            "/api/v2/orders/webhook",
            legacy_webhook::delete,
        )
}

/// What a handler answers.
type BizmoriResult = Result<Response, ApiError>;

/// A success: `{"data": …}`.
fn data_response<T: Serialize>(data: T) -> Response {
    Json(wire::DataEnvelope { data }).into_response()
}

/// The answer to a route there is not, or a method that a route does not have.
#[must_use]
pub fn unknown_route(method: &Method, uri: &Uri) -> Response {
    ApiError::new(
        ErrorCode::ResourceNotFound,
        format!("{method} {} is no route", uri.path()),
    )
    .into_response()
}

/// Returns the response to a request without a valid `Host` header.
#[must_use]
pub fn bad_host(line: &str) -> Response {
    ApiError::invalid(line).into_response()
}

/// Returns the response to a preflight of a page whose origin is not allowed.
#[must_use]
pub fn forbidden_origin(line: &str) -> Response {
    ApiError::new(ErrorCode::AuthForbidden, line).into_response()
}

/// The answer where a handler of ours panicked.
#[must_use]
pub fn panicked() -> Response {
    ApiError::new(
        ErrorCode::ServerInternalError,
        "a fault of stuntdouble's: see its log",
    )
    .into_response()
}
