//! What was made is downloaded, v2; and which orders have anything to download.

use axum::extract::State;

use super::auth::Caller;
use super::error::{Code, Refusal};
use super::orders::own;
use super::wire::Download;
use super::{Answer, answer};
use crate::http::{Called, Context, Origin, Segment};
use crate::model::order::{Order, State as OrderState, Vendor};
use crate::model::work::{Outcome, Outputs, Work};
use crate::services::links::READ_S;

pub async fn get(
    State(context): State<Context>,
    Caller(account): Caller,
    Segment(order_id): Segment,
    called: Called,
) -> Answer {
    let order = own(&context, &account, &order_id, Code::OrderNotFound).await?;
    let outputs = downloadable(&order)?;
    let Some(key) = &outputs.download else {
        let line = if order.test {
            format!("order {order_id} was made with a test key, which has no files")
        } else {
            format!("order {order_id} has handed over its outputs, and keeps none")
        };
        return Err(Refusal::new(Code::ProcessedFileNotFound, line));
    };
    let Origin(origin) = Origin::of(&context, &called).await?;
    let name = match order.cuts().as_slice() {
        [cut] => cut.file.name.clone(),
        _ => format!("{}.zip", order.name),
    };
    let now = account.now();
    let links = &context.links;
    let url = links.save(&origin, Vendor::Bizmori, key, &name, now, READ_S);
    Ok(answer(Download {
        url: url.clone(),
        download_url: url,
        expires_in: READ_S,
    }))
}

/// What the order has made.
///
/// # Errors
/// If orders of its type make nothing, it has expired, or it is not complete; in this order.
pub fn downloadable(order: &Order) -> Result<&Outputs, Refusal> {
    let refused = |code, line: &str| Err(Refusal::new(code, format!("order {} {line}", order.id)));
    match (&order.work, &order.state) {
        (
            Work::AiDetection { .. } | Work::WatermarkExtract | Work::Document(_) | Work::Bulk(_),
            _,
        ) => refused(
            Code::OrderTypeCantDownload,
            "looks at a file: it makes none",
        ),
        (_, OrderState::Expired { .. }) => refused(Code::OrderExpired, "has expired"),
        (
            _,
            OrderState::Complete {
                outcome: Outcome::Outputs(outputs),
                ..
            },
        ) => Ok(outputs),
        (_, state) => refused(Code::OrderNotCompleted, &format!("is {}", state.status())),
    }
}
