//! Reports on the result of an order.

use axum::extract::State;
use axum::http::{Method, StatusCode};

use super::orders::find_own_order;
use super::wire::ReportView;
use crate::api::bizmori::auth::AuthenticatedAccount;
use crate::api::bizmori::error::{ApiError, ErrorCode};
use crate::api::bizmori::openapi::{describe_data, with_key_errors};
use crate::api::bizmori::orders::order_expired;
use crate::api::bizmori::request::{OptionalJsonBody, ReportBody};
use crate::api::bizmori::wire::{DataEnvelope, RenderContext};
use crate::api::bizmori::{BizmoriResult, data_response};
use crate::http::openapi::OperationDoc;
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
        .docs(describe_create)
        .produces(ResultKind::Report)
        .on(
            "bizmori.getReport",
            Method::GET,
            "/api/v3/orders/{orderId}/reports/{locale}",
            get,
        )
        .docs(describe_get)
}

const REPORT_ERRORS: [ErrorCode; 4] = [
    ErrorCode::OrderExpired,
    ErrorCode::OrderNotFound,
    ErrorCode::ReportLocaleUnsupported,
    ErrorCode::ReportNotAvailable,
];

fn describe_create(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Request a report",
            "Creates a report on the result of an order in a locale, a PDF of one page, unless it exists.",
        )
        .describe_param("orderId", "Id of an order: 1 to 20 digits.")
        .json_body::<ReportBody>(false)
        .response::<DataEnvelope<ReportView>>(202, "The report is being created.");
    let doc = describe_data::<ReportView>(doc, "The report is ready, or has failed.");
    with_key_errors(doc, &REPORT_ERRORS)
}

fn describe_get(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get a report",
            "Returns the status of a report that was requested.",
        )
        .describe_param("orderId", "Id of an order: 1 to 20 digits.")
        .describe_param("locale", "Locale: `ko-KR`, `en-US` or `ja-JP`.");
    let doc = describe_data::<ReportView>(doc, "The report.");
    with_key_errors(
        doc,
        &[&REPORT_ERRORS[..], &[ErrorCode::ReportNotFound]].concat(),
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
