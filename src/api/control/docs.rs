//! `GET /_mock/docs`: page that shows the OpenAPI documents of all APIs. Needs no control token, but the
//! documents that the page loads do.

use axum::extract::State;
use axum::http::{HeaderMap, Method, Uri};
use axum::response::Response;

use super::error::ControlError;
use super::error_code::ControlErrorCode;
use super::openapi::{DIRECTORY, describe_errors};
use crate::http::openapi::OperationDoc;
use crate::http::swagger_ui::{self, DocsPage, FILE_MEDIA_TYPES, PAGE_MEDIA_TYPE};
use crate::http::{AppState, PathParam, Routes};

const PAGE: &str = "/_mock/docs";

/// Adds the page and its files.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.docs", Method::GET, PAGE, get_page)
        .docs(describe_page)
        .on(
            "control.docsFile",
            Method::GET,
            "/_mock/docs/{file}",
            get_file,
        )
        .docs(describe_file)
}

fn describe_page(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Show the documentation page",
            "Swagger UI with the OpenAPI documents of all APIs. Needs no control token, but the documents \
             do: the page has a field for the token.",
        )
        .binary_response(200, "The page.", &[PAGE_MEDIA_TYPE]);
    describe_errors(doc, &[])
}

fn describe_file(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get a file of the documentation page",
            "Scripts and styles. Needs no control token.",
        )
        .describe_param("file", "Name of the file.")
        .binary_response(200, "The file.", &FILE_MEDIA_TYPES);
    describe_errors(doc, &[ControlErrorCode::UnknownRoute])
}

async fn get_page(State(state): State<AppState>) -> Response {
    let names = state.api_documents.iter().map(|document| document.name);
    let documents: Vec<_> = names
        .map(|name| (name, format!("{DIRECTORY}{name}.json")))
        .collect();
    let token = state.config.control.control_token.as_deref();
    let page = DocsPage {
        title: "stuntdouble's APIs",
        path: PAGE,
        documents: &documents,
        requires_token: token.is_some_and(|token| !token.is_empty()),
    };
    page.response()
}

async fn get_file(
    uri: Uri,
    headers: HeaderMap,
    PathParam(name): PathParam,
) -> Result<Response, ControlError> {
    swagger_ui::file(&name, &headers).ok_or_else(|| {
        let hint = format!("open {PAGE} in a browser");
        ControlError::no_route(&Method::GET, &uri, hint)
    })
}
