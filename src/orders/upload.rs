//! Undetectable's uploads: files that come before the orders they are for.

use super::{KeyOwner, Orders, key_owner, layout};
use crate::accounts::Account;
use crate::engine::Content;
use crate::model::order::Vendor;
use crate::store::uploads::Upload;
use crate::store::{self, StoreError};

/// A file that is in.
#[derive(Debug, Clone)]
pub struct Uploaded {
    /// What it was awaited as.
    pub upload: Upload,
    /// Open: it stays what it is, whatever is uploaded there meanwhile.
    pub content: Content,
}

impl Orders {
    /// A file of that (normalised) name may come from now on, under the key told.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn await_upload(&self, account: &Account, name: &str) -> Result<Upload, StoreError> {
        let number = account.next_upload();
        let id = self.entropy.draw(&account.key, "upload", number).uuid();
        let upload = Upload {
            key: layout::document_key(&id, name, account.now()),
            id,
            account: account.id,
            number,
            name: name.to_owned(),
        };
        let mut tx = self.db.begin().await?;
        store::uploads::insert(&mut tx, &upload).await?;
        tx.commit().await?;
        Ok(upload)
    }

    /// What the URL names, downloaded to be the account's file of that (normalised) name; one line on
    /// why it could not be had.
    ///
    /// # Errors
    /// If it cannot be written.
    pub async fn download(
        &self,
        account: &Account,
        url: &str,
        name: &str,
    ) -> Result<Result<Uploaded, String>, StoreError> {
        let upload = self.await_upload(account, name).await?;
        let bucket = Vendor::Undetectable.bucket();
        if let Err(line) = self.fetch(account, bucket, &upload.key, url).await? {
            return Ok(Err(line));
        }
        let downloaded = self.uploaded(account, &upload.key).await?;
        Ok(downloaded.ok_or_else(|| "was removed meanwhile".to_owned()))
    }

    /// The account's file under that key, if it was awaited there and is in.
    ///
    /// # Errors
    /// If it cannot be read.
    pub async fn uploaded(
        &self,
        account: &Account,
        key: &str,
    ) -> Result<Option<Uploaded>, StoreError> {
        let Some(KeyOwner::Upload(id)) = key_owner(key) else {
            return Ok(None);
        };
        let found = store::uploads::find(&mut self.db.read().await?, id).await?;
        let Some(upload) = found.filter(|found| found.account == account.id && found.key == key)
        else {
            return Ok(None);
        };
        let bucket = Vendor::Undetectable.bucket();
        let found = self.blobs.content(account.id, bucket, key).await;
        let found = found.map_err(StoreError::broken)?;
        Ok(found.map(|content| Uploaded { upload, content }))
    }
}
