//! Upload of a file by PUT (zero copy).

use std::fmt;
use std::io;
use std::path::Path;

use futures_util::TryStreamExt;
use http_body::Frame;
use http_body_util::StreamBody;
use reqwest::Body;
use reqwest::header::{CONTENT_LENGTH, CONTENT_TYPE};
use tokio::fs::File;
use tokio::io::AsyncReadExt;
use tokio_util::io::ReaderStream;

use super::faulty_request::RawRequest;
use super::throttle::ThrottledBody;
use super::{CallOverrides, OutboundClient, request_error};

/// Size of the pieces in which the file is read.
const PIECE_BYTES: usize = 64 * 1024;

/// Reason why a PUT has no status.
#[derive(Debug)]
pub enum PutError {
    /// The file cannot be opened, or is too short: an internal error.
    File(io::Error),
    /// The request could not be sent, or there was no response. Holds the message.
    Unanswered(String),
}

impl fmt::Display for PutError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(formatter, "cannot read the file: {error}"),
            Self::Unanswered(message) => formatter.write_str(message),
        }
    }
}

impl std::error::Error for PutError {}

impl OutboundClient {
    /// Streams the first `bytes` bytes of the file at `path` to `url`, with the overrides of rules.
    /// Returns the status of the response, which may be any status.
    ///
    /// # Errors
    /// Returns a [`PutError`] if there is no response within `PUT_TIMEOUT`.
    pub async fn put_file(
        &self,
        url: &str,
        content_type: &str,
        path: &Path,
        bytes: u64,
        overrides: &CallOverrides,
    ) -> Result<u16, PutError> {
        overrides.apply_delay().await;
        if let Some(respond) = overrides.stub_response().map_err(PutError::Unanswered)? {
            return Ok(respond.status);
        }
        let parsed_url = self.parse_allowed_url(url).map_err(PutError::Unanswered)?;
        let file = File::open(path).await.map_err(PutError::File)?;
        if file.metadata().await.map_err(PutError::File)?.len() < bytes {
            return Err(PutError::File(io::ErrorKind::UnexpectedEof.into()));
        }
        let timeout = self.timeouts.put;
        if let Some(fault) = overrides.connection_fault() {
            let request = RawRequest {
                method: "PUT",
                original_url: url,
                url: parsed_url,
                media_type: content_type,
                headers: &[],
                body: file,
                bytes,
            };
            let message = self.send_with_fault(request, fault, timeout).await;
            return Err(PutError::Unanswered(message));
        }
        let client = self.client().map_err(PutError::Unanswered)?;
        let pieces = ReaderStream::with_capacity(file.take(bytes), PIECE_BYTES);
        let body = StreamBody::new(pieces.map_ok(Frame::data));
        let response = client
            .put(parsed_url)
            .timeout(timeout)
            .header(CONTENT_TYPE, content_type)
            .header(CONTENT_LENGTH, bytes)
            .body(match overrides.throttle() {
                Some(throttle) => Body::wrap(ThrottledBody::new(body, throttle)),
                None => Body::wrap(body),
            })
            .send()
            .await
            .map_err(|error| PutError::Unanswered(request_error(url, error, timeout)))?;
        Ok(response.status().as_u16())
    }
}
