//! `GET /_mock/ca.pem`: whom clients have to trust that call by TLS.

use axum::extract::State;
use axum::http::Method;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};

use super::error::ControlError;
use super::error_code::ControlErrorCode;
use super::openapi::describe_errors;
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
    describe_errors(doc, &[ControlErrorCode::TlsDisabled])
}

async fn get(State(context): State<AppState>) -> Result<Response, ControlError> {
    let pem = context.ca_pem.as_deref().ok_or_else(|| {
        let hint = "start it with --tls (STUNTDOUBLE_TLS=true)";
        ControlError::new(
            ControlErrorCode::TlsDisabled,
            "the server does not serve by TLS",
            hint,
        )
    })?;
    Ok(([(CONTENT_TYPE, PEM)], pem.to_owned()).into_response())
}
