//! Verdict on a picture: by its name's suffix, by its metadata, or by its bytes. Rules of the
//! control plane take precedence; the caller applies them.
//!
//! Guarantees: the same name and bytes give the same verdict on every machine and in every version.
//! A test pins the numbers.

use crate::model::order::ApiVersion;
use crate::model::picture::{Label, Provenance, Verdict, VerdictSource};
use crate::model::work::{NoResult, WatermarkResult};

/// AI probability of a picture whose metadata name a generator.
const GENERATOR_PROBABILITY: f64 = 0.97;
/// AI probability of a picture whose metadata name a camera.
const CAMERA_PROBABILITY: f64 = 0.04;
/// AI probability for the suffix `_ai`.
const AI_PROBABILITY: f64 = 0.98;
/// AI probability for the suffix `_human`.
const HUMAN_PROBABILITY: f64 = 0.02;
/// AI probability of a picture whose metadata name an editor, and for the suffix `_edited`.
const EDITED_PROBABILITY: f64 = 0.0382;
/// AI probability of a picture whose metadata name an AI editor, and for the suffix `_aiedited`.
const AI_EDITED_PROBABILITY: f64 = 0.71;
/// Score of a watermark.
const WATERMARK_PROBABILITY: f64 = 0.99;

/// Text that is extracted from a file whose name forces a watermark.
const TEST_WATERMARK: &str = "MORI TEST WATERMARK";

/// Returns the suffix of a name: the part between its last underscore and its extension, such as
/// `ai` in `IMG_12_ai.jpg`. Folders are ignored. `None` if the name has no underscore or an empty
/// suffix.
#[must_use]
pub fn suffix(name: &str) -> Option<&str> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    stem.rsplit_once('_')
        .map(|(_, suffix)| suffix)
        .filter(|suffix| !suffix.is_empty())
}

/// Returns the verdict that a name's suffix forces for BIZ MORI's test keys (bizmori.md 2.5).
/// `None` if the name has no such suffix.
#[must_use]
pub fn from_detection_suffix(name: &str) -> Option<Verdict> {
    let suffix = suffix(name)?.to_ascii_lowercase();
    let (label, probability) = match suffix.as_str() {
        "ai" => (Label::Ai, AI_PROBABILITY),
        "human" => (Label::Human, HUMAN_PROBABILITY),
        _ => return None,
    };
    Some(verdict_by_suffix(suffix, label, probability))
}

/// Returns the verdict that a name's suffix forces in Undetectable's API (undetectable.md 4).
/// `None` if the name has no such suffix.
///
/// The probability of a watermark is its score. The API shows a `result` of 0 with it.
#[must_use]
pub fn from_document_suffix(name: &str) -> Option<Verdict> {
    let suffix = suffix(name)?.to_ascii_lowercase();
    let watermark = |name: &str| (Label::Watermarked(name.to_owned()), WATERMARK_PROBABILITY);
    let (label, probability) = match suffix.as_str() {
        "edited" => (Label::Edited, EDITED_PROBABILITY),
        "aiedited" => (Label::AiEdited, AI_EDITED_PROBABILITY),
        "grok" => watermark("Grok"),
        "gemini" => watermark("Gemini"),
        _ => return from_detection_suffix(name),
    };
    Some(verdict_by_suffix(suffix, label, probability))
}

/// Returns the result of a watermark extraction that a name's suffix forces (bizmori.md 2.5, and 4
/// for suffixes that only v3 has). `None` if the name has no such suffix.
#[must_use]
pub fn from_extraction_name(
    name: &str,
    api: ApiVersion,
) -> Option<(WatermarkResult, VerdictSource)> {
    let suffix = suffix(name)?.to_ascii_lowercase();
    let result = match (suffix.as_str(), api) {
        ("detected", _) => Ok(Some(TEST_WATERMARK.to_owned())),
        ("undetected", _) => Ok(None),
        (other, ApiVersion::V3) => Err(NoResult::from_name(other)?),
        (_, ApiVersion::V2) => return None,
    };
    Some((result, VerdictSource::Suffix(suffix)))
}

/// Returns the verdict by a picture's metadata, or by its SHA-256 if the metadata name no origin.
#[must_use]
pub fn from_metadata_or_hash(provenance: &Provenance, digest: &[u8; 32]) -> Verdict {
    let (label, probability, source) = match provenance {
        Provenance::Generator(_) => (Label::Ai, GENERATOR_PROBABILITY, VerdictSource::Metadata),
        Provenance::Camera(_) => (Label::Human, CAMERA_PROBABILITY, VerdictSource::Metadata),
        Provenance::Editor(_) => (Label::Edited, EDITED_PROBABILITY, VerdictSource::Metadata),
        Provenance::AiEditor(_) => (
            Label::AiEdited,
            AI_EDITED_PROBABILITY,
            VerdictSource::Metadata,
        ),
        Provenance::Unknown => {
            let probability = probability(digest);
            let label = if probability >= 0.5 {
                Label::Ai
            } else {
                Label::Human
            };
            (label, probability, VerdictSource::Digest)
        }
    };
    Verdict {
        label,
        probability,
        source,
        provenance: provenance.clone(),
    }
}

/// Truncates a probability to four decimals. Truncation, unlike rounding, cannot reach 0.5 from
/// below.
#[must_use]
pub fn truncate_to_4_decimals(probability: f64) -> f64 {
    (probability * 10_000.0).floor() / 10_000.0
}

/// Returns the probability for a label that a rule forces without a probability.
#[must_use]
pub fn default_probability(label: &Label) -> f64 {
    match label {
        Label::Ai => AI_PROBABILITY,
        Label::Human => HUMAN_PROBABILITY,
        Label::Edited => EDITED_PROBABILITY,
        Label::AiEdited => AI_EDITED_PROBABILITY,
        Label::Watermarked(_) => WATERMARK_PROBABILITY,
    }
}

fn verdict_by_suffix(suffix: String, label: Label, probability: f64) -> Verdict {
    Verdict {
        label,
        probability,
        source: VerdictSource::Suffix(suffix),
        provenance: Provenance::Unknown,
    }
}

/// Returns the first 53 bits of the digest as a number in [0, 1). Must never change.
#[expect(
    clippy::cast_precision_loss,
    reason = "53 bits fit a double's mantissa"
)]
fn probability(digest: &[u8; 32]) -> f64 {
    let bits = digest[..8]
        .iter()
        .fold(0_u64, |bits, &byte| bits << 8 | u64::from(byte));
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::fixture;
    use sha2::{Digest, Sha256};

    #[test]
    fn suffix_is_between_the_last_underscore_and_the_extension() {
        for (name, found) in [
            ("photo_ai.jpg", Some("ai")),
            ("IMG_0001_AI.PNG", Some("AI")),
            ("photo_ai", Some("ai")),
            ("a_b/photo_fail.tar.png", Some("fail.tar")),
            ("photo_.jpg", None),
            ("photo.jpg", None),
            ("set_ai/photo.jpg", None),
            ("ai.jpg", None),
            ("", None),
        ] {
            assert_eq!(suffix(name), found, "{name}");
        }
    }

    #[test]
    fn suffixes_differ_by_vendor() {
        let bizmori = |name| from_detection_suffix(name).map(|v| (v.label, v.probability));
        let undetectable = |name| from_document_suffix(name).map(|v| (v.label, v.probability));
        for verdict in [&bizmori as &dyn Fn(_) -> _, &undetectable] {
            assert_eq!(verdict("x_Ai.png"), Some((Label::Ai, 0.98)));
            assert_eq!(verdict("x_human.png"), Some((Label::Human, 0.02)));
            assert_eq!(verdict("x_fail.png"), None);
        }
        assert_eq!(bizmori("x_edited.png"), None);
        assert_eq!(undetectable("x_edited.png"), Some((Label::Edited, 0.0382)));
        assert_eq!(
            undetectable("x_aiedited.png"),
            Some((Label::AiEdited, 0.71))
        );
        assert_eq!(
            undetectable("x_GROK.png"),
            Some((Label::Watermarked("Grok".to_owned()), 0.99))
        );
    }

    #[test]
    fn metadata_take_precedence_over_the_digest() {
        let verdict_on = |provenance| from_metadata_or_hash(&provenance, &[0xff; 32]);
        let camera = verdict_on(Provenance::Camera("NIKON D750".to_owned()));
        assert_eq!(
            (camera.label, camera.source),
            (Label::Human, VerdictSource::Metadata)
        );
        let editor = verdict_on(Provenance::Editor("GIMP".to_owned()));
        assert_eq!(editor.label, Label::Edited);
        let machine = verdict_on(Provenance::AiEditor("Adobe Firefly".to_owned()));
        assert_eq!(
            (machine.label, machine.probability.to_string()),
            (Label::AiEdited, "0.71".to_owned())
        );
        let generator = verdict_on(Provenance::Generator("Grok".to_owned()));
        assert_eq!(generator.probability.to_string(), "0.97");
    }

    #[test]
    fn probability_of_a_digest_never_changes() {
        let verdict_on = |bytes: &[u8]| {
            let verdict =
                from_metadata_or_hash(&Provenance::Unknown, &Sha256::digest(bytes).into());
            assert_eq!(verdict.source, VerdictSource::Digest);
            let cut = truncate_to_4_decimals(verdict.probability).to_string();
            (verdict.probability.to_string(), cut, verdict.label)
        };
        for (bytes, exact, cut) in [
            (b"".as_slice(), "0.8894159948913373", "0.8894"),
            (b"stuntdouble", "0.7480783279811245", "0.748"),
            (&fixture::bytes("plain.png"), "0.6884524008759527", "0.6884"),
            (&fixture::bytes("bench.jpg"), "0.791608094925883", "0.7916"),
        ] {
            let expected = (exact.to_owned(), cut.to_owned(), Label::Ai);
            assert_eq!(verdict_on(bytes), expected);
        }
    }
}
