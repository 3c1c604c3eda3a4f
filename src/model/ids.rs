//! Ids of rows. Ids of orders are strings, as they stand on the vendors' wires.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The row of one life of an account. A reset ends the life: the same API key is given a new
/// row with a new id at its next use, and an old id is never used again, so that what an
/// earlier life still has under way finds nothing to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub i64);

impl AccountId {
    /// Owns what belongs to no account: objects put by S3 clients under keys of their own.
    pub const UNOWNED: Self = Self(0);
    /// Owns nothing: stands for an account that is no more.
    pub const DELETED: Self = Self(-1);
}

/// Whose time it is: the default clock's, or that of an account with a clock of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ClockId(pub i64);

impl ClockId {
    /// The clock that accounts without one of their own follow.
    pub const DEFAULT: Self = Self(0);

    /// The clock of an account that has its own.
    #[must_use]
    pub const fn of(account: AccountId) -> Self {
        Self(account.0)
    }
}

/// Declares the id of a row that BIZ MORI's clients see: an integer in JSON, digits in paths. The
/// database gives ids in growing order, from 1, and never twice.
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
            /// Reads an id as it stands in a path. `None` if `text` is not digits alone, or too
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
    /// Id of a delivery: an event on its way to a webhook. BIZ MORI calls it an event row.
    DeliveryId
}

/// A rule's number, in the order they were made, never given twice.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct RuleId(pub i64);

impl fmt::Display for RuleId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_takes_digits_alone() {
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
