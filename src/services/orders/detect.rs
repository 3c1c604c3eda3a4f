//! Pictures are judged, for both vendors.

use super::failures::{self, defect_failure};
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
use crate::storage::db::StoreError;

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
    /// Judges the order's picture: by a rule, by its name's suffix, by its bytes.
    pub(super) async fn detect(
        &self,
        account: &Account,
        order: &Order,
        wants: InspectOptions,
    ) -> Result<failures::Result, StoreError> {
        let Some(file) = order.files.first() else {
            return Ok(Err(missing_input(order, "the order has no file")));
        };
        let bucket = order.vendor.bucket();
        let found = self.content(account.id, bucket, &file.key).await;
        let Some(content) = found.map_err(StoreError::broken)? else {
            return Ok(Err(missing_input(order, "the picture is gone")));
        };
        let outcome_override = order.outcome_override.as_ref();
        let looked_at = self.classify(order.vendor, content, &file.name, outcome_override, wants);
        let (verdict, inspection) = match looked_at.await? {
            Ok(judged) => judged,
            Err(defect) => return Ok(Err(defect_failure(order, &file.name, &defect))),
        };
        let found = self
            .store_detection(account, order, verdict, inspection)
            .await?;
        Ok(Ok(Outcome::Detection(Box::new(found))))
    }

    /// Judges one picture, and tells what was seen of it; none if a rule or its name settled
    /// what its bytes could not.
    pub(super) async fn classify(
        &self,
        vendor: Vendor,
        content: InputFile,
        name: &str,
        outcome_override: Option<&OutcomeOverride>,
        wants: InspectOptions,
    ) -> Result<Result<(Verdict, Option<Inspection>), FileDefect>, StoreError> {
        let named = overrides::forced_verdict(outcome_override)
            .or_else(|| self.verdict_from_name(vendor, name));
        let wants = InspectOptions {
            probability: named.as_ref().map(|verdict| verdict.probability),
            ..wants
        };
        let inspected = self.engine.inspect(content, name.to_owned(), wants).await;
        Ok(match (inspected, named) {
            (Err(Cause::Io(error)), _) => return Err(StoreError::broken(error)),
            (Err(Cause::Defect(_)), Some(verdict)) => Ok((
                verdict,
                self.placeholder_inspection(vendor, name, wants).await?,
            )),
            (Err(Cause::Defect(defect)), None) => Err(defect),
            (Ok(inspection), named) => {
                let verdict = named.map_or_else(
                    || verdict_of_bytes(vendor, &inspection),
                    |verdict| Verdict {
                        provenance: inspection.provenance.clone(),
                        ..verdict
                    },
                );
                Ok((verdict, Some(inspection)))
            }
        })
    }

    /// What stands for bytes that are at fault: of Undetectable's a card, so that the pictures
    /// asked for are there whatever was uploaded; of BIZ MORI's nothing.
    async fn placeholder_inspection(
        &self,
        vendor: Vendor,
        name: &str,
        wants: InspectOptions,
    ) -> Result<Option<Inspection>, StoreError> {
        if vendor == Vendor::Bizmori || !wants.needs_pixels() {
            return Ok(None);
        }
        let drawn = self.engine.placeholder(name.to_owned(), wants).await;
        drawn.map(Some).map_err(StoreError::broken)
    }

    fn verdict_from_name(&self, vendor: Vendor, name: &str) -> Option<Verdict> {
        match vendor {
            Vendor::Bizmori => verdict::from_bizmori_name(name),
            Vendor::Undetectable => verdict::from_undetectable_name(name).filter(|verdict| {
                !(self.settings.documents.bypass_ocr
                    && matches!(verdict.label, Label::Watermarked(_)))
            }),
        }
    }

    /// Stores what was drawn.
    async fn store_detection(
        &self,
        account: &Account,
        order: &Order,
        verdict: Verdict,
        inspection: Option<Inspection>,
    ) -> Result<Detection, StoreError> {
        let mut found = Detection {
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
            return Ok(found);
        };
        if order.vendor == Vendor::Undetectable && found.verdict.label == Label::Human {
            // Their heatmaps are of what is not real.
            (inspection.heatmap, inspection.overlay) = (None, None);
        }
        let drawn = [
            (
                inspection.thumbnail,
                blob_keys::THUMBNAIL,
                "image/jpeg",
                &mut found.thumbnail,
            ),
            (
                inspection.preview,
                blob_keys::PREVIEW,
                "image/jpeg",
                &mut found.preview,
            ),
            (
                inspection.heatmap,
                blob_keys::HEATMAP,
                "image/png",
                &mut found.heatmap,
            ),
            (
                inspection.overlay,
                blob_keys::OVERLAY,
                "image/png",
                &mut found.overlay,
            ),
        ];
        for (bytes, name, media_type, key) in drawn {
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
        Ok(found)
    }

    /// Stores something made for an order, under a key of [`layout::all_keys`]; answers it.
    pub(super) async fn put_result(
        &self,
        account: &Account,
        order: &Order,
        key: String,
        media_type: &str,
        bytes: Vec<u8>,
    ) -> Result<String, StoreError> {
        let (bucket, media_type) = (order.vendor.bucket(), Some(media_type.to_owned()));
        let put = self.blobs.put_bytes(
            account.id,
            bucket,
            &key,
            media_type,
            account.now(),
            bytes.into(),
        );
        put.await.map_err(StoreError::broken)?;
        Ok(key)
    }
}

/// Returns the verdict that follows from a picture's bytes. BIZ MORI's probabilities have four decimals at
/// most.
fn verdict_of_bytes(vendor: Vendor, inspection: &Inspection) -> Verdict {
    let mut verdict = verdict::from_metadata_or_hash(&inspection.provenance, &inspection.digest);
    if vendor == Vendor::Bizmori && verdict.source == VerdictSource::Digest {
        verdict.probability = verdict::truncate_to_4_decimals(verdict.probability);
    }
    verdict
}

pub(super) fn missing_input(order: &Order, line: &str) -> Failure {
    Failure {
        code: "AI_DETECTION_SERVICE_ERROR".to_owned(),
        message: format!("order {}: {line}", order.id),
    }
}
