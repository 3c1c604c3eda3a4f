//! Identities that are ours alone; the vendors' ids are strings as they stand on the wire.

use serde::{Deserialize, Serialize};

/// The row of one life of an account. A reset ends the life: the same API key is given a new
/// row with a new id at its next use, and an old id is never used again, so that what an
/// earlier life still has under way finds nothing to write to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AccountId(pub i64);

impl AccountId {
    /// Owns what belongs to no account: objects put by S3 clients under keys of their own.
    pub const NOBODY: Self = Self(0);
    /// Owns nothing: stands for an account that is no more.
    pub const GONE: Self = Self(-1);
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
