//! Watermark orders of v3 are made.

use axum::extract::State;

use super::wire::CreatedOrderV3;
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::create::charge;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::request::{
    CreateWatermarkEmbed, CreateWatermarkExtractV3, JsonBodyWithDigest, ValidatedOrder,
};
use crate::api::bizmori::uploads::UploadUrls;
use crate::api::bizmori::wire::RenderContext;
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::{AppState, OnResponseSent, Origin, RequestContext, Services};
use crate::model::order::{ApiVersion, Vendor};
use crate::services::orders::NewOrder;

pub async fn watermark_embed(
    State(context): State<AppState>,
    caller: AuthenticatedAccount,
    by: RequestContext,
    JsonBodyWithDigest(body, digest): JsonBodyWithDigest<CreateWatermarkEmbed>,
) -> BizmoriResult {
    let parsed = body.validate(ApiVersion::V3)?;
    let operation = "bizmori.createWatermarkEmbedV3";
    create(&context, caller, &by, operation, parsed, digest).await
}

pub async fn watermark_extract(
    State(context): State<AppState>,
    caller: AuthenticatedAccount,
    by: RequestContext,
    JsonBodyWithDigest(body, digest): JsonBodyWithDigest<CreateWatermarkExtractV3>,
) -> BizmoriResult {
    let parsed = body.validate()?;
    let operation = "bizmori.createWatermarkExtractV3";
    create(&context, caller, &by, operation, parsed, digest).await
}

/// Creates the order, or finds the one that the same idempotency key created. Another body under the
/// same key is a conflict.
async fn create(
    state: &Services,
    AuthenticatedAccount(account): AuthenticatedAccount,
    by: &RequestContext,
    operation: &'static str,
    parsed: ValidatedOrder,
    digest: String,
) -> BizmoriResult {
    let Origin(origin) = Origin::resolve(state, by).await?;
    let new = NewOrder {
        operation,
        idempotency_key: Some(parsed.idempotency_key),
        vendor: Vendor::Bizmori,
        api: ApiVersion::V3,
        origin: origin.clone(),
        name: parsed.order_name,
        work: parsed.work,
        charge: charge(&account, parsed.files.len()),
        files: parsed.files,
        id: None,
        request_digest: Some(digest.clone()),
    };
    let created = state.orders.create(&account, new).await?;
    let order = created.order;
    // Bodies of test keys are not compared.
    if !order.test && order.request_digest.as_ref() != Some(&digest) {
        let line = format!(
            "idempotencyKey: order {} was made with another body",
            order.id
        );
        return Err(ApiError::new(ErrorCode::WatermarkV2Conflict, line));
    }
    let view = RenderContext::of(state, &account, &origin);
    let uploads = UploadUrls::new(state, &account, origin.clone());
    let mut response = data_response(CreatedOrderV3::of(&order, view, &uploads));
    OnResponseSent::attach(&mut response, created.claim);
    Ok(response)
}
