//! Undetectable's uploads: files that come before the orders they are for.

use std::sync::Arc;

use super::{DownloadError, KeyOwner, Orders, blob_keys, key_owner};
use crate::engine::InputFile;
use crate::model::job::{Job, JobKind};
use crate::model::order::{Order, Vendor};
use crate::model::time::DAY_MS;
use crate::services::accounts::{Account, UploadFor};
use crate::storage::db::uploads::Upload;
use crate::storage::db::{self, InternalError, Tx};

/// A file that is in.
#[derive(Debug, Clone)]
pub struct UploadedFile {
    /// What it was awaited as.
    pub upload: Upload,
    /// Open: it stays what it is, whatever is uploaded there meanwhile.
    pub content: InputFile,
    /// No client uploaded it: it was downloaded for this very request.
    pub fetched_by_server: bool,
}

impl Orders {
    /// Reserves a place for a file of that (normalised) name, which a client uploads by a URL. The
    /// account's clock does not leap while the client owes the upload.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn hand_out_upload(
        &self,
        account: &Arc<Account>,
        name: &str,
    ) -> Result<Upload, InternalError> {
        let number = account.next_upload();
        let subject = UploadFor::File(number);
        let owed = self.accounts.hand_out_upload(account, subject);
        let upload = self.reserve_upload(account, name, number).await?;
        owed.keep();
        Ok(upload)
    }

    /// Reserves a place for a file of that (normalised) name, which the server puts there itself.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn create_upload(
        &self,
        account: &Account,
        name: &str,
    ) -> Result<Upload, InternalError> {
        let number = account.next_upload();
        self.reserve_upload(account, name, number).await
    }

    /// A file may come from now on, under the key told, until the retention has passed, or that of
    /// a document that is made of it.
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

    /// What the URL names, downloaded to be the account's file of that (normalised) name; one line on
    /// why it could not be had, and then nothing is left of it.
    ///
    /// # Errors
    /// If the account is gone, or it cannot be written.
    pub async fn download(
        &self,
        account: &Account,
        url: &str,
        name: &str,
    ) -> Result<UploadedFile, DownloadError> {
        let fetched = self.fetch(account, url, name).await?;
        let upload = self.create_upload(account, name).await?;
        let bucket = Vendor::Undetectable.bucket();
        self.store_download(account, bucket, &upload.key, fetched)
            .await?;
        let downloaded = self.find_upload(account, &upload.key).await?;
        let file = downloaded.ok_or_else(|| {
            DownloadError::Unavailable("file was removed in the meantime".to_owned())
        })?;
        Ok(UploadedFile {
            fetched_by_server: true,
            ..file
        })
    }

    /// Removes a file that was downloaded for what is then refused. One that a client uploaded
    /// stays.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub async fn discard(&self, file: &UploadedFile) -> Result<(), InternalError> {
        if !file.fetched_by_server {
            return Ok(());
        }
        let upload = &file.upload;
        let mut tx = self.db.begin().await?;
        db::jobs::remove(&mut tx, JobKind::ExpireUpload, &upload.id).await?;
        db::uploads::remove(&mut tx, &upload.id).await?;
        tx.commit().await?;
        let bucket = Vendor::Undetectable.bucket();
        let removed = self.blobs.remove(upload.account, bucket, &upload.key).await;
        removed.map(drop).map_err(InternalError::broken)
    }

    /// Runs the job that lets the retention of an upload pass that no document is of: it is
    /// expired, its file goes, and then the job is done.
    ///
    /// # Errors
    /// If it cannot be done by a fault of ours; it is then done again.
    pub async fn expire_upload(&self, job: &Job) -> Result<(), InternalError> {
        let Some(account) = self.accounts.by_id(job.account) else {
            return Ok(());
        };
        let mut tx = self.db.begin().await?;
        if db::jobs::due_at(&mut tx, job.id).await?.is_none() {
            // A document was made of it meanwhile.
            return Ok(());
        }
        let key = db::uploads::expire(&mut tx, &job.subject).await?;
        tx.commit().await?;
        if let Some(key) = key {
            let bucket = Vendor::Undetectable.bucket();
            let removed = self.blobs.remove(account.id, bucket, &key).await;
            removed.map_err(InternalError::broken)?;
        }
        self.complete_job(job, |_| false, &account).await?;
        self.remove_oldest_expired(&account).await
    }

    /// Notes that a file has arrived under the key, where it is of an upload of its own. Returns
    /// `false` if that upload has expired: nothing is taken there any more.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn settle_upload(&self, key: &str) -> Result<bool, InternalError> {
        let Some(KeyOwner::Upload(id)) = key_owner(key) else {
            return Ok(true);
        };
        let found = db::uploads::find(&mut self.db.read().await?, id).await?;
        let Some(upload) = found else {
            return Ok(false);
        };
        if let Some(account) = self.accounts.by_id(upload.account) {
            let subject = UploadFor::File(upload.number);
            self.accounts.settle_upload(&account, subject);
        }
        Ok(true)
    }

    /// The account's file under that key, if it was awaited there and is in.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn find_upload(
        &self,
        account: &Account,
        key: &str,
    ) -> Result<Option<UploadedFile>, InternalError> {
        let Some(KeyOwner::Upload(id)) = key_owner(key) else {
            return Ok(None);
        };
        let found = db::uploads::find(&mut self.db.read().await?, id).await?;
        let Some(upload) = found.filter(|found| found.account == account.id && found.key == key)
        else {
            return Ok(None);
        };
        let bucket = Vendor::Undetectable.bucket();
        let found = self.content(account.id, bucket, key).await;
        let found = found.map_err(InternalError::broken)?;
        Ok(found.map(|content| UploadedFile {
            upload,
            content,
            fetched_by_server: false,
        }))
    }
}

/// The uploads that an order is made of go when it expires, and not before. False if one has gone
/// already.
pub(super) async fn consume_uploads(tx: &mut Tx, order: &Order) -> Result<bool, InternalError> {
    for id in upload_ids(order) {
        if db::uploads::find(tx, id).await?.is_none() {
            return Ok(false);
        }
        db::jobs::remove(tx, JobKind::ExpireUpload, id).await?;
    }
    Ok(true)
}

/// The uploads that an order was made of expire with it.
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
