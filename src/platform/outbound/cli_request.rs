//! What the command line asks a server: one call, and the whole of its answer.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Method;
use reqwest::header::CONTENT_TYPE;

use super::{JSON, builder, error_chain, join_headers};

/// Who listens is reached in that time, or not at all.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// A call.
#[derive(Debug)]
pub struct CliRequest<'a> {
    pub method: &'a str,
    pub url: &'a str,
    /// Shown as a bearer's.
    pub token: Option<&'a str>,
    /// JSON.
    pub body: Option<Vec<u8>>,
    /// So long the answer may take, connecting included; as long as it takes where there is none.
    pub timeout: Option<Duration>,
}

/// An answer, whole.
#[derive(Debug)]
pub struct CliResponse {
    pub status: u16,
    /// What came more than once is joined by a comma.
    pub headers: BTreeMap<String, String>,
    pub body: Vec<u8>,
}

/// Why there is none, in one line.
#[derive(Debug)]
pub enum SendError {
    /// Nobody was there to be asked.
    Connect(String),
    /// It may have been asked.
    NoResponse(String),
}

/// Makes the call, to any address: who asks has said whom.
///
/// # Errors
/// If no whole answer came.
pub async fn send(ask: CliRequest<'_>) -> Result<CliResponse, SendError> {
    let lost = |error: &reqwest::Error| SendError::NoResponse(error_chain(error));
    let client = builder(true).connect_timeout(CONNECT_TIMEOUT).build();
    let client = client.map_err(|error| lost(&error))?;
    let method = Method::from_bytes(ask.method.as_bytes());
    let method = method.map_err(|error| SendError::NoResponse(error.to_string()))?;
    let mut request = client.request(method, ask.url);
    if let Some(token) = ask.token {
        request = request.bearer_auth(token);
    }
    if let Some(body) = ask.body {
        request = request.header(CONTENT_TYPE, JSON).body(body);
    }
    if let Some(timeout) = ask.timeout {
        request = request.timeout(timeout);
    }
    let response = request.send().await.map_err(|error| {
        if error.is_connect() {
            SendError::Connect(root_cause(&error))
        } else {
            lost(&error)
        }
    })?;
    let (status, headers) = (response.status().as_u16(), join_headers(response.headers()));
    let body = response.bytes().await.map_err(|error| lost(&error))?;
    Ok(CliResponse {
        status,
        headers,
        body: body.to_vec(),
    })
}

/// What is at the bottom of an error; what is above it says that it was on the way.
fn root_cause(error: &dyn std::error::Error) -> String {
    let mut root = error;
    while let Some(cause) = root.source() {
        root = cause;
    }
    root.to_string()
}
