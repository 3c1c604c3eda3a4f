//! A file, fetched from wherever its URL says.

use std::fmt;
use std::io;
use std::path::Path;

use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::overrides::{content, response_fault_message};
use super::{CallOverrides, OutboundClient, Throttle, request_error, shown_url, timeout_message};
use crate::model::rule::StubResponse;

/// A file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DownloadedFile {
    /// Its size.
    pub bytes: u64,
    /// As its server says; none if that says nothing that can be read.
    pub content_type: Option<String>,
}

/// Why a file was not fetched.
#[derive(Debug)]
pub enum FetchError {
    /// The file cannot be written: a fault of the server or of its disk.
    File(io::Error),
    /// The URL does not lead to a file that can be had: one line that says why.
    Unavailable(String),
}

impl fmt::Display for FetchError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(error) => write!(formatter, "cannot write the file: {error}"),
            Self::Unavailable(line) => formatter.write_str(line),
        }
    }
}

impl std::error::Error for FetchError {}

impl From<String> for FetchError {
    fn from(line: String) -> Self {
        Self::Unavailable(line)
    }
}

impl From<io::Error> for FetchError {
    fn from(error: io::Error) -> Self {
        Self::File(error)
    }
}

/// Where a file goes to, as it comes.
struct Download<'i> {
    shown_url: String,
    path: &'i Path,
    bytes_max: u64,
    throttle: Option<Throttle>,
}

impl OutboundClient {
    /// Gets what is at `url` into the file `to`, as it comes, the call treated so. It has to be
    /// answered 2xx, to have `bytes_max` bytes at most, and to be there within 10 s. Redirects are
    /// not followed. A fault is met when an answer has come.
    ///
    /// # Errors
    /// Says why it could not be had. A part of it may then be in the file.
    pub async fn fetch(
        &self,
        url: &str,
        to: &Path,
        bytes_max: u64,
        treatment: &CallOverrides,
    ) -> Result<DownloadedFile, FetchError> {
        treatment.apply_delay().await;
        let into = Download {
            shown_url: shown_url(url),
            path: to,
            bytes_max,
            throttle: treatment.throttle(),
        };
        let timeout = self.timeouts.fetch;
        let fetched = async {
            match &treatment.respond {
                Some(respond) => into.write_stub(treatment, respond).await,
                None => self.download(url, into, treatment).await,
            }
        };
        // Boxed: it is what a drip waits in, and large.
        let in_time = tokio::time::timeout(timeout, Box::pin(fetched)).await;
        in_time.unwrap_or_else(|_| Err(timeout_message(url, timeout).into()))
    }

    async fn download(
        &self,
        url: &str,
        mut into: Download<'_>,
        treatment: &CallOverrides,
    ) -> Result<DownloadedFile, FetchError> {
        let timeout = self.timeouts.fetch;
        let request = self.client()?.get(self.check_url(url)?).timeout(timeout);
        let sent = request.send().await;
        let mut response = sent.map_err(|error| request_error(url, error, timeout))?;
        into.check(
            response.status().as_u16(),
            response.content_length(),
            treatment,
        )?;
        let content_type = response.headers().get("content-type");
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        let (mut file, mut bytes) = (into.create().await?, 0);
        while let Some(piece) = response
            .chunk()
            .await
            .map_err(|error| request_error(url, error, timeout))?
        {
            bytes += into.write(&mut file, bytes, &piece).await?;
        }
        Ok(into.done(file, bytes, content_type).await?)
    }
}

impl Download<'_> {
    /// Takes an answer that nobody has sent.
    async fn write_stub(
        mut self,
        treatment: &CallOverrides,
        respond: &StubResponse,
    ) -> Result<DownloadedFile, FetchError> {
        let (body, media_type) = content(respond);
        self.check(respond.status, Some(body.len() as u64), treatment)?;
        let mut file = self.create().await?;
        let bytes = self.write(&mut file, 0, body.as_bytes()).await?;
        let content_type = media_type.map(str::to_owned);
        Ok(self.done(file, bytes, content_type).await?)
    }

    /// Whether what was answered so can be had.
    fn check(
        &self,
        status: u16,
        length: Option<u64>,
        treatment: &CallOverrides,
    ) -> Result<(), String> {
        if let Some((title, fault)) = treatment.connection_fault() {
            return Err(response_fault_message(title, fault));
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

    /// Writes a piece, that comes after so many bytes, at its pace: its size.
    async fn write(
        &mut self,
        file: &mut File,
        after: u64,
        piece: &[u8],
    ) -> Result<u64, FetchError> {
        let bytes = piece.len() as u64;
        if after + bytes > self.bytes_max {
            return Err(self.too_large().into());
        }
        if let Some(pace) = &mut self.throttle {
            pace.consume(piece.len());
            pace.ready().await;
        }
        file.write_all(piece).await?;
        Ok(bytes)
    }

    async fn done(
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
