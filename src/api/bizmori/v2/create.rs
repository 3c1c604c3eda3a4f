//! Orders of v2 are made.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use super::auth::AuthenticatedAccount;
use super::error::ApiError;
use super::request::{
    CreateAiDetection, CreateAntiAi, CreateAntiAiWithUrls, CreateWatermarkEmbed,
    CreateWatermarkExtract, JsonBody, ValidatedOrder,
};
use super::sunset::{CallerBeforeSunset, with_deprecation_headers};
use super::uploads::UploadUrls;
use super::wire::{
    AiDetectionCreated, AntiAiCreated, StartedOrder, WatermarkEmbedCreated, WatermarkExtractCreated,
};
use super::{BizmoriResult, data_response};
use crate::http::{AppState, OnResponseSent, Origin, RequestContext, Services};
use crate::model::order::{ApiVersion, Vendor};
use crate::services::accounts::Account;
use crate::services::orders::{Charge, CreatedOrder, NewOrder};

pub async fn anti_ai(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    request_context: RequestContext,
    JsonBody(body): JsonBody<CreateAntiAi>,
) -> BizmoriResult {
    let call = CreateContext::new(&context, &account, &request_context).await?;
    let parsed = body.validate(account.now())?;
    let to_body = |CreatedOrder { order, .. }: &CreatedOrder| {
        AntiAiCreated::of(order, |index| call.uploads.url(order, index))
    };
    call.create("bizmori.createAntiAi", parsed, to_body).await
}

pub async fn anti_ai_with_urls(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    request_context: RequestContext,
    JsonBody(body): JsonBody<CreateAntiAiWithUrls>,
) -> BizmoriResult {
    let call = CreateContext::new(&context, &account, &request_context).await?;
    let parsed = body.validate(account.now())?;
    let to_body = |created: &CreatedOrder| StartedOrder::from(created.order.as_ref());
    call.create("bizmori.createAntiAiWithUrls", parsed, to_body)
        .await
}

pub async fn ai_detection(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    request_context: RequestContext,
    JsonBody(body): JsonBody<CreateAiDetection>,
) -> BizmoriResult {
    let call = CreateContext::new(&context, &account, &request_context).await?;
    let parsed = body.validate()?;
    let to_body = |CreatedOrder { order, .. }: &CreatedOrder| {
        AiDetectionCreated::of(order, |index| call.uploads.url(order, index))
    };
    call.create("bizmori.createAiDetection", parsed, to_body)
        .await
}

pub async fn watermark_embed(State(context): State<AppState>, request: Request) -> Response {
    with_deprecation_headers(embed, request, context).await
}

async fn embed(
    State(context): State<AppState>,
    CallerBeforeSunset(account): CallerBeforeSunset,
    request_context: RequestContext,
    JsonBody(body): JsonBody<CreateWatermarkEmbed>,
) -> BizmoriResult {
    let call = CreateContext::new(&context, &account, &request_context).await?;
    let parsed = body.validate(ApiVersion::V2)?;
    let to_body = |created: &CreatedOrder| {
        let order = &created.order;
        let upload_url = |index| call.uploads.url(order, index);
        WatermarkEmbedCreated::of(order, !created.replayed, upload_url)
    };
    call.create("bizmori.createWatermarkEmbed", parsed, to_body)
        .await
}

pub async fn watermark_extract(State(context): State<AppState>, request: Request) -> Response {
    with_deprecation_headers(extract, request, context).await
}

async fn extract(
    State(context): State<AppState>,
    CallerBeforeSunset(account): CallerBeforeSunset,
    request_context: RequestContext,
    JsonBody(body): JsonBody<CreateWatermarkExtract>,
) -> BizmoriResult {
    let call = CreateContext::new(&context, &account, &request_context).await?;
    let parsed = body.validate()?;
    let to_body = |CreatedOrder { order, .. }: &CreatedOrder| {
        WatermarkExtractCreated::of(order, |index| call.uploads.url(order, index))
    };
    call.create("bizmori.createWatermarkExtract", parsed, to_body)
        .await
}

/// A create call: whose, and where its uploads go.
struct CreateContext<'c> {
    state: &'c Services,
    account: &'c Arc<Account>,
    uploads: UploadUrls<'c>,
}

impl<'c> CreateContext<'c> {
    async fn new(
        verbs: &'c Services,
        account: &'c Arc<Account>,
        request_context: &RequestContext,
    ) -> Result<Self, ApiError> {
        let Origin(origin) = Origin::resolve(verbs, request_context).await?;
        Ok(Self {
            state: verbs,
            account,
            uploads: UploadUrls::new(verbs, account, origin),
        })
    }

    /// Makes the order, or finds it, and answers what is `to_body` of it.
    async fn create<T: Serialize>(
        &self,
        operation: &'static str,
        parsed: ValidatedOrder,
        to_body: impl FnOnce(&CreatedOrder) -> T,
    ) -> BizmoriResult {
        let new = NewOrder {
            operation,
            idempotency_key: Some(parsed.idempotency_key),
            vendor: Vendor::Bizmori,
            api: ApiVersion::V2,
            origin: self.uploads.origin().to_owned(),
            name: parsed.order_name,
            work: parsed.work,
            charge: charge(self.account, parsed.files.len()),
            files: parsed.files,
            id: None,
            request_digest: None,
        };
        let created = self.state.orders.create(self.account, new).await?;
        let mut response: Response = data_response(to_body(&created));
        OnResponseSent::attach(&mut response, created.claim);
        Ok(response)
    }
}

/// A credit a file, where the account's are counted; a test key's are not.
pub fn charge(account: &Account, files: usize) -> Option<Charge> {
    let limit = account.settings().credits.filter(|_| !account.is_test())?;
    let credits = u32::try_from(files).unwrap_or(u32::MAX);
    Some(Charge { credits, limit })
}
