//! The control plane, as `contract/control.md` has it: health, clocks, accounts, rules,
//! reset. What a test steers and looks with.

mod account_field;
mod accounts;
mod ca;
mod clock;
mod deliveries;
mod error;
mod fixtures;
mod inbox;
mod listing;
mod metrics;
mod named_account;
mod openapi;
mod orders;
mod query;
mod requests;
mod rules;
mod snapshots;
mod state;
mod suggestion;

use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};

use crate::http::{AppState, GuardRefusal, Routes};
use error::ApiError;
pub use fixtures::load as load_fixtures;
pub use openapi::description;

/// The operations of this front door.
#[must_use]
pub fn routes(context: Option<AppState>) -> Routes {
    let themes = [
        state, snapshots, fixtures, clocks, accounts, rules, journal, orders, webhooks,
    ];
    let routes = Routes::new(context).with_middleware(named_account::add_middleware);
    themes.into_iter().fold(routes, |routes, add| add(routes))
}

/// The server as a whole.
fn state(routes: Routes) -> Routes {
    routes
        .on(
            "control.health",
            Method::GET,
            "/_mock/health",
            state::health,
        )
        .docs(state::describe_health)
        .on(
            "control.openapi",
            Method::GET,
            "/_mock/openapi.json",
            openapi::openapi,
        )
        .docs(openapi::describe)
        .on("control.getCa", Method::GET, "/_mock/ca.pem", ca::get)
        .docs(ca::describe)
        .on(
            "control.metrics",
            Method::GET,
            "/_mock/metrics",
            metrics::get,
        )
        .docs(metrics::describe)
        .on("control.reset", Method::POST, "/_mock/reset", state::reset)
        .docs(state::describe_reset)
}

fn fixtures(routes: Routes) -> Routes {
    routes
        .on(
            "control.putFixtures",
            Method::PUT,
            "/_mock/fixtures",
            fixtures::put,
        )
        .docs(fixtures::describe_put)
}

fn snapshots(routes: Routes) -> Routes {
    routes
        .on(
            "control.listSnapshots",
            Method::GET,
            "/_mock/snapshots",
            snapshots::list,
        )
        .docs(snapshots::describe_list)
        .on(
            "control.takeSnapshot",
            Method::PUT,
            "/_mock/snapshots/{name}",
            snapshots::take,
        )
        .docs(snapshots::describe_take)
        .on(
            "control.restoreSnapshot",
            Method::POST,
            "/_mock/snapshots/{name}/restore",
            snapshots::restore,
        )
        .docs(snapshots::describe_restore)
        .on(
            "control.removeSnapshot",
            Method::DELETE,
            "/_mock/snapshots/{name}",
            snapshots::remove,
        )
        .docs(snapshots::describe_remove)
}

fn clocks(routes: Routes) -> Routes {
    routes
        .on("control.getClock", Method::GET, "/_mock/clock", clock::get)
        .docs(clock::openapi::get)
        .on("control.setClock", Method::PUT, "/_mock/clock", clock::set)
        .docs(clock::openapi::set)
        .on(
            "control.advanceClock",
            Method::POST,
            "/_mock/clock/advance",
            clock::advance,
        )
        .docs(clock::openapi::advance)
        .on(
            "control.drain",
            Method::POST,
            "/_mock/drain",
            clock::drain::drain,
        )
        .docs(clock::openapi::drain)
}

fn accounts(routes: Routes) -> Routes {
    routes
        .on(
            "control.listAccounts",
            Method::GET,
            "/_mock/accounts",
            accounts::list,
        )
        .docs(accounts::describe_list)
        .on(
            "control.getAccount",
            Method::GET,
            "/_mock/accounts/{key}",
            accounts::get,
        )
        .docs(accounts::describe_get)
        .on(
            "control.setAccount",
            Method::PUT,
            "/_mock/accounts/{key}",
            accounts::set,
        )
        .docs(accounts::describe_set)
        .on(
            "control.deleteAccount",
            Method::DELETE,
            "/_mock/accounts/{key}",
            accounts::delete,
        )
        .docs(accounts::describe_delete)
}

fn rules(routes: Routes) -> Routes {
    routes
        .on(
            "control.createRule",
            Method::POST,
            "/_mock/rules",
            rules::create,
        )
        .docs(rules::openapi::create)
        .on(
            "control.listRules",
            Method::GET,
            "/_mock/rules",
            rules::list,
        )
        .docs(rules::openapi::list)
        .on(
            "control.deleteRule",
            Method::DELETE,
            "/_mock/rules/{id}",
            rules::delete,
        )
        .docs(rules::openapi::delete)
        .on(
            "control.deleteRules",
            Method::DELETE,
            "/_mock/rules",
            rules::delete_all,
        )
        .docs(rules::openapi::delete_all)
}

fn journal(routes: Routes) -> Routes {
    routes
        .on(
            "control.listRequests",
            Method::GET,
            "/_mock/requests",
            requests::list,
        )
        .docs(requests::openapi::list)
        .on(
            "control.getRequest",
            Method::GET,
            "/_mock/requests/{account}/{seq}",
            requests::get,
        )
        .docs(requests::openapi::get)
        .on(
            "control.deleteRequests",
            Method::DELETE,
            "/_mock/requests",
            requests::delete,
        )
        .docs(requests::openapi::delete)
        .on(
            "control.verifyRequests",
            Method::POST,
            "/_mock/requests/verify",
            requests::verify,
        )
        .docs(requests::openapi::verify)
}

fn orders(routes: Routes) -> Routes {
    routes
        .on(
            "control.listOrders",
            Method::GET,
            "/_mock/orders",
            orders::list,
        )
        .docs(orders::describe_list)
        .on(
            "control.completeOrder",
            Method::POST,
            "/_mock/orders/{id}/complete",
            orders::complete,
        )
        .docs(orders::describe_complete)
        .on(
            "control.failOrder",
            Method::POST,
            "/_mock/orders/{id}/fail",
            orders::fail,
        )
        .docs(orders::describe_fail)
        .on(
            "control.expireOrder",
            Method::POST,
            "/_mock/orders/{id}/expire",
            orders::expire,
        )
        .docs(orders::describe_expire)
}

fn webhooks(routes: Routes) -> Routes {
    routes
        .on(
            "control.listDeliveries",
            Method::GET,
            "/_mock/deliveries",
            deliveries::list,
        )
        .docs(deliveries::describe_list)
        .on(
            "control.resendDelivery",
            Method::POST,
            "/_mock/deliveries/{id}/resend",
            deliveries::resend,
        )
        .docs(deliveries::describe_resend)
        .on(
            "control.listInboxes",
            Method::GET,
            "/_mock/inbox",
            inbox::list,
        )
        .docs(inbox::describe_list)
        .on(
            "control.setInbox",
            Method::PUT,
            "/_mock/inbox/{name}",
            inbox::set,
        )
        .docs(inbox::describe_set)
        .on(
            "control.postToInbox",
            Method::POST,
            "/_mock/inbox/{name}",
            inbox::receive::post,
        )
        .docs(inbox::receive::describe)
        .on(
            "control.listMessages",
            Method::GET,
            "/_mock/inbox/{name}/messages",
            inbox::messages::get,
        )
        .docs(inbox::messages::describe)
        .on(
            "control.deleteInbox",
            Method::DELETE,
            "/_mock/inbox/{name}",
            inbox::remove,
        )
        .docs(inbox::describe_remove)
}

/// The answer to a route there is not.
#[must_use]
pub fn unknown_route(method: &Method, uri: &Uri) -> Response {
    if uri.path() == "/_mock/accounts/" {
        let message = format!("{}: {}", uri.path(), named_account::EMPTY_KEY);
        let hint = "end the path with a key; GET /_mock/accounts lists all accounts";
        return ApiError::bad_request("bad_key", message, hint).into_response();
    }
    let known: Vec<String> = routes(None)
        .operations()
        .iter()
        .map(|operation| format!("{} {}", operation.method, operation.path))
        .collect();
    let message = format!("there is no {method} {}", uri.path());
    ApiError::not_found(
        "unknown_route",
        message,
        format!("there is: {}", known.join(", ")),
    )
    .into_response()
}

/// Returns the response to a request that the guard refuses.
#[must_use]
pub fn guard_refusal_response(refused: &GuardRefusal) -> Response {
    ApiError::guarded(refused).into_response()
}

/// The answer where a handler of ours panicked.
#[must_use]
pub fn panicked() -> Response {
    ApiError::internal("a handler panicked").into_response()
}
