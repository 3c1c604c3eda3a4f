//! Watermark extraction. A rule decides the result, else the file's name, else its content.

use super::failures::{TaskResult, defect_failure, failure};
use super::{Orders, blob_keys, overrides};
use crate::engine::{EngineError as Cause, InputFile, InspectOptions, verdict};
use crate::model::order::{ApiVersion, Order};
use crate::model::picture::VerdictSource;
use crate::model::work::{Extraction, NoResult, Outcome};
use crate::services::accounts::Account;
use crate::storage::db::InternalError;

impl Orders {
    /// Extracts the watermark of the order's file. Several texts are joined by line breaks. A file
    /// with a defect fails an order of v2. In v3, the order completes without a result.
    pub(super) async fn extract(&self, account: &Account, order: &Order) -> TaskResult {
        let Some(file) = order.primary_file() else {
            return Err(failure(order, "the order has no file".to_owned()).into());
        };
        let bucket = order.vendor.bucket();
        let opened = self.content(account.id, bucket, &file.key).await;
        let Some(content) = opened.map_err(InternalError::broken)? else {
            return Err(failure(order, format!("{}: file not found", file.name)).into());
        };
        let by_name = || verdict::from_extraction_name(&file.name, order.api);
        let forced = overrides::forced_watermark(order).or_else(by_name);
        let extracted = self
            .engine
            .extract(content.clone(), file.name.clone())
            .await;
        let (result, basis) = match (forced, extracted) {
            (_, Err(Cause::Io(error))) => return Err(InternalError::broken(error).into()),
            (Some(forced), _) => forced,
            (None, Ok(texts)) => {
                let text = (!texts.is_empty()).then(|| texts.join("\n"));
                (Ok(text), VerdictSource::Content)
            }
            (None, Err(Cause::Defect(defect))) if order.api == ApiVersion::V3 => {
                let message = format!("{}: {}", file.name, defect.message());
                (Err(NoResult::Unsupported), VerdictSource::Defect(message))
            }
            (None, Err(Cause::Defect(defect))) => {
                return Err(defect_failure(order, &file.name, &defect).into());
            }
        };
        let thumbnail = self
            .store_thumbnail(account, order, &file.name, content)
            .await?;
        let extraction = Extraction::new(result, basis, thumbnail);
        Ok(Outcome::Extraction(extraction))
    }

    /// Stores a thumbnail of the order's file and returns its key. `None` if the file has a defect.
    async fn store_thumbnail(
        &self,
        account: &Account,
        order: &Order,
        name: &str,
        content: InputFile,
    ) -> Result<Option<String>, InternalError> {
        let options = InspectOptions {
            thumbnail: true,
            ..InspectOptions::default()
        };
        let inspected = self.engine.inspect(content, name.to_owned(), options).await;
        let thumbnail = match inspected {
            Ok(inspection) => inspection.thumbnail,
            Err(Cause::Defect(_)) => None,
            Err(Cause::Io(error)) => return Err(InternalError::broken(error)),
        };
        let Some(bytes) = thumbnail else {
            return Ok(None);
        };
        let key = blob_keys::result_key(order, blob_keys::THUMBNAIL);
        let put = self.put_result(account, order, key, "image/jpeg", bytes);
        put.await.map(Some)
    }
}
