//! The bodies of `/detect` and `/query`, in the vendor's field order, each built from an order
//! and what follows from it. A field that is an `Option` is null when there is nothing to say,
//! unless it says that it is left out.

mod schema;

use schemars::JsonSchema;
use serde::Serialize;

use super::analysis::Analysis;
use super::python_float::PyFloat;
use super::verdict::{self, metadata_source};
pub use super::verdict::{
    detection_step, final_result, label_confidence, metadata, ml_model, ocr, percent, result,
};
use super::warnings::Warning;
use crate::model::order::Order;
use crate::model::work::{Detection, Work};

/// The answer to `POST /detect`.
#[derive(Debug, Serialize, JsonSchema)]
pub struct DocumentQueued {
    id: String,
    #[schemars(extend("const" = "pending"))]
    status: &'static str,
}

impl From<&Order> for DocumentQueued {
    fn from(order: &Order) -> Self {
        Self {
            id: order.id.clone(),
            status: "pending",
        }
    }
}

/// How far that has come which comes after the verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FollowUp {
    /// The client is told for the first time that the verdict is there.
    First,
    Later {
        heatmap_ready: bool,
        analysis_ready: bool,
    },
    /// The document has expired: its pictures are gone.
    Over,
}

impl FollowUp {
    /// Returns `true` if the analysis has come to its end.
    pub fn has_analysis(self) -> bool {
        matches!(
            self,
            Self::Over
                | Self::Later {
                    analysis_ready: true,
                    ..
                }
        )
    }
}

/// Last status of an analysis, and what comes with it.
#[derive(Debug)]
pub enum AnalysisEnd {
    Ready(Analysis),
    /// Another word for ready.
    Done(Analysis),
    Failed,
}

impl AnalysisEnd {
    fn parts(self) -> (&'static str, Option<Analysis>) {
        match self {
            Self::Ready(analysis) => ("ready", Some(analysis)),
            Self::Done(analysis) => ("done", Some(analysis)),
            Self::Failed => ("failed", None),
        }
    }
}

/// What is told of a document beside the verdict.
#[derive(Debug)]
pub struct DoneOptions {
    pub progress: FollowUp,
    /// `None` if it is not wanted.
    pub analysis: Option<AnalysisEnd>,
    /// Give the analysis under its older names too.
    pub singular_analysis: bool,
}

/// The answer to `POST /query`.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(extend("oneOf" = schema::states()))]
pub struct Document {
    id: String,
    #[schemars(extend("enum" = ["pending", "analyzing", "done", "failed"]))]
    status: &'static str,
    /// Null until it is done: clients stop asking as soon as it is not.
    #[schemars(range(min = 0, max = 100))]
    result: Option<PyFloat>,
    result_details: ResultDetails,
    /// Left out until it is done.
    #[serde(flatten)]
    preview: Option<Preview>,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Preview {
    preview_url: Option<String>,
}

/// What there is to say of a document in its state.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "ResultDetails")]
enum ResultDetails {
    Unsettled {
        is_valid: Option<bool>,
    },
    Failed {
        is_valid: bool,
        error_message: String,
    },
    Done(Box<DoneDetails>),
}

/// What is said of a picture that was looked at.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "Verdict")]
struct DoneDetails {
    #[schemars(extend("const" = true))]
    is_valid: bool,
    /// Decided by: 1 metadata, 2 a watermark, 3 the model.
    #[schemars(range(min = 1, max = 3))]
    detection_step: u8,
    /// `AI Generated`, `Real`, `Digitally Edited` or `AI Edited`; at step 2 the generator's name.
    final_result: String,
    /// The chance that it was made by AI, in percent.
    #[schemars(range(min = 0, max = 100))]
    confidence: PyFloat,
    /// How sure the label is, in percent.
    #[schemars(range(min = 0, max = 100))]
    final_label_confidence: PyFloat,
    /// Verdict and reason.
    metadata: (&'static str, String),
    /// The camera, the AI tool or the editor, where the metadata name one.
    metadata_basic_source: Option<String>,
    /// Label and percent.
    ocr: Option<(String, PyFloat)>,
    /// Left out before step 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    ml_model: Option<(String, PyFloat)>,
    #[schemars(extend("enum" = ["pending", "ready", null]))]
    heatmap_status: Option<&'static str>,
    heatmap_url: Option<String>,
    #[schemars(extend("enum" = schema::analysis_statuses()))]
    analysis_results_status: Option<&'static str>,
    analysis_results: Option<Analysis>,
    /// Left out unless set.
    #[serde(flatten)]
    singular: Option<LegacyAnalysis>,
    error_message: Option<String>,
    warnings: Vec<Warning>,
}

/// The analysis under its older names.
#[derive(Debug, Serialize, JsonSchema)]
struct LegacyAnalysis {
    #[schemars(extend("enum" = schema::analysis_statuses()))]
    analysis_result_status: Option<&'static str>,
    analysis_result: Option<Analysis>,
}

impl Document {
    fn unsettled(order: &Order, status: &'static str, is_valid: Option<bool>) -> Self {
        Self {
            id: order.id.clone(),
            status,
            result: None,
            result_details: ResultDetails::Unsettled { is_valid },
            preview: None,
        }
    }

    /// Nobody has looked at it yet.
    pub fn pending(order: &Order) -> Self {
        Self::unsettled(order, "pending", None)
    }

    /// It is being looked at.
    pub fn analyzing(order: &Order) -> Self {
        Self::unsettled(order, "analyzing", Some(true))
    }

    /// Nothing came of it.
    pub fn failed(order: &Order, error_message: &str) -> Self {
        let result_details = ResultDetails::Failed {
            is_valid: false,
            error_message: error_message.to_owned(),
        };
        Self {
            result_details,
            ..Self::unsettled(order, "failed", None)
        }
    }

    /// That was found, `link` making URLs of keys.
    pub fn done(
        order: &Order,
        found: &Detection,
        extras: DoneOptions,
        link: impl Fn(&str) -> String,
    ) -> Self {
        let is_expired = extras.progress == FollowUp::Over;
        let preview_url = found.preview.as_deref().filter(|_| !is_expired).map(&link);
        Self {
            id: order.id.clone(),
            status: "done",
            result: Some(verdict::result(&found.verdict)),
            result_details: ResultDetails::Done(Box::new(DoneDetails::of(
                order, found, extras, link,
            ))),
            preview: Some(Preview { preview_url }),
        }
    }

    /// The pictures of a bulk were judged, to that in the mean; what came of each is told
    /// elsewhere.
    pub fn of_bulk(order: &Order, result: Option<PyFloat>) -> Self {
        Self {
            result,
            preview: Some(Preview { preview_url: None }),
            ..Self::unsettled(order, "done", Some(true))
        }
    }
}

impl DoneDetails {
    fn of(
        order: &Order,
        found: &Detection,
        extras: DoneOptions,
        link: impl Fn(&str) -> String,
    ) -> Self {
        let verdict = &found.verdict;
        let step = detection_step(verdict);
        let (heatmap_status, heatmap_url) = heatmap(order, found, extras.progress, link);
        let (analysis_status, analysis) = analysis(extras.progress, extras.analysis);
        let singular = extras.singular_analysis.then(|| LegacyAnalysis {
            analysis_result_status: analysis_status,
            analysis_result: analysis.clone(),
        });
        let name = order.files.first().map_or("", |file| file.name.as_str());
        Self {
            is_valid: true,
            detection_step: step,
            final_result: final_result(&verdict.label).to_owned(),
            confidence: percent(verdict.probability),
            final_label_confidence: label_confidence(verdict),
            metadata: metadata(verdict, step),
            metadata_basic_source: metadata_source(verdict, step),
            ocr: ocr(verdict, step),
            ml_model: ml_model(verdict, step),
            heatmap_status,
            heatmap_url,
            analysis_results_status: analysis_status,
            analysis_results: analysis,
            singular,
            error_message: None,
            warnings: Warning::of(found, name),
        }
    }
}

fn heatmap(
    order: &Order,
    found: &Detection,
    progress: FollowUp,
    link: impl Fn(&str) -> String,
) -> (Option<&'static str>, Option<String>) {
    let wanted = matches!(order.work, Work::Document(options) if options.heatmap);
    let drawn = found.heatmap.as_deref().or(found.overlay.as_deref());
    match (drawn.filter(|_| wanted), progress) {
        (None, _) | (_, FollowUp::Over) => (None, None),
        (Some(key), FollowUp::Later { heatmap_ready, .. }) if heatmap_ready => {
            (Some("ready"), Some(link(key)))
        }
        (Some(_), FollowUp::First | FollowUp::Later { .. }) => (Some("pending"), None),
    }
}

fn analysis(
    progress: FollowUp,
    end: Option<AnalysisEnd>,
) -> (Option<&'static str>, Option<Analysis>) {
    let Some(end) = end else {
        return (None, None);
    };
    if progress == FollowUp::First {
        return (Some("pending"), None);
    }
    if !progress.has_analysis() {
        return (Some("analyzing"), None);
    }
    let (status, analysis) = end.parts();
    (Some(status), analysis)
}
