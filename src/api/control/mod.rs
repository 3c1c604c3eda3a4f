//! Control plane: the API under `/_mock` with which tests steer and inspect the server.
//!
//! Each resource has a file with its routes, handlers and OpenAPI descriptions.

mod account_field;
mod accounts;
mod blobs;
mod ca;
mod clock;
mod dashboard;
mod deliveries;
mod docs;
mod error;
mod error_code;
mod events;
mod fixtures;
mod inbox;
mod info;
mod jobs;
mod listing;
mod metrics;
mod named_account;
mod openapi;
mod orders;
mod query;
mod requests;
mod rules;
mod server;
mod snapshots;
mod suggestion;
mod webhooks;

use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};

use crate::http::{AppState, GuardRefusal, Operation, Routes};
pub use dashboard::redirect_to_dashboard;
use error::ControlError;
pub use error_code::ControlErrorCode;
pub use fixtures::load as load_fixtures;
pub use openapi::description;

/// Returns the routes of the control plane. Without a state they can be listed but not served.
#[must_use]
pub fn routes(state: Option<AppState>) -> Routes {
    let resources = [
        server::routes,
        dashboard::routes,
        openapi::routes,
        docs::routes,
        ca::routes,
        metrics::routes,
        info::routes,
        snapshots::routes,
        fixtures::routes,
        clock::routes,
        accounts::routes,
        rules::routes,
        requests::routes,
        events::routes,
        orders::routes,
        blobs::routes,
        jobs::routes,
        webhooks::routes,
        deliveries::routes,
        inbox::routes,
    ];
    let routes = Routes::new(state).with_middleware(named_account::add_middleware);
    resources
        .into_iter()
        .fold(routes, |routes, add| add(routes))
}

/// Prefix of the names of the control plane's operations.
const OPERATION_PREFIX: &str = "control.";

/// `true` for an operation of the control plane. Rules never apply to it, and the journal does not
/// record it.
fn is_control_operation(operation: &Operation) -> bool {
    operation.name.starts_with(OPERATION_PREFIX)
}

/// Returns the response to a request that no route of the control plane matches.
#[must_use]
pub fn unknown_route(method: &Method, uri: &Uri) -> Response {
    if uri.path() == "/_mock/accounts/" {
        let message = format!("{}: {}", uri.path(), named_account::EMPTY_KEY);
        let hint = "append a key to the path; GET /_mock/accounts lists all accounts";
        return ControlError::new(ControlErrorCode::BadKey, message, hint).into_response();
    }
    let known: Vec<String> = routes(None)
        .operations()
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    let hint = format!("valid routes: {}", known.join(", "));
    ControlError::no_route(method, uri, hint).into_response()
}

/// Returns the response to a request that the guard refused.
#[must_use]
pub fn guard_refusal_response(refused: &GuardRefusal) -> Response {
    ControlError::from_guard(refused).into_response()
}

/// Returns the response for a handler of the control plane that panicked.
#[must_use]
pub fn panicked() -> Response {
    ControlError::internal("a handler panicked").into_response()
}
