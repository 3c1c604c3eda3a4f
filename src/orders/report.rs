//! Reports on what was found: asked for, made, kept with the order.

use std::sync::Arc;

use super::ended::log_failed_report;
use super::{Orders, layout, ruled};
use crate::accounts::Account;
use crate::engine::{Failure, Finding, Report as Page};
use crate::model::job::{Job, Kind};
use crate::model::order::{Order, State};
use crate::model::report::{Locale, ReportKind, ReportState};
use crate::model::rule::{Asked, Makes, Processing, Subject};
use crate::model::work::Outcome;
use crate::rules::Choice;
use crate::store::{self, StoreError, Tx};

/// Why there is no report.
#[derive(Debug)]
pub enum ReportError {
    /// The order has found nothing to report on (yet).
    NotAvailable,
    Expired,
    Store(StoreError),
}

impl From<StoreError> for ReportError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What a report on the order is on; none if there can be none.
#[must_use]
pub fn report_kind(order: &Order) -> Option<ReportKind> {
    finding(order).map(|(finding, _)| finding.kind())
}

/// What was found, and when the order was complete; a test order has looked at nothing.
fn finding(order: &Order) -> Option<(Finding, crate::model::time::Timestamp)> {
    let State::Complete {
        completed_at,
        outcome,
        ..
    } = &order.state
    else {
        return None;
    };
    let found = match outcome {
        _ if order.test => return None,
        Outcome::Detection(found) => Finding::Ai {
            probability: found.verdict.probability,
        },
        Outcome::Extraction(found) => Finding::Watermark {
            text: found.text.clone(),
        },
        Outcome::Outputs(_) | Outcome::Bulk(_) => return None,
    };
    Some((found, *completed_at))
}

fn subject(order: &Order, locale: Locale) -> String {
    format!("{}/{}", order.id, locale.tag())
}

/// Returns the order's id and the language of a report's job. The language is `None` if it is unknown.
fn about(job: &Job) -> (&str, Option<Locale>) {
    let (id, tag) = job.subject.split_once('/').unwrap_or((&job.subject, ""));
    (id, Locale::of_tag(tag))
}

impl Orders {
    /// A report in that language is wanted: the order, and whether it was not wanted before.
    ///
    /// # Errors
    /// If there can be none, or it cannot be written.
    pub async fn want_report(
        &self,
        account: &Account,
        order_id: &str,
        locale: Locale,
    ) -> Result<(Arc<Order>, bool), ReportError> {
        let mut tx = self.db.begin().await?;
        let found = store::orders::find(&mut tx, order_id).await?;
        let found = found.filter(|order| order.account == account.id);
        let mut order = found.ok_or(StoreError::AccountGone)?;
        if matches!(order.state, State::Expired { .. }) {
            return Err(ReportError::Expired);
        }
        if finding(&order).is_none() {
            return Err(ReportError::NotAvailable);
        }
        let choice = self.rules_on_report(&tx, account, &order);
        let failing = ruled::failure(&order, choice.ruled.as_ref());
        let failing = failing.map(|failure| failure.code);
        let fresh = Arc::make_mut(&mut order).reports.want(locale, failing);
        if fresh {
            let due_at = match choice.processing {
                Some((_, Processing::Ms(ms))) => account.now().plus_ms(ms.into()),
                _ => self.usually_due_at(account, &order, account.now()),
            };
            let subject = subject(&order, locale);
            store::orders::update(&mut tx, Arc::clone(&order)).await?;
            store::jobs::put(&mut tx, account.id, Kind::Report, &subject, due_at).await?;
            self.rules.count(&mut tx, &[choice]).await?;
        }
        tx.commit().await?;
        Ok((order, fresh))
    }

    /// What the rules say to a report that is asked for.
    fn rules_on_report(&self, tx: &Tx, account: &Account, order: &Order) -> Choice {
        let names = order.files.iter().map(|file| file.name.as_str());
        let file_names: Vec<&str> = names.collect();
        let subject = Subject::Order {
            makes: Makes::Report,
            file_names: &file_names,
        };
        let asked = Asked {
            operation: "bizmori.createReport",
            account: Some(&account.key),
            subject,
        };
        self.rules.choose(tx, asked)
    }

    /// Runs the job that makes a report.
    ///
    /// # Errors
    /// If it cannot be done by a fault of ours; it is then done again.
    pub async fn make_report(&self, job: &Job) -> Result<(), StoreError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let (id, locale) = about(job);
        let made = match (self.db.order(id).await?, locale) {
            (Some(order), Some(locale)) => {
                let state = self.write_report(&account, &order, locale).await?;
                state.map(|state| (order, state))
            }
            _ => None,
        };
        let Some((order, state)) = made else {
            return self.settle_without_report(job).await;
        };
        if self.end_report(job, state.clone()).await? {
            return Ok(());
        }
        match state {
            // It expired meanwhile.
            ReportState::Made { key } => self.remove(&account, &order, [&key]).await,
            _ => Ok(()),
        }
    }

    async fn settle_without_report(&self, job: &Job) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        store::jobs::take(&mut tx, job.id).await?;
        tx.commit().await
    }

    /// Takes the job out and records the state of its report. Returns false if nobody wants the report
    /// any more, or the account's life has ended.
    ///
    /// # Errors
    /// If it cannot be written.
    pub(super) async fn end_report(
        &self,
        job: &Job,
        state: ReportState,
    ) -> Result<bool, StoreError> {
        let mut tx = self.db.begin().await?;
        if !store::jobs::take(&mut tx, job.id).await? {
            return Ok(false);
        }
        let (id, locale) = about(job);
        let mut recorded = None;
        if let Some(locale) = locale
            && let Some(mut order) = store::orders::find(&mut tx, id).await?
            && matches!(order.state, State::Complete { .. })
            && Arc::make_mut(&mut order).reports.end(locale, state.clone())
        {
            store::orders::update(&mut tx, Arc::clone(&order)).await?;
            recorded = Some((order, locale));
        }
        tx.commit().await?;
        let account = self.accounts.by_id(job.account);
        if let (Some((order, locale)), ReportState::Failed { code }, Some(account)) =
            (&recorded, &state, account)
        {
            log_failed_report(&account, order, locale.tag(), code);
        }
        Ok(recorded.is_some())
    }

    /// Makes the report and stores it; none where there is nothing (any more) to report on.
    async fn write_report(
        &self,
        account: &Account,
        order: &Order,
        locale: Locale,
    ) -> Result<Option<ReportState>, StoreError> {
        let wanted = order.reports.of(locale).zip(finding(order));
        let Some((report, (finding, completed_at))) = wanted else {
            return Ok(None);
        };
        if let ReportState::UnderWay {
            failing: Some(code),
        } = &report.state
        {
            let code = code.clone();
            return Ok(Some(ReportState::Failed { code }));
        }
        let page = Page {
            locale,
            finding,
            order_id: order.id.clone(),
            order_name: order.name.clone(),
            file_name: order
                .subject()
                .map(|file| file.name.clone())
                .unwrap_or_default(),
            created_at: order.created_at,
            completed_at,
            made_at: account.now(),
            thumbnail: self.thumbnail_bytes(account, order).await?,
        };
        let bytes = match self.engine.report(page).await {
            Ok(bytes) => bytes,
            Err(Failure::Io(error)) => return Err(StoreError::broken(error)),
            // It would come to the same each time.
            Err(Failure::Defect(_)) => {
                let code = "PROCESSING_ERROR".to_owned();
                return Ok(Some(ReportState::Failed { code }));
            }
        };
        let key = layout::report_key(order, locale);
        let put = self.put_result(account, order, key, "application/pdf", bytes);
        let key = put.await?;
        Ok(Some(ReportState::Made { key }))
    }

    /// The order's thumbnail, if it has one.
    async fn thumbnail_bytes(
        &self,
        account: &Account,
        order: &Order,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let key = match order.outcome() {
            Some(Outcome::Detection(found)) => found.thumbnail.as_ref(),
            Some(Outcome::Extraction(found)) => found.thumbnail.as_ref(),
            Some(Outcome::Outputs(_) | Outcome::Bulk(_)) | None => None,
        };
        let Some(key) = key else {
            return Ok(None);
        };
        let read = self.blobs.read(account.id, order.vendor.bucket(), key);
        read.await.map_err(StoreError::broken)
    }
}
