//! Listing of jobs: what is due, and when.

use std::collections::HashSet;
use std::sync::Arc;

use super::Worker;
use crate::model::ids::ClockId;
use crate::model::job::{Job, JobKind};
use crate::model::time::Timestamp;
use crate::services::accounts::Account;
use crate::storage::db::{self, InternalError};

/// Job in a listing.
#[derive(Debug, Clone)]
pub struct ListedJob {
    pub job: Job,
    pub account: Arc<Account>,
    /// `true` if the job is due by the default clock, `false` if by the account's own.
    pub is_on_default_clock: bool,
    /// Order that the job is about. `None` if it is about no order.
    pub order: Option<String>,
    pub is_running: bool,
}

impl Worker {
    /// Returns the jobs of the account, or of all accounts, the earliest first, at most `limit`.
    /// Begins after the job with the due time and id `after`.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn list_jobs(
        &self,
        account: Option<&Account>,
        after: Option<(Timestamp, i64)>,
        limit: u32,
    ) -> Result<Vec<ListedJob>, InternalError> {
        let account = account.map(|account| account.id);
        let mut reader = self.db.read().await?;
        let rows = db::job_listing::page(&mut reader, account, after, limit).await?;
        drop(reader);
        let claimed: HashSet<(JobKind, String)> =
            self.claims.running(|_| true).into_iter().collect();
        let list = rows.into_iter().filter_map(|row| {
            let job = row.job;
            let account = self.accounts.by_id(job.account)?;
            let is_claimed = claimed.contains(&(job.kind, job.subject.clone()));
            Some(ListedJob {
                // A request claims the job that it adds until its response is sent.
                is_running: is_claimed && job.due_at <= account.now(),
                order: job.order().map(str::to_owned).or(row.order_of_delivery),
                is_on_default_clock: row.clock == ClockId::DEFAULT,
                job,
                account,
            })
        });
        Ok(list.collect())
    }
}
