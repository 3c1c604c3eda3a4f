//! Signed tokens in URLs of test keys: each says all there is to know, and none can be made up.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::model::time::Timestamp;

/// Path of the samples of test orders. A token follows it.
pub const SAMPLES_PATH: &str = "/api/v2/test-samples/";

/// What a token is for; one for the one does not do for the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Upload,
    Sample,
    /// A sample of a report; the index is that of its language.
    Report,
}

/// What a token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'t> {
    pub order_id: &'t str,
    /// The how-manieth file of the order it is for, from 0.
    pub index: usize,
    pub expires_at: Timestamp,
}

impl<'t> Token<'t> {
    /// The token, signed with the server's S3 secret.
    pub fn sign(&self, secret: &str, purpose: Purpose) -> String {
        let expires_at_ms = self.expires_at.ms();
        let text = format!("{}.{}.{expires_at_ms}", self.order_id, self.index);
        let signature = hmac(secret, purpose, &text).finalize().into_bytes();
        format!("{text}.{}", hex::encode(signature))
    }

    /// What the token says, if it is one of ours.
    pub fn parse(secret: &str, purpose: Purpose, token: &'t str) -> Option<Self> {
        let (text, signature) = token.rsplit_once('.')?;
        hmac(secret, purpose, text)
            .verify_slice(&hex::decode(signature).ok()?)
            .ok()?;
        let mut parts = text.split('.');
        Some(Self {
            order_id: parts.next()?,
            index: parts.next()?.parse().ok()?,
            expires_at: Timestamp::from_ms(parts.next()?.parse().ok()?),
        })
    }
}

fn hmac(secret: &str, purpose: Purpose, text: &str) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(match purpose {
        Purpose::Upload => b"test upload ",
        Purpose::Sample => b"test sample ",
        Purpose::Report => b"test report ",
    });
    mac.update(text.as_bytes());
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_as_it_was_made_and_never_made_up() {
        let created = Token {
            order_id: "42",
            index: 3,
            expires_at: Timestamp::from_ms(3_601_000),
        };
        let token = created.sign("secret", Purpose::Upload);
        assert_eq!(
            Token::parse("secret", Purpose::Upload, &token),
            Some(created)
        );
        assert_eq!(Token::parse("other", Purpose::Upload, &token), None);
        assert_eq!(Token::parse("secret", Purpose::Sample, &token), None);
        let other = token.replacen("42", "43", 1);
        assert_eq!(Token::parse("secret", Purpose::Upload, &other), None);
        for nonsense in ["", ".", "a.b.c.d", "42.3.1.zz"] {
            assert_eq!(Token::parse("secret", Purpose::Upload, nonsense), None);
        }
    }
}
