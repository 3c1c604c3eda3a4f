//! Accounts: the isolated world behind one API key.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the vendors' front doors make of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum KeyState {
    /// It works.
    #[default]
    Active,
    /// It has run out.
    Expired,
    /// It is known and may do nothing.
    Forbidden,
    /// No account stands behind it any more.
    Unknown,
}

/// How long an order takes from its start to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProcessingDelay {
    /// Milliseconds, of the account's clock.
    pub delay_ms: u32,
    /// Up to so many milliseconds more, drawn for each order.
    #[serde(default)]
    pub jitter_ms: u32,
}

/// What the vendor's customer has paid for: how many calls a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Plan {
    /// None of the vendor's: as many as come.
    #[default]
    Unlimited,
    Free,
    Pro,
    Enterprise,
}

impl Plan {
    /// The plan's name, as it is written everywhere.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unlimited => "unlimited",
            Self::Free => "free",
            Self::Pro => "pro",
            Self::Enterprise => "enterprise",
        }
    }

    /// Calls a minute; none where they are not counted.
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

/// The vendor's API as of a date on which it changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Revision {
    #[default]
    #[serde(rename = "2026-03")]
    V2026_03,
    #[serde(rename = "2026-10")]
    V2026_10,
}

impl Revision {
    /// The date, as it is written everywhere.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::V2026_03 => "2026-03",
            Self::V2026_10 => "2026-10",
        }
    }
}

/// What can be set on an account; what is not set follows the server's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct AccountSettings {
    pub plan: Plan,
    /// Calls a minute, whatever the plan says; null is the plan's number.
    pub requests_per_minute: Option<u32>,
    /// Images the account was given to have looked at, those it has had included; null is the
    /// vendor's own default.
    pub credits: Option<u64>,
    /// Days until an order expires.
    pub retention_days: Option<u32>,
    pub state: KeyState,
    pub revision: Option<Revision>,
    pub processing: Option<ProcessingDelay>,
}

impl AccountSettings {
    /// Calls a minute that are taken; none where they are not counted.
    #[must_use]
    pub fn calls_per_minute(&self) -> Option<u32> {
        self.requests_per_minute.or(self.plan.requests_per_minute())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_stored_by_an_earlier_version_is_read() {
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
    fn names_are_those_of_json() {
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
