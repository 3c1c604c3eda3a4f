//! Warnings about an image, beside its verdict.

use schemars::JsonSchema;
use serde::Serialize;

use super::python_float::PyFloat;
use crate::engine::verdict;
use crate::model::picture::Label;
use crate::model::work::Detection;

/// Smaller files get a `source_size` warning.
const SMALL_FILE_BYTES: u64 = 50 * 1_024;
/// Images with a shorter longer side get a `source_size` warning.
const SMALL_SIDE_PX: u32 = 150;
/// Sharpness below which an image is blurred. See [`Luma`](crate::model::picture::Luma).
const BLURRED_BELOW: f64 = 100.0;
/// Brightness below which an image is dark.
const DARK_BELOW: f64 = 40.0;

/// Entry of `warnings`. A field that is `None` is omitted.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Warning {
    #[schemars(extend("enum" = ["screen_recapture", "source_size", "blur_dark", "watermark"]))]
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// 0 to 100. 0 to 1 for a watermark.
    #[schemars(range(min = 0, max = 100))]
    #[serde(skip_serializing_if = "Option::is_none")]
    confidence: Option<PyFloat>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metrics: Option<WarningMetrics>,
}

#[derive(Debug, PartialEq, Serialize, JsonSchema)]
#[serde(untagged)]
enum WarningMetrics {
    Screen {
        is_screen: bool,
    },
    Size {
        width: u32,
        height: u32,
        file_size: u64,
    },
    Light {
        sharpness: PyFloat,
        brightness: PyFloat,
    },
}

impl Warning {
    /// Returns the warnings about an image. The suffix of its file name can force some.
    pub fn list(detection: &Detection, name: &str) -> Vec<Self> {
        let has_suffix =
            |suffix: &str| verdict::suffix(name).is_some_and(|it| it.eq_ignore_ascii_case(suffix));
        let screen = Some(Self::screen(has_suffix("screen")));
        let watermark = match &detection.verdict.label {
            Label::Watermarked(generator) => {
                Some(Self::watermark(generator, detection.verdict.probability))
            }
            _ => None,
        };
        let size = Self::size(detection);
        let light = Self::light(detection, has_suffix("blurred"));
        [screen, size, light, watermark]
            .into_iter()
            .flatten()
            .collect()
    }

    fn screen(is_screen: bool) -> Self {
        let label = if is_screen { "Screen" } else { "Normal" };
        Self {
            r#type: "screen_recapture",
            label: Some(label.to_owned()),
            confidence: Some(PyFloat(100.0)),
            metrics: Some(WarningMetrics::Screen { is_screen }),
        }
    }

    fn size(detection: &Detection) -> Option<Self> {
        let measures = detection.measures?;
        let is_small = measures.body_bytes < SMALL_FILE_BYTES
            || measures.width_px.max(measures.height_px) < SMALL_SIDE_PX;
        is_small.then_some(Self {
            r#type: "source_size",
            label: None,
            confidence: None,
            metrics: Some(WarningMetrics::Size {
                width: measures.width_px,
                height: measures.height_px,
                file_size: measures.body_bytes,
            }),
        })
    }

    fn light(detection: &Detection, is_named_blurred: bool) -> Option<Self> {
        let light = detection.measures.and_then(|measures| measures.luma);
        let label = if is_named_blurred {
            "Blurred"
        } else if light?.brightness < DARK_BELOW {
            "Dark"
        } else if light?.sharpness < BLURRED_BELOW {
            "Blurred"
        } else {
            return None;
        };
        Some(Self {
            r#type: "blur_dark",
            label: Some(label.to_owned()),
            confidence: None,
            metrics: light.map(|light| WarningMetrics::Light {
                sharpness: PyFloat(light.sharpness),
                brightness: PyFloat(light.brightness),
            }),
        })
    }

    fn watermark(generator: &str, score: f64) -> Self {
        Self {
            r#type: "watermark",
            label: Some(generator.to_owned()),
            confidence: Some(PyFloat(score)),
            metrics: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::model::picture::{ImageMetrics, Luma, Provenance, Verdict, VerdictSource};

    fn detection(label: Label, measures: Option<ImageMetrics>) -> Detection {
        Detection {
            verdict: Verdict {
                label,
                probability: 0.99,
                source: VerdictSource::Digest,
                provenance: Provenance::Unknown,
            },
            measures,
            thumbnail: None,
            preview: None,
            heatmap: None,
            overlay: None,
            reported_at: None,
        }
    }

    fn warnings_json(detection: &Detection, name: &str) -> Value {
        serde_json::to_value(Warning::list(detection, name)).expect("JSON")
    }

    const INCONSPICUOUS: ImageMetrics = ImageMetrics {
        width_px: 150,
        height_px: 20,
        body_bytes: 51_200,
        luma: Some(Luma {
            sharpness: 100.0,
            brightness: 40.0,
        }),
    };

    #[test]
    fn list_of_an_inconspicuous_image_is_the_screen_warning_alone() {
        let screen = json!({"type": "screen_recapture", "label": "Normal", "confidence": 100.0,
                            "metrics": {"is_screen": false}});
        assert_eq!(
            warnings_json(&detection(Label::Ai, Some(INCONSPICUOUS)), "a.jpg"),
            json!([screen])
        );
        assert_eq!(
            warnings_json(&detection(Label::Ai, None), "a.jpg"),
            json!([screen])
        );
        let undecoded = detection(
            Label::Ai,
            Some(ImageMetrics {
                luma: None,
                ..INCONSPICUOUS
            }),
        );
        assert_eq!(warnings_json(&undecoded, "a.heic"), json!([screen]));
    }

    #[test]
    fn list_of_a_small_dark_watermarked_screenshot_has_every_warning() {
        let conspicuous = ImageMetrics {
            width_px: 149,
            body_bytes: 9,
            luma: Some(Luma {
                sharpness: 3.456,
                brightness: 39.99,
            }),
            ..INCONSPICUOUS
        };
        let detection = detection(Label::Watermarked("Grok".to_owned()), Some(conspicuous));
        let light = json!({"sharpness": 3.456, "brightness": 39.99});
        let expected = json!([
            {"type": "screen_recapture", "label": "Screen", "confidence": 100.0,
             "metrics": {"is_screen": true}},
            {"type": "source_size", "metrics": {"width": 149, "height": 20, "file_size": 9}},
            {"type": "blur_dark", "label": "Dark", "metrics": light},
            {"type": "watermark", "label": "Grok", "confidence": 0.99},
        ]);
        assert_eq!(warnings_json(&detection, "a_SCREEN.jpg"), expected);
        assert_eq!(
            warnings_json(&detection, "a_blurred.jpg")[2]["label"],
            "Blurred"
        );
    }
}
