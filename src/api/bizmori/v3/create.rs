//! Creation of watermark orders by v3.

use axum::http::Method;

use super::wire::CreatedOrderV3;
use crate::api::bizmori::create::{CreateRequest, create};
use crate::api::bizmori::fixtures;
use crate::api::bizmori::request::{CreateWatermarkEmbedV3, CreateWatermarkExtractV3};
use crate::api::bizmori::uploads::UploadUrls;
use crate::api::bizmori::wire::RenderContext;
use crate::http::Routes;
use crate::model::rule::ResultKind;
use crate::services::orders::CreatedOrder;

/// Adds the operations that create orders.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            CreateWatermarkEmbedV3::OPERATION,
            Method::POST,
            "/api/v3/orders/wtr-embed",
            create::<CreateWatermarkEmbedV3>,
        )
        .produces(ResultKind::Outputs)
        .fixture_builder(fixtures::watermark_embed_v3)
        .on(
            CreateWatermarkExtractV3::OPERATION,
            Method::POST,
            "/api/v3/orders/wtr-extract",
            create::<CreateWatermarkExtractV3>,
        )
        .produces(ResultKind::ExtractionV3)
        .fixture_builder(fixtures::watermark_extract_v3)
}

impl CreateRequest for CreateWatermarkEmbedV3 {
    const OPERATION: &'static str = "bizmori.createWatermarkEmbedV3";
    type ResponseBody = CreatedOrderV3;

    fn response_body(
        created: &CreatedOrder,
        context: RenderContext<'_>,
        uploads: &UploadUrls<'_>,
    ) -> CreatedOrderV3 {
        CreatedOrderV3::new(&created.order, context, uploads)
    }
}

impl CreateRequest for CreateWatermarkExtractV3 {
    const OPERATION: &'static str = "bizmori.createWatermarkExtractV3";
    type ResponseBody = CreatedOrderV3;

    fn response_body(
        created: &CreatedOrder,
        context: RenderContext<'_>,
        uploads: &UploadUrls<'_>,
    ) -> CreatedOrderV3 {
        CreatedOrderV3::new(&created.order, context, uploads)
    }
}
