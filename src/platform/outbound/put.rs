//! A file, put wherever its receiver wants it.

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

/// What is read of the file in one go.
const PIECE_BYTES: usize = 64 * 1024;

/// Why there is no status.
#[derive(Debug)]
pub enum PutError {
    /// The file cannot be opened, or is too short: a fault of ours.
    File(io::Error),
    /// It could not be sent, or was not answered: one line that says why.
    Unanswered(String),
}

impl fmt::Display for PutError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(formatter, "cannot read the file: {error}"),
            Self::Unanswered(line) => formatter.write_str(line),
        }
    }
}

impl std::error::Error for PutError {}

impl OutboundClient {
    /// Puts the first `bytes` bytes of the file at `path`, as they are read, the call treated so:
    /// the status of the answer, which has to come within 30 s.
    ///
    /// # Errors
    /// If there is no answer; any status is one.
    pub async fn put_file(
        &self,
        url: &str,
        content_type: &str,
        path: &Path,
        bytes: u64,
        treatment: &CallOverrides,
    ) -> Result<u16, PutError> {
        treatment.apply_delay().await;
        if let Some(respond) = treatment.stub_response().map_err(PutError::Unanswered)? {
            return Ok(respond.status);
        }
        let allowed = self.check_url(url).map_err(PutError::Unanswered)?;
        let file = File::open(path).await.map_err(PutError::File)?;
        if file.metadata().await.map_err(PutError::File)?.len() < bytes {
            return Err(PutError::File(io::ErrorKind::UnexpectedEof.into()));
        }
        let timeout = self.timeouts.put;
        if let Some(broken) = treatment.connection_fault() {
            let request = RawRequest {
                method: "PUT",
                shown: url,
                url: allowed,
                media_type: content_type,
                headers: &[],
                body: file,
                bytes,
            };
            let line = self.send_with_fault(request, broken, timeout).await;
            return Err(PutError::Unanswered(line));
        }
        let client = self.client().map_err(PutError::Unanswered)?;
        let pieces = ReaderStream::with_capacity(file.take(bytes), PIECE_BYTES);
        let body = StreamBody::new(pieces.map_ok(Frame::data));
        let sent = client
            .put(allowed)
            .timeout(timeout)
            .header(CONTENT_TYPE, content_type)
            .header(CONTENT_LENGTH, bytes)
            .body(match treatment.throttle() {
                Some(pace) => Body::wrap(ThrottledBody::new(body, pace)),
                None => Body::wrap(body),
            })
            .send()
            .await;
        let response =
            sent.map_err(|error| PutError::Unanswered(request_error(url, error, timeout)))?;
        Ok(response.status().as_u16())
    }
}
