//! Where test keys upload: the body is read, counted and thrown away.
//!
//! The URL carries a token of order, file and expiry, signed with the server's S3 secret, so
//! that a token says all there is to know and none can be made up.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use hmac::{Hmac, KeyInit, Mac};
use http_body_util::BodyExt;
use sha2::Sha256;

use super::error::{Code, Refusal};
use crate::accounts::Account;
use crate::model::order::Vendor;
use crate::model::time::Timestamp;
use crate::web::{Context, Segment, Verbs};

/// 50 MiB.
const BODY_BYTES_MAX: u64 = 50 * 1024 * 1024;
/// An hour.
const LIFETIME_MS: i64 = 3_600_000;

/// What a token follows in a URL's path.
pub const PATH: &str = "/api/v2/test-uploads/";

/// Where file `index` of a test order is uploaded, from `now` for an hour.
pub fn url(secret: &str, origin: &str, order_id: &str, index: usize, now: Timestamp) -> String {
    let said = format!("{order_id}.{index}.{}", now.plus_ms(LIFETIME_MS).ms());
    format!(
        "{origin}{PATH}{said}.{}",
        hex::encode(mac(secret, &said).finalize().into_bytes())
    )
}

fn mac(secret: &str, said: &str) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(b"test upload ");
    mac.update(said.as_bytes());
    mac
}

struct Token<'t> {
    order_id: &'t str,
    index: usize,
    expires_at: Timestamp,
}

fn read<'t>(secret: &str, token: &'t str) -> Option<Token<'t>> {
    let (said, signature) = token.rsplit_once('.')?;
    mac(secret, said)
        .verify_slice(&hex::decode(signature).ok()?)
        .ok()?;
    let mut parts = said.split('.');
    Some(Token {
        order_id: parts.next()?,
        index: parts.next()?.parse().ok()?,
        expires_at: Timestamp::from_ms(parts.next()?.parse().ok()?),
    })
}

/// Whose order a token is for.
pub async fn whose(verbs: &Verbs, token: &str) -> Option<Arc<Account>> {
    let token = read(&verbs.config.s3_secret, token)?;
    let found = verbs.orders.find(Vendor::Bizmori, token.order_id).await;
    verbs.accounts.by_id(found.ok()??.account)
}

pub async fn put(
    State(context): State<Context>,
    Segment(token): Segment,
    mut body: Body,
) -> Result<Response, Refusal> {
    let forbidden = |line: &str| Refusal::new(Code::AuthForbidden, line);
    let token = read(&context.config.s3_secret, &token)
        .ok_or_else(|| forbidden("the token is not one of ours"))?;
    let found = context.orders.find(Vendor::Bizmori, token.order_id).await?;
    let gone = || Refusal::new(Code::OrderNotFound, "the order of this token is gone");
    let order = found.ok_or_else(gone)?;
    let account = context.accounts.by_id(order.account).ok_or_else(gone)?;
    let file = order.files.get(token.index).ok_or_else(gone)?;
    if account.now() > token.expires_at {
        return Err(forbidden("the token has expired by the account's clock"));
    }
    let mut bytes = 0_u64;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refusal::invalid("the body was cut short"))?;
        bytes += frame
            .data_ref()
            .map_or(0, |data| u64::try_from(data.len()).unwrap_or(u64::MAX));
        if bytes > BODY_BYTES_MAX {
            let line = format!("the body is larger than {BODY_BYTES_MAX} bytes");
            return Err(Refusal::new(Code::TestUploadTooLarge, line));
        }
    }
    context
        .orders
        .received(account.id, &order.id, &file.key, bytes, account.now())
        .await?;
    Ok(StatusCode::OK.into_response())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_made_and_never_made_up() {
        let url = url("secret", "http://mock", "42", 3, Timestamp::from_ms(1_000));
        let token = url.rsplit('/').next().expect("a token");
        let read_back = read("secret", token).expect("a token of ours");
        assert_eq!(
            (
                read_back.order_id,
                read_back.index,
                read_back.expires_at.ms()
            ),
            ("42", 3, 3_601_000)
        );
        assert!(read("other", token).is_none());
        assert!(read("secret", &token.replacen("42", "43", 1)).is_none());
        for nonsense in ["", ".", "a.b.c.d", "42.3.1.zz"] {
            assert!(read("secret", nonsense).is_none(), "{nonsense}");
        }
    }
}
