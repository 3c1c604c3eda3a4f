//! One run of a job, and what is made of an error.
//!
//! An error that is a fault of the server's or of its disk is not the order's: the job is run again after
//! a wait ([`Retries`](super::retries::Retries)). Not for ever: after ten errors, or three starts in
//! which the process died, the order or the report fails with the vendor's general code. Jobs that end
//! nothing a client waits for (expiry, deliveries) are tried each minute until they succeed.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt;

use super::Worker;
use super::retries::{ERRORS_MAX, wait_after};
use crate::model::job::{Job, JobKind};
use crate::storage::db::InternalError;

const CUT_OFF: &str = "processing was started 3 times and did not end; the server was probably killed \
                       for lack of memory";

impl Worker {
    /// Runs a job, whose start is counted if it is to be ([`Worker::count_starts`]).
    ///
    /// # Errors
    /// If it could not be run by a fault of the server. It is run again later.
    pub(super) async fn run_job(&self, job: &Job) -> Result<(), InternalError> {
        let done = AssertUnwindSafe(self.perform(job)).catch_unwind().await;
        let done = done.unwrap_or_else(|_| {
            let panic = std::io::Error::other("the server panicked while it ran the job");
            Err(InternalError::broken(panic))
        });
        let is_gone = || self.accounts.by_id(job.account).is_none();
        match done {
            Err(InternalError::AccountGone) if is_gone() => self.note_end(job),
            Ok(()) => self.note_end(job),
            Err(error) => return self.after_error(job, error).await,
        }
        Ok(())
    }

    async fn perform(&self, job: &Job) -> Result<(), InternalError> {
        if job.kind.can_kill()
            && Self::is_given_up(job)
            && self.orders.fail_for_fault(job, CUT_OFF).await?
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

    fn note_end(&self, job: &Job) {
        self.metrics.record_job(job.kind, true);
        self.retries.ended(job.id);
        self.start_ended(job.id);
    }

    /// Has a job that failed wait for its next run, or fails its order or report after too many errors.
    ///
    /// # Errors
    /// The same error if the job is run again.
    pub(super) async fn after_error(
        &self,
        job: &Job,
        error: InternalError,
    ) -> Result<(), InternalError> {
        self.metrics.record_job(job.kind, false);
        let errors = self.retries.failed(job);
        self.take_start_back(job.id).await;
        if errors >= ERRORS_MAX && self.fail_after(errors, job, &error).await {
            self.retries.ended(job.id);
            return Ok(());
        }
        tracing::error!(
            %error,
            kind = job.kind.name(),
            subject = job.subject,
            errors,
            retry_in_s = wait_after(errors).as_secs(),
            "a job failed by a fault of the server and is tried again"
        );
        Err(error)
    }

    /// Fails the order or the report of a job that has met too many errors. Returns false if the job
    /// ends neither, or that cannot be written: the job is tried again.
    async fn fail_after(&self, errors: u32, job: &Job, error: &InternalError) -> bool {
        let message = format!("processing failed {errors} times by a fault of the server: {error}");
        let failed = self.orders.fail_for_fault(job, &message).await;
        failed.unwrap_or(false)
    }
}
