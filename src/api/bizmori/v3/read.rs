//! Orders are read.

use axum::extract::State;

use super::own;
use super::wire::Detail;
use crate::api::bizmori::auth::Caller;
use crate::api::bizmori::uploads::Uploads;
use crate::api::bizmori::wire::{View, outcome_of_order};
use crate::api::bizmori::{Answer, answer};
use crate::http::{Called, Context, Origin, Segment, Tied, X_MOCK_OUTCOME};

pub async fn get(
    State(context): State<Context>,
    Caller(account): Caller,
    Segment(order_id): Segment,
    called: Called,
) -> Answer {
    let order = own(&context, &account, &order_id).await?;
    let (order, hold) = context.orders.polled(&account, order).await?;
    let Origin(origin) = Origin::of(&context, &called).await?;
    let view = View::of(&context, &account, &origin);
    let uploads = Uploads::new(&context, &account, origin.clone());
    let mut response = answer(Detail::of(&order, view, &uploads));
    Tied::tie(&mut response, hold);
    if let Some(outcome) = outcome_of_order(&order) {
        response.headers_mut().insert(X_MOCK_OUTCOME, outcome);
    }
    Ok(response)
}
