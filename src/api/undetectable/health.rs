//! `GET /health`.

use axum::http::Method;
use schemars::JsonSchema;
use serde::Serialize;

use super::accept::accepts_json;
use super::openapi::with_errors;
use crate::http::openapi::OperationDoc;
use crate::http::{Json, Routes};

/// Adds the health check.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on(
            "undetectable.health",
            Method::GET,
            "/health",
            accepts_json(get),
        )
        .docs(describe)
        .reject_head()
}

#[derive(Serialize, JsonSchema)]
struct HealthStatus {
    #[schemars(extend("const" = "healthy"))]
    status: &'static str,
}

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary("Health check", "Answers as soon as the server is ready.")
        .response::<HealthStatus>(200, "The server is ready.");
    with_errors(doc, &[])
}

async fn get() -> Json<HealthStatus> {
    Json(HealthStatus { status: "healthy" })
}
