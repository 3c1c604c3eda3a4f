//! Orders that the control plane makes, as their clients would have: made, their files put, set
//! off. Rules have nothing to say to them, and they cost nothing.

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

const CONFIRM_KEY: &str = "set up";

/// A file's bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileContent {
    Bytes(Bytes),
    /// Those of a file.
    Path(PathBuf),
}

impl Orders {
    /// Makes an order whose files are all given, and has it set off: first those that are looked
    /// at, then their originals. What comes of it is `outcome`, or what would have come of it.
    ///
    /// # Errors
    /// If the account is gone, or it cannot be written.
    pub async fn create_fixture(
        &self,
        account: &Arc<Account>,
        mut new: NewOrder,
        files: &[FileContent],
        outcome: Option<&ForcedOutcome>,
    ) -> Result<Arc<Order>, InternalError> {
        if new.vendor == Vendor::Undetectable {
            self.upload_inputs(account, &mut new, files).await?;
        }
        let created = self
            .create_with(account, new, OutcomeSource::Manual(outcome))
            .await;
        let created = created.map_err(unexpected_create_error)?;
        let order = created.order;
        let mut places: Vec<usize> = (0..order.files.len()).collect();
        places.sort_by_key(|place| order.files[*place].role == Some(Role::Original));
        for (place, content) in places.into_iter().zip(files) {
            self.put_upload(account, &order, place, content).await?;
        }
        let order = self.db.order(&order.id).await?;
        let order = order.ok_or(InternalError::AccountGone)?;
        if order.vendor == Vendor::Undetectable || order.work.is_watermark() {
            return Ok(order);
        }
        let confirmed = self.confirm(account, &order.id, CONFIRM_KEY, |_| true);
        Ok(confirmed.await.map_err(unexpected_confirm_error)?.order)
    }

    /// Has the files in before the order is made of them.
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

    /// Puts a file that the order waits for, as its client would have; a test key's is counted.
    async fn put_upload(
        &self,
        account: &Account,
        order: &Order,
        place: usize,
        content: &FileContent,
    ) -> Result<(), InternalError> {
        let file = &order.files[place];
        if !file.is_upload_pending() {
            return Ok(());
        }
        let bytes = if order.test {
            content.byte_len().await.map_err(InternalError::broken)?
        } else {
            let put = self.put_content(account, order.vendor, &file.key, &file.name, content);
            put.await?.bytes
        };
        let received = self.record_upload(account.id, &order.id, &file.key, bytes);
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
    /// How many there are.
    ///
    /// # Errors
    /// If there is no such file, or it cannot be opened.
    pub async fn byte_len(&self) -> std::io::Result<u64> {
        match self {
            Self::Bytes(bytes) => Ok(bytes.len() as u64),
            Self::Path(path) => {
                let meta = File::open(path).await?.metadata().await?;
                if meta.is_file() {
                    Ok(meta.len())
                } else {
                    Err(std::io::Error::other("it is no file"))
                }
            }
        }
    }
}

/// It costs nothing, and no client gives it an id.
fn unexpected_create_error(refused: CreateOrderError) -> InternalError {
    match refused {
        CreateOrderError::Store(error) => error,
        other => InternalError::broken(std::io::Error::other(format!("{other:?}"))),
    }
}

/// All its files are in.
fn unexpected_confirm_error(error: ConfirmError) -> InternalError {
    match error {
        ConfirmError::Store(error) => error,
        other => InternalError::broken(std::io::Error::other(format!("{other:?}"))),
    }
}
