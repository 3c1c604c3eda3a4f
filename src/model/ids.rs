//! Ids of rows. Ids of orders are strings in the vendors' formats.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Id of one life of an account. A reset ends the life: the API key gets a new row with a new id at its
/// next use. Ids are never reused, so work of an earlier life finds no row to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub i64);

impl AccountId {
    /// Owner of objects without an account: objects that S3 clients put under their own keys.
    pub const UNOWNED: Self = Self(0);
    /// Id of an account that no longer exists. Owns nothing.
    pub const DELETED: Self = Self(-1);
}

/// Id of a clock: the default clock, or the own clock of an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockId(pub i64);

impl ClockId {
    /// The clock of accounts that have no clock of their own.
    pub const DEFAULT: Self = Self(0);

    /// Returns the id of the own clock of `account`.
    #[must_use]
    pub const fn for_account(account: AccountId) -> Self {
        Self(account.0)
    }
}

/// Declares the id of a row that clients see: an integer in JSON, digits in paths. The
/// database assigns ids in ascending order, from 1, and never reuses them.
macro_rules! row_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
            JsonSchema,
        )]
        #[serde(transparent)]
        pub struct $name(pub i64);

        impl $name {
            /// Parses an id in a path. `None` if `text` has other characters than digits, or is too
            /// large.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
                is_digits.then(|| text.parse().ok().map(Self)).flatten()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(out)
            }
        }
    };
}

row_id! {
    /// Id of a webhook: an endpoint of an account.
    WebhookId
}
row_id! {
    /// Id of a delivery. BIZ MORI calls it the id of an event row.
    DeliveryId
}

row_id! {
    /// Id of a rule. Ids ascend in the order of creation.
    RuleId
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_accepts_only_digits_in_range() {
        assert_eq!(WebhookId::parse("42"), Some(WebhookId(42)));
        let largest = i64::MAX.to_string();
        assert_eq!(DeliveryId::parse(&largest), Some(DeliveryId(i64::MAX)));
        for text in [
            "",
            "x",
            "-1",
            "+1",
            " 1",
            "1.0",
            "1e3",
            "٣",
            "9223372036854775808",
        ] {
            assert_eq!(WebhookId::parse(text), None, "{text}");
        }
    }
}
