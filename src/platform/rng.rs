//! Random numbers, derived from the server's seed.
//!
//! Each generator is a ChaCha generator seeded by SHA-256(seed ‖ account ‖ purpose ‖ n). The same
//! server seed and the same calls on an account give the same ids, secrets and scores, independently of
//! other accounts. No other module names `rand`.

use rand::SeedableRng;
use rand::rngs::ChaCha12Rng;
use sha2::{Digest, Sha256};

/// The server's seed, from which all generators are derived.
#[derive(Debug, Clone)]
pub struct Entropy {
    seed: String,
}

/// A generator for one purpose.
#[derive(Debug)]
pub struct SeededRng(ChaCha12Rng);

impl Entropy {
    #[must_use]
    pub fn new(seed: &str) -> Self {
        Self {
            seed: seed.to_owned(),
        }
    }

    /// Returns the `n`th generator for `purpose` of the account with the API key `account`.
    #[must_use]
    pub fn rng(&self, account: &str, purpose: &str, n: u64) -> SeededRng {
        let mut digest = Sha256::new();
        for part in [self.seed.as_bytes(), account.as_bytes(), purpose.as_bytes()] {
            digest.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            digest.update(part);
        }
        digest.update(n.to_be_bytes());
        SeededRng(ChaCha12Rng::from_seed(digest.finalize().into()))
    }
}

impl SeededRng {
    /// Returns a generator that depends only on `digest`, such as the digest of a picture.
    #[must_use]
    pub fn from_digest(digest: [u8; 32]) -> Self {
        Self(ChaCha12Rng::from_seed(digest))
    }

    pub fn fill(&mut self, bytes: &mut [u8]) {
        use rand::Rng;
        self.0.fill_bytes(bytes);
    }

    pub fn next_u64(&mut self) -> u64 {
        use rand::Rng;
        self.0.next_u64()
    }

    /// Returns a number in [0, 1) with 53 random bits.
    #[expect(
        clippy::cast_precision_loss,
        reason = "53 bits fit a double's mantissa"
    )]
    pub fn unit_f64(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Returns a version 4 UUID in lower case, with hyphens.
    pub fn uuid(&mut self) -> String {
        let mut bytes = [0_u8; 16];
        self.fill(&mut bytes);
        bytes[6] = (bytes[6] & 0x0f) | 0x40;
        bytes[8] = (bytes[8] & 0x3f) | 0x80;
        let hex = hex::encode(bytes);
        format!(
            "{}-{}-{}-{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[12..16],
            &hex[16..20],
            &hex[20..]
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rng_depends_on_seed_account_purpose_and_number() {
        let uuid = |seed, account, purpose, n| Entropy::new(seed).rng(account, purpose, n).uuid();
        let first = uuid("seed", "key", "document", 1);
        assert_eq!(first, uuid("seed", "key", "document", 1));
        for other in [
            uuid("other", "key", "document", 1),
            uuid("seed", "other", "document", 1),
            uuid("seed", "key", "other", 1),
            uuid("seed", "key", "document", 2),
            uuid("seedk", "ey", "document", 1),
        ] {
            assert_ne!(first, other);
        }
        assert_eq!(first.as_bytes()[14], b'4');
    }

    #[test]
    fn unit_f64_lies_between_zero_and_one() {
        let mut rng = Entropy::new("s").rng("a", "p", 0);
        assert!(
            (0..1000)
                .map(|_| rng.unit_f64())
                .all(|unit| (0.0..1.0).contains(&unit))
        );
    }
}
