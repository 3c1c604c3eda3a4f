//! Runs of jobs, and errors of runs.
//!
//! An error of the server or its disk is not an error of the order: the job is run again after a
//! wait ([`Retries`](super::retries::Retries)). After ten errors, or three starts in which the
//! process died, the order or report fails with the vendor's general code. Jobs that end nothing
//! for which a client waits (expiry, deliveries) are retried every minute until they succeed.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::Worker;
use super::retries::{ERRORS_MAX, retry_wait};
use crate::model::job::{Job, JobKind};
use crate::storage::db::InternalError;

const CUT_OFF_MESSAGE: &str = "processing was started 3 times without ending; the server was probably killed \
                       for lack of memory";

impl Worker {
    /// Runs a job. If its start must be counted, the caller has counted it
    /// ([`Worker::count_starts`]).
    ///
    /// # Errors
    /// Returns an error of the server. The job is run again later.
    pub(super) async fn run_job(&self, job: &Job) -> Result<(), InternalError> {
        let outcome = AssertUnwindSafe(self.perform(job)).catch_unwind().await;
        let result = outcome.unwrap_or_else(|_| {
            let panic = std::io::Error::other("the server panicked while it ran the job");
            Err(InternalError::broken(panic))
        });
        let is_account_gone = || self.accounts.by_id(job.account).is_none();
        match result {
            Err(InternalError::AccountGone) if is_account_gone() => self.record_end(job),
            Ok(()) => self.record_end(job),
            Err(error) => return self.handle_error(job, error).await,
        }
        Ok(())
    }

    async fn perform(&self, job: &Job) -> Result<(), InternalError> {
        if job.kind.can_kill()
            && Self::has_too_many_starts(job)
            && self.orders.fail_for_fault(job, CUT_OFF_MESSAGE).await?
        {
            return Ok(());
        }
        match job.kind {
            JobKind::Process => self.orders.process(job).await,
            JobKind::Expire => self.orders.expire(job).await,
            JobKind::ExpireUpload => self.orders.expire_upload(job).await,
            JobKind::ExpireUploads => self.orders.expire_uploads(job).await,
            JobKind::Sunset => self.orders.sunset(job).await,
            JobKind::Report => self.orders.make_report(job).await,
            JobKind::Deliver => self.webhooks.deliver(job).await,
        }
    }

    fn record_end(&self, job: &Job) {
        self.metrics.record_job(job.kind, true);
        self.retries.remove(job.id);
        self.forget_start(job.id);
    }

    /// Schedules a retry of a failed job, or fails its order or report after too many errors.
    ///
    /// # Errors
    /// Returns `error` if the job is retried.
    pub(super) async fn handle_error(
        &self,
        job: &Job,
        error: InternalError,
    ) -> Result<(), InternalError> {
        self.metrics.record_job(job.kind, false);
        let errors = self.retries.record_error(job);
        self.undo_start(job.id).await;
        if errors >= ERRORS_MAX && self.fail_for_errors(errors, job, &error).await {
            self.retries.remove(job.id);
            return Ok(());
        }
        tracing::error!(
            %error,
            kind = job.kind.name(),
            subject = job.subject,
            errors,
            retry_in_s = retry_wait(errors).as_secs(),
            "job failed because of an internal error; it will be retried"
        );
        Err(error)
    }

    /// Fails the job's order or report after too many errors. Returns `false` if the job ends
    /// neither, or the database fails. The job is then retried.
    async fn fail_for_errors(&self, errors: u32, job: &Job, error: &InternalError) -> bool {
        let message =
            format!("processing failed {errors} times because of an internal error: {error}");
        let failed = self.orders.fail_for_fault(job, &message).await;
        failed.unwrap_or(false)
    }
}
