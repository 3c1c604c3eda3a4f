//! Reports on the result of an order.

use axum::extract::State;
use axum::http::{Method, StatusCode};

use super::orders::find_own_order;
use super::wire::ReportView;
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::orders::order_expired;
use crate::api::bizmori::request::{OptionalJsonBody, ReportBody};
use crate::api::bizmori::wire::RenderContext;
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::{AppState, Origin, PathParam, PathParamPair, RequestContext, Routes};
use crate::model::order::OrderState;
use crate::model::report::Locale;
use crate::model::rule::ResultKind;
use crate::services::orders::{ReportError, is_report_locale};

/// Operation that requests a report. Rules match the report by it.
const CREATE_REPORT: &str = "bizmori.createReport";

/// Adds the operations on reports.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            CREATE_REPORT,
            Method::POST,
            "/api/v3/orders/{orderId}/reports",
            create,
        )
        .produces(ResultKind::Report)
        .on(
            "bizmori.getReport",
            Method::GET,
            "/api/v3/orders/{orderId}/reports/{locale}",
            get,
        )
}

async fn create(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request_context: RequestContext,
    OptionalJsonBody(body): OptionalJsonBody<ReportBody>,
) -> BizmoriResult {
    let order = find_own_order(&state, &account, &order_id).await?;
    let locale = match &body.locale {
        Some(tag) => parse_locale(tag)?,
        None => Locale::default(),
    };
    let requested = state
        .orders
        .request_report(&account, CREATE_REPORT, &order.id, locale);
    let (order, is_new) = requested.await.map_err(|error| match error {
        ReportError::Expired => order_expired(&order_id),
        ReportError::NotAvailable => report_not_available(&order_id),
        ReportError::LocaleUnsupported => require_korean(locale),
        ReportError::Internal(error) => error.into(),
    })?;
    let Origin(origin) = Origin::resolve(&state, &request_context).await?;
    let context = RenderContext::new(&state, &account, &origin);
    let report = ReportView::new(&order, locale, context, is_new)
        .ok_or_else(|| report_not_available(&order_id))?;
    let has_ended = report.has_ended();
    let mut response = data_response(report);
    if !has_ended {
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    Ok(response)
}

async fn get(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParamPair(order_id, tag): PathParamPair,
    request_context: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&state, &account, &order_id).await?;
    let locale = parse_locale(&tag)?;
    if matches!(order.state, OrderState::Expired { .. }) {
        return Err(order_expired(&order_id));
    }
    if !is_report_locale(&order, locale) {
        return Err(require_korean(locale));
    }
    if order.reports.get(locale).is_none() {
        let message = format!("order {order_id} has no report in {tag}: request it by POST");
        return Err(ApiError::new(ErrorCode::ReportNotFound, message));
    }
    let Origin(origin) = Origin::resolve(&state, &request_context).await?;
    let context = RenderContext::new(&state, &account, &origin);
    let report = ReportView::new(&order, locale, context, false)
        .ok_or_else(|| report_not_available(&order_id))?;
    Ok(data_response(report))
}

fn require_korean(locale: Locale) -> ApiError {
    let message = format!(
        "locale: reports on PDFs exist in {} only, got {}",
        Locale::KoKr.tag(),
        locale.tag()
    );
    ApiError::new(ErrorCode::ReportLocaleUnsupported, message)
}

fn parse_locale(tag: &str) -> Result<Locale, ApiError> {
    Locale::from_tag(tag).ok_or_else(|| {
        let known = Locale::ALL.map(Locale::tag).join(", ");
        let message = format!("locale: must be one of: {known} (got {tag})");
        ApiError::new(ErrorCode::ReportLocaleUnsupported, message)
    })
}

fn report_not_available(order_id: &str) -> ApiError {
    ApiError::new(
        ErrorCode::ReportNotAvailable,
        format!("order {order_id} has no result that supports reports"),
    )
}
