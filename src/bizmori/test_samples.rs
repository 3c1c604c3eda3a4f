//! Sample files, which stand for what the orders of test keys would have made.

use axum::body::Body;
use axum::extract::State;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use tokio_util::io::ReaderStream;

use super::download::downloadable;
use super::error::{Code, Refusal};
use super::token::{Purpose, Token};
use crate::model::order::Vendor;
use crate::model::time::Timestamp;
use crate::web::{Context, Segment};

/// What a token follows in a URL's path.
pub const PATH: &str = "/api/v2/test-samples/";

/// Where the sample of a test order's output `index` is read until `expires_at`; behind the last
/// of them comes the ZIP of all.
pub fn url(
    secret: &str,
    origin: &str,
    order_id: &str,
    index: usize,
    expires_at: Timestamp,
) -> String {
    let token = Token {
        order_id,
        index,
        expires_at,
    };
    let token = token.sign(secret, Purpose::Sample);
    format!("{origin}{PATH}{token}")
}

pub async fn get(
    State(context): State<Context>,
    Segment(token): Segment,
) -> Result<Response, Refusal> {
    let forbidden = |line: &str| Refusal::new(Code::AuthForbidden, line);
    let token = Token::read(&context.config.storage.s3_secret, Purpose::Sample, &token)
        .ok_or_else(|| forbidden("the token is not one of ours"))?;
    let found = context.orders.find(Vendor::Bizmori, token.order_id).await?;
    let gone = || Refusal::new(Code::OrderNotFound, "the order of this token is gone");
    let order = found.ok_or_else(gone)?;
    let account = context.accounts.by_id(order.account).ok_or_else(gone)?;
    if account.now() > token.expires_at {
        return Err(forbidden("the token has expired by the account's clock"));
    }
    downloadable(&order)?;
    let sample = context.orders.sample(&order, token.index).await?;
    let sample = sample.ok_or_else(|| {
        let line = format!("order {} has no output {}", order.id, token.index);
        Refusal::new(Code::ProcessedFileNotFound, line)
    })?;
    let body = Body::from_stream(ReaderStream::new(sample.file));
    let content_type = [(CONTENT_TYPE, sample.media_type)];
    Ok((content_type, body).into_response())
}
