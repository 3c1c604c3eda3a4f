//! `POST /query`: status and result of a document. Free, and needs no key.

use axum::Extension;
use axum::extract::State;
use axum::http::Method;
use axum::response::IntoResponse;
use serde_json::json;

use super::UndetectableResult;
use super::accept::accepts_json;
use super::analysis::Analysis;
use super::body::{BODY_ERRORS, JsonValueBody};
use super::bulk;
use super::document::{find_document, read_id};
use super::error::ErrorCode;
use super::fields::FieldReader;
use super::openapi::{INTERNAL_ERRORS, with_errors};
use super::wire::{self, AnalysisEnd, Document, DoneOptions, FollowUp};
use crate::http::openapi::OperationDoc;
use crate::http::{
    AppState, Json, OnResponseSent, Origin, RequestContext, Routes, Services, X_MOCK_OUTCOME,
    header_line, outcome_line,
};
use crate::model::order::{Order, OrderState, Vendor};
use crate::model::rule::{ForcedOutcome, OutcomeOverride};
use crate::model::time::Timestamp;
use crate::model::work::{Detection, Outcome, Work};
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;
use crate::services::orders::DocumentTiming;
use crate::settings::AnalysisFinalStatus;

/// Adds the operation that reads a document.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "undetectable.query",
            Method::POST,
            "/query",
            accepts_json(post),
        )
        .docs(describe)
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get document status",
            "Free, and needs no key. Poll until `status` is `done` or `failed`, and on until heatmap and \
             analysis are no longer `pending`.",
        )
        .body_fields(FieldReader::describe_fields(read_id))
        .describe_param("id", "Id of the document.")
        .response::<Option<Document>>(200, "The document. Null if no document has the id.")
        .with_header(
            200,
            "X-Mock-Outcome",
            false,
            "The result and its source, once there is one.",
            &json!({"type": "string"}),
        );
    with_errors(
        doc,
        &[&BODY_ERRORS, &[ErrorCode::InvalidHost], &INTERNAL_ERRORS],
    )
}

async fn post(
    State(state): State<AppState>,
    Extension(entry): Extension<JournalEntry>,
    request_context: RequestContext,
    JsonValueBody(body): JsonValueBody,
) -> UndetectableResult {
    let Some((account, order)) = find_document(&state, &body, &entry).await? else {
        return Ok(Json(None::<Document>).into_response());
    };
    let (order, claim) = state.orders.record_poll(&account, order).await?;
    let mut response = document_response(&state, &account, &order, &request_context).await?;
    OnResponseSent::attach(&mut response, claim);
    Ok(response)
}

async fn document_response(
    state: &Services,
    account: &Account,
    order: &Order,
    request_context: &RequestContext,
) -> UndetectableResult {
    let now = account.now();
    let timing = state.orders.document_timing(account, order);
    let document = match &order.state {
        OrderState::Pending | OrderState::InProgress { .. } => {
            if timing.is_analyzing(&order.state, now) {
                Document::analyzing(order)
            } else {
                Document::pending(order)
            }
        }
        OrderState::Failed { failure, .. } => Document::failed(order, &failure.message),
        OrderState::Complete {
            completed_at,
            outcome: Outcome::Detection(detection),
            ..
        } => {
            let follow_up = follow_up(timing, detection, *completed_at, now);
            let response =
                done_response(state, account, order, detection, follow_up, request_context).await?;
            state.orders.mark_completion_reported(order, now).await?;
            return Ok(response);
        }
        OrderState::Expired {
            outcome: Some(Outcome::Detection(detection)),
        } => {
            let follow_up = FollowUp::Expired;
            return done_response(state, account, order, detection, follow_up, request_context)
                .await;
        }
        OrderState::Complete {
            outcome: Outcome::Bulk(result),
            ..
        }
        | OrderState::Expired {
            outcome: Some(Outcome::Bulk(result)),
        } => {
            let document = Document::for_bulk(order, bulk::mean_result(result));
            return Ok(bulk::with_outcome_header(order, result, Json(document)));
        }
        OrderState::Complete {
            outcome: Outcome::Outputs(_) | Outcome::Extraction(_),
            ..
        }
        | OrderState::Expired { .. } => Document::failed(order, "the document has expired"),
    };
    Ok(Json(document).into_response())
}

/// Returns the progress of heatmap and analysis. In the first response that says done, all that was
/// requested is pending, however late it is: clients that see nothing pending there stop polling.
fn follow_up(
    timing: DocumentTiming,
    detection: &Detection,
    completed_at: Timestamp,
    now: Timestamp,
) -> FollowUp {
    if detection.reported_at.is_none() {
        return FollowUp::FirstReport;
    }
    FollowUp::Subsequent {
        heatmap_ready: now >= timing.heatmap_at(completed_at),
        analysis_ready: now >= timing.analysis_at(completed_at),
    }
}

async fn done_response(
    state: &Services,
    account: &Account,
    order: &Order,
    detection: &Detection,
    follow_up: FollowUp,
    request_context: &RequestContext,
) -> UndetectableResult {
    let Origin(origin) = Origin::resolve(state, request_context).await?;
    let now = account.now();
    let blob_url = |key: &str| {
        state
            .presigned_urls
            .get_url(&origin, Vendor::Undetectable, key, now)
    };
    let has_analysis = matches!(order.work, Work::Document(options) if options.analysis);
    let options = DoneOptions {
        follow_up,
        analysis: has_analysis.then(|| analysis_end(state, account, order, detection)),
        singular_analysis: state.config.undetectable.singular_analysis,
    };
    let document = Document::done(order, detection, options, blob_url);
    let mut response = Json(document).into_response();
    let summary = format!("result {}", wire::result(&detection.verdict).0);
    let mut outcome = outcome_line(&summary, &detection.verdict.source);
    if has_analysis
        && follow_up.has_analysis_ended()
        && let Some(outcome_override) = forced_analysis_failure(order)
    {
        let failure = outcome_line("analysis failed", &outcome_override.source());
        let lines = [&outcome, &failure].map(|line| line.to_str().unwrap_or_default());
        outcome = header_line(&lines.join("; "));
    }
    response.headers_mut().insert(X_MOCK_OUTCOME, outcome);
    Ok(response)
}

/// Returns the override that forces the analysis of a document to fail, if there is one.
fn forced_analysis_failure(order: &Order) -> Option<&OutcomeOverride> {
    let outcome_override = order.outcome_override.as_ref()?;
    (outcome_override.outcome == ForcedOutcome::AnalysisFailed).then_some(outcome_override)
}

/// Returns how the analysis of a document ends.
fn analysis_end(
    state: &Services,
    account: &Account,
    order: &Order,
    detection: &Detection,
) -> AnalysisEnd {
    if forced_analysis_failure(order).is_some() {
        return AnalysisEnd::Failed;
    }
    let mut rng = state.entropy.rng(&account.key, "analysis", order.number);
    let analysis = Analysis::new(detection, &mut rng);
    match state.config.undetectable.analysis_final_status {
        AnalysisFinalStatus::Ready => AnalysisEnd::Ready(analysis),
        AnalysisFinalStatus::Done => AnalysisEnd::Done(analysis),
    }
}
