//! Detection: verdicts on images, for both vendors.

use super::failures::{TaskError, TaskResult, defect_failure};
use super::{Orders, blob_keys, overrides};
use crate::engine::{
    Background, EngineError as Cause, HeatmapStyle, InputFile, InspectOptions, Inspection, Scale,
    verdict,
};
use crate::model::order::{Order, Vendor};
use crate::model::picture::{FileDefect, Label, Verdict, VerdictSource};
use crate::model::rule::OutcomeOverride;
use crate::model::work::{Detection, DetectionOptions, DocumentOptions, Failure, Outcome};
use crate::services::accounts::Account;
use crate::storage::db::InternalError;

/// Reason why an image has no verdict.
#[derive(Debug)]
pub(super) enum ClassifyError {
    /// The file is not an image that can be classified.
    Defect(FileDefect),
    Internal(InternalError),
}

impl From<InternalError> for ClassifyError {
    fn from(error: InternalError) -> Self {
        Self::Internal(error)
    }
}

pub(super) fn detection_inspect_options(options: DetectionOptions) -> InspectOptions {
    InspectOptions {
        measures: false,
        thumbnail: options.generate_thumbnail,
        preview: false,
        report_px: None,
        heatmap: options.generate_heatmap.then_some(HeatmapStyle {
            background: Background::Opaque,
            scale: Scale::Normalized,
        }),
        overlay: options.generate_overlay.then_some(Scale::Normalized),
        probability: None,
    }
}

pub(super) fn document_inspect_options(options: DocumentOptions) -> InspectOptions {
    let scale = if options.heatmap_normalized {
        Scale::Normalized
    } else {
        Scale::Raw
    };
    InspectOptions {
        measures: true,
        thumbnail: false,
        preview: options.preview,
        report_px: None,
        heatmap: (options.heatmap && !options.heatmap_overlayed).then_some(HeatmapStyle {
            background: Background::Transparent,
            scale,
        }),
        overlay: (options.heatmap && options.heatmap_overlayed).then_some(scale),
        probability: None,
    }
}

impl Orders {
    /// Classifies the order's image: by a rule, else by the suffix of its name, else by its
    /// content.
    pub(super) async fn detect(
        &self,
        account: &Account,
        order: &Order,
        options: InspectOptions,
    ) -> TaskResult {
        let Some(file) = order.files.first() else {
            return Err(missing_input(order, "the order has no file").into());
        };
        let bucket = order.vendor.bucket();
        let opened = self.content(account.id, bucket, &file.key).await;
        let Some(content) = opened.map_err(InternalError::broken)? else {
            return Err(missing_input(order, "the image file is missing").into());
        };
        let outcome_override = order.outcome_override.as_ref();
        let classification =
            self.classify(order.vendor, content, &file.name, outcome_override, options);
        let (verdict, inspection) = classification.await.map_err(|error| match error {
            ClassifyError::Defect(defect) => defect_failure(order, &file.name, &defect).into(),
            ClassifyError::Internal(error) => TaskError::Internal(error),
        })?;
        let detection = self
            .store_detection(account, order, verdict, inspection)
            .await?;
        Ok(Outcome::Detection(Box::new(detection)))
    }

    /// Classifies one image. A rule or the name can decide the verdict of an image that cannot be
    /// read. The inspection then describes a placeholder, or is `None`.
    pub(super) async fn classify(
        &self,
        vendor: Vendor,
        content: InputFile,
        name: &str,
        outcome_override: Option<&OutcomeOverride>,
        options: InspectOptions,
    ) -> Result<(Verdict, Option<Inspection>), ClassifyError> {
        let forced = overrides::forced_verdict(outcome_override)
            .or_else(|| self.verdict_from_name(vendor, name));
        let options = InspectOptions {
            probability: forced.as_ref().map(|verdict| verdict.probability),
            ..options
        };
        let inspected = self.engine.inspect(content, name.to_owned(), options).await;
        match (inspected, forced) {
            (Err(Cause::Io(error)), _) => Err(InternalError::broken(error).into()),
            (Err(Cause::Defect(_)), Some(verdict)) => Ok((
                verdict,
                self.placeholder_inspection(vendor, name, options).await?,
            )),
            (Err(Cause::Defect(defect)), None) => Err(ClassifyError::Defect(defect)),
            (Ok(inspection), forced) => {
                let verdict = forced.map_or_else(
                    || self.verdict_from_bytes(vendor, &inspection),
                    |verdict| Verdict {
                        provenance: inspection.provenance.clone(),
                        ..verdict
                    },
                );
                Ok((verdict, Some(inspection)))
            }
        }
    }

    /// Returns the inspection of a placeholder for an unreadable image. Undetectable
    /// returns previews and heatmaps for any upload. BIZ MORI returns none, so the result is
    /// `None`.
    async fn placeholder_inspection(
        &self,
        vendor: Vendor,
        name: &str,
        options: InspectOptions,
    ) -> Result<Option<Inspection>, InternalError> {
        if !self.vendors.profile(vendor).draws_placeholders || !options.needs_pixels() {
            return Ok(None);
        }
        let rendered = self.engine.placeholder(name.to_owned(), options).await;
        rendered.map(Some).map_err(InternalError::broken)
    }

    fn verdict_from_name(&self, vendor: Vendor, name: &str) -> Option<Verdict> {
        let verdict = (self.vendors.profile(vendor).verdict_from_name)(name);
        verdict.filter(|verdict| {
            let is_watermark = matches!(verdict.label, Label::Watermarked(_));
            !(self.settings.documents.bypass_ocr && is_watermark)
        })
    }

    /// Returns the verdict that follows from the metadata or the hash of a picture.
    fn verdict_from_bytes(&self, vendor: Vendor, inspection: &Inspection) -> Verdict {
        let mut verdict =
            verdict::from_metadata_or_hash(&inspection.provenance, &inspection.digest);
        let is_short = self.vendors.profile(vendor).has_short_probabilities;
        if is_short && verdict.source == VerdictSource::Digest {
            verdict.probability = verdict::truncate_to_4_decimals(verdict.probability);
        }
        verdict
    }

    /// Stores the rendered images of a detection.
    async fn store_detection(
        &self,
        account: &Account,
        order: &Order,
        verdict: Verdict,
        inspection: Option<Inspection>,
    ) -> Result<Detection, InternalError> {
        let mut detection = Detection {
            measures: inspection
                .as_ref()
                .and_then(|inspection| inspection.measures),
            thumbnail: None,
            preview: None,
            heatmap: None,
            overlay: None,
            reported_at: None,
            verdict,
        };
        let Some(mut inspection) = inspection else {
            return Ok(detection);
        };
        let has_heatmap = self.vendors.profile(order.vendor).has_heatmaps_of_real;
        if !has_heatmap && detection.verdict.label == Label::Human {
            (inspection.heatmap, inspection.overlay) = (None, None);
        }
        let rendered = [
            (
                inspection.thumbnail,
                blob_keys::THUMBNAIL,
                "image/jpeg",
                &mut detection.thumbnail,
            ),
            (
                inspection.preview,
                blob_keys::PREVIEW,
                "image/jpeg",
                &mut detection.preview,
            ),
            (
                inspection.heatmap,
                blob_keys::HEATMAP,
                "image/png",
                &mut detection.heatmap,
            ),
            (
                inspection.overlay,
                blob_keys::OVERLAY,
                "image/png",
                &mut detection.overlay,
            ),
        ];
        for (bytes, name, media_type, key) in rendered {
            if let Some(bytes) = bytes {
                *key = Some(
                    self.put_result(
                        account,
                        order,
                        blob_keys::result_key(order, name),
                        media_type,
                        bytes,
                    )
                    .await?,
                );
            }
        }
        Ok(detection)
    }

    /// Stores a result of an order under one of the keys of [`blob_keys::all_keys`], and returns
    /// the key.
    pub(super) async fn put_result(
        &self,
        account: &Account,
        order: &Order,
        key: String,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> Result<String, InternalError> {
        let (bucket, media_type) = (order.vendor.bucket(), Some(media_type.to_owned()));
        let put = self.blobs.put_bytes(
            account.id,
            bucket,
            &key,
            media_type,
            account.now(),
            bytes.into(),
        );
        put.await.map_err(InternalError::broken)?;
        Ok(key)
    }
}

pub(super) fn missing_input(order: &Order, message: &str) -> Failure {
    Failure {
        code: "AI_DETECTION_SERVICE_ERROR".to_owned(),
        message: format!("order {}: {message}", order.id),
    }
}
