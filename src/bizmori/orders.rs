//! Orders, v2: made, confirmed, read, downloaded.

use std::sync::Arc;

use axum::extract::State;
use axum::http::HeaderMap;

use super::auth::Caller;
use super::error::{Code, Refusal};
use super::request::{Asked, Confirm, CreateAiDetection, CreateAntiAi, Read};
use super::test_uploads;
use super::wire::{
    AiDetectionCreated, AntiAiCreated, Confirmed, Detail, Download, NewFile, detection,
};
use super::{Answer, answer};
use crate::accounts::Account;
use crate::links::READ_S;
use crate::model::order::{Order, State as OrderState, Vendor};
use crate::model::work::{Outcome, Work};
use crate::orders::{Files, New};
use crate::web::{Context, Origin, PLAN, Segment, Tied, Verbs, plan};

pub async fn create_anti_ai(
    State(context): State<Context>,
    Caller(account): Caller,
    headers: HeaderMap,
    Read(body): Read<CreateAntiAi>,
) -> Answer {
    let asked = body.check()?;
    let work = Work::AntiAi {
        strength: asked.what,
    };
    let (order, files) = create(
        &context,
        &account,
        &headers,
        "bizmori.createAntiAi",
        asked,
        work,
    )
    .await?;
    let status = order.state.status();
    Ok(answer(AntiAiCreated {
        order_name: order.name.clone(),
        order_id: order.id.clone(),
        status,
        files,
    }))
}

pub async fn create_ai_detection(
    State(context): State<Context>,
    Caller(account): Caller,
    headers: HeaderMap,
    Read(body): Read<CreateAiDetection>,
) -> Answer {
    let asked = body.check()?;
    let work = Work::AiDetection {
        options: asked.what,
    };
    let (order, files) = create(
        &context,
        &account,
        &headers,
        "bizmori.createAiDetection",
        asked,
        work,
    )
    .await?;
    let status = order.state.status();
    let file = files.into_iter().next();
    Ok(answer(AiDetectionCreated {
        order_id: order.id.clone(),
        order_name: order.name.clone(),
        status,
        file,
    }))
}

async fn create<T>(
    verbs: &Verbs,
    account: &Account,
    headers: &HeaderMap,
    operation: &'static str,
    asked: Asked<T>,
    work: Work,
) -> Result<(Arc<Order>, Vec<NewFile>), Refusal> {
    let Origin(origin) = Origin::of(verbs, headers).await?;
    let upload_s = match work {
        Work::AiDetection { .. } => verbs.config.ai_detection_upload_s,
        Work::AntiAi { .. } | Work::Document(_) => verbs.config.upload_s,
    };
    let new = New {
        operation,
        idempotency_key: Some(asked.idempotency_key),
        vendor: Vendor::Bizmori,
        origin: origin.clone(),
        name: asked.order_name,
        work,
        files: Files::Awaited(asked.file_names),
        id: None,
    };
    let order = verbs.orders.create(account, new).await?.order;
    let now = account.now();
    let files = NewFile::of(&order, |index| {
        if order.test {
            test_uploads::url(&verbs.config.s3_secret, &origin, &order.id, index, now)
        } else {
            verbs.links.write(
                &origin,
                Vendor::Bizmori,
                &order.files[index].key,
                now,
                upload_s,
            )
        }
    });
    Ok((order, files))
}

pub async fn confirm_anti_ai(
    State(context): State<Context>,
    caller: Caller,
    Read(body): Read<Confirm>,
) -> Answer {
    confirm(&context, caller, body, |work| {
        matches!(work, Work::AntiAi { .. })
    })
    .await
}

pub async fn confirm_ai_detection(
    State(context): State<Context>,
    caller: Caller,
    Read(body): Read<Confirm>,
) -> Answer {
    confirm(&context, caller, body, |work| {
        matches!(work, Work::AiDetection { .. })
    })
    .await
}

async fn confirm(
    verbs: &Verbs,
    Caller(account): Caller,
    body: Confirm,
    of_type: fn(&Work) -> bool,
) -> Answer {
    let key = body.key()?;
    let started = verbs
        .orders
        .confirm(&account, &body.order_id, &key, |order| of_type(&order.work));
    let started = started.await?;
    let status = started.order.state.status();
    let mut response = answer(Confirmed {
        order_id: started.order.id.clone(),
        status,
    });
    if let Some(hold) = started.hold {
        response.extensions_mut().insert(Tied::new(hold));
    }
    Ok(response)
}

pub async fn get(
    State(context): State<Context>,
    Caller(account): Caller,
    Segment(order_id): Segment,
    headers: HeaderMap,
) -> Answer {
    let order = find(&context, &order_id).await?;
    if order.account != account.id {
        return Err(Refusal::new(
            Code::OrderNotOwner,
            format!("order {order_id} is another key's"),
        ));
    }
    let Origin(origin) = Origin::of(&context, &headers).await?;
    let mut response = answer(Detail::of(&order, &context.links, &origin, account.now()));
    if let Some(found) = detection(&order) {
        let settled = format!("probability {}", found.verdict.probability);
        let plan = plan(&settled, &found.verdict.basis);
        response.headers_mut().insert(PLAN, plan);
    }
    Ok(response)
}

async fn find(verbs: &Verbs, order_id: &str) -> Result<Arc<Order>, Refusal> {
    let found = verbs.orders.find(Vendor::Bizmori, order_id).await?;
    found.ok_or_else(|| Refusal::new(Code::OrderNotFound, format!("there is no order {order_id}")))
}

pub async fn download(
    State(context): State<Context>,
    Caller(account): Caller,
    Segment(order_id): Segment,
    headers: HeaderMap,
) -> Answer {
    let order = find(&context, &order_id).await?;
    if order.account != account.id {
        return Err(Refusal::new(
            Code::OrderNotFound,
            format!("order {order_id} is another key's"),
        ));
    }
    let refused = |code, line: &str| Err(Refusal::new(code, format!("order {order_id} {line}")));
    let outputs = match (&order.work, &order.state) {
        (Work::AiDetection { .. } | Work::Document(_), _) => {
            return refused(
                Code::OrderTypeCantDownload,
                "judges a picture: it makes none",
            );
        }
        (_, OrderState::Expired { .. }) => return refused(Code::OrderExpired, "has expired"),
        (
            _,
            OrderState::Complete {
                outcome: Outcome::Outputs(outputs),
                ..
            },
        ) => outputs,
        (_, state) => {
            return refused(Code::OrderNotCompleted, &format!("is {}", state.status()));
        }
    };
    let Some(key) = &outputs.download else {
        return refused(
            Code::ProcessedFileNotFound,
            "was made with a test key, which has no files",
        );
    };
    let Origin(origin) = Origin::of(&context, &headers).await?;
    let name = match order.files.as_slice() {
        [file] => file.name.clone(),
        _ => format!("{}.zip", order.name),
    };
    let url = context
        .links
        .save(&origin, Vendor::Bizmori, key, &name, account.now());
    Ok(answer(Download {
        url: url.clone(),
        download_url: url,
        expires_in: READ_S,
    }))
}
