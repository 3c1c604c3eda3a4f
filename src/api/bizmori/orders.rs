//! Orders of v2: confirmed, read, given new upload URLs.

use std::sync::Arc;

use axum::extract::State;

use super::auth::Caller;
use super::error::{Code, Refusal};
use super::request::{Confirm, Read};
use super::uploads::Uploads;
use super::wire::{Confirmed, Detail, Refreshed, View, outcome_of_order};
use super::{Answer, answer};
use crate::http::{Called, Context, Origin, Segment, Tied, Verbs, X_MOCK_OUTCOME};
use crate::model::order::{Order, State as OrderState, Vendor};
use crate::model::work::Work;
use crate::services::accounts::Account;

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
    Tied::tie(&mut response, started.hold);
    Ok(response)
}

pub async fn get(
    State(context): State<Context>,
    Caller(account): Caller,
    Segment(order_id): Segment,
    called: Called,
) -> Answer {
    let order = own(&context, &account, &order_id, Code::OrderNotOwner).await?;
    let (order, hold) = context.orders.polled(&account, order).await?;
    let Origin(origin) = Origin::of(&context, &called).await?;
    let view = View::of(&context, &account, &origin);
    let mut response = answer(Detail::of(&order, view));
    Tied::tie(&mut response, hold);
    if let Some(outcome) = outcome_of_order(&order) {
        response.headers_mut().insert(X_MOCK_OUTCOME, outcome);
    }
    Ok(response)
}

/// The account's order of that id; another key's is refused with the code `foreign`.
pub async fn own(
    verbs: &Verbs,
    account: &Account,
    order_id: &str,
    foreign: Code,
) -> Result<Arc<Order>, Refusal> {
    let found = verbs.orders.find(Vendor::Bizmori, order_id).await?;
    let missing = || Refusal::new(Code::OrderNotFound, format!("there is no order {order_id}"));
    let order = found.ok_or_else(missing)?;
    if order.account == account.id {
        return Ok(order);
    }
    let line = format!("order {order_id} is another key's");
    Err(Refusal::new(foreign, line))
}

pub async fn refresh_urls(
    State(context): State<Context>,
    Caller(account): Caller,
    Segment(order_id): Segment,
    called: Called,
) -> Answer {
    let order = own(&context, &account, &order_id, Code::OrderNotOwner).await?;
    if order.state != OrderState::Pending {
        let line = format!("order {order_id} is {}", order.state.status());
        return Err(Refusal::new(Code::OrderNotPending, line));
    }
    let Origin(origin) = Origin::of(&context, &called).await?;
    let uploads = Uploads::new(&context, &account, origin);
    Ok(answer(Refreshed::of(&order, |index| {
        uploads.url(&order, index)
    })))
}
