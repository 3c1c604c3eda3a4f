//! Mounts the APIs on one router. A request that matches no operation is answered in the error form
//! of the API that owns the path, else of the vendor that owns the requested host.

use std::any::Any;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use axum::middleware::{from_fn_with_state, map_request};
use axum::response::Response;
use futures_util::future::BoxFuture;
use tower::Layer;
use tower_http::catch_panic::CatchPanicLayer;

use super::VENDORS;
use crate::api::{bizmori, control, s3, undetectable};
use crate::http::{
    AppState, Guard, GuardRefusal, OperationLayerState, RequestContext, Routes, Services,
    operation_middleware, origin_host, require_control_access,
};
use crate::model::vendor::Vendor;
use crate::services::accounts::Account;

/// Real hosts of the vendors' APIs. Tests that map these names to the server (DNS override) reach the
/// vendor's API by them.
fn api_hosts() -> impl Iterator<Item = &'static str> + Clone {
    VENDORS.iter().flat_map(|profile| profile.hosts).copied()
}

/// Real hosts of the vendors' buckets. The server accepts requests for these hosts, but issues no URL
/// with them.
fn bucket_hosts() -> impl Iterator<Item = &'static str> {
    VENDORS
        .iter()
        .flat_map(|profile| profile.bucket_hosts)
        .copied()
}

/// Returns the real hosts of the vendors' APIs and buckets.
pub(super) fn vendor_hosts() -> impl Iterator<Item = &'static str> {
    api_hosts().chain(bucket_hosts())
}

/// Operation name under which a request that matches no operation is counted and journaled.
pub(super) const UNMATCHED: &str = "unmatched";

/// An HTTP surface. Decides the error form of a request that matches no operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ApiSurface {
    Vendor(Vendor),
    Storage,
    Control,
}

/// Returns the router of all APIs, with the fallback for requests that match no operation.
pub(super) fn router(state: &AppState) -> Router {
    let unmatched = OperationLayerState::for_operation(state, UNMATCHED, resolve_unmatched_account);
    let fallback = unmatched_response.layer(from_fn_with_state(unmatched, operation_middleware));
    let mount = |routes: Routes, panic_response: fn() -> Response| {
        let catch_panic = CatchPanicLayer::custom(move |_: Box<dyn Any + Send>| panic_response());
        routes.into_router(fallback.clone()).layer(catch_panic)
    };
    let shared = || Some(state.clone());
    let objects = || mount(s3::routes(shared()), s3::panicked);
    // Undetectable answers POST on some objects, storage everything else.
    let undetectable = undetectable::routes(shared())
        .fallthrough_under("/_s3/", objects().with_state(state.clone()));
    let apis = Router::new()
        .merge(mount(bizmori::routes(shared()), bizmori::panicked))
        .merge(mount(undetectable, undetectable::panicked))
        .merge(objects())
        .merge(mount(control::routes(shared()), control::panicked))
        .fallback(fallback.clone())
        .with_state(state.clone());
    let guarded = apis.layer(from_fn_with_state(
        Guard::new(state, api_hosts(), bucket_hosts(), guard_response),
        require_control_access,
    ));
    // Outermost layer, so that all code that reads a path sees objects in path style.
    let state = state.clone();
    let path_style =
        map_request(move |request: Request| std::future::ready(s3::to_path_style(&state, request)));
    Router::new().fallback_service(path_style.layer(guarded))
}

/// Returns the response to a request that the guard refuses, in the error form of the API that was
/// called.
fn guard_response(state: &Services, parts: &Parts, refusal: &GuardRefusal) -> Response {
    let message = match refusal {
        GuardRefusal::BadHost(message) => message,
        GuardRefusal::ForbiddenOrigin(message) => return bizmori::forbidden_origin(message),
        _ => return control::guard_refusal_response(refusal),
    };
    match ApiSurface::for_path(state, &parts.headers, parts.uri.path()) {
        ApiSurface::Vendor(Vendor::Bizmori) => bizmori::bad_host(message),
        ApiSurface::Vendor(Vendor::Undetectable) => undetectable::bad_host(message),
        ApiSurface::Storage => s3::bad_host(&parts.method, &parts.uri, message),
        ApiSurface::Control => control::guard_refusal_response(refusal),
    }
}

async fn unmatched_response(
    State(state): State<AppState>,
    request_context: RequestContext,
    request: Request,
) -> Response {
    let (method, uri) = (request.method(), request.uri());
    if let Some(redirect) = control::redirect_to_dashboard(method, uri, request.headers()) {
        return redirect;
    }
    match ApiSurface::for_path(&state, request.headers(), uri.path()) {
        ApiSurface::Vendor(Vendor::Bizmori) => bizmori::unknown_route(method, uri),
        ApiSurface::Vendor(Vendor::Undetectable) => {
            undetectable::unknown_route(&state, &request_context, method, uri)
        }
        ApiSurface::Storage => s3::unknown_route(&request),
        ApiSurface::Control => control::unknown_route(method, uri),
    }
}

/// Returns the account of a request that matches no operation, resolved by the API that answers the
/// request. `None` for the control plane, and if the API finds no account.
fn resolve_unmatched_account<'r>(
    state: &'r Services,
    request: &'r mut Request,
) -> BoxFuture<'r, Option<Arc<Account>>> {
    match ApiSurface::for_path(state, request.headers(), request.uri().path()) {
        ApiSurface::Vendor(Vendor::Bizmori) => bizmori::resolve_account(state, request),
        ApiSurface::Vendor(Vendor::Undetectable) => undetectable::resolve_account(state, request),
        ApiSurface::Storage => s3::resolve_account(state, request),
        ApiSurface::Control => Box::pin(std::future::ready(None)),
    }
}

impl ApiSurface {
    /// Returns the surface that answers a request for `path` that matches no operation. The prefixes of
    /// storage and the control plane come first, then the requested host, then the vendors' prefixes.
    fn for_path(state: &Services, headers: &HeaderMap, path: &str) -> Self {
        match path.split('/').nth(1).unwrap_or_default() {
            "_s3" => return Self::Storage,
            "_mock" => return Self::Control,
            _ => {}
        }
        let host = origin_host(headers, state.config.trust_forwarded);
        let by_host = host.as_deref().and_then(|host| VENDORS.for_host(host));
        let vendor = by_host.or_else(|| VENDORS.for_path(path));
        vendor.map_or(Self::Control, Self::Vendor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn for_host_with_any_case_dot_or_port_finds_the_vendor() {
        for host in [
            "detect-image.truthscan.com",
            "Detect-Image.TruthScan.com:8080",
            "ai-image-detect.undetectable.ai.",
            "ai-image-detect.undetectable.ai.:443",
        ] {
            assert_eq!(VENDORS.for_host(host), Some(Vendor::Undetectable), "{host}");
        }
        assert_eq!(VENDORS.for_host("api.bizmori.com"), Some(Vendor::Bizmori));
        for host in ["", "localhost", "x.detect-image.truthscan.com", "[::1]:80"] {
            assert_eq!(VENDORS.for_host(host), None, "{host}");
        }
    }

    #[test]
    fn for_path_returns_the_vendor_of_the_prefix_else_the_one_at_the_root() {
        for (path, vendor) in [
            ("/api/v9/orders", Vendor::Bizmori),
            ("/api", Vendor::Bizmori),
            ("/apis", Vendor::Undetectable),
            ("/nothing/here", Vendor::Undetectable),
            ("/", Vendor::Undetectable),
        ] {
            assert_eq!(VENDORS.for_path(path), Some(vendor), "{path}");
        }
    }
}
