//! Who answers a request: the front door whose operation it is. What is no operation is answered as
//! the front door would under whose paths it falls, or whose vendor's host was called.

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

/// Host names of the vendors' APIs.
fn api_hosts() -> impl Iterator<Item = &'static str> + Clone {
    VENDORS.iter().flat_map(|profile| profile.hosts).copied()
}

/// Host names of the vendors' buckets.
fn bucket_hosts() -> impl Iterator<Item = &'static str> {
    VENDORS
        .iter()
        .flat_map(|profile| profile.bucket_hosts)
        .copied()
}

/// Host names of the vendors' APIs and buckets.
pub(super) fn vendor_hosts() -> impl Iterator<Item = &'static str> {
    api_hosts().chain(bucket_hosts())
}

/// What is no operation is counted under that name.
pub(super) const UNMATCHED: &str = "unmatched";

/// API that answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ApiSurface {
    Vendor(Vendor),
    Storage,
    Control,
}

/// Every front door's operations, and the answers to what is none.
pub(super) fn router(context: &AppState) -> Router {
    let observed = OperationLayerState::for_operation(context, UNMATCHED, no_account_resolver);
    let rest = fallback.layer(from_fn_with_state(observed, operation_middleware));
    let door = |routes: Routes, panicked: fn() -> Response| {
        let caught = CatchPanicLayer::custom(move |_: Box<dyn Any + Send>| panicked());
        routes.into_router(rest.clone()).layer(caught)
    };
    let served = || Some(context.clone());
    let objects = || door(s3::routes(served()), s3::panicked);
    // Undetectable answers POST on some objects, storage everything else.
    let undetectable = undetectable::routes(served());
    let undetectable =
        undetectable.fallthrough_under("/_s3/", objects().with_state(context.clone()));
    let router = Router::new()
        .merge(door(bizmori::routes(served()), bizmori::panicked))
        .merge(door(undetectable, undetectable::panicked))
        .merge(objects())
        .merge(door(control::routes(served()), control::panicked))
        .fallback(rest.clone())
        .with_state(context.clone());
    let router = router.layer(from_fn_with_state(
        Guard::new(context, api_hosts(), bucket_hosts(), guard_response),
        require_control_access,
    ));
    // Outermost: whatever looks at a path sees objects in path style.
    let context = context.clone();
    let rewritten = map_request(move |request: Request| {
        std::future::ready(s3::to_path_style(&context, request))
    });
    Router::new().fallback_service(rewritten.layer(router))
}

/// Returns the response to a request that the guard refuses, in the error form of the API that was
/// called.
fn guard_response(state: &Services, parts: &Parts, refused: &GuardRefusal) -> Response {
    let line = match refused {
        GuardRefusal::BadHost(line) => line,
        GuardRefusal::ForbiddenOrigin(line) => return bizmori::forbidden_origin(line),
        _ => return control::guard_refusal_response(refused),
    };
    match ApiSurface::for_path(state, &parts.headers, parts.uri.path()) {
        ApiSurface::Vendor(Vendor::Bizmori) => bizmori::bad_host(line),
        ApiSurface::Vendor(Vendor::Undetectable) => undetectable::bad_host(line),
        ApiSurface::Storage => s3::bad_host(&parts.method, &parts.uri, line),
        ApiSurface::Control => control::guard_refusal_response(refused),
    }
}

async fn fallback(
    State(state): State<AppState>,
    request_context: RequestContext,
    request: Request,
) -> Response {
    let (method, uri) = (request.method(), request.uri());
    match ApiSurface::for_path(&state, request.headers(), uri.path()) {
        ApiSurface::Vendor(Vendor::Bizmori) => bizmori::unknown_route(method, uri),
        ApiSurface::Vendor(Vendor::Undetectable) => {
            undetectable::unknown_route(&state, &request_context, method, uri)
        }
        ApiSurface::Storage => s3::unknown_route(&request),
        ApiSurface::Control => control::unknown_route(method, uri),
    }
}

/// Whose a request is that is no operation, by the front door that answers it; the control plane
/// has none.
fn no_account_resolver<'r>(
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
    /// Returns the API that answers a request that is no operation: by its path, then by its host.
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
    fn for_host_of_a_vendor_in_any_spelling_returns_the_vendor() {
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
