//! Orders: units of asynchronous work on files, and their state machine.
//!
//! `pending` → `inProgress` → `complete` or `failed`. Every state but `expired` → `expired` after the
//! retention period. A pending order fails if its files are not uploaded in time. Transitions are total
//! functions: an impossible transition returns its reason and changes nothing.

mod history;
mod outputs;
mod release;
#[cfg(test)]
mod sample;

use serde::{Deserialize, Serialize};

use super::file::{File, Role};
use super::ids::AccountId;
use super::report::Reports;
use super::rule::{OutcomeOverride, ProcessingMode};
use super::time::{DAY_MS, Timestamp};
pub use super::vendor::{ApiVersion, Vendor};
use super::work::{Failure, Outcome, Work};
pub use history::StateChange;

/// An order. Undetectable's documents and bulks are orders, too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// BIZ MORI: digits that grow with time. Undetectable: a UUID.
    pub id: String,
    pub account: AccountId,
    /// Ordinal of the order in its account, from 1.
    pub number: u64,
    pub vendor: Vendor,
    #[serde(default)]
    pub api: ApiVersion,
    /// `true` if a test key created the order. Its files are not stored.
    pub test: bool,
    /// `scheme://host[:port]` of the request that created the order, for URLs built outside a request.
    pub origin: String,
    pub name: String,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    /// Days from the creation until the order expires.
    #[serde(default = "default_retention_days")]
    pub retention_days: u32,
    pub work: Work,
    pub files: Vec<File>,
    /// Idempotency key of the confirm. `None` if the order has not been confirmed.
    pub confirm_key: Option<String>,
    /// SHA-256 of the body of the request that created the order. `None` if the API does not compare
    /// bodies sent with the same idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_digest: Option<String>,
    /// Reports on the result, one per language.
    #[serde(default, skip_serializing_if = "Reports::is_empty")]
    pub reports: Reports,
    /// Credits charged for the order, without refunded ones. 0 if the account's credits are not counted.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub charged: u32,
    /// Outcome forced by a rule or the control API. Takes precedence over file names and content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome_override: Option<OutcomeOverride>,
    /// Duration of the processing, forced by a rule.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub processing: Option<ProcessingMode>,
    pub state: OrderState,
    /// Changes of the state, the creation first. At most one for each state.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub history: Vec<StateChange>,
}

/// Retention of stored orders without the field.
const fn default_retention_days() -> u32 {
    7
}

/// State of an order, with its data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "status")]
pub enum OrderState {
    /// Waits for uploads, or for the client's confirm.
    Pending,
    #[serde(rename_all = "camelCase")]
    InProgress {
        started_at: Timestamp,
        /// Failed attempts to deliver the outputs (zero copy).
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
        /// `None` if the order failed before it started.
        started_at: Option<Timestamp>,
        failed_at: Timestamp,
        failure: Failure,
    },
    /// The retention period has passed. The result can still be read, but the files are removed.
    Expired { outcome: Option<Outcome> },
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "skip_serializing_if passes a reference"
)]
const fn is_zero(count: &u32) -> bool {
    *count == 0
}

impl OrderState {
    /// Returns the state of an order that starts at `now`.
    #[must_use]
    pub const fn started(now: Timestamp) -> Self {
        Self::InProgress {
            started_at: now,
            attempts: 0,
        }
    }

    /// All status words.
    pub const STATUSES: [&'static str; 5] =
        ["pending", "inProgress", "complete", "failed", "expired"];

    /// Returns the status word of SQL and of the control API. The words are BIZ MORI's.
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

/// Reason why an order cannot be confirmed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConfirmRejection {
    /// Only `received` of the `uploads` files have been uploaded.
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
    /// Returns the instant at which the order expires.
    #[must_use]
    pub fn expires_at(&self) -> Timestamp {
        self.created_at
            .plus_ms(i64::from(self.retention_days) * DAY_MS)
    }

    /// `true` if the outputs are delivered to the client's storage (zero copy) and not stored here.
    #[must_use]
    pub fn uses_zero_copy(&self) -> bool {
        !self.test && self.files.iter().any(|file| file.target.is_some())
    }

    /// `true` if at least one file has not been uploaded yet.
    #[must_use]
    pub fn has_pending_uploads(&self) -> bool {
        self.files.iter().any(File::is_upload_pending)
    }

    /// Returns the file that decides the result. `None` if the order has no such file.
    #[must_use]
    pub fn primary_file(&self) -> Option<&File> {
        self.files
            .iter()
            .find(|file| file.role != Some(Role::Original))
    }

    /// `true` for a watermark order created by v3. v2 shows only the fields that all orders have.
    #[must_use]
    pub fn is_v3_watermark(&self) -> bool {
        self.api == ApiVersion::V3 && self.work.is_watermark()
    }

    /// Returns the outcome of a complete order, also after it expired. `None` in other states.
    #[must_use]
    pub fn outcome(&self) -> Option<&Outcome> {
        match &self.state {
            OrderState::Complete { outcome, .. } => Some(outcome),
            OrderState::Expired { outcome } => outcome.as_ref(),
            OrderState::Pending | OrderState::InProgress { .. } | OrderState::Failed { .. } => None,
        }
    }

    /// Records that the file with this key was uploaded, with its size. Returns `false` if nothing
    /// changed: the order has no such file, is not pending, or has the same size already.
    pub fn mark_uploaded(&mut self, key: &str, bytes: u64, now: Timestamp) -> bool {
        let is_pending = self.state == OrderState::Pending;
        let Some(file) = self.files.iter_mut().find(|file| file.key == key) else {
            return false;
        };
        if !is_pending || file.received_bytes == Some(bytes) {
            return false;
        }
        file.received_bytes = Some(bytes);
        self.updated_at = now;
        true
    }

    /// Starts a pending watermark order whose uploads are complete. Such orders need no confirm. Returns
    /// `false` if the order does not start. `by` is the cause in the history.
    pub fn start(&mut self, by: &'static str, now: Timestamp) -> bool {
        let can_start = self.state == OrderState::Pending && self.work.is_watermark();
        if !can_start || self.has_pending_uploads() {
            return false;
        }
        self.enter(OrderState::started(now), by, now);
        true
    }

    /// Starts the order because its client confirmed it. Returns `Ok(false)` if the order was confirmed
    /// with the same key before. `by` is the cause in the history.
    ///
    /// # Errors
    /// Returns the reason why the order cannot be confirmed. The order is unchanged then.
    pub fn confirm(
        &mut self,
        key: &str,
        by: &'static str,
        now: Timestamp,
    ) -> Result<bool, ConfirmRejection> {
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
            return Err(ConfirmRejection::FileNotUploaded {
                received: uploads
                    .clone()
                    .filter(|file| !file.is_upload_pending())
                    .count(),
                uploads: uploads.count(),
            });
        }
        self.confirm_key = Some(key.to_owned());
        self.enter(OrderState::started(now), by, now);
        Ok(true)
    }

    /// Completes or fails an order in progress. Returns `false`, without a change, in other states.
    /// `by` is the cause in the history.
    pub fn finish(
        &mut self,
        result: Result<Outcome, Failure>,
        by: &'static str,
        now: Timestamp,
    ) -> bool {
        let OrderState::InProgress { started_at, .. } = self.state else {
            return false;
        };
        let state = match result {
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
        self.enter(state, by, now);
        true
    }

    /// Fails a pending order. Returns `false`, without a change, in other states. `by` is the cause in
    /// the history.
    pub fn fail_pending(&mut self, failure: Failure, by: &'static str, now: Timestamp) -> bool {
        if self.state != OrderState::Pending {
            return false;
        }
        let failed = OrderState::Failed {
            started_at: None,
            failed_at: now,
            failure,
        };
        self.enter(failed, by, now);
        true
    }

    /// Records a failed attempt to deliver the outputs. Outputs of the files `delivered` (by id) reached
    /// their targets. Returns the number of failed attempts. `None`, without a change, unless
    /// the order is in progress.
    pub fn record_delivery_attempt(&mut self, delivered: &[u64]) -> Option<u32> {
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

    /// `true` if the order is a complete detection, and no response has reported its completion yet.
    #[must_use]
    pub fn is_completion_unreported(&self) -> bool {
        matches!(&self.state, OrderState::Complete { outcome: Outcome::Detection(detection), .. } if detection.reported_at.is_none())
    }

    /// Records that a response at `now` reported the completion of a detection. Returns `false`,
    /// without a change, if there is none to report.
    pub fn mark_reported(&mut self, now: Timestamp) -> bool {
        match &mut self.state {
            OrderState::Complete {
                outcome: Outcome::Detection(detection),
                ..
            } if detection.reported_at.is_none() => {
                detection.reported_at = Some(now);
                true
            }
            _ => false,
        }
    }

    /// Expires the order. Returns `false`, without a change, if the order has already expired. `by` is
    /// the cause in the history.
    pub fn expire(&mut self, by: &'static str, now: Timestamp) -> bool {
        let outcome = match std::mem::replace(&mut self.state, OrderState::Pending) {
            OrderState::Complete { outcome, .. } => Some(outcome),
            OrderState::Pending | OrderState::InProgress { .. } | OrderState::Failed { .. } => None,
            expired @ OrderState::Expired { .. } => {
                self.state = expired;
                return false;
            }
        };
        self.enter(OrderState::Expired { outcome }, by, now);
        true
    }
}
