//! The control plane, as `contract/control.md` has it: health, clocks, accounts, rules,
//! reset. What a test steers and looks with.

mod accounts;
mod clock;
mod error;
mod rules;
mod state;

use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};

use crate::web::{Context, Routes};
use error::Refusal;

/// The operations of this front door.
#[must_use]
pub fn routes(context: Option<Context>) -> Routes {
    Routes::new(context)
        .on(
            "control.health",
            Method::GET,
            "/_mock/health",
            state::health,
        )
        .on("control.getClock", Method::GET, "/_mock/clock", clock::get)
        .on("control.setClock", Method::PUT, "/_mock/clock", clock::set)
        .on(
            "control.advanceClock",
            Method::POST,
            "/_mock/clock/advance",
            clock::advance,
        )
        .on("control.drain", Method::POST, "/_mock/drain", clock::drain)
        .on(
            "control.listAccounts",
            Method::GET,
            "/_mock/accounts",
            accounts::list,
        )
        .on(
            "control.getAccount",
            Method::GET,
            "/_mock/accounts/{key}",
            accounts::get,
        )
        .on(
            "control.setAccount",
            Method::PUT,
            "/_mock/accounts/{key}",
            accounts::set,
        )
        .on(
            "control.deleteAccount",
            Method::DELETE,
            "/_mock/accounts/{key}",
            accounts::delete,
        )
        .on(
            "control.createRule",
            Method::POST,
            "/_mock/rules",
            rules::create,
        )
        .on(
            "control.listRules",
            Method::GET,
            "/_mock/rules",
            rules::list,
        )
        .on(
            "control.deleteRule",
            Method::DELETE,
            "/_mock/rules/{id}",
            rules::delete,
        )
        .on(
            "control.deleteRules",
            Method::DELETE,
            "/_mock/rules",
            rules::delete_all,
        )
        .on("control.reset", Method::POST, "/_mock/reset", state::reset)
}

/// The answer to a route there is not.
#[must_use]
pub fn unknown_route(method: &Method, uri: &Uri) -> Response {
    let known: Vec<String> = routes(None)
        .operations()
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    let message = format!("there is no {method} {}", uri.path());
    Refusal::not_found(
        "unknown_route",
        message,
        format!("there is: {}", known.join(", ")),
    )
    .into_response()
}

/// The answer where a handler of ours panicked.
#[must_use]
pub fn panicked() -> Response {
    Refusal::broken("a handler panicked").into_response()
}
