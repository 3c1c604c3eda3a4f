//! Orders that fail because they did not start in time.

use super::Orders;
use crate::model::account::{AccountSettings, Revision};
use crate::model::job::{Job, JobKind};
use crate::model::order::{ApiVersion, Order};
use crate::model::time::Timestamp;
use crate::model::work::Failure;
use crate::services::accounts::Account;
use crate::storage::db::{self, InternalError};

/// Time for uploading the files of a v3 order, in milliseconds.
const UPLOADS_MS: i64 = 12 * 3_600_000;

/// End of BIZ MORI's v2 watermark routes: 2026-10-09T00:00:00Z.
pub const V2_SUNSET: Timestamp = Timestamp::from_ms(1_791_504_000_000);

/// Returns the time at which a pending order fails if its files are missing. `None` if the order
/// has no deadline.
pub(super) fn upload_deadline(order: &Order) -> Option<Timestamp> {
    (order.api == ApiVersion::V3).then(|| order.created_at.plus_ms(UPLOADS_MS))
}

impl Orders {
    /// Runs the job that fails an order whose files were not uploaded in time.
    ///
    /// # Errors
    /// Returns an error if the database fails. The job is then run again.
    pub async fn expire_uploads(&self, job: &Job) -> Result<(), InternalError> {
        let failure = Failure {
            code: "UPLOAD_EXPIRED".to_owned(),
            message: "files were not uploaded within 12 hours".to_owned(),
        };
        self.expire_pending(job, failure).await
    }

    /// Runs the job that fails a v2 watermark order at the sunset. Does nothing if the account's
    /// API revision has no sunset.
    ///
    /// # Errors
    /// Returns an error if the database fails. The job is then run again.
    pub async fn sunset(&self, job: &Job) -> Result<(), InternalError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let failure = Failure {
            code: "WATERMARK_V2_API_SUNSET".to_owned(),
            message: "the v2 watermark API has ended before the order started".to_owned(),
        };
        match self.revision(&account) {
            Revision::V2026_10 => self.expire_pending(job, failure).await,
            Revision::V2026_03 => self.complete_job(job, |_| false, &account).await.map(drop),
        }
    }

    /// `true` if the order uses the v2 watermark API and the account's API revision ends that API.
    pub(super) fn is_subject_to_sunset(&self, account: &Account, order: &Order) -> bool {
        let uses_v2_watermarks = order.api == ApiVersion::V2 && order.work.is_watermark();
        uses_v2_watermarks && self.revision(account) == Revision::V2026_10
    }

    /// Returns the time of the sunset for an account with these settings. `None` if it has no
    /// sunset.
    #[must_use]
    pub fn sunset_for(&self, settings: &AccountSettings) -> Option<Timestamp> {
        let revision = settings.revision.unwrap_or(self.settings.revision);
        (revision == Revision::V2026_10).then_some(V2_SUNSET)
    }

    /// Adds sunset jobs for all pending orders. To be called at start: the server's revision may
    /// have been another one when they were created.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn schedule_sunset_jobs(&self) -> Result<(), InternalError> {
        let mut tx = self.db.begin().await?;
        db::jobs::put_for_v2_watermarks(&mut tx, None, JobKind::Sunset, V2_SUNSET).await?;
        tx.commit().await
    }

    async fn expire_pending(&self, job: &Job, failure: Failure) -> Result<(), InternalError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let now = account.now();
        let step = |order: &mut Order| order.fail_pending(failure, job.kind.name(), now);
        self.complete_job(job, step, &account).await.map(drop)
    }
}
