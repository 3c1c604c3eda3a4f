//! Reports, alone and in the list that an order has.

use serde::Serialize;

use crate::api::bizmori::test_samples;
use crate::api::bizmori::wire::RenderContext;
use crate::model::order::{Order, Vendor};
use crate::model::report::{self, Locale, ReportKind, ReportState};
use crate::services::orders::{report_kind, report_name};

/// Seconds for which the URL of a report is valid.
const REPORT_S: u32 = 300;

/// A report in the list of its order.
#[derive(Debug, Serialize)]
pub struct ReportItem {
    locale: &'static str,
    status: &'static str,
}

/// Returns the reports of an order, in the order in which they were first requested.
pub fn report_items(order: &Order) -> Vec<ReportItem> {
    let item = |report: &report::Report| ReportItem {
        locale: report.locale.tag(),
        status: status(&report.state),
    };
    order.reports.iter().map(item).collect()
}

fn status(state: &ReportState) -> &'static str {
    match state {
        ReportState::Generating { .. } => "processing",
        ReportState::Ready { .. } | ReportState::Sample => "completed",
        ReportState::Failed { .. } => "failed",
    }
}

/// A report as it stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportView {
    order_id: String,
    report_type: &'static str,
    locale: &'static str,
    status: &'static str,
    /// Null until the report is made.
    download: Option<ReportDownload>,
    /// Null unless the report failed.
    failure: Option<ReportFailure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportDownload {
    url: String,
    expires_in_seconds: u32,
}

/// Reason why there is no report.
#[derive(Debug, Serialize)]
struct ReportFailure {
    code: String,
    retryable: bool,
}

impl ReportView {
    /// Returns the report of `order` in that language. `None` if there is none. `is_new` if this very
    /// request asked for it: it is then still queued.
    pub fn of(
        order: &Order,
        locale: Locale,
        view: RenderContext<'_>,
        is_new: bool,
    ) -> Option<Self> {
        let report = order.reports.get(locale)?;
        let report_type = match report_kind(order)? {
            ReportKind::WatermarkDetection => "watermarkDetection",
            ReportKind::AiDetection => "aiDetection",
        };
        let failure = match &report.state {
            ReportState::Failed { code } => Some(ReportFailure {
                code: code.clone(),
                retryable: true,
            }),
            _ => None,
        };
        Some(Self {
            order_id: order.id.clone(),
            report_type,
            locale: locale.tag(),
            status: match report.state {
                ReportState::Generating { .. } if is_new => "queued",
                ref state => status(state),
            },
            download: url(order, report, view).map(|url| ReportDownload {
                url,
                expires_in_seconds: REPORT_S,
            }),
            failure,
        })
    }

    /// `true` unless the report is still being made.
    pub fn has_ended(&self) -> bool {
        self.download.is_some() || self.failure.is_some()
    }
}

/// Returns where a report can be downloaded. `None` until it is made.
fn url(order: &Order, report: &report::Report, view: RenderContext<'_>) -> Option<String> {
    let (origin, locale, now) = (view.origin, report.locale, view.now);
    match &report.state {
        ReportState::Ready { key } => {
            let name = report_name(order, locale);
            let links = view.links;
            Some(links.download_url(origin, Vendor::Bizmori, key, &name, now, REPORT_S))
        }
        ReportState::Sample => {
            let expires_at = now.plus_ms(i64::from(REPORT_S) * 1_000);
            let secret = view.sample_secret;
            Some(test_samples::report_url(
                secret, origin, &order.id, locale, expires_at,
            ))
        }
        ReportState::Generating { .. } | ReportState::Failed { .. } => None,
    }
}
