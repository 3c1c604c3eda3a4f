//! What a picture is judged to be, once the control plane's rules have had their say: by its
//! name's suffix, by its metadata, by its bytes.
//!
//! Promises: the same name and bytes give the same verdict on every machine and in every
//! version; a test pins the numbers.

use crate::model::order::ApiVersion;
use crate::model::picture::{Label, Provenance, Verdict, VerdictSource};
use crate::model::work::{NoResult, WatermarkResult};

/// The chance of AI for a picture that names its generator.
const GENERATOR_PROBABILITY: f64 = 0.97;
/// For one that names its camera.
const CAMERA_PROBABILITY: f64 = 0.04;
/// For the suffix `_ai`.
const AI_PROBABILITY: f64 = 0.98;
/// For the suffix `_human`.
const HUMAN_PROBABILITY: f64 = 0.02;
/// For one that names its editor, or has the suffix `_edited`.
const EDITED_PROBABILITY: f64 = 0.0382;
/// For one that names the machine it was edited by, or has the suffix `_aiedited`.
const AI_EDITED_PROBABILITY: f64 = 0.71;
/// How sure a watermark is.
const WATERMARK_PROBABILITY: f64 = 0.99;

/// What is found in a file whose name says that something is.
const TEST_WATERMARK: &str = "MORI TEST WATERMARK";

/// A name's suffix: what stands between its last underscore and its extension.
///
/// `IMG_12_ai.jpg` has `ai`; folders are left out; a name without an underscore has none.
#[must_use]
pub fn suffix(name: &str) -> Option<&str> {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
    stem.rsplit_once('_')
        .map(|(_, suffix)| suffix)
        .filter(|suffix| !suffix.is_empty())
}

/// What the suffixes BIZ MORI's test keys know (bizmori.md 2.5) make of a name.
#[must_use]
pub fn from_bizmori_name(name: &str) -> Option<Verdict> {
    let suffix = suffix(name)?.to_ascii_lowercase();
    let (label, probability) = match suffix.as_str() {
        "ai" => (Label::Ai, AI_PROBABILITY),
        "human" => (Label::Human, HUMAN_PROBABILITY),
        _ => return None,
    };
    Some(by_suffix(suffix, label, probability))
}

/// What the suffixes of Undetectable's documents (undetectable.md 4) make of a name.
///
/// The probability of a watermark is its score; the wire shows `result` 0 beside it.
#[must_use]
pub fn from_undetectable_name(name: &str) -> Option<Verdict> {
    let suffix = suffix(name)?.to_ascii_lowercase();
    let watermark = |name: &str| (Label::Watermarked(name.to_owned()), WATERMARK_PROBABILITY);
    let (label, probability) = match suffix.as_str() {
        "edited" => (Label::Edited, EDITED_PROBABILITY),
        "aiedited" => (Label::AiEdited, AI_EDITED_PROBABILITY),
        "grok" => watermark("Grok"),
        "gemini" => watermark("Gemini"),
        _ => return from_bizmori_name(name),
    };
    Some(by_suffix(suffix, label, probability))
}

/// Result of a watermark extraction that the suffix of a file name chooses (bizmori.md 2.5 and, for
/// suffixes that only v3 has, 4). `None` if the name has no such suffix.
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

/// What a picture's metadata make of it or, where they say nothing, its SHA-256.
#[must_use]
pub fn from_metadata_or_hash(provenance: &Provenance, digest: &[u8; 32]) -> Verdict {
    let (label, probability, basis) = match provenance {
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
        source: basis,
        provenance: provenance.clone(),
    }
}

/// Cuts a probability off after four decimals. 0.5 and more stays 0.5 and more.
#[must_use]
pub fn cut(probability: f64) -> f64 {
    (probability * 10_000.0).floor() / 10_000.0
}

/// The chance of AI that goes with a label where nothing else says.
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

fn by_suffix(suffix: String, label: Label, probability: f64) -> Verdict {
    Verdict {
        label,
        probability,
        source: VerdictSource::Suffix(suffix),
        provenance: Provenance::Unknown,
    }
}

/// The first 53 bits of the digest as a number in [0, 1). Fixed for ever.
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
    fn a_suffix_stands_between_the_last_underscore_and_the_extension() {
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
    fn each_vendor_has_its_suffixes() {
        let detection = |name| from_bizmori_name(name).map(|v| (v.label, v.probability));
        let document = |name| from_undetectable_name(name).map(|v| (v.label, v.probability));
        for of in [&detection as &dyn Fn(_) -> _, &document] {
            assert_eq!(of("x_Ai.png"), Some((Label::Ai, 0.98)));
            assert_eq!(of("x_human.png"), Some((Label::Human, 0.02)));
            assert_eq!(of("x_fail.png"), None);
        }
        assert_eq!(detection("x_edited.png"), None);
        assert_eq!(document("x_edited.png"), Some((Label::Edited, 0.0382)));
        assert_eq!(document("x_aiedited.png"), Some((Label::AiEdited, 0.71)));
        assert_eq!(
            document("x_GROK.png"),
            Some((Label::Watermarked("Grok".to_owned()), 0.99))
        );
    }

    #[test]
    fn metadata_outweigh_the_bytes() {
        let judge = |provenance| from_metadata_or_hash(&provenance, &[0xff; 32]);
        let camera = judge(Provenance::Camera("NIKON D750".to_owned()));
        assert_eq!(
            (camera.label, camera.source),
            (Label::Human, VerdictSource::Metadata)
        );
        let editor = judge(Provenance::Editor("GIMP".to_owned()));
        assert_eq!(editor.label, Label::Edited);
        let machine = judge(Provenance::AiEditor("Adobe Firefly".to_owned()));
        assert_eq!(
            (machine.label, machine.probability.to_string()),
            (Label::AiEdited, "0.71".to_owned())
        );
        let generator = judge(Provenance::Generator("Grok".to_owned()));
        assert_eq!(generator.probability.to_string(), "0.97");
    }

    #[test]
    fn the_chance_that_follows_from_bytes_is_fixed_for_ever() {
        let judge = |bytes: &[u8]| {
            let verdict =
                from_metadata_or_hash(&Provenance::Unknown, &Sha256::digest(bytes).into());
            assert_eq!(verdict.source, VerdictSource::Digest);
            let cut = cut(verdict.probability).to_string();
            (verdict.probability.to_string(), cut, verdict.label)
        };
        for (bytes, exact, cut) in [
            (b"".as_slice(), "0.8894159948913373", "0.8894"),
            (b"stuntdouble", "0.7480783279811245", "0.748"),
            (&fixture::bytes("plain.png"), "0.6884524008759527", "0.6884"),
            (&fixture::bytes("bench.jpg"), "0.791608094925883", "0.7916"),
        ] {
            let expected = (exact.to_owned(), cut.to_owned(), Label::Ai);
            assert_eq!(judge(bytes), expected);
        }
    }
}
