//! Watermark orders of v3 are made.

use axum::extract::State;

use super::wire::Created;
use crate::api::bizmori::auth::Caller;
use crate::api::bizmori::create::charge;
use crate::api::bizmori::error::{Code, Refusal};
use crate::api::bizmori::request::{
    Asked, CreateWatermarkEmbed, CreateWatermarkExtractV3, ReadWithDigest,
};
use crate::api::bizmori::uploads::Uploads;
use crate::api::bizmori::wire::View;
use crate::api::bizmori::{Answer, answer};
use crate::http::{Called, Context, Origin, Tied, Verbs};
use crate::model::order::{Api, Vendor};
use crate::services::orders::New;

pub async fn watermark_embed(
    State(context): State<Context>,
    caller: Caller,
    by: Called,
    ReadWithDigest(body, digest): ReadWithDigest<CreateWatermarkEmbed>,
) -> Answer {
    let asked = body.check(Api::V3)?;
    let operation = "bizmori.createWatermarkEmbedV3";
    create(&context, caller, &by, operation, asked, digest).await
}

pub async fn watermark_extract(
    State(context): State<Context>,
    caller: Caller,
    by: Called,
    ReadWithDigest(body, digest): ReadWithDigest<CreateWatermarkExtractV3>,
) -> Answer {
    let asked = body.check()?;
    let operation = "bizmori.createWatermarkExtractV3";
    create(&context, caller, &by, operation, asked, digest).await
}

/// Creates the order, or finds the one that the same idempotency key created. Another body under the
/// same key is a conflict.
async fn create(
    verbs: &Verbs,
    Caller(account): Caller,
    by: &Called,
    operation: &'static str,
    asked: Asked,
    digest: String,
) -> Answer {
    let Origin(origin) = Origin::of(verbs, by).await?;
    let new = New {
        operation,
        idempotency_key: Some(asked.idempotency_key),
        vendor: Vendor::Bizmori,
        api: Api::V3,
        origin: origin.clone(),
        name: asked.order_name,
        work: asked.work,
        charge: charge(&account, asked.files.len()),
        files: asked.files,
        id: None,
        request_digest: Some(digest.clone()),
    };
    let created = verbs.orders.create(&account, new).await?;
    let order = created.order;
    // Bodies of test keys are not compared.
    if !order.test && order.request_digest.as_ref() != Some(&digest) {
        let line = format!(
            "idempotencyKey: order {} was made with another body",
            order.id
        );
        return Err(Refusal::new(Code::WatermarkV2Conflict, line));
    }
    let view = View::of(verbs, &account, &origin);
    let uploads = Uploads::new(verbs, &account, origin.clone());
    let mut response = answer(Created::of(&order, view, &uploads));
    Tied::tie(&mut response, created.hold);
    Ok(response)
}
