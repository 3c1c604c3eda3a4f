//! Orders and reports that fail because of repeated errors of the server.

use super::{Orders, failures};
use crate::model::job::{Job, JobKind};
use crate::model::order::OrderState;
use crate::model::report::ReportState;
use crate::storage::db::InternalError;

impl Orders {
    /// Fails the job's order or report with the vendor's general code, and deletes the job. Returns
    /// `false` if the job is of another kind, if its order is not in progress, or if its report is
    /// not requested any more. Nothing is failed then.
    ///
    /// # Errors
    /// Returns an error if the database fails. The job is then unchanged.
    pub async fn fail_for_fault(&self, job: &Job, message: &str) -> Result<bool, InternalError> {
        match job.kind {
            JobKind::Process => self.fail_order(job, message).await,
            JobKind::Report => {
                let code = "PROCESSING_ERROR".to_owned();
                self.end_report(job, ReportState::Failed { code }).await
            }
            _ => Ok(false),
        }
    }

    async fn fail_order(&self, job: &Job, message: &str) -> Result<bool, InternalError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(false);
        };
        let order = self.db.order(&job.subject).await?;
        let in_progress = |order: &_| matches!(order, OrderState::InProgress { .. });
        if !order.is_some_and(|order| in_progress(&order.state)) {
            return Ok(false);
        }
        let now = account.now();
        let fail = |order: &mut _| {
            let failure = failures::failure(order, message.to_owned());
            order.finish(Err(failure), job.kind.name(), now)
        };
        let failed = self.complete_job(job, fail, &account).await?;
        self.puts.remove(&job.subject);
        Ok(failed)
    }
}
