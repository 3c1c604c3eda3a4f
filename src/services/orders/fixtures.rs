//! Orders created through the control plane as a client would create them: create, upload, confirm.
//! Rules do not apply to them, and they cost no credits.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use tokio::fs::File;

use super::create::OutcomeSource;
use super::{ConfirmError, CreateOrderError, FileSource, Orders};
use crate::model::file::Role;
use crate::model::order::{Order, Vendor};
use crate::model::picture::FileKind;
use crate::model::rule::ForcedOutcome;
use crate::services::accounts::Account;
use crate::services::orders::NewOrder;
use crate::storage::blobs::BlobMeta;
use crate::storage::db::InternalError;

const CONFIRM_KEY: &str = "fixture";

/// Content of a fixture's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileContent {
    Bytes(Bytes),
    /// Path of a file on disk.
    Path(PathBuf),
}

impl Orders {
    /// Creates an order with all its files and starts it. `outcome` overrides the outcome that the
    /// files lead to. `files` are in upload order: all other files first, then originals. `operation`
    /// is the name of the control plane's operation, which the order's history has as the cause.
    ///
    /// # Errors
    /// Returns [`InternalError::AccountGone`] if the account has ended, or an error if the database
    /// or the disk fails.
    pub async fn create_fixture(
        &self,
        account: &Arc<Account>,
        mut new: NewOrder,
        files: &[FileContent],
        outcome: Option<&ForcedOutcome>,
        operation: &'static str,
    ) -> Result<Arc<Order>, InternalError> {
        let profile = self.vendors.profile(new.vendor);
        if profile.is_upload_before_order {
            self.upload_inputs(account, &mut new, files).await?;
        }
        let source = OutcomeSource::Manual { outcome, operation };
        let created = self
            .create_with(account, new, source)
            .await
            .map_err(unexpected_create_error)?;
        let order = created.order;
        let mut indexes: Vec<usize> = (0..order.files.len()).collect();
        indexes.sort_by_key(|index| order.files[*index].role == Some(Role::Original));
        for (index, content) in indexes.into_iter().zip(files) {
            self.put_upload(account, &order, index, content, operation)
                .await?;
        }
        let uploaded = self.db.order(&order.id).await?;
        let order = uploaded.ok_or(InternalError::AccountGone)?;
        if !(profile.starts_by_confirm)(&order.work) {
            return Ok(order);
        }
        let (vendor, id) = (order.vendor, &order.id);
        let confirmed = self.confirm(account, vendor, id, CONFIRM_KEY, operation, |_| true);
        Ok(confirmed.await.map_err(unexpected_confirm_error)?.order)
    }

    /// Stores the files as uploads, which the order then refers to.
    async fn upload_inputs(
        &self,
        account: &Account,
        new: &mut NewOrder,
        files: &[FileContent],
    ) -> Result<(), InternalError> {
        for (file, content) in new.files.iter_mut().zip(files) {
            let upload = self.create_upload(account, &file.name).await?;
            let put = self.put_content(account, new.vendor, &upload.key, &file.name, content);
            let bytes = put.await?.bytes;
            let key = upload.key;
            file.source = FileSource::Stored { key, bytes };
        }
        Ok(())
    }

    /// Uploads one file of the order. Test orders store no content: only the file's length is
    /// recorded.
    async fn put_upload(
        &self,
        account: &Account,
        order: &Order,
        index: usize,
        content: &FileContent,
        operation: &'static str,
    ) -> Result<(), InternalError> {
        let file = &order.files[index];
        if !file.is_upload_pending() {
            return Ok(());
        }
        let bytes = if order.test {
            content.byte_len().await.map_err(InternalError::broken)?
        } else {
            let put = self.put_content(account, order.vendor, &file.key, &file.name, content);
            put.await?.bytes
        };
        let received = self.record_upload(account.id, &order.id, &file.key, bytes, operation);
        received.await.map(drop)
    }

    async fn put_content(
        &self,
        account: &Account,
        vendor: Vendor,
        key: &str,
        name: &str,
        content: &FileContent,
    ) -> Result<BlobMeta, InternalError> {
        let media_type = FileKind::of_name(name).map(|media| media.media_type().to_owned());
        let (of, bucket, now) = (account.id, vendor.bucket(), account.now());
        let blobs = &self.blobs;
        let put = match content {
            FileContent::Bytes(bytes) => {
                let bytes = Bytes::clone(bytes);
                blobs
                    .put_bytes(of, bucket, key, media_type, now, bytes)
                    .await
            }
            FileContent::Path(path) => blobs.put_file(of, bucket, key, media_type, now, path).await,
        };
        put.map_err(|error| match error.kind() {
            ErrorKind::NotFound if account.cancellation().is_cancelled() => {
                InternalError::AccountGone
            }
            _ => InternalError::broken(error),
        })
    }
}

impl FileContent {
    /// Returns the length in bytes.
    ///
    /// # Errors
    /// Returns an error if the path is not a regular file or cannot be opened.
    pub async fn byte_len(&self) -> std::io::Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::Path(path) => {
                let meta = File::open(path).await?.metadata().await?;
                if meta.is_file() {
                    Ok(meta.len())
                } else {
                    Err(std::io::Error::other("not a regular file"))
                }
            }
        }
    }
}

/// A fixture costs nothing and has no id from a client, so only [`CreateOrderError::Internal`] can
/// occur.
fn unexpected_create_error(error: CreateOrderError) -> InternalError {
    match error {
        CreateOrderError::Internal(error) => error,
        other => InternalError::broken(std::io::Error::other(format!("{other:?}"))),
    }
}

/// All files of a fixture are uploaded, so only [`ConfirmError::Internal`] can occur.
fn unexpected_confirm_error(error: ConfirmError) -> InternalError {
    match error {
        ConfirmError::Internal(error) => error,
        other => InternalError::broken(std::io::Error::other(format!("{other:?}"))),
    }
}
