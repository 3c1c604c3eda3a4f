//! Reports on what was found.

use axum::extract::State;
use axum::http::StatusCode;

use super::own;
use super::wire::ReportView;
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::request::{OptionalJsonBody, ReportBody};
use crate::api::bizmori::wire::RenderContext;
use crate::api::bizmori::{BizmoriResult, answer};
use crate::http::{AppState, Origin, PathParam, PathParamPair, RequestContext};
use crate::model::order::OrderState;
use crate::model::report::Locale;
use crate::services::orders::{ReportError, is_report_locale};

pub async fn create(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParam(order_id): PathParam,
    called: RequestContext,
    OptionalJsonBody(body): OptionalJsonBody<ReportBody>,
) -> BizmoriResult {
    let order = own(&context, &account, &order_id).await?;
    let locale = match &body.locale {
        Some(tag) => supported(tag)?,
        None => Locale::default(),
    };
    let requested = context.orders.request_report(&account, &order.id, locale);
    let (order, is_new) = requested.await.map_err(|error| match error {
        ReportError::Expired => expired(&order_id),
        ReportError::NotAvailable => not_available(&order_id),
        ReportError::LocaleUnsupported => only_korean(locale),
        ReportError::Store(error) => error.into(),
    })?;
    let Origin(origin) = Origin::of(&context, &called).await?;
    let view = RenderContext::of(&context, &account, &origin);
    let report = ReportView::of(&order, locale, view, is_new);
    let report = report.ok_or_else(|| not_available(&order_id))?;
    let has_ended = report.has_ended();
    let mut response = answer(report);
    if !has_ended {
        *response.status_mut() = StatusCode::ACCEPTED;
    }
    Ok(response)
}

pub async fn get(
    State(context): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    PathParamPair(order_id, tag): PathParamPair,
    called: RequestContext,
) -> BizmoriResult {
    let order = own(&context, &account, &order_id).await?;
    let locale = supported(&tag)?;
    if matches!(order.state, OrderState::Expired { .. }) {
        return Err(expired(&order_id));
    }
    if !is_report_locale(&order, locale) {
        return Err(only_korean(locale));
    }
    if order.reports.of(locale).is_none() {
        let line = format!("order {order_id} has no report in {tag}: ask for it by POST");
        return Err(ApiError::new(ErrorCode::ReportNotFound, line));
    }
    let Origin(origin) = Origin::of(&context, &called).await?;
    let view = RenderContext::of(&context, &account, &origin);
    let report = ReportView::of(&order, locale, view, false);
    Ok(answer(report.ok_or_else(|| not_available(&order_id))?))
}

fn only_korean(locale: Locale) -> ApiError {
    let (korean, other) = (Locale::KoKr.tag(), locale.tag());
    let line = format!("locale: reports on PDFs are in {korean} only, not in {other}");
    ApiError::new(ErrorCode::ReportLocaleUnsupported, line)
}

fn supported(tag: &str) -> Result<Locale, ApiError> {
    Locale::of_tag(tag).ok_or_else(|| {
        let known = Locale::ALL.map(Locale::tag).join(", ");
        let line = format!("locale: {tag} is none of {known}");
        ApiError::new(ErrorCode::ReportLocaleUnsupported, line)
    })
}

fn expired(order_id: &str) -> ApiError {
    ApiError::new(
        ErrorCode::OrderExpired,
        format!("order {order_id} has expired"),
    )
}

fn not_available(order_id: &str) -> ApiError {
    let line = format!("order {order_id} has no result on which there are reports");
    ApiError::new(ErrorCode::ReportNotAvailable, line)
}
