//! A file, fetched from wherever its URL says.

use std::path::Path;

use tokio::fs::File;
use tokio::io::AsyncWriteExt;

use super::{Outbound, unanswered};

/// A file that was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Its size.
    pub bytes: u64,
    /// As its server says; none if that says nothing that can be read.
    pub content_type: Option<String>,
}

impl Outbound {
    /// Gets what is at `url` into the file `to`, as it comes. It has to be answered 2xx, to have
    /// `bytes_max` bytes at most, and to be there within 10 s. Redirects are not followed.
    ///
    /// # Errors
    /// One line that says why it could not be had. A part of it may then be in the file.
    pub async fn fetch(&self, url: &str, to: &Path, bytes_max: u64) -> Result<Fetched, String> {
        let timeout = self.timeouts.fetch;
        let request = self.client()?.get(self.allowed(url)?).timeout(timeout);
        let shown = url.escape_debug();
        let sent = request.send().await;
        let mut answer = sent.map_err(|error| unanswered(url, &error, timeout))?;
        let status = answer.status();
        if status.is_redirection() {
            let status = status.as_u16();
            return Err(format!(
                "{shown} answered {status}: redirects are not followed"
            ));
        }
        if !status.is_success() {
            return Err(format!("{shown} answered {}", status.as_u16()));
        }
        let too_large = || format!("{shown} has more than {bytes_max} bytes");
        if answer.content_length().is_some_and(|n| n > bytes_max) {
            return Err(too_large());
        }
        let content_type = answer.headers().get("content-type");
        let content_type = content_type.and_then(|value| value.to_str().ok());
        let content_type = content_type.map(str::to_owned);
        let unwritten = |error: std::io::Error| format!("cannot write what {shown} sends: {error}");
        let mut file = File::create(to).await.map_err(unwritten)?;
        let mut bytes = 0;
        while let Some(piece) = answer
            .chunk()
            .await
            .map_err(|error| unanswered(url, &error, timeout))?
        {
            bytes += piece.len() as u64;
            if bytes > bytes_max {
                return Err(too_large());
            }
            file.write_all(&piece).await.map_err(unwritten)?;
        }
        file.flush().await.map_err(unwritten)?;
        Ok(Fetched {
            bytes,
            content_type,
        })
    }
}
