//! Orders: units of asynchronous work over files, and how they move on.
//!
//! `pending` → `inProgress` → `complete` or `failed`; any of them → `expired` when the
//! retention has passed. Transitions are total: what cannot be is refused with its reason,
//! and a refused transition has changed nothing.

use serde::{Deserialize, Serialize};

use super::ids::AccountId;
use super::rule::Ruled;
use super::time::Timestamp;
use super::work::{Failure, Outcome, Work};

/// Whose words an order is told in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Vendor {
    Bizmori,
    Undetectable,
}

impl Vendor {
    /// The bucket that holds the vendor's objects.
    #[must_use]
    pub const fn bucket(self) -> &'static str {
        match self {
            Self::Bizmori => "bizmori",
            Self::Undetectable => "ai-image-detector-prod",
        }
    }
}

/// An order. An Undetectable document is one too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// BIZ MORI: digits, growing with time; Undetectable: a UUID.
    pub id: String,
    pub account: AccountId,
    /// The how-manieth order of its account it is, from 1.
    pub number: u64,
    pub vendor: Vendor,
    /// Made with a test key: nothing is stored of it.
    pub test: bool,
    /// `scheme://host[:port]` of the request that made it, for URLs made where no request is.
    pub origin: String,
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub work: Work,
    pub files: Vec<File>,
    /// The idempotency key it was confirmed with.
    pub confirm_key: Option<String>,
    /// What a rule says comes of it, whatever its files are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruled: Option<Ruled>,
    pub state: State,
}

/// A file of an order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct File {
    pub id: u64,
    pub name: String,
    /// The key of its blob, in the vendor's bucket.
    pub key: String,
    /// Its size once it is in.
    pub received_bytes: Option<u64>,
}

/// How an order stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "status")]
pub enum State {
    /// Waiting for its files, or for its confirm.
    Pending,
    #[serde(rename_all = "camelCase")]
    InProgress { started_at: Timestamp },
    #[serde(rename_all = "camelCase")]
    Complete {
        started_at: Timestamp,
        completed_at: Timestamp,
        outcome: Outcome,
    },
    #[serde(rename_all = "camelCase")]
    Failed {
        started_at: Timestamp,
        failed_at: Timestamp,
        failure: Failure,
    },
    /// The retention has passed; what was found is still told, files are gone.
    Expired { outcome: Option<Outcome> },
}

impl State {
    /// The status word, in SQL and in the control plane; BIZ MORI's own.
    #[must_use]
    pub const fn status(&self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::InProgress { .. } => "inProgress",
            Self::Complete { .. } => "complete",
            Self::Failed { .. } => "failed",
            Self::Expired { .. } => "expired",
        }
    }
}

/// Why an order was not confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmRefusal {
    /// `received` of its files are in.
    FileNotUploaded {
        received: usize,
    },
    AlreadyConfirmed,
    AlreadyCompleted,
    AlreadyFailed,
    Expired,
    NotPending,
}

impl Order {
    /// How many of its files are in.
    #[must_use]
    pub fn received(&self) -> usize {
        self.files
            .iter()
            .filter(|file| file.received_bytes.is_some())
            .count()
    }

    /// What came of it, if anything has.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.state {
            State::Complete { outcome, .. } => Some(outcome),
            State::Expired { outcome } => outcome.as_ref(),
            State::Pending | State::InProgress { .. } | State::Failed { .. } => None,
        }
    }

    /// The file of that key is in, with so many bytes. False if this says nothing new.
    pub fn receive(&mut self, key: &str, bytes: u64, now: Timestamp) -> bool {
        let pending = self.state == State::Pending;
        let Some(file) = self.files.iter_mut().find(|file| file.key == key) else {
            return false;
        };
        if !pending || file.received_bytes == Some(bytes) {
            return false;
        }
        file.received_bytes = Some(bytes);
        self.updated_at = now;
        true
    }

    /// Starts it on its client's word. `Ok(false)`: it was confirmed with this very key before.
    ///
    /// # Errors
    /// Says why it cannot be confirmed; it stands as it did.
    pub fn confirm(&mut self, key: &str, now: Timestamp) -> Result<bool, ConfirmRefusal> {
        if self.confirm_key.as_deref() == Some(key) {
            return Ok(false);
        }
        match self.state {
            State::Pending => {}
            State::InProgress { .. } if self.confirm_key.is_some() => {
                return Err(ConfirmRefusal::AlreadyConfirmed);
            }
            State::InProgress { .. } => return Err(ConfirmRefusal::NotPending),
            State::Complete { .. } => return Err(ConfirmRefusal::AlreadyCompleted),
            State::Failed { .. } => return Err(ConfirmRefusal::AlreadyFailed),
            State::Expired { .. } => return Err(ConfirmRefusal::Expired),
        }
        let received = self.received();
        if received < self.files.len() {
            return Err(ConfirmRefusal::FileNotUploaded { received });
        }
        self.confirm_key = Some(key.to_owned());
        self.state = State::InProgress { started_at: now };
        self.updated_at = now;
        Ok(true)
    }

    /// Its work is done. False, and nothing changed, unless it was in progress.
    pub fn finish(&mut self, result: Result<Outcome, Failure>, now: Timestamp) -> bool {
        let State::InProgress { started_at } = self.state else {
            return false;
        };
        self.state = match result {
            Ok(outcome) => State::Complete {
                started_at,
                completed_at: now,
                outcome,
            },
            Err(failure) => State::Failed {
                started_at,
                failed_at: now,
                failure,
            },
        };
        self.updated_at = now;
        true
    }

    /// Whether its client has yet to be told that it is complete.
    #[must_use]
    pub fn is_untold(&self) -> bool {
        matches!(&self.state, State::Complete { outcome: Outcome::Detection(found), .. } if found.told_at.is_none())
    }

    /// Its client is told at `now` that it is complete. False unless that is so, for the first
    /// time, of an order whose client asks until it is told.
    pub fn tell(&mut self, now: Timestamp) -> bool {
        match &mut self.state {
            State::Complete {
                outcome: Outcome::Detection(found),
                ..
            } if found.told_at.is_none() => {
                found.told_at = Some(now);
                true
            }
            _ => false,
        }
    }

    /// Its retention has passed. False if it had before.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let outcome = match std::mem::replace(&mut self.state, State::Pending) {
            State::Complete { outcome, .. } => Some(outcome),
            State::Pending | State::InProgress { .. } | State::Failed { .. } => None,
            expired @ State::Expired { .. } => {
                self.state = expired;
                return false;
            }
        };
        self.state = State::Expired { outcome };
        self.updated_at = now;
        true
    }

    /// Every blob that may have been stored for it, by key.
    #[must_use]
    pub fn blob_keys(&self) -> Vec<&str> {
        let uploads = self.files.iter().map(|file| file.key.as_str());
        uploads
            .chain(self.outcome().into_iter().flat_map(Outcome::blob_keys))
            .collect()
    }
}
