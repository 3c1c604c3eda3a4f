//! HTTP calls of the command line.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::{JSON, builder, error_chain, join_headers};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A call to a server.
#[derive(Debug)]
pub struct CliRequest<'a> {
    pub method: &'a str,
    pub url: &'a str,
    /// Sent as bearer token.
    pub token: Option<&'a str>,
    /// JSON body.
    pub body: Option<Vec<u8>>,
    /// Timeout of the whole call, including the connect. `None`: no timeout.
    pub timeout: Option<Duration>,
}

/// A complete response.
#[derive(Debug)]
pub struct CliResponse {
    pub status: u16,
    /// Values of headers with the same name are joined by commas.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// Reason why there is no complete response, with a message.
#[derive(Debug)]
pub enum SendError {
    /// The connection failed, so the server has not received the request.
    Connect(String),
    /// The server may have received the request.
    NoResponse(String),
}

/// Sends the request. The address may be public, because the user chose it.
///
/// # Errors
/// Returns a [`SendError`] if there is no complete response.
pub async fn send(call: CliRequest<'_>) -> Result<CliResponse, SendError> {
    let mut body = Vec::new();
    let receive = |chunk: &[u8]| {
        body.extend_from_slice(chunk);
        true
    };
    let (status, headers) = send_streaming(call, receive).await?;
    Ok(CliResponse {
        status,
        headers,
        body,
    })
}

/// Sends the request, and passes the body of the response to `receive` piece by piece, until its end or until
/// `receive` returns `false`. Returns the status and the headers.
///
/// # Errors
/// Returns a [`SendError`] if there is no complete response.
pub async fn send_streaming(
    call: CliRequest<'_>,
    mut receive: impl FnMut(&[u8]) -> bool,
) -> Result<(u16, BTreeMap<String, String>), SendError> {
    let no_response = |error: &reqwest::Error| SendError::NoResponse(error_chain(error));
    let client = builder(true)
        .connect_timeout(CONNECT_TIMEOUT)
        .build()
        .map_err(|error| no_response(&error))?;
    let method = Method::from_bytes(call.method.as_bytes())
        .map_err(|error| SendError::NoResponse(error.to_string()))?;
    let mut request = client.request(method, call.url);
    if let Some(token) = call.token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = call.body {
        request = request.header(CONTENT_TYPE, JSON).body(body);
    }
    if let Some(timeout) = call.timeout {
        request = request.timeout(timeout);
    }
    let mut response = request.send().await.map_err(|error| {
        if error.is_connect() {
            SendError::Connect(root_cause(&error))
        } else {
            no_response(&error)
        }
    })?;
    let status = response.status().as_u16();
    let headers = join_headers(response.headers());
    while let Some(chunk) = response
        .chunk()
        .await
        .map_err(|error| no_response(&error))?
    {
        if !receive(&chunk) {
            break;
        }
    }
    Ok((status, headers))
}

/// Returns the innermost cause of an error. The outer errors only say that connecting failed.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.to_string()
}
