//! Reports: responses of the report routes, and the list in the detail of an order.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::bizmori::test_samples;
use crate::api::bizmori::wire::RenderContext;
use crate::model::order::{Order, Vendor};
use crate::model::report::{self, Locale, ReportKind, ReportState};
use crate::services::orders::{report_kind, report_name};

/// Lifetime of the URL of a report.
const REPORT_URL_TTL_S: u32 = 300;

/// Report in the list of its order.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ReportItem {
    #[schemars(extend("enum" = Locale::ALL.map(Locale::tag)))]
    locale: &'static str,
    #[schemars(extend("enum" = ["processing", "completed", "failed"]))]
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

/// Response to the report routes.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ReportView {
    order_id: String,
    #[schemars(extend("enum" = ["watermarkDetection", "aiDetection"]))]
    report_type: &'static str,
    #[schemars(extend("enum" = Locale::ALL.map(Locale::tag)))]
    locale: &'static str,
    #[schemars(extend("enum" = ["queued", "processing", "completed", "failed"]))]
    status: &'static str,
    /// Null until the report is ready.
    download: Option<ReportDownload>,
    /// Null unless the report failed.
    failure: Option<ReportFailure>,
}

#[derive(Debug, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
struct ReportDownload {
    #[schemars(extend("format" = "uri"))]
    url: String,
    #[schemars(extend("const" = REPORT_URL_TTL_S))]
    expires_in_seconds: u32,
}

/// Reason why there is no report.
#[derive(Debug, Serialize, JsonSchema)]
struct ReportFailure {
    code: String,
    retryable: bool,
}

impl ReportView {
    /// Describes the report of `order` in `locale`. `None` if there is none. `is_new` is `true` if this
    /// request is the first one for the report, which is then still queued.
    pub fn new(
        order: &Order,
        locale: Locale,
        context: RenderContext<'_>,
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
            download: report_url(order, report, context).map(|url| ReportDownload {
                url,
                expires_in_seconds: REPORT_URL_TTL_S,
            }),
            failure,
        })
    }

    /// `true` unless the report is still being generated.
    pub fn has_ended(&self) -> bool {
        self.download.is_some() || self.failure.is_some()
    }
}

/// Returns the download URL of a report. `None` unless it is ready.
fn report_url(
    order: &Order,
    report: &report::Report,
    context: RenderContext<'_>,
) -> Option<String> {
    let (origin, locale, now) = (context.origin, report.locale, context.now);
    match &report.state {
        ReportState::Ready { key } => {
            let name = report_name(order, locale);
            let presigned_urls = context.presigned_urls;
            Some(presigned_urls.download_url(
                origin,
                Vendor::Bizmori,
                key,
                &name,
                now,
                REPORT_URL_TTL_S,
            ))
        }
        ReportState::Sample => {
            let expires_at = now.plus_ms(i64::from(REPORT_URL_TTL_S) * 1_000);
            let secret = context.sample_secret;
            Some(test_samples::report_url(
                secret, origin, &order.id, locale, expires_at,
            ))
        }
        ReportState::Generating { .. } | ReportState::Failed { .. } => None,
    }
}
