//! Uploads of Undetectable: files that exist before the orders that use them.

use std::sync::Arc;

use super::{DownloadError, KeyOwner, Orders, blob_keys, key_owner};
use crate::engine::InputFile;
use crate::model::job::{Job, JobKind};
use crate::model::order::Order;
use crate::model::time::DAY_MS;
use crate::services::accounts::{Account, UploadSubject};
use crate::storage::db::uploads::Upload;
use crate::storage::db::{self, InternalError, Tx};

/// Upload whose file is stored.
#[derive(Debug, Clone)]
pub struct UploadedFile {
    pub upload: Upload,
    /// Open file: a later upload under the same key does not change it.
    pub content: InputFile,
    /// `true` if the server downloaded the file for this request. `false` if a client uploaded it.
    pub fetched_by_server: bool,
}

impl Orders {
    /// Bucket of files that are uploaded before their order. Empty if no vendor has such uploads.
    fn upload_bucket(&self) -> &'static str {
        let mut profiles = self.vendors.iter();
        let profile = profiles.find(|profile| profile.is_upload_before_order);
        profile.map_or("", |profile| profile.vendor.bucket())
    }

    /// Reserves a key for a file that a client uploads by a presigned URL. `name` is normalised. A
    /// clock in mode `jump` does not jump while the upload is owed.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn issue_upload(
        &self,
        account: &Arc<Account>,
        name: &str,
    ) -> Result<Upload, InternalError> {
        let number = account.next_upload();
        let subject = UploadSubject::File(number);
        let owed = self.accounts.issue_upload(account, subject);
        let upload = self.reserve_upload(account, name, number).await?;
        owed.keep();
        Ok(upload)
    }

    /// Reserves a key for a file that the server stores itself. `name` is normalised.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn create_upload(
        &self,
        account: &Account,
        name: &str,
    ) -> Result<Upload, InternalError> {
        let number = account.next_upload();
        self.reserve_upload(account, name, number).await
    }

    /// Inserts the upload and its expiry job. The upload expires after the account's retention,
    /// unless an order uses it: then it expires with the order.
    async fn reserve_upload(
        &self,
        account: &Account,
        name: &str,
        number: u64,
    ) -> Result<Upload, InternalError> {
        let id = self.entropy.rng(&account.key, "upload", number).uuid();
        let now = account.now();
        let expires_at = now.plus_ms(i64::from(self.retention_days(account)) * DAY_MS);
        let upload = Upload {
            key: blob_keys::undetectable_upload_key(&id, name, now),
            id,
            account: account.id,
            number,
            name: name.to_owned(),
        };
        let mut tx = self.db.begin().await?;
        db::uploads::insert(&mut tx, &upload).await?;
        db::jobs::upsert(
            &mut tx,
            account.id,
            JobKind::ExpireUpload,
            &upload.id,
            expires_at,
        )
        .await?;
        tx.commit().await?;
        Ok(upload)
    }

    /// Downloads `url` and stores it as an upload of the account. `name` is normalised.
    ///
    /// # Errors
    /// Returns [`DownloadError::Unavailable`] if the file could not be downloaded; nothing is
    /// stored then. Returns [`DownloadError::Internal`] if the account has ended, or the database
    /// or the disk fails.
    pub async fn download(
        &self,
        account: &Account,
        url: &str,
        name: &str,
    ) -> Result<UploadedFile, DownloadError> {
        let fetched = self.fetch(account, url, name).await?;
        let upload = self.create_upload(account, name).await?;
        let bucket = self.upload_bucket();
        self.store_download(account, bucket, &upload.key, fetched)
            .await?;
        let downloaded = self.find_upload(account, &upload.key).await?;
        let file = downloaded.ok_or_else(|| {
            DownloadError::Unavailable("file was removed after the download".to_owned())
        })?;
        Ok(UploadedFile {
            fetched_by_server: true,
            ..file
        })
    }

    /// Deletes a file that was downloaded for a request that is then rejected. Does nothing if a
    /// client uploaded the file.
    ///
    /// # Errors
    /// Returns an error if the database or the disk fails.
    pub async fn discard(&self, file: &UploadedFile) -> Result<(), InternalError> {
        if !file.fetched_by_server {
            return Ok(());
        }
        let upload = &file.upload;
        let mut tx = self.db.begin().await?;
        db::jobs::remove(&mut tx, JobKind::ExpireUpload, &upload.id).await?;
        db::uploads::remove(&mut tx, &upload.id).await?;
        tx.commit().await?;
        let bucket = self.upload_bucket();
        let removed = self.blobs.remove(upload.account, bucket, &upload.key).await;
        removed.map(drop).map_err(InternalError::broken)
    }

    /// Runs the job that expires an upload which no order uses: marks it as expired, deletes its
    /// file, and removes the job.
    ///
    /// # Errors
    /// Returns an error if the database or the disk fails. The job is then run again.
    pub async fn expire_upload(&self, job: &Job) -> Result<(), InternalError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let mut tx = self.db.begin().await?;
        if db::jobs::due_at(&mut tx, job.id).await?.is_none() {
            // An order that uses the upload was created, or the upload was discarded.
            return Ok(());
        }
        let key = db::uploads::expire(&mut tx, &job.subject).await?;
        tx.commit().await?;
        if let Some(key) = key {
            let bucket = self.upload_bucket();
            let removed = self.blobs.remove(account.id, bucket, &key).await;
            removed.map_err(InternalError::broken)?;
        }
        self.complete_job(job, |_| false, &account).await?;
        self.remove_oldest_expired(&account).await
    }

    /// Records that the file of an upload has arrived, so that the account's clock may jump again.
    /// Returns `false` if the key belongs to an expired upload.
    ///
    /// # Errors
    /// Returns an error if the database fails.
    pub async fn settle_upload(&self, key: &str) -> Result<bool, InternalError> {
        let Some(KeyOwner::Upload(id)) = key_owner(key) else {
            return Ok(true);
        };
        let Some(upload) = db::uploads::find(&mut self.db.read().await?, id).await? else {
            return Ok(false);
        };
        if let Some(account) = self.accounts.by_id(upload.account) {
            let subject = UploadSubject::File(upload.number);
            self.accounts.settle_upload(&account, subject);
        }
        Ok(true)
    }

    /// Returns the account's upload with that key. `None` if there is no such upload, or its file
    /// is missing.
    ///
    /// # Errors
    /// Returns an error if the database or the disk fails.
    pub async fn find_upload(
        &self,
        account: &Account,
        key: &str,
    ) -> Result<Option<UploadedFile>, InternalError> {
        let Some(KeyOwner::Upload(id)) = key_owner(key) else {
            return Ok(None);
        };
        let row = db::uploads::find(&mut self.db.read().await?, id).await?;
        let Some(upload) = row.filter(|upload| upload.account == account.id && upload.key == key)
        else {
            return Ok(None);
        };
        let bucket = self.upload_bucket();
        let opened = self.content(account.id, bucket, key).await;
        let file = opened.map_err(InternalError::broken)?;
        Ok(file.map(|content| UploadedFile {
            upload,
            content,
            fetched_by_server: false,
        }))
    }
}

/// Removes the expiry jobs of the order's uploads: they now expire with the order. Returns `false`
/// if an upload has already expired.
pub(super) async fn consume_uploads(tx: &mut Tx, order: &Order) -> Result<bool, InternalError> {
    for id in upload_ids(order) {
        if db::uploads::find(tx, id).await?.is_none() {
            return Ok(false);
        }
        db::jobs::remove(tx, JobKind::ExpireUpload, id).await?;
    }
    Ok(true)
}

/// Marks the uploads of an expired order as expired.
pub(super) async fn expire_uploads_of(tx: &mut Tx, order: &Order) -> Result<(), InternalError> {
    for id in upload_ids(order) {
        db::uploads::expire(tx, id).await?;
    }
    Ok(())
}

fn upload_ids(order: &Order) -> impl Iterator<Item = &str> {
    let owners = order.files.iter().filter_map(|file| key_owner(&file.key));
    owners.filter_map(|owner| match owner {
        KeyOwner::Upload(id) => Some(id),
        KeyOwner::Order(_) => None,
    })
}
