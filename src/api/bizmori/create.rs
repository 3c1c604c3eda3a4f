//! Creation of orders: one handler for every create route of v2 and v3.

use axum::extract::{FromRequest, Request, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::auth::AuthenticatedAccount;
use super::error::{ApiError, ErrorCode};
use super::openapi::{describe_data, with_key_errors};
use super::request::{JsonBytes, OrderBody, content_digest, parse};
use super::uploads::UploadUrls;
use super::wire::RenderContext;
use super::{BizmoriResult, data_response};
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, OnResponseSent, Origin, RequestContext, Services};
use crate::model::order::{ApiVersion, Vendor};
use crate::services::accounts::Account;
use crate::services::journal::JournalEntry;
use crate::services::orders::{Charge, CreatedOrder, NewOrder};

/// Errors of operations that create orders.
const CREATE_ERRORS: [ErrorCode; 3] = [
    ErrorCode::UsageLimitExceeded,
    ErrorCode::UsageNotEnough,
    ErrorCode::ValidationIdempotencyKeyInvalid,
];

/// Body of a create route, and the response to it.
pub trait CreateRequest: OrderBody + Send + 'static {
    /// Name of the operation. Idempotency keys are scoped by it.
    const OPERATION: &'static str;

    /// Body of the response.
    type ResponseBody: Serialize;

    /// Checks whether the route still exists for `account`. Runs before the body is read.
    ///
    /// # Errors
    /// Returns the vendor's code of a route that has ended.
    fn check_available(_state: &Services, _account: &Account) -> Result<(), ApiError> {
        Ok(())
    }

    /// Describes the order that this request created, or that an earlier one with the same idempotency
    /// key created.
    fn response_body(
        created: &CreatedOrder,
        context: RenderContext<'_>,
        uploads: &UploadUrls<'_>,
    ) -> Self::ResponseBody;
}

/// Describes an operation that creates an order.
pub fn describe_create<'s, T>(
    doc: OperationDoc<'s>,
    summary: &'static str,
    text: &'static str,
    codes: &[ErrorCode],
) -> OperationDoc<'s>
where
    T: CreateRequest + JsonSchema,
    T::ResponseBody: JsonSchema,
{
    let doc = doc.summary(summary, text).json_body::<T>(true);
    let response = "The order. The same `idempotencyKey` again answers the first order.";
    let doc = describe_data::<T::ResponseBody>(doc, response);
    with_key_errors(doc, &[&CREATE_ERRORS, codes].concat())
}

/// Creates an order, or finds the one that the same idempotency key created.
pub async fn create<T: CreateRequest>(
    State(state): State<AppState>,
    AuthenticatedAccount(account): AuthenticatedAccount,
    request_context: RequestContext,
    request: Request,
) -> BizmoriResult {
    T::check_available(&state, &account)?;
    let entry = request.extensions().get::<JournalEntry>().cloned();
    let JsonBytes(bytes) = JsonBytes::from_request(request, &state).await?;
    let body: T = parse(&bytes)?;
    // v2 answers the original order regardless of the body.
    let request_digest = match T::API {
        ApiVersion::V2 => None,
        ApiVersion::V3 => Some(content_digest(&bytes)?),
    };
    let validated = body.validate(account.now())?;
    let Origin(origin) = Origin::resolve(&state, &request_context).await?;
    let new_order = NewOrder {
        operation: T::OPERATION,
        idempotency_key: Some(validated.idempotency_key),
        vendor: Vendor::Bizmori,
        api: T::API,
        origin: origin.clone(),
        name: validated.order_name,
        work: validated.work,
        charge: charge(&account, validated.files.len()),
        files: validated.files,
        id: None,
        request_digest: request_digest.clone(),
    };
    let created = state.orders.create(&account, new_order).await?;
    if let Some(entry) = entry {
        entry.set_order(&created.order.id);
    }
    if request_digest.is_some_and(|digest| is_conflict(&created, &digest)) {
        let message = format!(
            "idempotencyKey: order {} was created with another body",
            created.order.id
        );
        return Err(ApiError::new(ErrorCode::WatermarkV2Conflict, message));
    }
    let context = RenderContext::new(&state, &account, &origin);
    let uploads = UploadUrls::new(&state, &account, &origin);
    let mut response = data_response(T::response_body(&created, context, &uploads));
    OnResponseSent::attach(&mut response, created.claim);
    Ok(response)
}

/// Returns `true` if the order was created by a body with another digest. Bodies of test keys are not
/// compared.
fn is_conflict(created: &CreatedOrder, digest: &str) -> bool {
    let order = &created.order;
    !order.test && order.request_digest.as_deref() != Some(digest)
}

/// Returns the price of an order: one credit per file. `None` if the account's credits are not counted,
/// and for test keys.
fn charge(account: &Account, files: usize) -> Option<Charge> {
    let limit = account.settings().credits.filter(|_| !account.is_test())?;
    let credits = u32::try_from(files).unwrap_or(u32::MAX);
    Some(Charge { credits, limit })
}
