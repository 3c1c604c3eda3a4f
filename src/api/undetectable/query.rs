//! `POST /query`: how a document stands. It needs no key, and costs nothing.

use axum::Extension;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use super::analysis::Analysis;
use super::body::{self, JsonValueBody};
use super::error::{ApiError, ErrorCode};
use super::fields::FieldReader;
use super::find::{find, read};
use super::openapi::{INTERNAL_ERRORS, with_errors};
use super::wire::{self, AnalysisEnd, Document, DoneOptions, FollowUp};
use super::{UndetectableResult, bulk};
use crate::http::openapi::OperationDoc;
use crate::http::{
    AppState, Json, OnResponseSent, Origin, RequestContext, Services, X_MOCK_OUTCOME, header_line,
    outcome_line,
};
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::rule::{self, OutcomeOverride};
use crate::model::time::Timestamp;
use crate::model::work::{Detection, Outcome, Work};
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;
use crate::services::orders::DocumentTiming;
use crate::settings::AnalysisFinalStatus;

pub fn describe(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary(
            "How a document stands",
            "Free, and without a key. Asked until `status` is `done` or `failed`, and further \
             until heatmap and analysis are no longer `pending`.",
        )
        .body_fields(FieldReader::describe_fields(read))
        .describe_param("id", "The document's.")
        .response::<Option<Document>>(200, "The document; null where no document has the id.")
        .with_header(
            200,
            "X-Mock-Outcome",
            false,
            "What settled the result, where there is one.",
            &json!({"type": "string"}),
        );
    with_errors(
        described,
        &[
            &body::BODY_ERRORS,
            &[ErrorCode::InvalidHost],
            &INTERNAL_ERRORS,
        ],
    )
}

pub async fn post(
    State(context): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    request: RequestContext,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    let Some((account, order)) = find(&context, &body, &entry).await? else {
        return Ok(Json(None::<Document>).into_response());
    };
    let (order, hold) = context.orders.record_poll(&account, order).await?;
    let mut reply = document_response(&context, &account, &order, &request).await?;
    OnResponseSent::attach(&mut reply, hold);
    Ok(reply)
}

async fn document_response(
    state: &Services,
    account: &Account,
    order: &Order,
    request: &RequestContext,
) -> UndetectableResult {
    let now = account.now();
    let steps = state.orders.document_timing(account, order);
    let document = match &order.state {
        OrderState::Pending | OrderState::InProgress { .. } => {
            if steps.is_analyzing(&order.state, now) {
                Document::analyzing(order)
            } else {
                Document::pending(order)
            }
        }
        OrderState::Failed { failure, .. } => Document::failed(order, &failure.message),
        OrderState::Complete {
            completed_at,
            outcome: Outcome::Detection(found),
            ..
        } => {
            let progress = progress(steps, found, *completed_at, now);
            let reply = done(state, account, order, found, progress, request).await?;
            state.orders.mark_completion_reported(order, now).await?;
            return Ok(reply);
        }
        OrderState::Expired {
            outcome: Some(Outcome::Detection(found)),
        } => return done(state, account, order, found, FollowUp::Over, request).await,
        OrderState::Complete {
            outcome: Outcome::Bulk(found),
            ..
        }
        | OrderState::Expired {
            outcome: Some(Outcome::Bulk(found)),
        } => {
            let document = Document::of_bulk(order, bulk::mean_result(found));
            return Ok(bulk::with_outcome_header(order, found, Json(document)));
        }
        OrderState::Complete {
            outcome: Outcome::Outputs(_) | Outcome::Extraction(_),
            ..
        }
        | OrderState::Expired { .. } => Document::failed(order, "the document has expired"),
    };
    Ok(Json(document).into_response())
}

/// The first answer that says done says that all else is pending, however late it is: clients
/// that see nothing pending there stop asking.
fn progress(
    steps: DocumentTiming,
    found: &Detection,
    completed_at: Timestamp,
    now: Timestamp,
) -> FollowUp {
    if found.reported_at.is_none() {
        return FollowUp::First;
    }
    FollowUp::Later {
        heatmap_ready: now >= steps.heatmap_at(completed_at),
        analysis_ready: now >= steps.analysis_at(completed_at),
    }
}

async fn done(
    state: &Services,
    account: &Account,
    order: &Order,
    found: &Detection,
    progress: FollowUp,
    request: &RequestContext,
) -> Result<Response, ApiError> {
    let Origin(origin) = Origin::resolve(state, request).await?;
    let now = account.now();
    let link = |key: &str| state.links.get_url(&origin, Vendor::Undetectable, key, now);
    let wants_analysis = matches!(order.work, Work::Document(options) if options.analysis);
    let failing = failing_analysis(order).filter(|_| wants_analysis);
    let extras = DoneOptions {
        progress,
        analysis: wants_analysis.then(|| analysis_end(state, account, order, found)),
        singular_analysis: state.config.undetectable.singular_analysis,
    };
    let document = Document::done(order, found, extras, link);
    let mut response = Json(document).into_response();
    let summary = format!("result {}", wire::result(&found.verdict).0);
    let mut outcome = outcome_line(&summary, &found.verdict.source);
    if let Some(outcome_override) = failing
        && progress.has_analysis()
    {
        let failed = outcome_line("analysis failed", &outcome_override.source());
        let both = [&outcome, &failed].map(|line| line.to_str().unwrap_or_default());
        outcome = header_line(&both.join("; "));
    }
    response.headers_mut().insert(X_MOCK_OUTCOME, outcome);
    Ok(response)
}

/// Returns the rule, or the control plane's call, that has the analysis of a document fail.
fn failing_analysis(order: &Order) -> Option<&OutcomeOverride> {
    let outcome_override = order.outcome_override.as_ref();
    outcome_override
        .filter(|outcome_override| outcome_override.outcome == rule::ForcedOutcome::AnalysisFailed)
}

/// Returns how the analysis of a document ends.
fn analysis_end(
    state: &Services,
    account: &Account,
    order: &Order,
    found: &Detection,
) -> AnalysisEnd {
    if failing_analysis(order).is_some() {
        return AnalysisEnd::Failed;
    }
    let mut chance = state.entropy.rng(&account.key, "analysis", order.number);
    let analysis = Analysis::of(found, &mut chance);
    match state.config.undetectable.analysis_final_status {
        AnalysisFinalStatus::Ready => AnalysisEnd::Ready(analysis),
        AnalysisFinalStatus::Done => AnalysisEnd::Done(analysis),
    }
}
