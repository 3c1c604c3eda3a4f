//! Download of a file by its URL.

use std::fmt;
use std::io;
use std::path::Path;

use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::overrides::{content, response_fault_message};
use super::{CallOverrides, OutboundClient, Throttle, request_error, shown_url, timeout_message};
use crate::model::rule::StubResponse;

/// A downloaded file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadedFile {
    pub bytes: u64,
    /// `Content-Type` of the response. `None` if the header is missing or not text.
    pub content_type: Option<String>,
}

/// Reason why a download failed.
#[derive(Debug)]
pub enum FetchError {
    /// The file cannot be written: an internal error.
    File(io::Error),
    /// The URL does not return an acceptable file. Holds the message.
    Unavailable(String),
}

impl fmt::Display for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(formatter, "cannot write the file: {error}"),
            Self::Unavailable(message) => formatter.write_str(message),
        }
    }
}

impl std::error::Error for FetchError {}

impl From<String> for FetchError {
    fn from(message: String) -> Self {
        Self::Unavailable(message)
    }
}

impl From<io::Error> for FetchError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// State of a download.
struct Download<'i> {
    shown_url: String,
    path: &'i Path,
    bytes_max: u64,
    throttle: Option<Throttle>,
}

impl OutboundClient {
    /// Downloads `url` into the file `to`, with the overrides of rules. Requires a 2xx response of at
    /// most `bytes_max` bytes within `FETCH_TIMEOUT`. Follows no redirects. A
    /// fault of a rule applies to the response.
    ///
    /// # Errors
    /// Returns a [`FetchError`] if the download failed. Part of the content may be in the file then.
    pub async fn fetch(
        &self,
        url: &str,
        to: &Path,
        bytes_max: u64,
        overrides: &CallOverrides,
    ) -> Result<DownloadedFile, FetchError> {
        overrides.apply_delay().await;
        let download = Download {
            shown_url: shown_url(url),
            path: to,
            bytes_max,
            throttle: overrides.throttle(),
        };
        let timeout = self.timeouts.fetch;
        let run = async {
            match &overrides.respond {
                Some(respond) => download.write_stub(overrides, respond).await,
                None => self.download(url, download, overrides).await,
            }
        };
        // Boxed because the future is large.
        tokio::time::timeout(timeout, Box::pin(run))
            .await
            .unwrap_or_else(|_| Err(timeout_message(url, timeout).into()))
    }

    async fn download(
        &self,
        url: &str,
        mut download: Download<'_>,
        overrides: &CallOverrides,
    ) -> Result<DownloadedFile, FetchError> {
        let timeout = self.timeouts.fetch;
        let mut response = self
            .client()?
            .get(self.parse_allowed_url(url)?)
            .timeout(timeout)
            .send()
            .await
            .map_err(|error| request_error(url, error, timeout))?;
        download.check(
            response.status().as_u16(),
            response.content_length(),
            overrides,
        )?;
        let content_type = response
            .headers()
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let mut file = download.create().await?;
        let mut bytes = 0;
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| request_error(url, error, timeout))?
        {
            bytes += download.write(&mut file, bytes, &piece).await?;
        }
        Ok(download.finish(file, bytes, content_type).await?)
    }
}

impl Download<'_> {
    /// Writes the body of a stub response to the file.
    async fn write_stub(
        mut self,
        overrides: &CallOverrides,
        respond: &StubResponse,
    ) -> Result<DownloadedFile, FetchError> {
        let (body, media_type) = content(respond);
        self.check(respond.status, Some(body.len() as u64), overrides)?;
        let mut file = self.create().await?;
        let bytes = self.write(&mut file, 0, body.as_bytes()).await?;
        let content_type = media_type.map(str::to_owned);
        Ok(self.finish(file, bytes, content_type).await?)
    }

    /// Checks fault, status and length of a response.
    ///
    /// # Errors
    /// Returns a message if the response is not acceptable.
    fn check(
        &self,
        status: u16,
        length: Option<u64>,
        overrides: &CallOverrides,
    ) -> Result<(), String> {
        if let Some((label, fault)) = overrides.connection_fault() {
            return Err(response_fault_message(label, fault));
        }
        let shown = &self.shown_url;
        match status {
            200..300 if length.is_some_and(|bytes| bytes > self.bytes_max) => Err(self.too_large()),
            200..300 => Ok(()),
            300..400 => Err(format!(
                "{shown} answered {status}: redirects are not followed"
            )),
            _ => Err(format!("{shown} answered {status}")),
        }
    }

    fn too_large(&self) -> String {
        format!("{} has more than {} bytes", self.shown_url, self.bytes_max)
    }

    async fn create(&self) -> io::Result<File> {
        File::create(self.path).await
    }

    /// Writes a piece after `written_bytes` earlier bytes, at the rate of the throttle. Returns the size
    /// of the piece.
    async fn write(
        &mut self,
        file: &mut File,
        written_bytes: u64,
        piece: &[u8],
    ) -> Result<u64, FetchError> {
        let bytes = piece.len() as u64;
        if written_bytes + bytes > self.bytes_max {
            return Err(self.too_large().into());
        }
        if let Some(throttle) = &mut self.throttle {
            throttle.consume(piece.len());
            throttle.ready().await;
        }
        file.write_all(piece).await?;
        Ok(bytes)
    }

    async fn finish(
        &self,
        mut file: File,
        bytes: u64,
        content_type: Option<String>,
    ) -> io::Result<DownloadedFile> {
        file.flush().await?;
        Ok(DownloadedFile {
            bytes,
            content_type,
        })
    }
}
