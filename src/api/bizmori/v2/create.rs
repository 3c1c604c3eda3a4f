//! Creation of orders by v2.

use axum::extract::{Request, State};
use axum::http::Method;
use axum::response::Response;

use super::sunset::{check_sunset, with_deprecation_headers};
use super::wire::{
    AiDetectionCreated, AntiAiCreated, StartedOrder, WatermarkEmbedCreated, WatermarkExtractCreated,
};
use crate::api::bizmori::create::{CreateRequest, create};
use crate::api::bizmori::error::ApiError;
use crate::api::bizmori::fixtures;
use crate::api::bizmori::request::{
    CreateAiDetection, CreateAntiAi, CreateAntiAiWithUrls, CreateWatermarkEmbed,
    CreateWatermarkExtract,
};
use crate::api::bizmori::uploads::UploadUrls;
use crate::api::bizmori::wire::RenderContext;
use crate::http::{AppState, Routes, Services};
use crate::model::rule::ResultKind;
use crate::services::accounts::Account;
use crate::services::orders::CreatedOrder;

/// Adds the operations that create orders.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            CreateAntiAi::OPERATION,
            Method::POST,
            "/api/v2/orders/anti-ai",
            create::<CreateAntiAi>,
        )
        .produces(ResultKind::Outputs)
        .fixture_builder(fixtures::anti_ai)
        .on(
            CreateAntiAiWithUrls::OPERATION,
            Method::POST,
            "/api/v2/orders/anti-ai/with-urls",
            create::<CreateAntiAiWithUrls>,
        )
        .produces(ResultKind::Outputs)
        .on(
            CreateWatermarkEmbed::OPERATION,
            Method::POST,
            "/api/v2/orders/wtr-embed",
            create_until_sunset::<CreateWatermarkEmbed>,
        )
        .produces(ResultKind::Outputs)
        .fixture_builder(fixtures::watermark_embed)
        .on(
            CreateWatermarkExtract::OPERATION,
            Method::POST,
            "/api/v2/orders/wtr-extract",
            create_until_sunset::<CreateWatermarkExtract>,
        )
        .produces(ResultKind::Extraction)
        .fixture_builder(fixtures::watermark_extract)
        .on(
            CreateAiDetection::OPERATION,
            Method::POST,
            "/api/v2/orders/ai-detection",
            create::<CreateAiDetection>,
        )
        .produces(ResultKind::Detection)
        .fixture_builder(fixtures::ai_detection)
}

async fn create_until_sunset<T: CreateRequest>(
    State(state): State<AppState>,
    request: Request,
) -> Response {
    with_deprecation_headers(create::<T>, request, state).await
}

impl CreateRequest for CreateAntiAi {
    const OPERATION: &'static str = "bizmori.createAntiAi";
    type ResponseBody = AntiAiCreated;

    fn response_body(
        created: &CreatedOrder,
        _: RenderContext<'_>,
        uploads: &UploadUrls<'_>,
    ) -> AntiAiCreated {
        let order = &created.order;
        AntiAiCreated::new(order, |index| uploads.url(order, index))
    }
}

impl CreateRequest for CreateAntiAiWithUrls {
    const OPERATION: &'static str = "bizmori.createAntiAiWithUrls";
    type ResponseBody = StartedOrder;

    fn response_body(
        created: &CreatedOrder,
        _: RenderContext<'_>,
        _: &UploadUrls<'_>,
    ) -> StartedOrder {
        StartedOrder::from(created.order.as_ref())
    }
}

impl CreateRequest for CreateAiDetection {
    const OPERATION: &'static str = "bizmori.createAiDetection";
    type ResponseBody = AiDetectionCreated;

    fn response_body(
        created: &CreatedOrder,
        _: RenderContext<'_>,
        uploads: &UploadUrls<'_>,
    ) -> AiDetectionCreated {
        let order = &created.order;
        AiDetectionCreated::new(order, |index| uploads.url(order, index))
    }
}

impl CreateRequest for CreateWatermarkEmbed {
    const OPERATION: &'static str = "bizmori.createWatermarkEmbed";
    type ResponseBody = WatermarkEmbedCreated;

    fn check_available(state: &Services, account: &Account) -> Result<(), ApiError> {
        check_sunset(state, account)
    }

    fn response_body(
        created: &CreatedOrder,
        _: RenderContext<'_>,
        uploads: &UploadUrls<'_>,
    ) -> WatermarkEmbedCreated {
        let order = &created.order;
        WatermarkEmbedCreated::new(order, !created.replayed, |index| uploads.url(order, index))
    }
}

impl CreateRequest for CreateWatermarkExtract {
    const OPERATION: &'static str = "bizmori.createWatermarkExtract";
    type ResponseBody = WatermarkExtractCreated;

    fn check_available(state: &Services, account: &Account) -> Result<(), ApiError> {
        check_sunset(state, account)
    }

    fn response_body(
        created: &CreatedOrder,
        _: RenderContext<'_>,
        uploads: &UploadUrls<'_>,
    ) -> WatermarkExtractCreated {
        let order = &created.order;
        WatermarkExtractCreated::new(order, |index| uploads.url(order, index))
    }
}
