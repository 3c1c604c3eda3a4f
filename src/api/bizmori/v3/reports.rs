//! Reports on what was found.

use axum::extract::State;
use axum::http::StatusCode;

use super::find_own_order;
use super::wire::ReportView;
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::request::{OptionalJsonBody, ReportBody};
use crate::api::bizmori::wire::RenderContext;
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::{AppState, Origin, PathParam, PathParamPair, RequestContext};
use crate::model::order::OrderState;
use crate::model::report::Locale;
use crate::services::orders::{ReportError, is_report_locale};

pub async fn create(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    request_context: RequestContext,
    OptionalJsonBody(body): OptionalJsonBody<ReportBody>,
) -> BizmoriResult {
    let order = find_own_order(&context, &account, &order_id).await?;
    let locale = match &body.locale {
        Some(tag) => parse_locale(tag)?,
        None => Locale::default(),
    };
    let requested = context.orders.request_report(&account, &order.id, locale);
    let (order, is_new) = requested.await.map_err(|error| match error {
        ReportError::Expired => report_expired(&order_id),
        ReportError::NotAvailable => report_not_available(&order_id),
        ReportError::LocaleUnsupported => require_korean(locale),
        ReportError::Internal(error) => error.into(),
    })?;
    let Origin(origin) = Origin::resolve(&context, &request_context).await?;
    let view = RenderContext::of(&context, &account, &origin);
    let report = ReportView::of(&order, locale, view, is_new);
    let report = report.ok_or_else(|| report_not_available(&order_id))?;
    let has_ended = report.has_ended();
    let mut response = data_response(report);
    if !has_ended {
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    Ok(response)
}

pub async fn get(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParamPair(order_id, tag): PathParamPair,
    request_context: RequestContext,
) -> BizmoriResult {
    let order = find_own_order(&context, &account, &order_id).await?;
    let locale = parse_locale(&tag)?;
    if matches!(order.state, OrderState::Expired { .. }) {
        return Err(report_expired(&order_id));
    }
    if !is_report_locale(&order, locale) {
        return Err(require_korean(locale));
    }
    if order.reports.get(locale).is_none() {
        let line = format!("order {order_id} has no report in {tag}: ask for it by POST");
        return Err(ApiError::new(ErrorCode::ReportNotFound, line));
    }
    let Origin(origin) = Origin::resolve(&context, &request_context).await?;
    let view = RenderContext::of(&context, &account, &origin);
    let report = ReportView::of(&order, locale, view, false);
    Ok(data_response(
        report.ok_or_else(|| report_not_available(&order_id))?,
    ))
}

fn require_korean(locale: Locale) -> ApiError {
    let (korean, other) = (Locale::KoKr.tag(), locale.tag());
    let line = format!("locale: reports on PDFs are in {korean} only, not in {other}");
    ApiError::new(ErrorCode::ReportLocaleUnsupported, line)
}

fn parse_locale(tag: &str) -> Result<Locale, ApiError> {
    Locale::from_tag(tag).ok_or_else(|| {
        let known = Locale::ALL.map(Locale::tag).join(", ");
        let line = format!("locale: {tag} is none of {known}");
        ApiError::new(ErrorCode::ReportLocaleUnsupported, line)
    })
}

fn report_expired(order_id: &str) -> ApiError {
    ApiError::new(
        ErrorCode::OrderExpired,
        format!("order {order_id} has expired"),
    )
}

fn report_not_available(order_id: &str) -> ApiError {
    let line = format!("order {order_id} has no result on which there are reports");
    ApiError::new(ErrorCode::ReportNotAvailable, line)
}
