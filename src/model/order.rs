//! Orders: units of asynchronous work over files, and how they move on.
//!
//! `pending` → `inProgress` → `complete` or `failed`; any of them → `expired` when the
//! retention has passed. A pending order may fail too, where its files come too late. Transitions
//! are total: what cannot be is refused with its reason, and a refused transition has changed
//! nothing.

mod completion_report;
mod release;
mod v3;

use serde::{Deserialize, Serialize};

use super::file::{File, OutputSpec, Role};
use super::ids::AccountId;
use super::report::Reports;
use super::rule::{OutcomeOverride, ProcessingMode};
use super::time::{DAY_MS, Timestamp};
pub use super::vendor::{ApiVersion, Vendor};
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
    pub api: ApiVersion,
    /// Made with a test key: nothing is stored of it.
    pub test: bool,
    /// `scheme://host[:port]` of the request that made it, for URLs made where no request is.
    pub origin: String,
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Days from its creation until it expires.
    #[serde(default = "default_retention_days")]
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
    pub outcome_override: Option<OutcomeOverride>,
    /// How long a rule has it in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processing: Option<ProcessingMode>,
    pub state: OrderState,
}

/// What orders had that do not say.
const fn default_retention_days() -> u32 {
    7
}

/// How an order stands.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "status")]
pub enum OrderState {
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

impl OrderState {
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
pub enum ConfirmRejection {
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
    pub fn uses_zero_copy(&self) -> bool {
        !self.test && self.files.iter().any(|file| file.target.is_some())
    }

    /// Whether an upload is still to come.
    #[must_use]
    pub fn has_pending_uploads(&self) -> bool {
        self.files.iter().any(File::is_upload_pending)
    }

    /// The outputs it makes: one a file, or in v3 one a watermark.
    #[must_use]
    pub fn output_specs(&self) -> Vec<OutputSpec<'_>> {
        let of_file = |file| -> Vec<OutputSpec<'_>> {
            let file: &File = file;
            let each_text = self.api == ApiVersion::V3 && !file.texts.is_empty();
            let texts = if each_text {
                file.texts.chunks(1).collect()
            } else {
                vec![file.texts.as_slice()]
            };
            let cut = |(index, texts)| OutputSpec { file, index, texts };
            texts.into_iter().enumerate().map(cut).collect()
        };
        self.files.iter().flat_map(of_file).collect()
    }

    /// The outputs that are still to be made, each with its place among all: those that no
    /// target has taken, and the first in any case, for the order's thumbnail is made of it.
    pub fn pending_outputs(&self) -> impl Iterator<Item = (usize, OutputSpec<'_>)> {
        let wanted = |(index, cut): &(usize, OutputSpec<'_>)| {
            let target = cut.file.target.as_ref();
            *index == 0 || target.is_none_or(|target| !target.delivered)
        };
        self.output_specs().into_iter().enumerate().filter(wanted)
    }

    /// The file that settles what is found.
    #[must_use]
    pub fn primary_file(&self) -> Option<&File> {
        let original = |file: &&File| file.role != Some(Role::Original);
        self.files.iter().find(original)
    }

    /// What came of it, if anything has.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.state {
            OrderState::Complete { outcome, .. } => Some(outcome),
            OrderState::Expired { outcome } => outcome.as_ref(),
            OrderState::Pending | OrderState::InProgress { .. } | OrderState::Failed { .. } => None,
        }
    }

    /// The file of that key is in, with so many bytes. False if this says nothing new.
    pub fn mark_uploaded(&mut self, key: &str, bytes: u64, now: Timestamp) -> bool {
        let pending = self.state == OrderState::Pending;
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
        let starts = self.state == OrderState::Pending && self.work.is_watermark();
        if !starts || self.has_pending_uploads() {
            return false;
        }
        self.state = OrderState::started(now);
        self.updated_at = now;
        true
    }

    /// Starts it on its client's word. `Ok(false)`: it was confirmed with this very key before.
    ///
    /// # Errors
    /// Says why it cannot be confirmed; it stands as it did.
    pub fn confirm(&mut self, key: &str, now: Timestamp) -> Result<bool, ConfirmRejection> {
        if self.confirm_key.as_deref() == Some(key) {
            return Ok(false);
        }
        match self.state {
            OrderState::Pending => {}
            OrderState::InProgress { .. } if self.confirm_key.is_some() => {
                return Err(ConfirmRejection::AlreadyConfirmed);
            }
            OrderState::InProgress { .. } => return Err(ConfirmRejection::NotPending),
            OrderState::Complete { .. } => return Err(ConfirmRejection::AlreadyCompleted),
            OrderState::Failed { .. } => return Err(ConfirmRejection::AlreadyFailed),
            OrderState::Expired { .. } => return Err(ConfirmRejection::Expired),
        }
        if self.has_pending_uploads() {
            let uploads = self.files.iter().filter(|file| file.url.is_none());
            let received = uploads
                .clone()
                .filter(|file| !file.is_upload_pending())
                .count();
            let uploads = uploads.count();
            return Err(ConfirmRejection::FileNotUploaded { received, uploads });
        }
        self.confirm_key = Some(key.to_owned());
        self.state = OrderState::started(now);
        self.updated_at = now;
        Ok(true)
    }

    /// Its work is done. False, and nothing changed, unless it was in progress.
    pub fn finish(&mut self, result: Result<Outcome, Failure>, now: Timestamp) -> bool {
        let OrderState::InProgress { started_at, .. } = self.state else {
            return false;
        };
        self.state = match result {
            Ok(outcome) => OrderState::Complete {
                started_at,
                completed_at: now,
                outcome,
            },
            Err(failure) => OrderState::Failed {
                started_at: Some(started_at),
                failed_at: now,
                failure,
            },
        };
        self.updated_at = now;
        true
    }

    /// It fails before it has started. False, and nothing changed, unless it was pending.
    pub fn fail_pending(&mut self, failure: Failure, now: Timestamp) -> bool {
        if self.state != OrderState::Pending {
            return false;
        }
        self.state = OrderState::Failed {
            started_at: None,
            failed_at: now,
            failure,
        };
        self.updated_at = now;
        true
    }

    /// These of its files' outputs have been taken by their targets, and handing over the others
    /// has failed once more: how often by now. None unless it is in progress.
    pub fn record_delivered_output(&mut self, delivered: &[u64]) -> Option<u32> {
        let OrderState::InProgress { attempts, .. } = &mut self.state else {
            return None;
        };
        *attempts += 1;
        for file in &mut self.files {
            if let Some(target) = file
                .target
                .as_mut()
                .filter(|_| delivered.contains(&file.id))
            {
                target.delivered = true;
            }
        }
        Some(*attempts)
    }

    /// Its retention has passed. False if it had before.
    pub fn expire(&mut self, now: Timestamp) -> bool {
        let outcome = match std::mem::replace(&mut self.state, OrderState::Pending) {
            OrderState::Complete { outcome, .. } => Some(outcome),
            OrderState::Pending | OrderState::InProgress { .. } | OrderState::Failed { .. } => None,
            expired @ OrderState::Expired { .. } => {
                self.state = expired;
                return false;
            }
        };
        self.state = OrderState::Expired { outcome };
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
