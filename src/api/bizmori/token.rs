//! Signed tokens in URLs of test keys. A token states what its URL is for, and cannot be forged.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::time::Timestamp;

/// Path of the uploads of test orders. A token follows.
pub const UPLOADS_PATH_PREFIX: &str = "/api/v2/test-uploads/";
/// Path of the samples of test orders. A token follows.
pub const SAMPLES_PATH_PREFIX: &str = "/api/v2/test-samples/";

/// Use of a token. A token is valid for its own purpose only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Upload,
    Sample,
    /// Sample of a report. The token's index is the index of the locale.
    Report,
}

/// Content of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'t> {
    pub order_id: &'t str,
    /// Index of the file in the order, from 0.
    pub index: usize,
    pub expires_at: Timestamp,
}

impl<'t> Token<'t> {
    /// Returns the token as text, signed with `secret`, the server's S3 secret.
    pub fn sign(&self, secret: &str, purpose: Purpose) -> String {
        let expires_at_ms = self.expires_at.ms();
        let payload = format!("{}.{}.{expires_at_ms}", self.order_id, self.index);
        let signature = hmac(secret, purpose, &payload).finalize().into_bytes();
        format!("{payload}.{}", hex::encode(signature))
    }

    /// Returns the content of `token`. `None` if it is malformed, or not signed for `purpose`.
    pub fn parse(secret: &str, purpose: Purpose, token: &'t str) -> Option<Self> {
        let (payload, signature) = token.rsplit_once('.')?;
        hmac(secret, purpose, payload)
            .verify_slice(&hex::decode(signature).ok()?)
            .ok()?;
        let mut parts = payload.split('.');
        Some(Self {
            order_id: parts.next()?,
            index: parts.next()?.parse().ok()?,
            expires_at: Timestamp::from_ms(parts.next()?.parse().ok()?),
        })
    }
}

fn hmac(secret: &str, purpose: Purpose, payload: &str) -> Hmac<Sha256> {
    let mut hmac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    hmac.update(match purpose {
        Purpose::Upload => b"test upload ",
        Purpose::Sample => b"test sample ",
        Purpose::Report => b"test report ",
    });
    hmac.update(payload.as_bytes());
    hmac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_returns_the_content_of_a_signed_token_and_none_for_a_forged_one() {
        let content = Token {
            order_id: "42",
            index: 3,
            expires_at: Timestamp::from_ms(3_601_000),
        };
        let token = content.sign("secret", Purpose::Upload);
        assert_eq!(
            Token::parse("secret", Purpose::Upload, &token),
            Some(content)
        );
        assert_eq!(Token::parse("other", Purpose::Upload, &token), None);
        assert_eq!(Token::parse("secret", Purpose::Sample, &token), None);
        let other_order = token.replacen("42", "43", 1);
        assert_eq!(Token::parse("secret", Purpose::Upload, &other_order), None);
        for malformed in ["", ".", "a.b.c.d", "42.3.1.zz"] {
            assert_eq!(Token::parse("secret", Purpose::Upload, malformed), None);
        }
    }
}
