//! Undetectable AI's image detector, as `contract/undetectable.md` has it.

mod accept;
mod analysis;
mod assets;
mod auth;
mod body;
mod bulk;
mod credits;
mod described;
mod detect;
mod draft;
mod error;
mod fields;
mod find;
mod presign;
mod problem;
mod python_float;
mod python_json;
mod query;
mod trailing_slash;
mod uploaded;
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
use accept::{json, picture};
pub use auth::whose;
pub use described::description;
use described::refuses;
use error::ApiError;
pub use error::ErrorCode;

/// The operations of this front door.
#[must_use]
pub fn routes(context: Option<AppState>) -> Routes {
    let routes = Routes::new(context).owned(whose);
    about(pictures(documents(routes)))
}

/// Uploads, what is made of them, and what it costs.
fn documents(routes: Routes) -> Routes {
    routes
        .on(
            "undetectable.getPresignedUrl",
            Method::GET,
            "/get-presigned-url",
            json(presign::get),
        )
        .described(presign::describe)
        .without_head()
        .on(
            "undetectable.detect",
            Method::POST,
            "/detect",
            json(detect::post),
        )
        .making(ResultKind::Document)
        .drafted(draft::document)
        .described(detect::describe)
        .on(
            "undetectable.query",
            Method::POST,
            "/query",
            json(query::post),
        )
        .described(query::describe)
        .on(
            "undetectable.bulkUpload",
            Method::POST,
            "/bulk-upload",
            json(bulk::upload),
        )
        .making(ResultKind::BulkItems)
        .described(bulk::describe_upload)
        .on(
            "undetectable.queryBulkUpload",
            Method::POST,
            "/bulk-upload/query",
            json(bulk::query),
        )
        .described(bulk::describe_query)
        .on(
            "undetectable.checkUserCredits",
            Method::GET,
            "/check-user-credits",
            json(credits::check),
        )
        .described(credits::describe)
        .without_head()
}

/// What is drawn of documents.
fn pictures(routes: Routes) -> Routes {
    routes
        .on(
            "undetectable.getPreview",
            Method::POST,
            "/preview/{id}",
            picture(assets::preview),
        )
        .described(assets::describe_preview)
        .on(
            "undetectable.getHeatmap",
            Method::POST,
            "/heatmap/{id}",
            picture(assets::heatmap),
        )
        .described(assets::describe_heatmap)
        .on(
            "undetectable.getAsset",
            Method::POST,
            "/_s3/ai-image-detector-prod/results/{id}/{name}",
            picture(assets::by_url),
        )
        .described(assets::describe_by_url)
}

/// The server itself, and its description.
fn about(routes: Routes) -> Routes {
    routes
        .on("undetectable.health", Method::GET, "/health", json(health))
        .described(describe_health)
        .without_head()
        .on(
            "undetectable.openapi",
            Method::GET,
            "/openapi.json",
            json(described::openapi),
        )
        .on("undetectable.docs", Method::GET, "/docs", described::page)
        .on(
            "undetectable.docsFile",
            Method::GET,
            "/docs/{file}",
            described::file,
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
        .does("Whether it serves", "It does once it answers.")
        .answers::<HealthStatus>(200, "It serves.");
    refuses(described, &[])
}

async fn health() -> Json<HealthStatus> {
    Json(HealthStatus { status: "healthy" })
}

/// Returns the response to a request on no route, or by a method that the route does not have.
#[must_use]
pub fn unknown_route(
    verbs: &Services,
    called: &RequestContext,
    method: &Method,
    uri: &Uri,
) -> Response {
    trailing_slash::redirect(verbs, called, uri).unwrap_or_else(|| refuse_route(method, uri))
}

fn refuse_route(method: &Method, uri: &Uri) -> Response {
    let path = uri.path();
    let methods = routes_at(path).map(|operation| operation.method.to_string());
    let allowed: Vec<String> = methods.collect();
    let refusal = if allowed.is_empty() {
        ApiError::no_route(format!("{method} {path} is no route"))
    } else {
        let allow = allowed.join(", ");
        let why = format!("{method} {path} is no route; {allow} {path} is one");
        ApiError::no_method(&allow, why)
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
    operations.filter(move |operation| is_of(operation.path, path))
}

/// Whether the path is one that the route is for.
fn is_of(route: &str, path: &str) -> bool {
    let (parts, asked) = (route.split('/'), path.split('/'));
    let fits =
        |(part, asked): (&str, &str)| part == asked || (part.starts_with('{') && !asked.is_empty());
    parts.clone().count() == asked.clone().count() && parts.zip(asked).all(fits)
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
        let answer = refuse_route(&Method::GET, &uri);
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()[ALLOW], "POST");
        let answer = refuse_route(&Method::GET, &Uri::from_static("/preview/x"));
        assert_eq!(answer.status(), 405);
        assert_eq!(answer.headers()[ALLOW], "POST");
        for path in ["/preview", "/preview/", "/preview/x/y"] {
            let answer = refuse_route(&Method::GET, &Uri::from_static(path));
            assert_eq!(answer.status(), 404, "{path}");
        }
        let answer = refuse_route(&Method::GET, &Uri::from_static("/detect/"));
        assert_eq!(answer.status(), 404);
        assert!(!answer.headers().contains_key(ALLOW));
    }
}
