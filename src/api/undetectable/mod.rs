//! Undetectable AI's image detector, as `contract/undetectable.md` has it.

mod accept;
mod analysis;
mod assets;
mod auth;
mod body;
mod bulk;
mod credits;
mod detect;
mod error;
mod fields;
mod find;
mod fixtures;
mod openapi;
mod presign;
mod problem;
mod profile;
mod python_float;
mod python_json;
mod query;
mod source_file;
mod trailing_slash;
mod verdict;
mod warnings;
mod wire;

use std::sync::LazyLock;

use axum::http::{Method, Uri};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Json, Operation, RequestContext, Routes, Services};
use crate::model::rule::ResultKind;
use accept::{accepts_image, accepts_json};
pub use auth::resolve_account;
use error::ApiError;
pub use error::ErrorCode;
pub use openapi::description;
use openapi::with_errors;
pub use profile::PROFILE;

/// The operations of this front door.
#[must_use]
pub fn routes(context: Option<AppState>) -> Routes {
    let routes = Routes::new(context).account_resolver(resolve_account);
    meta_routes(asset_routes(document_routes(routes)))
}

/// Uploads, what is made of them, and what it costs.
fn document_routes(routes: Routes) -> Routes {
    routes
        .on(
            "undetectable.getPresignedUrl",
            Method::GET,
            "/get-presigned-url",
            accepts_json(presign::get),
        )
        .docs(presign::describe)
        .reject_head()
        .on(
            "undetectable.detect",
            Method::POST,
            "/detect",
            accepts_json(detect::post),
        )
        .produces(ResultKind::Document)
        .fixture_builder(fixtures::document_from_fixture)
        .docs(detect::describe)
        .on(
            "undetectable.query",
            Method::POST,
            "/query",
            accepts_json(query::post),
        )
        .docs(query::describe)
        .on(
            "undetectable.bulkUpload",
            Method::POST,
            "/bulk-upload",
            accepts_json(bulk::upload),
        )
        .produces(ResultKind::BulkItems)
        .docs(bulk::describe_upload)
        .on(
            "undetectable.queryBulkUpload",
            Method::POST,
            "/bulk-upload/query",
            accepts_json(bulk::query),
        )
        .docs(bulk::describe_query)
        .on(
            "undetectable.checkUserCredits",
            Method::GET,
            "/check-user-credits",
            accepts_json(credits::check),
        )
        .docs(credits::describe)
        .reject_head()
}

/// What is drawn of documents.
fn asset_routes(routes: Routes) -> Routes {
    routes
        .on(
            "undetectable.getPreview",
            Method::POST,
            "/preview/{id}",
            accepts_image(assets::preview),
        )
        .docs(assets::describe_preview)
        .on(
            "undetectable.getHeatmap",
            Method::POST,
            "/heatmap/{id}",
            accepts_image(assets::heatmap),
        )
        .docs(assets::describe_heatmap)
        .on(
            "undetectable.getAsset",
            Method::POST,
            "/_s3/ai-image-detector-prod/results/{id}/{name}",
            accepts_image(assets::by_url),
        )
        .docs(assets::describe_by_url)
}

/// The server itself, and its description.
fn meta_routes(routes: Routes) -> Routes {
    routes
        .on(
            "undetectable.health",
            Method::GET,
            "/health",
            accepts_json(health),
        )
        .docs(describe_health)
        .reject_head()
        .on(
            "undetectable.openapi",
            Method::GET,
            "/openapi.json",
            accepts_json(openapi::openapi),
        )
        .on("undetectable.docs", Method::GET, "/docs", openapi::page)
        .on(
            "undetectable.docsFile",
            Method::GET,
            "/docs/{file}",
            openapi::file,
        )
}

/// What a handler answers.
type UndetectableResult = Result<Response, ApiError>;

#[derive(Serialize, JsonSchema)]
struct HealthStatus {
    #[schemars(extend("const" = "healthy"))]
    status: &'static str,
}

fn describe_health(described: OperationDoc<'_>) -> OperationDoc<'_> {
    let described = described
        .summary("Whether it serves", "It does once it answers.")
        .response::<HealthStatus>(200, "It serves.");
    with_errors(described, &[])
}

async fn health() -> Json<HealthStatus> {
    Json(HealthStatus { status: "healthy" })
}

/// Returns the response to a request on no route, or by a method that the route does not have.
#[must_use]
pub fn unknown_route(
    state: &Services,
    request: &RequestContext,
    method: &Method,
    uri: &Uri,
) -> Response {
    trailing_slash::redirect(state, request, uri).unwrap_or_else(|| refuse_route(method, uri))
}

fn refuse_route(method: &Method, uri: &Uri) -> Response {
    let path = uri.path();
    let methods = routes_at(path).map(|operation| operation.method.to_string());
    let allowed: Vec<String> = methods.collect();
    let refusal = if allowed.is_empty() {
        ApiError::not_found(format!("{method} {path} is no route"))
    } else {
        let allow = allowed.join(", ");
        let why = format!("{method} {path} is no route; {allow} {path} is one");
        ApiError::method_not_allowed(&allow, why)
    };
    refusal.into_response()
}

/// Returns `true` if `path` is a route, by any method.
fn has_route(path: &str) -> bool {
    routes_at(path).next().is_some()
}

/// Operations that are routed at `path`.
fn routes_at(path: &str) -> impl Iterator<Item = &'static Operation> {
    static OPERATIONS: LazyLock<Vec<Operation>> = LazyLock::new(|| routes(None).operations());
    let operations = OPERATIONS.iter();
    operations.filter(move |operation| path_matches(operation.path, path))
}

/// Whether the path is one that the route is for.
fn path_matches(route: &str, path: &str) -> bool {
    let (parts, request) = (route.split('/'), path.split('/'));
    let fits = |(part, request): (&str, &str)| {
        part == request || (part.starts_with('{') && !request.is_empty())
    };
    parts.clone().count() == request.clone().count() && parts.zip(request).all(fits)
}

/// Returns the response to a request without a valid `Host` header.
#[must_use]
pub fn bad_host(line: &str) -> Response {
    ApiError::new(ErrorCode::InvalidHost, line).into_response()
}

/// The answer where a handler of ours panicked.
#[must_use]
pub fn panicked() -> Response {
    ApiError::new(ErrorCode::Internal, "a fault of stuntdouble's: see its log").into_response()
}

#[cfg(test)]
mod tests {
    use axum::http::header::ALLOW;

    use super::*;

    #[test]
    fn another_method_on_a_known_path_is_told_which_there_are() {
        let uri = Uri::from_static("/detect?x=1");
        let reply = refuse_route(&Method::GET, &uri);
        assert_eq!(reply.status(), 405);
        assert_eq!(reply.headers()[ALLOW], "POST");
        let reply = refuse_route(&Method::GET, &Uri::from_static("/preview/x"));
        assert_eq!(reply.status(), 405);
        assert_eq!(reply.headers()[ALLOW], "POST");
        for path in ["/preview", "/preview/", "/preview/x/y"] {
            let reply = refuse_route(&Method::GET, &Uri::from_static(path));
            assert_eq!(reply.status(), 404, "{path}");
        }
        let reply = refuse_route(&Method::GET, &Uri::from_static("/detect/"));
        assert_eq!(reply.status(), 404);
        assert!(!reply.headers().contains_key(ALLOW));
    }
}
