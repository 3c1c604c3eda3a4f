//! Pictures are protected: one output a file, and a ZIP where there are several.

use super::advance::{self, broken};
use super::{Orders, archive, layout};
use crate::accounts::Account;
use crate::engine::{Failure as Cause, Protection};
use crate::model::order::{File, Order};
use crate::model::picture::Strength;
use crate::model::work::{Failure, Outcome, Outputs};
use crate::store::StoreError;

impl Orders {
    /// Makes the order's outputs.
    pub(super) async fn protect(
        &self,
        account: &Account,
        order: &Order,
        strength: Strength,
    ) -> Result<advance::Result, StoreError> {
        let mut outputs = Outputs::default();
        for (index, file) in order.files.iter().enumerate() {
            match self
                .protect_one(account, order, index, file, strength)
                .await?
            {
                Ok((key, thumbnail)) => {
                    outputs.keys.push(key);
                    outputs.thumbnail = outputs.thumbnail.or(thumbnail);
                }
                Err(message) => {
                    self.remove(account, order, &outputs.blob_keys()).await?;
                    return Ok(Err(Failure {
                        code: "PROCESSING_ERROR".to_owned(),
                        message,
                    }));
                }
            }
        }
        outputs.download = match outputs.keys.as_slice() {
            [only] => Some(only.clone()),
            _ => Some(self.archive(account, order, &outputs.keys).await?),
        };
        Ok(Ok(Outcome::Outputs(outputs)))
    }

    /// Makes one output, and of the first file a thumbnail: their keys, or why there are none.
    async fn protect_one(
        &self,
        account: &Account,
        order: &Order,
        index: usize,
        file: &File,
        strength: Strength,
    ) -> Result<Result<(String, Option<String>), String>, StoreError> {
        let bucket = order.vendor.bucket();
        let Some(blob) = self
            .blobs
            .find(account.id, bucket, &file.key)
            .await
            .map_err(broken)?
        else {
            return Ok(Err(format!("{} is gone", file.name)));
        };
        let scratch = self.blobs.scratch();
        let done = self.engine.protect(Protection {
            content: blob.content(),
            name: file.name.clone(),
            to: scratch.path().to_owned(),
            strength,
            draw: self.entropy.draw(&account.key, "noise", file.id),
            thumbnail: index == 0,
        });
        let done = match done.await {
            Ok(done) => done,
            Err(Cause::Defect(defect)) => {
                return Ok(Err(format!("{}: {}", file.name, defect.text())));
            }
            Err(Cause::Io(error)) => return Err(broken(error)),
        };
        let key = layout::result_key(order, &format!("{}/{}", index + 1, file.name));
        let media_type = Some(done.format.media_type().to_owned());
        let put = self.blobs.put_file(
            account.id,
            bucket,
            &key,
            media_type,
            account.now(),
            scratch.path(),
        );
        put.await.map_err(broken)?;
        let thumbnail = match done.thumbnail {
            Some(bytes) => Some(
                self.put_result(account, order, "thumbnail.jpg", "image/jpeg", bytes)
                    .await?,
            ),
            None => None,
        };
        Ok(Ok((key, thumbnail)))
    }

    /// Makes the ZIP of several outputs.
    async fn archive(
        &self,
        account: &Account,
        order: &Order,
        keys: &[String],
    ) -> Result<String, StoreError> {
        let bucket = order.vendor.bucket();
        let mut members = Vec::with_capacity(keys.len());
        for (file, key) in order.files.iter().zip(keys) {
            let found = self
                .blobs
                .find(account.id, bucket, key)
                .await
                .map_err(broken)?;
            let blob =
                found.ok_or_else(|| broken(std::io::Error::other(format!("{key} is gone"))))?;
            members.push((file.name.clone(), blob.content()));
        }
        let scratch = self.blobs.scratch();
        let to = scratch.path().to_owned();
        self.engine
            .run(move || Ok(archive::write(&to, members)?))
            .await
            .map_err(broken)?;
        let key = layout::result_key(order, "archive.zip");
        let media_type = Some("application/zip".to_owned());
        let put = self.blobs.put_file(
            account.id,
            bucket,
            &key,
            media_type,
            account.now(),
            scratch.path(),
        );
        put.await.map_err(broken)?;
        Ok(key)
    }
}
