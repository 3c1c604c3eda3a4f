//! Routes of `/api/v3`: one shape for every order type, whichever version created the order.

mod create;
mod download;
mod orders;
mod reports;
mod wire;

use crate::http::Routes;

/// Adds the operations of v3.
pub fn routes(routes: Routes) -> Routes {
    let resources = [
        create::routes,
        orders::routes,
        download::routes,
        reports::routes,
    ];
    resources
        .into_iter()
        .fold(routes, |routes, add_resource| add_resource(routes))
}
