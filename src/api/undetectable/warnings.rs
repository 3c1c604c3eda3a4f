//! Warnings: what is odd about a picture besides what it is.

use schemars::JsonSchema;
use serde::Serialize;

use super::python_float::PyFloat;
use crate::engine::verdict;
use crate::model::picture::Label;
use crate::model::work::Detection;

/// Files smaller than so many bytes are told to be small,
const SMALL_FILE_BYTES: u64 = 50 * 1_024;
/// and so are pictures whose longer side is shorter.
const SMALL_SIDE_PX: u32 = 150;
/// What is less sharp, as [`Luma`](crate::model::picture::Light) has it, looks blurred.
const BLURRED: f64 = 100.0;
/// What is less bright looks dark.
const DARK: f64 = 40.0;

/// An entry of `warnings`. What is `None` is left out.
#[derive(Debug, PartialEq, Serialize, JsonSchema)]
pub struct Warning {
    #[schemars(extend("enum" = ["screen_recapture", "source_size", "blur_dark", "watermark"]))]
    r#type: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    label: Option<String>,
    /// 0 to 100; of a watermark 0 to 1.
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
    /// The warnings of a picture of that name.
    pub fn of(found: &Detection, name: &str) -> Vec<Self> {
        let suffix = verdict::suffix(name).map(str::to_ascii_lowercase);
        let suffix = suffix.as_deref();
        let screen = Some(Self::screen(suffix == Some("screen")));
        let watermark = match &found.verdict.label {
            Label::Watermarked(generator) => {
                Some(Self::watermark(generator, found.verdict.probability))
            }
            _ => None,
        };
        let size = Self::size(found);
        let light = Self::light(found, suffix == Some("blurred"));
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

    fn size(found: &Detection) -> Option<Self> {
        let measures = found.measures?;
        let small = measures.body_bytes < SMALL_FILE_BYTES
            || measures.width_px.max(measures.height_px) < SMALL_SIDE_PX;
        small.then_some(Self {
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

    fn light(found: &Detection, named_blurred: bool) -> Option<Self> {
        let light = found.measures.and_then(|measures| measures.luma);
        let label = if named_blurred {
            "Blurred"
        } else if light?.brightness < DARK {
            "Dark"
        } else if light?.sharpness < BLURRED {
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

    fn found(label: Label, measures: Option<ImageMetrics>) -> Detection {
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

    fn warnings_json(found: &Detection, name: &str) -> Value {
        serde_json::to_value(Warning::of(found, name)).expect("JSON")
    }

    const FINE: ImageMetrics = ImageMetrics {
        width_px: 150,
        height_px: 20,
        body_bytes: 51_200,
        luma: Some(Luma {
            sharpness: 100.0,
            brightness: 40.0,
        }),
    };

    #[test]
    fn a_fine_picture_has_the_one_warning_that_all_have() {
        let screen = json!({"type": "screen_recapture", "label": "Normal", "confidence": 100.0,
                            "metrics": {"is_screen": false}});
        assert_eq!(
            warnings_json(&found(Label::Ai, Some(FINE)), "a.jpg"),
            json!([screen])
        );
        assert_eq!(
            warnings_json(&found(Label::Ai, None), "a.jpg"),
            json!([screen])
        );
        let undecoded = found(Label::Ai, Some(ImageMetrics { luma: None, ..FINE }));
        assert_eq!(warnings_json(&undecoded, "a.heic"), json!([screen]));
    }

    #[test]
    fn a_picture_that_is_odd_in_every_way_has_every_warning() {
        let odd = ImageMetrics {
            width_px: 149,
            body_bytes: 9,
            luma: Some(Luma {
                sharpness: 3.456,
                brightness: 39.99,
            }),
            ..FINE
        };
        let found = found(Label::Watermarked("Grok".to_owned()), Some(odd));
        let light = json!({"sharpness": 3.456, "brightness": 39.99});
        let expected = json!([
            {"type": "screen_recapture", "label": "Screen", "confidence": 100.0,
             "metrics": {"is_screen": true}},
            {"type": "source_size", "metrics": {"width": 149, "height": 20, "file_size": 9}},
            {"type": "blur_dark", "label": "Dark", "metrics": light},
            {"type": "watermark", "label": "Grok", "confidence": 0.99},
        ]);
        assert_eq!(warnings_json(&found, "a_SCREEN.jpg"), expected);
        assert_eq!(
            warnings_json(&found, "a_blurred.jpg")[2]["label"],
            "Blurred"
        );
    }
}
