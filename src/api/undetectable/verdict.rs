//! Verdicts in the vendor's words and numbers, for single images and for items of bulk uploads.

use crate::api::undetectable::python_float::PyFloat;
use crate::model::picture::{Label, Provenance, Verdict, VerdictSource};

/// Decimals of a score that is computed from another score. Further decimals are rounding noise.
const DECIMALS: usize = 13;

/// Returns a probability in percent, with all its digits and no others: 0.57 is 57.0, though the product
/// of the floats 0.57 and 100 is not.
pub fn percent(probability: f64) -> PyFloat {
    let scientific = format!("{probability:e}");
    let shifted = scientific.split_once('e').and_then(|(digits, exponent)| {
        let exponent: i32 = exponent.parse().ok()?;
        format!("{digits}e{}", exponent + 2).parse().ok()
    });
    PyFloat(shifted.unwrap_or(probability * 100.0))
}

/// Rounds a computed score to [`DECIMALS`].
fn rounded(score: f64) -> PyFloat {
    PyFloat(format!("{score:.DECIMALS$}").parse().unwrap_or(score))
}

/// Returns the `result` of a document: the probability of AI in percent, 0 if a watermark decided.
pub fn result(verdict: &Verdict) -> PyFloat {
    match verdict.label {
        Label::Watermarked(_) => PyFloat(0.0),
        _ => percent(verdict.probability),
    }
}

/// Returns the confidence in the label in percent. For `Real` and `Digitally Edited` it is 100 minus the
/// probability of AI.
pub fn label_confidence(verdict: &Verdict) -> PyFloat {
    let PyFloat(confidence) = percent(verdict.probability);
    match verdict.label {
        Label::Human | Label::Edited => rounded(100.0 - confidence),
        Label::Ai | Label::AiEdited | Label::Watermarked(_) => PyFloat(confidence),
    }
}

/// Returns the step that decided: 1 metadata, 2 a watermark, 3 the model.
pub fn detection_step(verdict: &Verdict) -> u8 {
    match (&verdict.label, &verdict.source) {
        (Label::Watermarked(_), _) => 2,
        (_, VerdictSource::Metadata) => 1,
        (
            _,
            VerdictSource::Suffix(_)
            | VerdictSource::Digest
            | VerdictSource::Content
            | VerdictSource::Defect(_)
            | VerdictSource::TestKey
            | VerdictSource::Rule(_)
            | VerdictSource::Manual,
        ) => 3,
    }
}

/// Returns the vendor's word for a label. For a watermark, the name of its generator.
pub fn final_result(label: &Label) -> &str {
    match label {
        Label::Ai => "AI Generated",
        Label::Human => "Real",
        Label::Edited => "Digitally Edited",
        Label::AiEdited => "AI Edited",
        Label::Watermarked(generator) => generator,
    }
}

/// Returns verdict and reason of the metadata. Metadata that did not decide do not contradict the label.
pub fn metadata(verdict: &Verdict, step: u8) -> (&'static str, String) {
    match &verdict.provenance {
        Provenance::Generator(tool) if step == 1 => {
            ("AI Generated", format!("Metadata names the AI tool {tool}"))
        }
        Provenance::AiEditor(tool) if step == 1 => {
            ("AI Edited", format!("Metadata names the AI tool {tool}"))
        }
        Provenance::Unknown | Provenance::Generator(_) | Provenance::AiEditor(_) => (
            "No Information Detected",
            "Could not find anything from ExifTool and Pillow metadata".to_owned(),
        ),
        Provenance::Camera(_) | Provenance::Editor(_) => {
            ("Not AI Generated", "No AI indicators found".to_owned())
        }
    }
}

/// Returns the camera, AI tool or editor that the metadata name. `None` if they name none, or an AI tool
/// although they did not decide.
pub fn metadata_source(verdict: &Verdict, step: u8) -> Option<String> {
    match &verdict.provenance {
        Provenance::Generator(tool) | Provenance::AiEditor(tool) => {
            (step == 1).then(|| tool.clone())
        }
        Provenance::Camera(name) | Provenance::Editor(name) => Some(name.clone()),
        Provenance::Unknown => None,
    }
}

/// Returns label and percent of a generator's watermark. `None` if metadata decided, or if the model found
/// a real image.
pub fn ocr(verdict: &Verdict, step: u8) -> Option<(String, PyFloat)> {
    match &verdict.label {
        Label::Watermarked(generator) => Some((generator.clone(), percent(verdict.probability))),
        _ if step == 1 => None,
        Label::Human => None,
        Label::Ai | Label::Edited | Label::AiEdited => {
            Some(("OCR did not detect AI".to_owned(), PyFloat(0.0)))
        }
    }
}

/// Returns label and percent of the model. `None` if metadata or a watermark decided.
pub fn ml_model(verdict: &Verdict, step: u8) -> Option<(String, PyFloat)> {
    (step == 3).then(|| {
        let label = final_result(&verdict.label).to_owned();
        (label, percent(verdict.probability))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percent_has_the_digits_of_the_probability() {
        for (probability, expected) in [
            (0.0, 0.0),
            (1.0, 100.0),
            (0.57, 57.0),
            (0.07, 7.0),
            (0.0382, 3.82),
            (0.913, 91.3),
            (0.902_371_538_185_235, 90.237_153_818_523_5),
            (1e-9, 1e-7),
        ] {
            assert_eq!(percent(probability), PyFloat(expected));
        }
    }

    #[test]
    fn label_confidence_of_a_real_image_has_no_rounding_noise() {
        for (probability, expected) in [
            (0.0244, 97.56),
            (0.9756, 2.44),
            (0.0, 100.0),
            (1.0, 0.0),
            (0.237_153_818_523_5, 76.284_618_147_65),
        ] {
            let verdict = Verdict {
                label: Label::Human,
                probability,
                source: VerdictSource::Digest,
                provenance: Provenance::Unknown,
            };
            assert_eq!(label_confidence(&verdict), PyFloat(expected));
        }
    }
}
