//! Signatures of webhooks, by which a receiver verifies the sender.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Returns BIZ MORI's signature: lower-case hex HMAC-SHA256 of the body. The key is the whole
/// secret, including its prefix.
///
/// # Panics
/// Never panics: HMAC takes keys of any length.
#[must_use]
pub fn signature(secret: &str, body: &[u8]) -> String {
    hex::encode(mac(secret, body).finalize().into_bytes())
}

/// `true` if `signature` is the signature of `body`. Compares in constant time.
///
/// # Panics
/// Never panics: HMAC takes keys of any length.
#[must_use]
pub fn verify(secret: &str, body: &[u8], signature: &str) -> bool {
    hex::decode(signature.trim()).is_ok_and(|sent| mac(secret, body).verify_slice(&sent).is_ok())
}

fn mac(secret: &str, body: &[u8]) -> Hmac<Sha256> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes keys of any length");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_of_the_rfc_4231_vector_is_the_expected_one() {
        let expected = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
        let body = b"what do ya want for nothing?";
        assert_eq!(signature("Jefe", body), expected);
        assert!(verify("Jefe", body, expected));
        for other in ["", "5b", &expected[1..], "xyz", &expected.replace('5', "6")] {
            assert!(!verify("Jefe", body, other), "{other}");
        }
    }
}
