//! Records of attempts. An attempt that was made but could not be recorded is not made again.
//!
//! A record that cannot be written, for example because the disk is full, is pending in memory. A
//! pending record is written before the next attempt at the endpoint, or by
//! [`Webhooks::record_unrecorded`], which the worker calls until no record is pending. Attempts at an
//! endpoint are made one at a time, so an endpoint has at most one pending record. A record that is
//! pending when the process ends is lost, and its attempt is made again.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::future::join_all;
use tokio::sync::Notify;

use super::Webhooks;
use super::attempt::AttemptResult;
use crate::model::ids::WebhookId;
use crate::model::job::{Job, JobKind};
use crate::model::time::Timestamp;
use crate::model::webhook::{Delivery, DeliveryStatus};
use crate::services::accounts::Account;
use crate::storage::db::{self, InternalError};

/// Record of an attempt.
#[derive(Debug)]
pub(super) struct AttemptRecording {
    pub account: Arc<Account>,
    pub endpoint: WebhookId,
    pub attempt: AttemptResult,
    /// The delivery after the attempt.
    pub delivery: Delivery,
    /// Status of the delivery before the attempt.
    pub status_before: DeliveryStatus,
    pub sent_at: Timestamp,
    /// Due time of the next attempt. `None` if there is none.
    pub next_at: Option<Timestamp>,
}

/// Records that could not be written yet, by endpoint.
#[derive(Debug, Default)]
pub(super) struct UnrecordedAttempts {
    records: Mutex<HashMap<WebhookId, Arc<AttemptRecording>>>,
    arrived: Notify,
}

impl UnrecordedAttempts {
    fn records(&self) -> MutexGuard<'_, HashMap<WebhookId, Arc<AttemptRecording>>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Webhooks {
    /// Records an attempt and returns its result. Returns `None` if the endpoint was removed in the
    /// meantime. `job` is the endpoint's job if it is running. The caller holds the endpoint's
    /// claim.
    ///
    /// # Errors
    /// Returns [`InternalError::AccountGone`] if the account has ended. On any other error, the
    /// record is pending and is written later.
    pub(super) async fn record_attempt(
        &self,
        record: AttemptRecording,
        job: Option<&Job>,
    ) -> Result<Option<AttemptResult>, InternalError> {
        match self.write_record(&record, job).await {
            Ok(endpoint_exists) => Ok(endpoint_exists.then_some(record.attempt)),
            Err(InternalError::AccountGone) => Err(InternalError::AccountGone),
            Err(error) => {
                tracing::warn!(
                    %error,
                    endpoint = %record.endpoint,
                    url = record.attempt.attempts.last().map(|attempt| attempt.url.as_str()),
                    event = record.delivery.event.id,
                    "webhook was sent but cannot be recorded; retrying the record, not the request"
                );
                let endpoint = record.endpoint;
                self.unrecorded.records().insert(endpoint, Arc::new(record));
                self.unrecorded.arrived.notify_one();
                Err(error)
            }
        }
    }

    /// Writes the endpoint's pending record, if there is one, and sets the endpoint's job to its next
    /// attempt. Returns `false` if no record is pending. The caller holds the endpoint's claim.
    ///
    /// # Errors
    /// Returns an error if the database fails. The caller must then send nothing to the endpoint.
    pub(super) async fn record_earlier(&self, endpoint: WebhookId) -> Result<bool, InternalError> {
        let Some(record) = self.unrecorded.records().get(&endpoint).cloned() else {
            return Ok(false);
        };
        match self.write_record(&record, None).await {
            Ok(_) | Err(InternalError::AccountGone) => {}
            Err(error) => return Err(error),
        }
        self.unrecorded.records().remove(&endpoint);
        Ok(true)
    }

    /// Writes a record, sets the endpoint's job to its next attempt, and counts the attempt.
    /// Returns `false` if the endpoint does not exist any more. `job` is the endpoint's job if it
    /// is running.
    async fn write_record(
        &self,
        record: &AttemptRecording,
        job: Option<&Job>,
    ) -> Result<bool, InternalError> {
        let account = record.account.id;
        let endpoint = record.endpoint;
        let delivery = &record.delivery;
        let attempts = &record.attempt.attempts;
        let next_at = record.next_at;
        let sent_at = record.sent_at;
        let mut tx = self.db.begin().await?;
        let endpoint_exists =
            db::webhooks::record_attempt(&mut tx, endpoint, delivery, next_at, sent_at).await?;
        db::attempts::insert(&mut tx, account, endpoint, delivery, attempts).await?;
        match job {
            Some(job) => db::jobs::reschedule_endpoint(&mut tx, job.id, endpoint).await?,
            None => db::jobs::upsert_endpoint(&mut tx, account, endpoint).await?,
        }
        tx.commit().await?;
        self.record_metrics(&record.attempt, record.status_before, delivery.status);
        Ok(endpoint_exists)
    }

    /// Waits until a record is pending.
    pub async fn unrecorded(&self) {
        loop {
            let arrived = self.unrecorded.arrived.notified();
            if !self.unrecorded.records().is_empty() {
                return;
            }
            arrived.await;
        }
    }

    /// Writes the pending records, each under the claim of its endpoint. Drops records of accounts
    /// that have ended.
    ///
    /// # Errors
    /// Returns the first error if a record could not be written.
    pub async fn record_unrecorded(&self) -> Result<(), InternalError> {
        let records: Vec<Arc<AttemptRecording>> =
            self.unrecorded.records().values().cloned().collect();
        let written = records.iter().map(|record| self.record_locked(record));
        join_all(written).await.into_iter().collect()
    }

    async fn record_locked(&self, record: &AttemptRecording) -> Result<(), InternalError> {
        let account = &record.account;
        let endpoint = record.endpoint;
        let subject = endpoint.to_string();
        tokio::select! {
            biased;
            () = account.cancellation().cancelled() => {
                self.unrecorded.records().remove(&endpoint);
                Ok(())
            }
            _claim = self.claims.claim(account, JobKind::Deliver, &subject) => {
                self.record_earlier(endpoint).await.map(drop)
            }
        }
    }
}
