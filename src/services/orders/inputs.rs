//! Input files that clients give by URL. By default a generated sample replaces the content of the
//! URL. With the setting `fetch` the URL is downloaded.

use std::io::ErrorKind;

use sha2::{Digest, Sha256};

use super::Orders;
use super::failures::TaskError;
use crate::model::file::File;
use crate::model::order::Order;
use crate::model::rule::OutboundCall;
use crate::model::work::{Failure, Work};
use crate::platform::outbound::FetchError;
use crate::services::accounts::Account;
use crate::storage::blobs::TempFile;
use crate::storage::db::InternalError;

/// Maximum length of a downloaded file.
const FETCH_BYTES_MAX: u64 = 32 * 1024 * 1024;

/// Reason why a file could not be downloaded.
#[derive(Debug)]
pub enum DownloadError {
    /// The file could not be downloaded. The text says why.
    Unavailable(String),
    Internal(InternalError),
}

impl From<InternalError> for DownloadError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

/// Downloaded file that is not stored yet. Dropping it deletes the file.
#[derive(Debug)]
pub(super) struct DownloadedInput {
    scratch: TempFile,
    /// Content type in the response.
    content_type: Option<String>,
}

impl Orders {
    /// Stores every file of the order that is given by URL and not stored yet.
    pub(super) async fn fetch_inputs(
        &self,
        account: &Account,
        order: &Order,
    ) -> Result<(), TaskError> {
        for (index, file) in order.files.iter().enumerate() {
            let Some(url) = &file.url else {
                continue;
            };
            let bucket = order.vendor.bucket();
            let stored = self.blobs.find(account.id, bucket, &file.key).await;
            if stored.map_err(InternalError::broken)?.is_some() {
                continue;
            }
            if !self.settings.fetch {
                self.put_sample(account, order, file, url).await?;
                continue;
            }
            let fetched = self.fetch(account, url, &file.name).await;
            let downloaded = fetched.map_err(|error| match error {
                DownloadError::Unavailable(message) => {
                    let message = format!("files[{index}].originalFileUrl: {message}");
                    TaskError::Failed(fetch_failure(order, message))
                }
                DownloadError::Internal(error) => TaskError::Internal(error),
            })?;
            self.store_download(account, bucket, &file.key, downloaded)
                .await?;
        }
        Ok(())
    }

    /// Stores a generated sample in place of the URL's content. The URL is the seed.
    async fn put_sample(
        &self,
        account: &Account,
        order: &Order,
        file: &File,
        url: &str,
    ) -> Result<(), InternalError> {
        let seed = Sha256::digest(url).into();
        let sample = self.engine.sample(file.name.clone(), seed).await;
        let bytes = sample.map_err(InternalError::broken)?;
        let put = self.blobs.put_bytes(
            account.id,
            order.vendor.bucket(),
            &file.key,
            None,
            account.now(),
            bytes.into(),
        );
        put.await.map_err(InternalError::broken)?;
        Ok(())
    }

    /// Downloads a URL to a temporary file.
    ///
    /// # Errors
    /// Returns [`DownloadError::Unavailable`] if the file could not be downloaded, or
    /// [`DownloadError::Internal`] if the database or the disk fails.
    pub(super) async fn fetch(
        &self,
        account: &Account,
        url: &str,
        name: &str,
    ) -> Result<DownloadedInput, DownloadError> {
        let decision = self
            .rules
            .evaluate_call(account, OutboundCall::FileFetch, name);
        let overrides = decision.await?.call_overrides();
        let (scratch, outbound) = (self.blobs.temp_file(), &self.outbound);
        let fetched = outbound.fetch(url, scratch.path(), FETCH_BYTES_MAX, &overrides);
        match fetched.await {
            Ok(fetched) => Ok(DownloadedInput {
                scratch,
                content_type: fetched.content_type,
            }),
            Err(FetchError::Unavailable(message)) => Err(DownloadError::Unavailable(message)),
            Err(FetchError::File(error)) => {
                Err(InternalError::broken(self.blobs.explain(error)).into())
            }
        }
    }

    /// Stores a downloaded file under `key`.
    ///
    /// # Errors
    /// Returns [`InternalError::AccountGone`] if the account has ended, or an error if the disk
    /// fails.
    pub(super) async fn store_download(
        &self,
        account: &Account,
        bucket: &str,
        key: &str,
        downloaded: DownloadedInput,
    ) -> Result<(), InternalError> {
        let put = self.blobs.put_file(
            account.id,
            bucket,
            key,
            downloaded.content_type,
            account.now(),
            downloaded.scratch.path(),
        );
        put.await.map(drop).map_err(|error| match error.kind() {
            ErrorKind::NotFound => InternalError::AccountGone,
            _ => InternalError::broken(error),
        })
    }
}

fn fetch_failure(order: &Order, message: String) -> Failure {
    let code = match order.work {
        Work::WatermarkEmbed | Work::WatermarkExtract => "WATERMARK_INPUT_UNSUPPORTED",
        _ => "PROCESSING_ERROR",
    };
    Failure {
        code: code.to_owned(),
        message,
    }
}
