//! Errors of the control plane, the JSON extractor that raises them, and tasks that outlive a
//! client.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::account_field::WithAccount;
use super::error_code::ControlErrorCode;
use crate::http::{
    AppState, BodyError, GuardRefusal, InternalFault, Json, X_MOCK_REASON, header_line, read_json,
};
use crate::storage::db::InternalError;

/// Error of the control plane: `{"error": {"code", "message", "hint"}}`.
#[derive(Debug)]
pub struct ControlError {
    code: ControlErrorCode,
    message: String,
    hint: String,
}

impl ControlError {
    /// Returns an error. `message` says what is wrong with the request, `hint` what to do about it.
    pub fn new(
        code: ControlErrorCode,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            code,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// Returns the error for a path that names nothing.
    pub fn no_route(method: &Method, uri: &Uri, hint: impl Into<String>) -> Self {
        let message = format!("no route {method} {}", uri.path());
        Self::new(ControlErrorCode::UnknownRoute, message, hint)
    }

    pub fn message(&self) -> &str {
        &self.message
    }

    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// Returns the error for a request that the guard refused before it was routed.
    pub fn from_guard(refused: &GuardRefusal) -> Self {
        match refused {
            GuardRefusal::BadHost(message) => Self::new(
                ControlErrorCode::BadHost,
                message.clone(),
                "send one Host header with a host, and its port if that is not the default",
            ),
            GuardRefusal::UnknownHost(host) => {
                let name = host.split(':').next().unwrap_or(host);
                Self::new(
                    ControlErrorCode::UnknownHost,
                    format!("{host} is not a host by which this server may be called"),
                    format!(
                        "call localhost or an IP address, or start the server with --allow-host {name} (STUNTDOUBLE_ALLOW_HOST)"
                    ),
                )
            }
            GuardRefusal::CrossOrigin(header) => Self::new(
                ControlErrorCode::CrossOrigin,
                format!("a web page of another origin made this request ({header})"),
                "only the server's own pages, and clients that are not browsers, may change state",
            ),
            // Only BIZ MORI's API answers preflights.
            GuardRefusal::ForbiddenOrigin(message) => Self::new(
                ControlErrorCode::ForbiddenOrigin,
                message.clone(),
                "allow the origin with that setting",
            ),
            GuardRefusal::Unauthorized => Self::new(
                ControlErrorCode::Unauthorized,
                "the control token is missing or wrong",
                "send Authorization: Bearer TOKEN with the value of --control-token (STUNTDOUBLE_CONTROL_TOKEN)",
            ),
        }
    }

    /// Returns the error for a fault of stuntdouble itself.
    pub fn internal(message: impl Into<String>) -> Self {
        let hint = "this is a fault of stuntdouble: see its log";
        Self::new(ControlErrorCode::Internal, message, hint)
    }
}

/// Body of an error.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct ErrorEnvelope<'r> {
    error: ErrorBody<'r>,
}

/// Code, what is wrong with the request, and what to do about it.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ErrorBody")]
pub struct ErrorBody<'r> {
    code: &'r str,
    message: &'r str,
    hint: &'r str,
}

impl ControlError {
    /// Returns the error as a part of a body.
    pub fn body_error(&self) -> ErrorBody<'_> {
        ErrorBody {
            code: self.code.name(),
            message: &self.message,
            hint: &self.hint,
        }
    }

    /// Responds with `body`, which contains the error.
    pub fn respond_with(&self, body: &impl Serialize) -> Response {
        let status = self.code.status();
        let reason = [(X_MOCK_REASON, header_line(&self.message))];
        let mut response = (status, reason, Json(body)).into_response();
        if status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        if status == StatusCode::INTERNAL_SERVER_ERROR {
            let fault = InternalFault(self.message.clone());
            response.extensions_mut().insert(fault);
        }
        response
    }
}

impl IntoResponse for ControlError {
    fn into_response(self) -> Response {
        let error = self.body_error();
        self.respond_with(&ErrorEnvelope { error })
    }
}

impl From<InternalError> for ControlError {
    fn from(error: InternalError) -> Self {
        match error {
            InternalError::AccountGone => {
                let hint = "the account was reset while this request ran; send it again";
                Self::new(ControlErrorCode::AccountGone, error.to_string(), hint)
            }
            InternalError::DiskFull(_) => {
                let hint = "free some space on that disk and send the request again; the server needs no restart";
                Self::new(ControlErrorCode::DiskFull, error.to_string(), hint)
            }
            InternalError::Broken(_) => Self::internal(error.to_string()),
        }
    }
}

impl From<Box<dyn std::error::Error + Send + Sync>> for ControlError {
    /// Returns the error for a list that could not be read. The cause has been logged.
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<BodyError> for ControlError {
    fn from(error: BodyError) -> Self {
        let hint = "send one JSON object";
        Self::new(ControlErrorCode::BadBody, error.message(), hint)
    }
}

/// Runs `work` to its end even if the client disconnects, so that no change is left half done.
pub async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = Result<T, ControlError>> + Send + 'static,
) -> Result<T, ControlError> {
    let result = tokio::spawn(work).await;
    result.unwrap_or_else(|error| Err(ControlError::internal(error.to_string())))
}

/// Extractor of a JSON body with the fields of `T`. The field `account`, which every body may have,
/// is removed first. A missing body counts as an empty object.
#[derive(Debug)]
pub struct ControlJson<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for ControlJson<T> {
    type Rejection = ControlError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ControlError> {
        let (parts, body): (_, Body) = request.into_parts();
        let (bytes, _) = read_json(&parts.headers, body).await?;
        parse(&bytes).map(Self)
    }
}

/// UTF-8 byte order mark, which encoders of .NET and editors on Windows write.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Parses a body as one JSON object with the fields of `T`. A leading byte order mark is skipped.
///
/// # Errors
/// Returns [`ControlErrorCode::BadBody`] with the field that is malformed.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ControlError> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let json: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    let mut source = serde_json::Deserializer::from_slice(json);
    let WithAccount(parsed) = serde_path_to_error::deserialize(&mut source)
        .map_err(|error| json_error(&error.path().to_string(), error.inner()))?;
    source.end().map_err(|error| json_error(".", &error))?;
    Ok(parsed)
}

fn json_error(path: &str, error: &serde_json::Error) -> ControlError {
    // A value without a name of its own is reported by the path of its parent.
    let path = path.strip_suffix(".?").unwrap_or(path);
    let message = match path {
        _ if error.is_syntax() || error.is_eof() => format!("the body is not valid JSON: {error}"),
        "." | "?" => error.to_string(),
        field => format!("{field}: {error}"),
    };
    let hint = "GET /_mock/openapi/control.json describes the fields and their types";
    ControlError::new(ControlErrorCode::BadBody, message, hint)
}
