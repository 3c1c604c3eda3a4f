//! Accounts: the isolated state behind one API key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Bytes of a key's digest in [`key_hash`].
const KEY_HASH_BYTES: usize = 4;

/// Returns the first 8 hexadecimal digits of the SHA-256 of an API key. They name the account in the
/// dashboard's URLs, which therefore contain no key.
#[must_use]
pub fn key_hash(key: &str) -> String {
    hex::encode(&Sha256::digest(key)[..KEY_HASH_BYTES])
}

/// Decides how the vendors' APIs treat the key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KeyState {
    /// Requests with the key are accepted.
    #[default]
    Active,
    /// The key has expired.
    Expired,
    /// The key is known, but may not call anything.
    Forbidden,
    /// The vendor does not know the key.
    Unknown,
}

/// Time from the start of an order to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProcessingDelay {
    /// Milliseconds by the account's clock.
    pub delay_ms: u32,
    /// Largest random addition in milliseconds. Each order has its own.
    #[serde(default)]
    pub jitter_ms: u32,
}

/// The customer's plan with the vendor. Determines the rate limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Plan {
    /// No rate limit. The vendor has no such plan.
    #[default]
    Unlimited,
    Free,
    Pro,
    Enterprise,
}

impl Plan {
    /// Returns the plan's name in JSON and in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unlimited => "unlimited",
            Self::Free => "free",
            Self::Pro => "pro",
            Self::Enterprise => "enterprise",
        }
    }

    /// Returns the rate limit in requests per minute. `None` without a limit.
    #[must_use]
    pub const fn requests_per_minute(self) -> Option<u32> {
        match self {
            Self::Unlimited => None,
            Self::Free => Some(60),
            Self::Pro => Some(300),
            Self::Enterprise => Some(1_000),
        }
    }
}

/// Revision of BIZ MORI's API, named by the month in which it changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Revision {
    #[default]
    #[serde(rename = "2026-03")]
    V2026_03,
    #[serde(rename = "2026-10")]
    V2026_10,
}

impl Revision {
    /// Returns the revision's name in JSON and in settings.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2026_03 => "2026-03",
            Self::V2026_10 => "2026-10",
        }
    }
}

/// Settings of an account. A setting without a value follows the server's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AccountSettings {
    pub plan: Plan,
    /// Rate limit in requests per minute. Takes precedence over the plan; null is the plan's limit.
    pub requests_per_minute: Option<u32>,
    /// Credits of the account in images, including used ones; null is the vendor's default.
    pub credits: Option<u64>,
    /// Days from the creation of an order until it expires.
    pub retention_days: Option<u32>,
    pub state: KeyState,
    pub revision: Option<Revision>,
    pub processing: Option<ProcessingDelay>,
}

impl AccountSettings {
    /// Returns the rate limit in requests per minute. `None` without a limit.
    #[must_use]
    pub fn calls_per_minute(&self) -> Option<u32> {
        self.requests_per_minute.or(self.plan.requests_per_minute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deserialize_row_without_newer_fields_uses_defaults() {
        let row = r#"{"state":"forbidden","credits":5,"retentionDays":null,"processing":null}"#;
        let settings: AccountSettings = serde_json::from_str(row).expect("an earlier row");
        let expected = AccountSettings {
            state: KeyState::Forbidden,
            credits: Some(5),
            ..AccountSettings::default()
        };
        assert_eq!(settings, expected);
        assert_eq!(
            serde_json::to_string(&settings).expect("JSON"),
            r#"{"plan":"unlimited","requestsPerMinute":null,"credits":5,"retentionDays":null,"state":"forbidden","revision":null,"processing":null}"#
        );
    }

    #[test]
    fn names_of_plans_and_revisions_equal_their_json() {
        for plan in [Plan::Unlimited, Plan::Free, Plan::Pro, Plan::Enterprise] {
            let json = serde_json::to_value(plan).expect("JSON");
            assert_eq!(json, plan.name());
        }
        for revision in [Revision::V2026_03, Revision::V2026_10] {
            let json = serde_json::to_value(revision).expect("JSON");
            assert_eq!(json, revision.name());
        }
    }
}
