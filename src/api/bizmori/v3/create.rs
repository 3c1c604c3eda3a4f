//! Creation of watermark orders by v3.

use axum::http::Method;

use super::wire::CreatedOrderV3;
use crate::api::bizmori::create::{CreateRequest, create, describe_create};
use crate::api::bizmori::error::ErrorCode;
use crate::api::bizmori::fixtures;
use crate::api::bizmori::request::{CreateWatermarkEmbedV3, CreateWatermarkExtractV3};
use crate::api::bizmori::uploads::UploadUrls;
use crate::api::bizmori::wire::RenderContext;
use crate::http::Routes;
use crate::http::openapi::OperationDoc;
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
        .docs(describe_watermark_embed)
        .produces(ResultKind::Outputs)
        .fixture_builder(fixtures::watermark_embed_v3)
        .on(
            CreateWatermarkExtractV3::OPERATION,
            Method::POST,
            "/api/v3/orders/wtr-extract",
            create::<CreateWatermarkExtractV3>,
        )
        .docs(describe_watermark_extract)
        .produces(ResultKind::ExtractionV3)
        .fixture_builder(fixtures::watermark_extract_v3)
}

fn describe_watermark_embed(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    describe_create::<CreateWatermarkEmbedV3>(
        doc,
        "Create a watermark embed order",
        "Embeds invisible texts into the files. The order starts when the last file is uploaded.",
        &[ErrorCode::WatermarkV2Conflict],
    )
}

fn describe_watermark_extract(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    describe_create::<CreateWatermarkExtractV3>(
        doc,
        "Create a watermark extract order",
        "Looks for an invisible text in a file, and compares the file with its original. The order starts \
         when the last file is uploaded.",
        &[ErrorCode::WatermarkV2Conflict],
    )
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
