//! A verdict in the vendor's words and numbers, the same of a picture alone and of one in a bulk.

use std::fmt;

use serde::{Serialize, Serializer};

use crate::model::picture::{Basis, Label, Provenance, Verdict};

/// A number of two decimals at most; a whole one is written without a point.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Percent(f64);

impl Percent {
    /// The number, rounded.
    pub fn rounded(number: f64) -> Self {
        Self((number * 100.0).round() / 100.0)
    }

    /// A probability in percent.
    pub fn of(probability: f64) -> Self {
        Self::rounded(probability * 100.0)
    }

    fn rest(self) -> Self {
        Self::rounded(100.0 - self.0)
    }

    /// A document's `result`: the chance that the model sees, which is none where a watermark
    /// settled it.
    pub fn result(verdict: &Verdict) -> Self {
        match verdict.label {
            Label::Watermarked(_) => Self(0.0),
            _ => Self::of(verdict.probability),
        }
    }

    /// How sure the label is, which may say that the picture was not made by a machine.
    pub fn of_label(verdict: &Verdict) -> Self {
        let confidence = Self::of(verdict.probability);
        match verdict.label {
            Label::Human | Label::Edited => confidence.rest(),
            Label::Ai | Label::AiEdited | Label::Watermarked(_) => confidence,
        }
    }

    /// The number.
    pub fn number(self) -> f64 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(out)
    }
}

impl Serialize for Percent {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.fract() == 0.0 {
            #[expect(clippy::cast_possible_truncation, reason = "a whole number, and small")]
            return serializer.serialize_i64(self.0 as i64);
        }
        serializer.serialize_f64(self.0)
    }
}

/// 1 decided by metadata, 2 by a watermark, 3 by the model.
pub fn step(verdict: &Verdict) -> u8 {
    match (&verdict.label, &verdict.basis) {
        (Label::Watermarked(_), _) => 2,
        (_, Basis::Metadata) => 1,
        (
            _,
            Basis::Suffix(_)
            | Basis::Digest
            | Basis::Content
            | Basis::TestKey
            | Basis::Rule(_)
            | Basis::ByHand,
        ) => 3,
    }
}

/// The vendor's word for what a picture is; for a watermark, its generator's name.
pub fn final_result(label: &Label) -> &str {
    match label {
        Label::Ai => "AI Generated",
        Label::Human => "Real",
        Label::Edited => "Digitally Edited",
        Label::AiEdited => "AI Edited",
        Label::Watermarked(generator) => generator,
    }
}

/// What the metadata say of a picture that they did not settle does not gainsay its verdict.
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

/// The camera, the AI tool or the editor, where the metadata name one that does not gainsay it.
pub fn source(verdict: &Verdict, step: u8) -> Option<String> {
    match &verdict.provenance {
        Provenance::Generator(tool) | Provenance::AiEditor(tool) => {
            (step == 1).then(|| tool.clone())
        }
        Provenance::Camera(name) | Provenance::Editor(name) => Some(name.clone()),
        Provenance::Unknown => None,
    }
}

/// Label and percent of a generator's watermark.
pub fn ocr(verdict: &Verdict, step: u8) -> Option<(String, f64)> {
    match &verdict.label {
        Label::Watermarked(generator) => {
            let score = Percent::of(verdict.probability).number();
            Some((generator.clone(), score))
        }
        Label::Human if step == 3 => None,
        _ => Some(("OCR did not detect AI".to_owned(), 0.0)),
    }
}

/// Label and percent of the model, where it came to that.
pub fn ml_model(verdict: &Verdict, step: u8) -> Option<(String, Percent)> {
    (step == 3).then(|| {
        let label = final_result(&verdict.label).to_owned();
        (label, Percent::of(verdict.probability))
    })
}
