//! `GET /_mock/ca.pem`: whom clients have to trust that call by TLS.

use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::error::ApiError;
use super::openapi::error_responses;
use crate::http::openapi::OperationDoc;
use crate::http::{AppState, Routes};

/// Adds the route of the certificate.
pub fn routes(routes: Routes) -> Routes {
    routes
        .on("control.getCa", Method::GET, "/_mock/ca.pem", get)
        .docs(describe)
}

/// RFC 8555.
const PEM: &str = "application/pem-certificate-chain";

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "The certificate to trust",
            "That of the authority that has signed the server's own certificate, in PEM. It is made \
             at the first start and kept in the data directory.",
        )
        .binary_response(200, "The certificate.", &[PEM]);
    error_responses(doc, &[&[(404, "no_tls")]])
}

async fn get(State(context): State<AppState>) -> Result<Response, ApiError> {
    let pem = context.ca_pem.as_deref().ok_or_else(|| {
        let hint = "start it with --tls (STUNTDOUBLE_TLS=true)";
        ApiError::not_found("no_tls", "the server does not serve by TLS", hint)
    })?;
    Ok(([(CONTENT_TYPE, PEM)], pem.to_owned()).into_response())
}
