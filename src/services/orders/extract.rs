//! A watermark is looked for: by a rule, by the file's name, in the file itself.

use super::failures::{TaskResult, defect_failure, failure};
use super::{Orders, blob_keys, overrides};
use crate::engine::{EngineError as Cause, InputFile, InspectOptions, verdict};
use crate::model::order::{ApiVersion, Order};
use crate::model::picture::VerdictSource;
use crate::model::work::{Extraction, NoResult, Outcome};
use crate::services::accounts::Account;
use crate::storage::db::InternalError;

impl Orders {
    /// Looks for a watermark in the order's file. Several texts come one a line. A file that cannot
    /// be processed fails an order of v2, and is the result of one of v3.
    pub(super) async fn extract(&self, account: &Account, order: &Order) -> TaskResult {
        let Some(file) = order.primary_file() else {
            return Err(failure(order, "the order has no file".to_owned()).into());
        };
        let bucket = order.vendor.bucket();
        let found = self.content(account.id, bucket, &file.key).await;
        let Some(content) = found.map_err(InternalError::broken)? else {
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
                let line = format!("{}: {}", file.name, defect.message());
                (Err(NoResult::Unsupported), VerdictSource::Defect(line))
            }
            (None, Err(Cause::Defect(defect))) => {
                return Err(defect_failure(order, &file.name, &defect).into());
            }
        };
        let thumbnail = self
            .thumbnail_of(account, order, &file.name, content)
            .await?;
        let extraction = Extraction::new(result, basis, thumbnail);
        Ok(Outcome::Extraction(extraction))
    }

    /// Stores a thumbnail, of a document its card: its key; none of what is neither.
    async fn thumbnail_of(
        &self,
        account: &Account,
        order: &Order,
        name: &str,
        content: InputFile,
    ) -> Result<Option<String>, InternalError> {
        let wants = InspectOptions {
            thumbnail: true,
            ..InspectOptions::default()
        };
        let inspection = self.engine.inspect(content, name.to_owned(), wants).await;
        let drawn = match inspection {
            Ok(inspection) => inspection.thumbnail,
            Err(Cause::Defect(_)) => None,
            Err(Cause::Io(error)) => return Err(InternalError::broken(error)),
        };
        match drawn {
            None => Ok(None),
            Some(bytes) => {
                let key = blob_keys::result_key(order, blob_keys::THUMBNAIL);
                let put = self.put_result(account, order, key, "image/jpeg", bytes);
                put.await.map(Some)
            }
        }
    }
}
