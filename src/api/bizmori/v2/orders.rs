//! One order: confirm, refresh of upload URLs, detail.

use axum::Extension;
use axum::extract::State;
use axum::http::Method;

use super::wire::{ConfirmResponse, OrderDetail, RefreshUrlsResponse};
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::openapi::{describe_data, with_key_errors};
use crate::api::bizmori::orders::find_own_order;
use crate::api::bizmori::request::{Confirm, JsonBody};
use crate::api::bizmori::uploads::UploadUrls;
use crate::api::bizmori::wire::{RenderContext, describe_outcome_header, outcome_header};
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::openapi::OperationDoc;
use crate::http::{
    AppState, OnResponseSent, Origin, PathParam, RequestContext, Routes, Services, X_MOCK_OUTCOME,
};
use crate::model::order::OrderState;
use crate::model::vendor::Vendor;
use crate::model::work::Work;
use crate::services::journal::JournalEntry;

const CONFIRM_ANTI_AI: &str = "bizmori.confirmAntiAi";
const CONFIRM_AI_DETECTION: &str = "bizmori.confirmAiDetection";

/// Adds the operations on one order.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            CONFIRM_ANTI_AI,
            Method::POST,
            "/api/v2/orders/anti-ai/confirm",
            confirm_anti_ai,
        )
        .docs(describe_confirm_anti_ai)
        .on(
            CONFIRM_AI_DETECTION,
            Method::POST,
            "/api/v2/orders/ai-detection/confirm",
            confirm_ai_detection,
        )
        .docs(describe_confirm_ai_detection)
        .on(
            "bizmori.refreshUploadUrls",
            Method::POST,
            "/api/v2/orders/{orderId}/refresh-urls",
            refresh_urls,
        )
        .docs(describe_refresh_urls)
        .on(
            "bizmori.getOrder",
            Method::GET,
            "/api/v2/orders/{orderId}",
            get,
        )
        .docs(describe_get)
}

const CONFIRM_ERRORS: [ErrorCode; 10] = [
    ErrorCode::OrderAlreadyCompleted,
    ErrorCode::OrderAlreadyConfirmed,
    ErrorCode::OrderAlreadyFailed,
    ErrorCode::OrderExpired,
    ErrorCode::OrderFileNotUploaded,
    ErrorCode::OrderNotFound,
    ErrorCode::OrderNotOwner,
    ErrorCode::OrderNotPending,
    ErrorCode::OrderTypeNotMatch,
    ErrorCode::ValidationIdempotencyKeyInvalid,
];

fn describe_confirm_anti_ai(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    describe_confirm(doc.summary("Confirm an anti-AI order", CONFIRM_TEXT))
}

fn describe_confirm_ai_detection(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    describe_confirm(doc.summary("Confirm an AI detection order", CONFIRM_TEXT))
}

const CONFIRM_TEXT: &str = "Starts an order whose files are uploaded. The same `idempotencyKey` again \
                            answers the current status, and starts nothing.";

fn describe_confirm(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc.json_body::<Confirm>(true);
    let doc = describe_data::<ConfirmResponse>(doc, "The order has started.");
    with_key_errors(doc, &CONFIRM_ERRORS)
}

fn describe_refresh_urls(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Refresh upload URLs",
            "Returns new upload URLs of the files that a pending order still waits for.",
        )
        .describe_param("orderId", "Id of an order.");
    let doc = describe_data::<RefreshUrlsResponse>(doc, "Upload URLs.");
    let codes = [
        ErrorCode::OrderNotFound,
        ErrorCode::OrderNotOwner,
        ErrorCode::OrderNotPending,
    ];
    with_key_errors(doc, &codes)
}

fn describe_get(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get an order",
            "Fields depend on the order's type. Signed URLs are fresh at each read, and valid for an hour.",
        )
        .describe_param("orderId", "Id of an order.");
    let doc = describe_outcome_header(describe_data::<OrderDetail>(doc, "The order."));
    with_key_errors(doc, &[ErrorCode::OrderNotFound, ErrorCode::OrderNotOwner])
}

async fn confirm_anti_ai(
    State(state): State<AppState>,
    account: AuthenticatedAccount,
    Extension(entry): Extension<JournalEntry>,
    JsonBody(body): JsonBody<Confirm>,
) -> BizmoriResult {
    let is_anti_ai = |work: &Work| matches!(work, Work::AntiAi { .. });
    confirm(&state, account, &entry, body, CONFIRM_ANTI_AI, is_anti_ai).await
}

async fn confirm_ai_detection(
    State(state): State<AppState>,
    account: AuthenticatedAccount,
    Extension(entry): Extension<JournalEntry>,
    JsonBody(body): JsonBody<Confirm>,
) -> BizmoriResult {
    let is_ai_detection = |work: &Work| matches!(work, Work::AiDetection { .. });
    confirm(
        &state,
        account,
        &entry,
        body,
        CONFIRM_AI_DETECTION,
        is_ai_detection,
    )
    .await
}

async fn confirm(
    state: &Services,
    AuthenticatedAccount(account): AuthenticatedAccount,
    entry: &JournalEntry,
    body: Confirm,
    operation: &'static str,
    has_type: fn(&Work) -> bool,
) -> BizmoriResult {
    entry.set_order(&body.order_id);
    let key = body.key()?;
    let confirmed = state
        .orders
        .confirm(
            &account,
            Vendor::Bizmori,
            &body.order_id,
            &key,
            operation,
            |order| has_type(&order.work),
        )
        .await?;
    let mut response = data_response(ConfirmResponse {
        order_id: confirmed.order.id.clone(),
        status: confirmed.order.state.status(),
    });
    OnResponseSent::attach(&mut response, confirmed.claim);
    Ok(response)
}

async fn get(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request_context: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&state, &account, &order_id, ErrorCode::OrderNotOwner).await?;
    let (order, claim) = state.orders.record_poll(&account, order).await?;
    let Origin(origin) = Origin::resolve(&state, &request_context).await?;
    let context = RenderContext::new(&state, &account, &origin);
    let mut response = data_response(OrderDetail::new(&order, context));
    OnResponseSent::attach(&mut response, claim);
    if let Some(outcome) = outcome_header(&order) {
        response.headers_mut().insert(X_MOCK_OUTCOME, outcome);
    }
    Ok(response)
}

async fn refresh_urls(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request_context: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&state, &account, &order_id, ErrorCode::OrderNotOwner).await?;
    if order.state != OrderState::Pending {
        let message = format!(
            "order {order_id} is {}, expected pending",
            order.state.status()
        );
        return Err(ApiError::new(ErrorCode::OrderNotPending, message));
    }
    let Origin(origin) = Origin::resolve(&state, &request_context).await?;
    let uploads = UploadUrls::new(&state, &account, &origin);
    Ok(data_response(RefreshUrlsResponse::new(&order, |index| {
        uploads.url(&order, index)
    })))
}
