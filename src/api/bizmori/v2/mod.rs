//! Routes of `/api/v2`.

mod create;
mod download;
mod legacy_webhook;
mod listing;
mod orders;
mod sunset;
mod webhooks;
mod wire;

use crate::http::Routes;

/// Adds the operations of v2.
pub fn routes(routes: Routes) -> Routes {
    let resources = [
        create::routes,
        listing::routes,
        orders::routes,
        download::routes,
        webhooks::routes,
        legacy_webhook::routes,
    ];
    resources
        .into_iter()
        .fold(routes, |routes, add_resource| add_resource(routes))
}
