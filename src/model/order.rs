//! Orders: units of asynchronous work over files, and how they move on.
//!
//! `pending` → `inProgress` → `complete` or `failed`; any of them → `expired` when the
//! retention has passed. A pending order may fail too, where its files come too late. Transitions
//! are total: what cannot be is refused with its reason, and a refused transition has changed
//! nothing.

mod held;
mod told;
mod v3;

use serde::{Deserialize, Serialize};

use super::file::{Cut, File, Role};
use super::ids::AccountId;
use super::report::Reports;
use super::rule::{Processing, Ruled};
use super::time::{DAY_MS, Timestamp};
pub use super::vendor::{Api, Vendor};
use super::work::{Failure, Outcome, Work};

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
    #[serde(default)]
    pub api: Api,
    /// Made with a test key: nothing is stored of it.
    pub test: bool,
    /// `scheme://host[:port]` of the request that made it, for URLs made where no request is.
    pub origin: String,
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Days from its creation until it expires.
    #[serde(default = "retention_of_old")]
    pub retention_days: u32,
    pub work: Work,
    pub files: Vec<File>,
    /// The idempotency key it was confirmed with.
    pub confirm_key: Option<String>,
    /// The SHA-256 of the body that asked for it, where another body under the same idempotency
    /// key is a conflict.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
    /// On what was found; one a language.
    #[serde(default, skip_serializing_if = "Reports::is_empty")]
    pub reports: Reports,
    /// Credits that it has cost, those given back left out. 0 if its credits were not counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub charged: u32,
    /// What a rule says comes of it, whatever its files are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruled: Option<Ruled>,
    /// How long a rule has it in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processing: Option<Processing>,
    pub state: State,
}

/// What orders had that do not say.
const fn retention_of_old() -> u32 {
    7
}

/// How an order stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "status")]
pub enum State {
    /// Waiting for its files, or for its confirm.
    Pending,
    #[serde(rename_all = "camelCase")]
    InProgress {
        started_at: Timestamp,
        /// How often handing over its outputs has failed.
        #[serde(default, skip_serializing_if = "is_zero")]
        attempts: u32,
    },
    #[serde(rename_all = "camelCase")]
    Complete {
        started_at: Timestamp,
        completed_at: Timestamp,
        outcome: Outcome,
    },
    #[serde(rename_all = "camelCase")]
    Failed {
        /// None: it never did.
        started_at: Option<Timestamp>,
        failed_at: Timestamp,
        failure: Failure,
    },
    /// The retention has passed; what was found is still told, files are gone.
    Expired { outcome: Option<Outcome> },
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl State {
    /// In progress from `now` on.
    #[must_use]
    pub const fn started(now: Timestamp) -> Self {
        Self::InProgress {
            started_at: now,
            attempts: 0,
        }
    }

    /// Every status word.
    pub const STATUSES: [&'static str; 5] =
        ["pending", "inProgress", "complete", "failed", "expired"];

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
    /// `received` of its `uploads` are in.
    FileNotUploaded {
        received: usize,
        uploads: usize,
    },
    AlreadyConfirmed,
    AlreadyCompleted,
    AlreadyFailed,
    Expired,
    NotPending,
}

impl Order {
    /// When it expires.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.created_at
            .plus_ms(i64::from(self.retention_days) * DAY_MS)
    }

    /// Whether its outputs are put where its client wants them, and not kept.
    #[must_use]
    pub fn is_handed_over(&self) -> bool {
        !self.test && self.files.iter().any(|file| file.target.is_some())
    }

    /// Whether an upload is still to come.
    #[must_use]
    pub fn is_awaiting(&self) -> bool {
        self.files.iter().any(File::is_awaited)
    }

    /// The outputs it makes: one a file, or in v3 one a watermark.
    #[must_use]
    pub fn cuts(&self) -> Vec<Cut<'_>> {
        let of_file = |file| -> Vec<Cut<'_>> {
            let file: &File = file;
            let each_text = self.api == Api::V3 && !file.texts.is_empty();
            let texts = if each_text {
                file.texts.chunks(1).collect()
            } else {
                vec![file.texts.as_slice()]
            };
            let cut = |(index, texts)| Cut { file, index, texts };
            texts.into_iter().enumerate().map(cut).collect()
        };
        self.files.iter().flat_map(of_file).collect()
    }

    /// The outputs that are still to be made, each with its place among all: those that no
    /// target has taken, and the first in any case, for the order's thumbnail is made of it.
    pub fn cuts_to_make(&self) -> impl Iterator<Item = (usize, Cut<'_>)> {
        let wanted = |(index, cut): &(usize, Cut<'_>)| {
            let target = cut.file.target.as_ref();
            *index == 0 || target.is_none_or(|target| !target.delivered)
        };
        self.cuts().into_iter().enumerate().filter(wanted)
    }

    /// The file that settles what is found.
    #[must_use]
    pub fn subject(&self) -> Option<&File> {
        let original = |file: &&File| file.role != Some(Role::Original);
        self.files.iter().find(original)
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

    /// Starts it if nothing more is to come and it starts by itself. False if not.
    pub fn start(&mut self, now: Timestamp) -> bool {
        let starts = self.state == State::Pending && self.work.is_watermark();
        if !starts || self.is_awaiting() {
            return false;
        }
        self.state = State::started(now);
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
        if self.is_awaiting() {
            let uploads = self.files.iter().filter(|file| file.url.is_none());
            let received = uploads.clone().filter(|file| !file.is_awaited()).count();
            let uploads = uploads.count();
            return Err(ConfirmRefusal::FileNotUploaded { received, uploads });
        }
        self.confirm_key = Some(key.to_owned());
        self.state = State::started(now);
        self.updated_at = now;
        Ok(true)
    }

    /// Its work is done. False, and nothing changed, unless it was in progress.
    pub fn finish(&mut self, result: Result<Outcome, Failure>, now: Timestamp) -> bool {
        let State::InProgress { started_at, .. } = self.state else {
            return false;
        };
        self.state = match result {
            Ok(outcome) => State::Complete {
                started_at,
                completed_at: now,
                outcome,
            },
            Err(failure) => State::Failed {
                started_at: Some(started_at),
                failed_at: now,
                failure,
            },
        };
        self.updated_at = now;
        true
    }

    /// It fails before it has started. False, and nothing changed, unless it was pending.
    pub fn give_up(&mut self, failure: Failure, now: Timestamp) -> bool {
        if self.state != State::Pending {
            return false;
        }
        self.state = State::Failed {
            started_at: None,
            failed_at: now,
            failure,
        };
        self.updated_at = now;
        true
    }

    /// These of its files' outputs have been taken by their targets, and handing over the others
    /// has failed once more: how often by now. None unless it is in progress.
    pub fn hand_over(&mut self, taken: &[u64]) -> Option<u32> {
        let State::InProgress { attempts, .. } = &mut self.state else {
            return None;
        };
        *attempts += 1;
        for file in &mut self.files {
            if let Some(target) = file.target.as_mut().filter(|_| taken.contains(&file.id)) {
                target.delivered = true;
            }
        }
        Some(*attempts)
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
            .chain(self.reports.keys())
            .collect()
    }
}
