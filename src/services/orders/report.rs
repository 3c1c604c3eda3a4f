//! PDF reports on results: requested, rendered, and stored with the order.

use std::sync::Arc;

use super::end_log::log_failed_report;
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
use crate::services::rules::{MatchOccasion, RuleDecision};
use crate::storage::db::{self, InternalError, Tx};

/// Reason why there is no report.
#[derive(Debug)]
pub enum ReportError {
    /// The order has no result to report on, or none yet.
    NotAvailable,
    /// Reports on this order do not exist in the requested language.
    LocaleUnsupported,
    Expired,
    Internal(InternalError),
}

impl From<InternalError> for ReportError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

/// Returns the kind of report that the order can have. `None` if it can have no report.
#[must_use]
pub fn report_kind(order: &Order) -> Option<ReportKind> {
    report_finding(order).map(|(finding, _)| finding.kind())
}

/// `true` if the order can have a report in `locale`. Reports on PDF files are only in Korean.
#[must_use]
pub fn is_report_locale(order: &Order, locale: Locale) -> bool {
    let subject = order.primary_file();
    locale == Locale::KoKr || !subject.is_some_and(is_pdf)
}

/// Returns the file name of a report.
#[must_use]
pub fn report_name(order: &Order, locale: Locale) -> String {
    format!("{}-report-{}.pdf", order.name, locale.tag())
}

fn is_pdf(file: &File) -> bool {
    FileKind::of_name(&file.name).is_some_and(FileKind::is_pdf)
}

/// Returns the finding of a report on the order, and the time at which the order was completed.
/// `None` if the order can have no report. AI detections can have reports, and v3 extractions that
/// have a result and no PDF as original. A test order has a report only if its extraction found a
/// watermark.
fn report_finding(order: &Order) -> Option<(Finding, Timestamp)> {
    let OrderState::Complete {
        completed_at,
        outcome,
        ..
    } = &order.state
    else {
        return None;
    };
    let finding = match outcome {
        Outcome::Detection(detection) if !order.test => Finding::Ai {
            probability: detection.verdict.probability,
        },
        Outcome::Extraction(extraction) if has_extraction_report(order, extraction) => {
            Finding::Watermark {
                text: extraction.text.clone(),
            }
        }
        _ => return None,
    };
    Some((finding, *completed_at))
}

fn has_extraction_report(order: &Order, extraction: &Extraction) -> bool {
    let mut originals = order
        .files
        .iter()
        .filter(|file| file.role == Some(Role::Original));
    order.api == ApiVersion::V3
        && extraction.no_result.is_none()
        && (!order.test || extraction.text.is_some())
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

/// Returns the order's id and the report's language from the job's subject. The language is `None`
/// if it is unknown.
fn report_log_subject(job: &Job) -> (&str, Option<Locale>) {
    let (id, tag) = job.subject.split_once('/').unwrap_or((&job.subject, ""));
    (id, Locale::from_tag(tag))
}

impl Orders {
    /// Requests a report in `locale` for `operation`, unless one is requested or ready. Returns the order, and
    /// `true` if the report is new. A test order's report is ready at once, unless a rule sets a
    /// delay.
    ///
    /// # Errors
    /// Returns the reason why the order can have no report, or an error if the database fails.
    pub async fn request_report(
        &self,
        account: &Arc<Account>,
        operation: &'static str,
        order_id: &str,
        locale: Locale,
    ) -> Result<(Arc<Order>, bool), ReportError> {
        let mut tx = self.db.begin().await?;
        let row = db::orders::find(&mut tx, order_id).await?;
        let mut order = row
            .filter(|order| order.account == account.id)
            .ok_or(InternalError::AccountGone)?;
        if matches!(order.state, OrderState::Expired { .. }) {
            return Err(ReportError::Expired);
        }
        if report_finding(&order).is_none() {
            return Err(ReportError::NotAvailable);
        }
        if !is_report_locale(&order, locale) {
            return Err(ReportError::LocaleUnsupported);
        }
        let decision = self.match_report_rules(&tx, account, operation, &order);
        let forced_code = overrides::forced_failure(&order, decision.outcome_override.as_ref())
            .map(|failure| failure.code);
        let subject = job_subject(&order, locale);
        // Claimed before the clock is read, so that a clock in mode `jump` does not jump before the
        // report's job is committed.
        let _claim = self.claims.try_claim(account, JobKind::Report, &subject);
        let now = account.now();
        let due_at = match decision.processing {
            Some((_, ProcessingMode::AfterMs(ms))) => Some(now.plus_ms(ms.into())),
            _ if order.test => None,
            _ => Some(self.default_due_at(account, &order, now)),
        };
        let reports = &mut Arc::make_mut(&mut order).reports;
        let is_new = reports.request(locale, forced_code.clone());
        if is_new {
            if due_at.is_none() {
                let failed = forced_code.map(|code| ReportState::Failed { code });
                reports.finish(locale, failed.unwrap_or(ReportState::Sample));
            }
            db::orders::update(&mut tx, Arc::clone(&order)).await?;
            if let Some(due_at) = due_at {
                db::jobs::upsert(&mut tx, account.id, JobKind::Report, &subject, due_at).await?;
            }
            let occasion = MatchOccasion {
                at: now,
                account: Some(&account.key),
                operation,
                seq: None,
                order_id: Some(&order.id),
            };
            self.rules
                .record_hits(&mut tx, &[decision], occasion)
                .await?;
        }
        tx.commit().await?;
        Ok((order, is_new))
    }

    /// Renders the report of a test order. `None` if it was not requested, or has failed.
    ///
    /// # Errors
    /// Returns an error if the engine fails.
    pub async fn sample_report(
        &self,
        order: &Order,
        locale: Locale,
    ) -> Result<Option<Vec<u8>>, InternalError> {
        let state = order.reports.get(locale).map(|report| &report.state);
        if state != Some(&ReportState::Sample) {
            return Ok(None);
        }
        let Some(facts) = report_facts(order, locale, order.updated_at) else {
            return Ok(None);
        };
        let bytes = self.engine.report(facts, ReportSources::default()).await;
        bytes.map(Some).map_err(InternalError::broken)
    }

    /// Evaluates the rules on a requested report.
    fn match_report_rules(
        &self,
        tx: &Tx,
        account: &Account,
        operation: &str,
        order: &Order,
    ) -> RuleDecision {
        let names = order.files.iter().map(|file| file.name.as_str());
        let file_names: Vec<&str> = names.collect();
        let subject = MatchTarget::Order {
            result_kind: ResultKind::Report,
            file_names: &file_names,
        };
        let input = MatchInput {
            operation,
            account: Some(&account.key),
            subject,
        };
        self.rules.evaluate(tx, input)
    }

    /// Runs the job that creates a report.
    ///
    /// # Errors
    /// Returns an error of the server. The job is then run again.
    pub async fn make_report(&self, job: &Job) -> Result<(), InternalError> {
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
            return self.delete_report_job(job).await;
        };
        if self.end_report(job, state.clone()).await? {
            return Ok(());
        }
        match state {
            // The order was expired or removed while the report was rendered.
            ReportState::Ready { key } => self.remove_blobs(&account, &order, [&key]).await,
            _ => Ok(()),
        }
    }

    async fn delete_report_job(&self, job: &Job) -> Result<(), InternalError> {
        let mut tx = self.db.begin().await?;
        db::jobs::delete(&mut tx, job.id).await?;
        tx.commit().await
    }

    /// Deletes the job and records the state of its report. Returns `false` if the report is not
    /// requested any more, or the account has ended.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub(super) async fn end_report(
        &self,
        job: &Job,
        state: ReportState,
    ) -> Result<bool, InternalError> {
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

    /// Renders a report and stores it. `None` if the order cannot have this report any more.
    async fn write_report(
        &self,
        account: &Account,
        order: &Order,
        locale: Locale,
    ) -> Result<Option<ReportState>, InternalError> {
        let facts = report_facts(order, locale, account.now());
        let Some((report, facts)) = order.reports.get(locale).zip(facts) else {
            return Ok(None);
        };
        if let ReportState::Generating {
            forced_failure_code: Some(code),
        } = &report.state
        {
            let code = code.clone();
            return Ok(Some(ReportState::Failed { code }));
        }
        if order.test {
            return Ok(Some(ReportState::Sample));
        }
        let sources = self.report_sources(account, order).await?;
        let rendered = self.engine.report(facts, sources).await;
        let bytes = rendered.map_err(InternalError::broken)?;
        let key = blob_keys::report_key(order, locale);
        let put = self.put_result(account, order, key, "application/pdf", bytes);
        let key = put.await?;
        Ok(Some(ReportState::Ready { key }))
    }

    /// Opens the images of a report: the order's file, and the heatmap if the order has one.
    async fn report_sources(
        &self,
        account: &Account,
        order: &Order,
    ) -> Result<ReportSources, InternalError> {
        let picture = order.primary_file().map(|file| file.key.as_str());
        let heatmap = match order.outcome() {
            Some(Outcome::Detection(detection)) => detection.heatmap.as_deref(),
            _ => None,
        };
        Ok(ReportSources {
            picture: self.content_of(account, order, picture).await?,
            heatmap: self.content_of(account, order, heatmap).await?,
        })
    }

    /// Opens the blob `key`. `None` if `key` is `None` or the blob does not exist.
    async fn content_of(
        &self,
        account: &Account,
        order: &Order,
        key: Option<&str>,
    ) -> Result<Option<InputFile>, InternalError> {
        let Some(key) = key else {
            return Ok(None);
        };
        let bucket = order.vendor.bucket();
        let opened = self.content(account.id, bucket, key).await;
        opened.map_err(InternalError::broken)
    }
}
