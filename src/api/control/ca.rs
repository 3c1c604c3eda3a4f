//! `GET /_mock/ca.pem`: certificate of the authority that TLS clients have to trust.

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

/// Media type of certificates in PEM (RFC 8555 §9.1).
const PEM_MEDIA_TYPE: &str = "application/pem-certificate-chain";

fn describe(doc: OperationDoc<'_>) -> OperationDoc<'_> {
    let doc = doc
        .summary(
            "Get the certificate to trust",
            "Certificate of the authority that signed the server's certificate, in PEM. The server \
             creates it at the first start and stores it in the data directory.",
        )
        .binary_response(200, "Certificate.", &[PEM_MEDIA_TYPE]);
    describe_errors(doc, &[ControlErrorCode::TlsDisabled])
}

async fn get(State(state): State<AppState>) -> Result<Response, ControlError> {
    let pem = state.ca_pem.as_deref().ok_or_else(|| {
        let hint = "start the server with --tls (STUNTDOUBLE_TLS=true)";
        ControlError::new(ControlErrorCode::TlsDisabled, "TLS is not enabled", hint)
    })?;
    Ok(([(CONTENT_TYPE, PEM_MEDIA_TYPE)], pem.to_owned()).into_response())
}
