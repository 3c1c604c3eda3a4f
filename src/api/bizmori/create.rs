//! Orders of v2 are made.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::Response;
use serde::Serialize;

use super::auth::Caller;
use super::error::Refusal;
use super::request::{
    Asked, CreateAiDetection, CreateAntiAi, CreateAntiAiWithUrls, CreateWatermarkEmbed,
    CreateWatermarkExtract, Read,
};
use super::sunset::{BeforeSunset, announced};
use super::uploads::Uploads;
use super::wire::{
    AiDetectionCreated, AntiAiCreated, Started, WatermarkEmbedCreated, WatermarkExtractCreated,
};
use super::{Answer, answer};
use crate::http::{Called, Context, Origin, Tied, Verbs};
use crate::model::order::{Api, Vendor};
use crate::services::accounts::Account;
use crate::services::orders::{Charge, Created, New};

pub async fn anti_ai(
    State(context): State<Context>,
    Caller(account): Caller,
    called: Called,
    Read(body): Read<CreateAntiAi>,
) -> Answer {
    let call = Call::of(&context, &account, &called).await?;
    let asked = body.check(account.now())?;
    let told = |Created { order, .. }: &Created| {
        AntiAiCreated::of(order, |index| call.uploads.url(order, index))
    };
    call.create("bizmori.createAntiAi", asked, told).await
}

pub async fn anti_ai_with_urls(
    State(context): State<Context>,
    Caller(account): Caller,
    called: Called,
    Read(body): Read<CreateAntiAiWithUrls>,
) -> Answer {
    let call = Call::of(&context, &account, &called).await?;
    let asked = body.check(account.now())?;
    let told = |created: &Created| Started::from(created.order.as_ref());
    call.create("bizmori.createAntiAiWithUrls", asked, told)
        .await
}

pub async fn ai_detection(
    State(context): State<Context>,
    Caller(account): Caller,
    called: Called,
    Read(body): Read<CreateAiDetection>,
) -> Answer {
    let call = Call::of(&context, &account, &called).await?;
    let asked = body.check()?;
    let told = |Created { order, .. }: &Created| {
        AiDetectionCreated::of(order, |index| call.uploads.url(order, index))
    };
    call.create("bizmori.createAiDetection", asked, told).await
}

pub async fn watermark_embed(State(context): State<Context>, request: Request) -> Response {
    announced(embed, request, context).await
}

async fn embed(
    State(context): State<Context>,
    BeforeSunset(account): BeforeSunset,
    called: Called,
    Read(body): Read<CreateWatermarkEmbed>,
) -> Answer {
    let call = Call::of(&context, &account, &called).await?;
    let asked = body.check(Api::V2)?;
    let told = |created: &Created| {
        let order = &created.order;
        let upload_url = |index| call.uploads.url(order, index);
        WatermarkEmbedCreated::of(order, !created.replayed, upload_url)
    };
    call.create("bizmori.createWatermarkEmbed", asked, told)
        .await
}

pub async fn watermark_extract(State(context): State<Context>, request: Request) -> Response {
    announced(extract, request, context).await
}

async fn extract(
    State(context): State<Context>,
    BeforeSunset(account): BeforeSunset,
    called: Called,
    Read(body): Read<CreateWatermarkExtract>,
) -> Answer {
    let call = Call::of(&context, &account, &called).await?;
    let asked = body.check()?;
    let told = |Created { order, .. }: &Created| {
        WatermarkExtractCreated::of(order, |index| call.uploads.url(order, index))
    };
    call.create("bizmori.createWatermarkExtract", asked, told)
        .await
}

/// A create call: whose, and where its uploads go.
struct Call<'c> {
    verbs: &'c Verbs,
    account: &'c Arc<Account>,
    uploads: Uploads<'c>,
}

impl<'c> Call<'c> {
    async fn of(
        verbs: &'c Verbs,
        account: &'c Arc<Account>,
        called: &Called,
    ) -> Result<Self, Refusal> {
        let Origin(origin) = Origin::of(verbs, called).await?;
        Ok(Self {
            verbs,
            account,
            uploads: Uploads::new(verbs, account, origin),
        })
    }

    /// Makes the order, or finds it, and answers what is `told` of it.
    async fn create<T: Serialize>(
        &self,
        operation: &'static str,
        asked: Asked,
        told: impl FnOnce(&Created) -> T,
    ) -> Answer {
        let new = New {
            operation,
            idempotency_key: Some(asked.idempotency_key),
            vendor: Vendor::Bizmori,
            api: Api::V2,
            origin: self.uploads.origin().to_owned(),
            name: asked.order_name,
            work: asked.work,
            charge: charge(self.account, asked.files.len()),
            files: asked.files,
            id: None,
            request_digest: None,
        };
        let created = self.verbs.orders.create(self.account, new).await?;
        let mut response: Response = answer(told(&created));
        Tied::tie(&mut response, created.hold);
        Ok(response)
    }
}

/// A credit a file, where the account's are counted; a test key's are not.
pub fn charge(account: &Account, files: usize) -> Option<Charge> {
    let limit = account.settings().credits.filter(|_| !account.is_test())?;
    let credits = u32::try_from(files).unwrap_or(u32::MAX);
    Some(Charge { credits, limit })
}
