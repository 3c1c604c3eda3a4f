//! Accounts: the isolated world behind one API key.

use serde::{Deserialize, Serialize};

/// What the vendors' front doors make of a key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Processing {
    /// Milliseconds, of the account's clock.
    pub delay_ms: u32,
    /// Up to so many milliseconds more, drawn for each order.
    #[serde(default)]
    pub jitter_ms: u32,
}

/// What can be set on an account; what is not set follows the server's settings.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct Settings {
    pub state: KeyState,
    /// Images the account was given to have looked at, those it has had included; null is the
    /// vendor's own default.
    pub credits: Option<u64>,
    /// Days until an order expires.
    pub retention_days: Option<u32>,
    pub processing: Option<Processing>,
}
