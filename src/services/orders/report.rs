//! Reports on what was found: asked for, made, kept with the order.

use std::sync::Arc;

use super::ended::log_failed_report;
use super::{Orders, blob_keys, overrides};
use crate::engine::{Finding, InputFile, ReportFacts, ReportSources};
use crate::model::file::{File, Role};
use crate::model::job::{Job, JobKind};
use crate::model::order::{ApiVersion, Order, OrderState};
use crate::model::picture::FileKind;
use crate::model::report::{Locale, ReportKind, ReportState};
use crate::model::rule::{MatchInput, MatchTarget, ProcessingMode, ResultKind};
use crate::model::time::Timestamp;
use crate::model::work::{Extraction, Outcome};
use crate::services::accounts::Account;
use crate::services::rules::RuleDecision;
use crate::storage::db::{self, StoreError, Tx};

/// Why there is no report.
#[derive(Debug)]
pub enum ReportError {
    /// The order has found nothing to report on (yet).
    NotAvailable,
    /// Reports on the order are not written in this language.
    LocaleUnsupported,
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
    report_finding(order).map(|(finding, _)| finding.kind())
}

/// `true` if reports on the order are written in that language: those on PDFs only in Korean.
#[must_use]
pub fn is_report_locale(order: &Order, locale: Locale) -> bool {
    let subject = order.primary_file();
    locale == Locale::KoKr || !subject.is_some_and(is_pdf)
}

/// File name of a report.
#[must_use]
pub fn report_name(order: &Order, locale: Locale) -> String {
    format!("{}-report-{}.pdf", order.name, locale.tag())
}

fn is_pdf(file: &File) -> bool {
    FileKind::of_name(&file.name).is_some_and(FileKind::is_pdf)
}

/// Returns what a report on the order tells, and when the order was complete. `None` if there is no
/// report on such an order. There are reports on AI detections, and on extractions of v3 that have a
/// result and an original that is a picture. Of a test key's orders there are reports only on
/// extractions that found a watermark.
fn report_finding(order: &Order) -> Option<(Finding, Timestamp)> {
    let OrderState::Complete {
        completed_at,
        outcome,
        ..
    } = &order.state
    else {
        return None;
    };
    let found = match outcome {
        Outcome::Detection(found) if !order.test => Finding::Ai {
            probability: found.verdict.probability,
        },
        Outcome::Extraction(found) if is_reported(order, found) => Finding::Watermark {
            text: found.text.clone(),
        },
        _ => return None,
    };
    Some((found, *completed_at))
}

fn is_reported(order: &Order, found: &Extraction) -> bool {
    let mut originals = order
        .files
        .iter()
        .filter(|file| file.role == Some(Role::Original));
    order.api == ApiVersion::V3
        && found.no_result.is_none()
        && (!order.test || found.text.is_some())
        && !originals.any(is_pdf)
}

/// Returns the facts of a report. `None` if there is no report on the order.
fn report_facts(order: &Order, locale: Locale, reported_at: Timestamp) -> Option<ReportFacts> {
    let (finding, completed_at) = report_finding(order)?;
    let subject = order.primary_file();
    let mut files = order.files.iter();
    let original = files.find(|file| file.role == Some(Role::Original));
    Some(ReportFacts {
        locale,
        finding,
        order_id: order.id.clone(),
        order_name: order.name.clone(),
        file_name: subject.map(|file| file.name.clone()).unwrap_or_default(),
        original_name: original.map(|file| file.name.clone()),
        created_at: order.created_at,
        completed_at,
        reported_at,
    })
}

fn job_subject(order: &Order, locale: Locale) -> String {
    format!("{}/{}", order.id, locale.tag())
}

/// Returns the order's id and the language of a report's job. The language is `None` if it is unknown.
fn report_log_subject(job: &Job) -> (&str, Option<Locale>) {
    let (id, tag) = job.subject.split_once('/').unwrap_or((&job.subject, ""));
    (id, Locale::of_tag(tag))
}

impl Orders {
    /// Requests a report in that language, unless it was requested before and has not failed.
    /// Returns the order, and whether the report is new. Reports of test keys are there at once,
    /// unless a rule says how long they take.
    ///
    /// # Errors
    /// If there can be none, or it cannot be written.
    pub async fn request_report(
        &self,
        account: &Arc<Account>,
        order_id: &str,
        locale: Locale,
    ) -> Result<(Arc<Order>, bool), ReportError> {
        let mut tx = self.db.begin().await?;
        let found = db::orders::find(&mut tx, order_id).await?;
        let found = found.filter(|order| order.account == account.id);
        let mut order = found.ok_or(StoreError::AccountGone)?;
        if matches!(order.state, OrderState::Expired { .. }) {
            return Err(ReportError::Expired);
        }
        if report_finding(&order).is_none() {
            return Err(ReportError::NotAvailable);
        }
        if !is_report_locale(&order, locale) {
            return Err(ReportError::LocaleUnsupported);
        }
        let choice = self.match_report_rules(&tx, account, &order);
        let failing = overrides::forced_failure(&order, choice.outcome_override.as_ref());
        let failing = failing.map(|failure| failure.code);
        let subject = job_subject(&order, locale);
        // Claimed before the clock is read, so that a clock in mode `jump` does not leap before the
        // report's job is committed.
        let _claim = self.claims.try_claim(account, JobKind::Report, &subject);
        let now = account.now();
        let due_at = match choice.processing {
            Some((_, ProcessingMode::AfterMs(ms))) => Some(now.plus_ms(ms.into())),
            _ if order.test => None,
            _ => Some(self.default_due_at(account, &order, now)),
        };
        let reports = &mut Arc::make_mut(&mut order).reports;
        let is_new = reports.request(locale, failing.clone());
        if is_new {
            if due_at.is_none() {
                let failed = failing.map(|code| ReportState::Failed { code });
                reports.finish(locale, failed.unwrap_or(ReportState::Sample));
            }
            db::orders::update(&mut tx, Arc::clone(&order)).await?;
            if let Some(due_at) = due_at {
                db::jobs::upsert(&mut tx, account.id, JobKind::Report, &subject, due_at).await?;
            }
            self.rules.record_hits(&mut tx, &[choice]).await?;
        }
        tx.commit().await?;
        Ok((order, is_new))
    }

    /// Draws the report of a test key's order. `None` if it was not requested, or has failed.
    ///
    /// # Errors
    /// If it cannot be drawn, which is a fault of the build.
    pub async fn sample_report(
        &self,
        order: &Order,
        locale: Locale,
    ) -> Result<Option<Vec<u8>>, StoreError> {
        let state = order.reports.get(locale).map(|report| &report.state);
        if state != Some(&ReportState::Sample) {
            return Ok(None);
        }
        let Some(facts) = report_facts(order, locale, order.updated_at) else {
            return Ok(None);
        };
        let bytes = self.engine.report(facts, ReportSources::default()).await;
        bytes.map(Some).map_err(StoreError::broken)
    }

    /// What the rules say to a report that is asked for.
    fn match_report_rules(&self, tx: &Tx, account: &Account, order: &Order) -> RuleDecision {
        let names = order.files.iter().map(|file| file.name.as_str());
        let file_names: Vec<&str> = names.collect();
        let subject = MatchTarget::Order {
            makes: ResultKind::Report,
            file_names: &file_names,
        };
        let input = MatchInput {
            operation: "bizmori.createReport",
            account: Some(&account.key),
            subject,
        };
        self.rules.evaluate(tx, input)
    }

    /// Runs the job that makes a report.
    ///
    /// # Errors
    /// If it cannot be done by a fault of ours; it is then done again.
    pub async fn make_report(&self, job: &Job) -> Result<(), StoreError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let (id, locale) = report_log_subject(job);
        let created = match (self.db.order(id).await?, locale) {
            (Some(order), Some(locale)) => {
                let state = self.write_report(&account, &order, locale).await?;
                state.map(|state| (order, state))
            }
            _ => None,
        };
        let Some((order, state)) = created else {
            return self.settle_without_report(job).await;
        };
        if self.end_report(job, state.clone()).await? {
            return Ok(());
        }
        match state {
            // It expired meanwhile.
            ReportState::Ready { key } => self.remove_blobs(&account, &order, [&key]).await,
            _ => Ok(()),
        }
    }

    async fn settle_without_report(&self, job: &Job) -> Result<(), StoreError> {
        let mut tx = self.db.begin().await?;
        db::jobs::delete(&mut tx, job.id).await?;
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
        if !db::jobs::delete(&mut tx, job.id).await? {
            return Ok(false);
        }
        let (id, locale) = report_log_subject(job);
        let mut recorded = None;
        if let Some(locale) = locale
            && let Some(mut order) = db::orders::find(&mut tx, id).await?
            && matches!(order.state, OrderState::Complete { .. })
            && Arc::make_mut(&mut order)
                .reports
                .finish(locale, state.clone())
        {
            db::orders::update(&mut tx, Arc::clone(&order)).await?;
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
        let facts = report_facts(order, locale, account.now());
        let Some((report, facts)) = order.reports.get(locale).zip(facts) else {
            return Ok(None);
        };
        if let ReportState::Generating {
            failing: Some(code),
        } = &report.state
        {
            let code = code.clone();
            return Ok(Some(ReportState::Failed { code }));
        }
        if order.test {
            return Ok(Some(ReportState::Sample));
        }
        let sources = self.report_sources(account, order).await?;
        let made = self.engine.report(facts, sources).await;
        let bytes = made.map_err(StoreError::broken)?;
        let key = blob_keys::report_key(order, locale);
        let put = self.put_result(account, order, key, "application/pdf", bytes);
        let key = put.await?;
        Ok(Some(ReportState::Ready { key }))
    }

    /// Returns the files of a report's images: the file on which the order was made, and the heatmap if
    /// the order has one.
    async fn report_sources(
        &self,
        account: &Account,
        order: &Order,
    ) -> Result<ReportSources, StoreError> {
        let picture = order.primary_file().map(|file| file.key.as_str());
        let heatmap = match order.outcome() {
            Some(Outcome::Detection(found)) => found.heatmap.as_deref(),
            _ => None,
        };
        Ok(ReportSources {
            picture: self.content_of(account, order, picture).await?,
            heatmap: self.content_of(account, order, heatmap).await?,
        })
    }

    /// Returns the content of the blob with that key. `None` if there is no such blob, or no key.
    async fn content_of(
        &self,
        account: &Account,
        order: &Order,
        key: Option<&str>,
    ) -> Result<Option<InputFile>, StoreError> {
        let Some(key) = key else {
            return Ok(None);
        };
        let bucket = order.vendor.bucket();
        let found = self.content(account.id, bucket, key).await;
        found.map_err(StoreError::broken)
    }
}
