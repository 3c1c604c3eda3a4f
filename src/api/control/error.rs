//! The control plane's errors: what was wrong, and what to do.

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::header::WWW_AUTHENTICATE;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::account_field::WithAccount;
use crate::http::{
    AppState, BodyError, GuardRefusal, InternalFault, Json, X_MOCK_REASON, header_line, read_json,
};
use crate::storage::db::StoreError;

/// `{"error": {"code", "message", "hint"}}`.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: String,
}

impl ApiError {
    /// What was asked for cannot be done.
    pub fn bad_request(
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            code,
            message: message.into(),
            hint: hint.into(),
        }
    }

    /// What was wrong.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do.
    pub fn hint(&self) -> &str {
        &self.hint
    }

    /// What was asked for is not there.
    pub fn not_found(
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            status: StatusCode::NOT_FOUND,
            ..Self::bad_request(code, message, hint)
        }
    }

    /// What was asked for does not go with how things stand.
    pub fn conflict(
        code: &'static str,
        message: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self {
            status: StatusCode::CONFLICT,
            ..Self::bad_request(code, message, hint)
        }
    }

    /// The thing that was asked for does not exist any more.
    pub fn gone(code: &'static str, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            status: StatusCode::GONE,
            ..Self::bad_request(code, message, hint)
        }
    }

    /// A request that the guard refuses before it is routed.
    pub fn guarded(refused: &GuardRefusal) -> Self {
        const TOKEN: &str = "send Authorization: Bearer TOKEN, the setting --control-token (STUNTDOUBLE_CONTROL_TOKEN)";
        let (status, message, hint) = match refused {
            GuardRefusal::BadHost(line) => (
                StatusCode::BAD_REQUEST,
                line.clone(),
                "send one Host header: a host, and its port if that is not the default".to_owned(),
            ),
            GuardRefusal::UnknownHost(host) => {
                let name = host.split(':').next().unwrap_or(host);
                (
                    StatusCode::MISDIRECTED_REQUEST,
                    format!("{host} is not a host by which this server may be called"),
                    format!(
                        "call localhost or an IP address, or start the server with --allow-host {name} (STUNTDOUBLE_ALLOW_HOST)"
                    ),
                )
            }
            GuardRefusal::CrossOrigin(header) => (
                StatusCode::FORBIDDEN,
                format!("a web page of another origin made this request ({header})"),
                "only the server's own pages, and clients that are not browsers, may change state"
                    .to_owned(),
            ),
            // Only BIZ MORI's API has preflights.
            GuardRefusal::ForbiddenOrigin(line) => (
                StatusCode::FORBIDDEN,
                line.clone(),
                "allow the origin with that setting".to_owned(),
            ),
            GuardRefusal::Unauthorized => (
                StatusCode::UNAUTHORIZED,
                "the control token is missing, or another".to_owned(),
                TOKEN.to_owned(),
            ),
        };
        Self {
            status,
            ..Self::bad_request(refused.name(), message, hint)
        }
    }

    /// A fault of ours.
    pub fn internal(message: impl Into<String>) -> Self {
        let hint = "this is a fault of stuntdouble's: see its log";
        Self {
            status: StatusCode::INTERNAL_SERVER_ERROR,
            ..Self::bad_request("internal", message, hint)
        }
    }
}

/// An error.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Error")]
pub struct ErrorEnvelope<'r> {
    error: ErrorBody<'r>,
}

/// What was wrong, and what to do.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "ErrorBody")]
pub struct ErrorBody<'r> {
    code: &'r str,
    message: &'r str,
    hint: &'r str,
}

impl ApiError {
    /// Returns the error as a part of a body.
    pub fn body_error(&self) -> ErrorBody<'_> {
        ErrorBody {
            code: self.code,
            message: &self.message,
            hint: &self.hint,
        }
    }

    /// Answers with `body`, which has the error in it.
    pub fn respond_with(&self, body: &impl Serialize) -> Response {
        let reason = [(X_MOCK_REASON, header_line(&self.message))];
        let mut response = (self.status, reason, Json(body)).into_response();
        if self.status == StatusCode::UNAUTHORIZED {
            let scheme = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(WWW_AUTHENTICATE, scheme);
        }
        if self.status == StatusCode::INTERNAL_SERVER_ERROR {
            let fault = InternalFault(self.message.clone());
            response.extensions_mut().insert(fault);
        }
        response
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let error = self.body_error();
        self.respond_with(&ErrorEnvelope { error })
    }
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::AccountGone => {
                let hint = "the account was reset while this ran; ask again";
                Self {
                    status: StatusCode::CONFLICT,
                    ..Self::bad_request("account_gone", error.to_string(), hint)
                }
            }
            StoreError::DiskFull(_) => {
                let hint =
                    "free some space on that disk and ask again; the server needs no restart";
                Self {
                    status: StatusCode::INTERNAL_SERVER_ERROR,
                    ..Self::bad_request("disk_full", error.to_string(), hint)
                }
            }
            StoreError::Broken(_) => Self::internal(error.to_string()),
        }
    }
}

impl From<Box<dyn std::error::Error + Send + Sync>> for ApiError {
    /// Returns the refusal of a listing that could not be read. The error has been logged.
    fn from(error: Box<dyn std::error::Error + Send + Sync>) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<BodyError> for ApiError {
    fn from(refusal: BodyError) -> Self {
        Self::bad_request("bad_body", refusal.message(), "send one JSON object")
    }
}

/// Does it to its end, whether or not anybody waits for it: who hangs up half way leaves nothing done
/// by half.
pub async fn run_to_completion<T: Send + 'static>(
    work: impl Future<Output = Result<T, ApiError>> + Send + 'static,
) -> Result<T, ApiError> {
    let done = tokio::spawn(work).await;
    done.unwrap_or_else(|error| Err(ApiError::internal(error.to_string())))
}

/// A JSON body of the shape of `T`, without the `account` that every body may have. No body at all is
/// an empty object.
#[derive(Debug)]
pub struct ControlJson<T>(pub T);

impl<T: DeserializeOwned> FromRequest<AppState> for ControlJson<T> {
    type Rejection = ApiError;

    async fn from_request(request: Request, _: &AppState) -> Result<Self, ApiError> {
        let (parts, body): (_, Body) = request.into_parts();
        let (bytes, _) = read_json(&parts.headers, body).await?;
        parse(&bytes).map(Self)
    }
}

/// Encoders of .NET and editors on Windows begin UTF-8 with it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Parses a body as one JSON object of the shape of `T`. A leading byte order mark is skipped.
///
/// # Errors
/// Names the field that does not fit.
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    let bytes = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(bytes);
    let json: &[u8] = if bytes.is_empty() { b"{}" } else { bytes };
    let mut source = serde_json::Deserializer::from_slice(json);
    let WithAccount(parsed) = serde_path_to_error::deserialize(&mut source)
        .map_err(|error| json_error(&error.path().to_string(), error.inner()))?;
    source.end().map_err(|error| json_error(".", &error))?;
    Ok(parsed)
}

fn json_error(path: &str, error: &serde_json::Error) -> ApiError {
    // Where what is wrong has no name, that around it is named.
    let path = path.strip_suffix(".?").unwrap_or(path);
    let message = if matches!(path, "." | "?") {
        error.to_string()
    } else {
        format!("{path}: {error}")
    };
    let hint = "GET /_mock/openapi.json describes the fields and their types";
    ApiError::bad_request("bad_body", message, hint)
}
