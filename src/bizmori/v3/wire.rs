//! The bodies of v3, in its field order. A field that is an `Option` is null when there is
//! nothing to say, unless it says that it is left out.

use serde::Serialize;

use crate::bizmori::uploads::Uploads;
use crate::bizmori::wire::{Errors, Fraction, View, detected, detection, extraction, status_code};
use crate::clock;
use crate::model::file::{Cut, File, Role};
use crate::model::order::{Order, State, Vendor};
use crate::model::picture::Media;
use crate::model::report::{Locale, ReportKind, ReportState};
use crate::model::work::{DetectionOptions, Outcome, Work};
use crate::orders::report_kind;

/// Seconds a link to a report lives.
const REPORT_S: u32 = 300;
/// An order that takes longer is told to be delayed.
const DELAYED_MS: i64 = 60_000;

/// The answer to a create.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    order_id: String,
    status: &'static str,
    processing_delayed: bool,
    expires_at: String,
    files: Vec<NewFile>,
    outputs: Vec<NewOutput>,
    result: Option<Result>,
    reports: Vec<Report>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewFile {
    file_id: String,
    /// Null where nothing is waited for.
    upload_url: Option<String>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct NewOutput {
    file_id: String,
    input_file_id: String,
    output_index: usize,
    watermark_text: String,
    status: &'static str,
    media_kind: &'static str,
}

impl Created {
    /// The order as it stands.
    pub fn of(order: &Order, view: View<'_>, uploads: &Uploads<'_>) -> Self {
        let new_file = |(index, file): (usize, &File)| NewFile {
            file_id: file.id.to_string(),
            upload_url: awaits(order, file).then(|| uploads.url(order, index)),
        };
        let status = order.state.status();
        let outputs = match order.work {
            Work::WatermarkEmbed => order.cuts(),
            _ => Vec::new(),
        };
        Self {
            order_id: order.id.clone(),
            status,
            processing_delayed: is_delayed(order, view),
            expires_at: clock::iso(order.expires_at()),
            files: original_first(order).into_iter().map(new_file).collect(),
            outputs: outputs
                .into_iter()
                .map(|cut| NewOutput::of(cut, status))
                .collect(),
            result: Result::of(order, view),
            reports: reports(order, view),
        }
    }
}

impl NewOutput {
    fn of(cut: Cut<'_>, status: &'static str) -> Self {
        let is_pdf = Media::of_name(&cut.file.name).is_some_and(Media::is_pdf);
        Self {
            file_id: output_id(cut),
            input_file_id: cut.file.id.to_string(),
            output_index: cut.number,
            watermark_text: cut.texts.join("\n"),
            status,
            media_kind: if is_pdf { "pdf" } else { "image" },
        }
    }
}

/// The id of an output: its input's, and its number.
pub fn output_id(cut: Cut<'_>) -> String {
    format!("{}-{}", cut.file.id, cut.number)
}

fn is_delayed(order: &Order, view: View<'_>) -> bool {
    match order.state {
        State::InProgress { started_at, .. } => view.now.since_ms(started_at) > DELAYED_MS,
        _ => false,
    }
}

/// Whether the order waits for that file.
fn awaits(order: &Order, file: &File) -> bool {
    order.state == State::Pending && file.is_awaited()
}

/// The order's files with their places, an original before what was made of it.
fn original_first(order: &Order) -> Vec<(usize, &File)> {
    let mut files: Vec<_> = order.files.iter().enumerate().collect();
    files.sort_by_key(|(_, file)| file.role == Some(Role::Watermarked));
    files
}

/// The answer to `GET /api/v3/orders/{orderId}`: always these keys.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Detail {
    r#type: &'static str,
    order_id: String,
    order_name: String,
    channel: &'static str,
    status: &'static str,
    created_at: String,
    updated_at: String,
    expires_at: String,
    retention_days: u32,
    thumbnail_image_url: Option<String>,
    processing_delayed: bool,
    errors: Option<Errors>,
    input_files: Vec<InputFile>,
    result: Option<Result>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InputFile {
    file_id: String,
    file_name: String,
    /// Of an extraction only; else left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// Left out where nothing is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    upload_url: Option<String>,
}

impl Detail {
    /// The order as it stands.
    pub fn of(order: &Order, view: View<'_>, uploads: &Uploads<'_>) -> Self {
        let input_file = |(index, file): (usize, &File)| InputFile {
            file_id: file.id.to_string(),
            file_name: file.name.clone(),
            role: file.role.map(|role| match role {
                Role::Original => "original",
                Role::Watermarked => "query",
            }),
            upload_url: awaits(order, file).then(|| uploads.url(order, index)),
        };
        Self {
            r#type: order.work.name(),
            order_id: order.id.clone(),
            order_name: order.name.clone(),
            channel: "api",
            status: order.state.status(),
            created_at: clock::iso(order.created_at),
            updated_at: clock::iso(order.updated_at),
            expires_at: clock::iso(order.expires_at()),
            retention_days: order.retention_days,
            thumbnail_image_url: view.thumbnail(order),
            processing_delayed: is_delayed(order, view),
            errors: Errors::of(order, view.revision),
            input_files: original_first(order).into_iter().map(input_file).collect(),
            result: Result::of(order, view),
        }
    }
}

/// What came of a complete order.
#[derive(Debug, Serialize)]
#[serde(untagged, rename_all_fields = "camelCase")]
enum Result {
    Outputs {
        output_files: Vec<OutputFile>,
    },
    Extraction {
        detection_status: &'static str,
        watermark_text: Option<String>,
        report_supported: bool,
        reports: Vec<Report>,
    },
    Detection {
        verdict: &'static str,
        probability: Fraction,
        options: Option<DetectionOptions>,
        original_image_url: Option<String>,
        heatmap_url: Option<String>,
        overlay_url: Option<String>,
    },
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct OutputFile {
    file_id: String,
    file_name: String,
    input_file_id: String,
    /// Of an embedding only; else left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    watermark_text: Option<String>,
}

impl Result {
    fn of(order: &Order, view: View<'_>) -> Option<Self> {
        let State::Complete { outcome, .. } = &order.state else {
            return None;
        };
        Some(match outcome {
            Outcome::Outputs(_) => Self::Outputs {
                output_files: order.cuts().into_iter().map(OutputFile::from).collect(),
            },
            Outcome::Extraction(_) => {
                let found = extraction(order)?;
                Self::Extraction {
                    detection_status: detected(found),
                    watermark_text: found.text.clone(),
                    report_supported: report_kind(order).is_some(),
                    reports: reports(order, view),
                }
            }
            Outcome::Bulk(_) => return None,
            Outcome::Detection(_) => {
                let found = detection(order)?;
                let options = match order.work {
                    Work::AiDetection { options } => options,
                    _ => None,
                };
                Self::Detection {
                    verdict: status_code(found.verdict.probability).0,
                    probability: Fraction(found.verdict.probability),
                    options,
                    original_image_url: view.original(order),
                    heatmap_url: view.link(order, found.heatmap.as_deref()),
                    overlay_url: view.link(order, found.overlay.as_deref()),
                }
            }
        })
    }
}

impl From<Cut<'_>> for OutputFile {
    fn from(cut: Cut<'_>) -> Self {
        Self {
            file_id: output_id(cut),
            file_name: cut.file.name.clone(),
            input_file_id: cut.file.id.to_string(),
            watermark_text: (!cut.texts.is_empty()).then(|| cut.texts.join("\n")),
        }
    }
}

/// The answer to `GET …/download`.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Download {
    /// A ZIP; null where the one file is all there is.
    pub archive_url: Option<String>,
    pub files: Vec<DownloadFile>,
    pub expires_in_seconds: u32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DownloadFile {
    pub file_id: String,
    pub download_url: String,
}

/// A report, as it stands.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    order_id: String,
    report_type: &'static str,
    locale: &'static str,
    status: &'static str,
    /// Null until it is there.
    download: Option<ReportDownload>,
    /// Null unless it failed.
    failure: Option<Failure>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReportDownload {
    url: String,
    expires_in_seconds: u32,
}

/// Why there is no report.
#[derive(Debug, Serialize)]
struct Failure {
    code: String,
    retryable: bool,
}

impl Report {
    /// The order's report of that language, `fresh` if it has just been asked for; none if there
    /// is none.
    pub fn of(order: &Order, locale: Locale, view: View<'_>, fresh: bool) -> Option<Self> {
        let kept = order.reports.of(locale)?;
        let report_type = match report_kind(order)? {
            ReportKind::WatermarkDetection => "watermarkDetection",
            ReportKind::AiDetection => "aiDetection",
        };
        let download = kept.key().map(|key| {
            let name = format!("report-{}.pdf", locale.tag());
            let (links, now) = (view.links, view.now);
            ReportDownload {
                url: links.save(view.origin, Vendor::Bizmori, key, &name, now, REPORT_S),
                expires_in_seconds: REPORT_S,
            }
        });
        let (status, failure) = match &kept.state {
            ReportState::UnderWay { .. } if fresh => ("queued", None),
            ReportState::UnderWay { .. } => ("processing", None),
            ReportState::Made { .. } => ("completed", None),
            ReportState::Failed { code } => {
                let (code, retryable) = (code.clone(), true);
                ("failed", Some(Failure { code, retryable }))
            }
        };
        Some(Self {
            order_id: order.id.clone(),
            report_type,
            locale: locale.tag(),
            status,
            download,
            failure,
        })
    }

    /// Whether it is no longer under way.
    pub fn is_over(&self) -> bool {
        self.download.is_some() || self.failure.is_some()
    }
}

fn reports(order: &Order, view: View<'_>) -> Vec<Report> {
    let reports = order.reports.iter();
    let told = reports.filter_map(|report| Report::of(order, report.locale, view, false));
    told.collect()
}
