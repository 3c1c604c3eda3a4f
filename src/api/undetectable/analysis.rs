//! Analysis of an image: phrases that match its verdict, chosen by a seeded generator.

use schemars::JsonSchema;
use serde::Serialize;

use super::python_float::PyFloat;
use super::verdict::{final_result, label_confidence};
use crate::model::picture::Label;
use crate::model::work::Detection;
use crate::platform::rng::SeededRng;

/// `analysis_results`.
#[derive(Debug, Clone, PartialEq, Serialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Analysis {
    #[schemars(length(equal = 5))]
    image_tags: Vec<&'static str>,
    #[schemars(extend("enum" = ["strong", "moderate", "weak", "disagreement"]))]
    agreement: &'static str,
    #[schemars(range(min = 0, max = 100))]
    confidence: PyFloat,
    key_indicators: Vec<&'static str>,
    /// Two to four sentences.
    detailed_reasoning: String,
    visual_patterns: Vec<&'static str>,
    #[schemars(length(min = 3, max = 5))]
    recommendations: Vec<&'static str>,
}

const TAGS: [&str; 10] = [
    "photograph",
    "colour",
    "natural light",
    "close view",
    "outdoor",
    "texture",
    "single subject",
    "shallow depth",
    "daylight",
    "detail",
];

/// Phrases for one kind of verdict.
struct Phrases {
    indicators: [&'static str; 4],
    patterns: [&'static str; 4],
    reasoning: [&'static str; 2],
    recommendations: [&'static str; 4],
}

const AI_PHRASES: Phrases = Phrases {
    indicators: [
        "Texture repeats where it should vary",
        "Edges are smoother than a lens leaves them",
        "Sensor noise is missing from flat areas",
        "Light and shadow disagree in places",
    ],
    patterns: [
        "Uniform fine texture",
        "Soft transitions between subject and background",
        "Even noise across brightness levels",
        "Symmetry in incidental detail",
    ],
    reasoning: [
        "Fine texture and noise follow the statistics of generated pictures.",
        "No trace of a camera's sensor was found in the flat areas.",
    ],
    recommendations: [
        "Ask the source for the original file",
        "Compare with other pictures of the same subject",
        "Run a reverse image search",
        "Label the picture as likely made by AI before publishing it",
    ],
};

const HUMAN_PHRASES: Phrases = Phrases {
    indicators: [
        "Sensor noise varies with brightness",
        "Depth of field is that of a lens",
        "Shadows agree with one source of light",
        "Fine detail is irregular",
    ],
    patterns: [
        "Natural grain in dark areas",
        "Consistent perspective",
        "Chromatic fringes at high contrast",
        "Irregular incidental detail",
    ],
    reasoning: [
        "Noise and sharpness follow the statistics of camera pictures.",
        "Light, shadow and perspective agree with one another.",
    ],
    recommendations: [
        "Keep the original file as evidence",
        "Check the metadata against the claimed time and place",
        "Run a reverse image search",
        "Ask for further pictures of the same scene if in doubt",
    ],
};

const EDITED_PHRASES: Phrases = Phrases {
    indicators: [
        "Compression differs between regions",
        "Local contrast changes abruptly at some edges",
        "Noise is missing from retouched areas",
        "Colours were graded as a whole",
    ],
    patterns: [
        "Patches of smoothed texture",
        "Halos along some edges",
        "Mixed compression levels",
        "Natural grain outside the edits",
    ],
    reasoning: [
        "Most of the picture follows the statistics of camera pictures.",
        "Some regions were changed after it was taken.",
    ],
    recommendations: [
        "Ask the source for the unedited file",
        "Have a person check the edited regions",
        "Compare with earlier versions of the picture",
        "State that the picture was edited where it is published",
    ],
};

impl Analysis {
    /// Chooses phrases for the verdict. Deterministic for one state of `rng`.
    pub fn new(detection: &Detection, rng: &mut SeededRng) -> Self {
        let label = &detection.verdict.label;
        let phrases = match label {
            Label::Ai | Label::Watermarked(_) => &AI_PHRASES,
            Label::Human => &HUMAN_PHRASES,
            Label::Edited | Label::AiEdited => &EDITED_PHRASES,
        };
        let confidence = label_confidence(&detection.verdict);
        let opening = match label {
            Label::Watermarked(generator) => {
                format!("The picture bears the watermark of {generator}.")
            }
            label => format!(
                "The picture was judged {} with {} percent confidence.",
                final_result(label),
                (confidence.0 * 100.0).round() / 100.0
            ),
        };
        Self {
            image_tags: sample(&TAGS, 5, rng),
            agreement: agreement(confidence),
            confidence,
            key_indicators: sample(&phrases.indicators, 3, rng),
            detailed_reasoning: format!("{opening} {}", phrases.reasoning.join(" ")),
            visual_patterns: sample(&phrases.patterns, 2, rng),
            recommendations: sample(&phrases.recommendations, 3, rng),
        }
    }
}

/// Returns the agreement of the indicators, by the confidence in the label.
fn agreement(confidence: PyFloat) -> &'static str {
    match confidence.0 {
        percent if percent >= 85.0 => "strong",
        percent if percent >= 65.0 => "moderate",
        percent if percent >= 50.0 => "weak",
        _ => "disagreement",
    }
}

/// Returns `count` of the phrases, in their order. Every choice is equally likely.
fn sample(phrases: &[&'static str], mut count: usize, rng: &mut SeededRng) -> Vec<&'static str> {
    let mut chosen = Vec::with_capacity(count);
    for (index, phrase) in phrases.iter().enumerate() {
        let remaining = phrases.len() - index;
        #[expect(clippy::cast_precision_loss, reason = "a handful of phrases")]
        if rng.unit_f64() * (remaining as f64) < count as f64 {
            chosen.push(*phrase);
            count -= 1;
        }
    }
    chosen
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::picture::{Provenance, Verdict, VerdictSource};
    use crate::platform::rng::Entropy;

    fn analysis(label: Label, probability: f64, n: u64) -> Analysis {
        let verdict = Verdict {
            label,
            probability,
            source: VerdictSource::Digest,
            provenance: Provenance::Unknown,
        };
        let detection = Detection {
            verdict,
            measures: None,
            thumbnail: None,
            preview: None,
            heatmap: None,
            overlay: None,
            reported_at: None,
        };
        Analysis::new(&detection, &mut Entropy::new("s").rng("k", "analysis", n))
    }

    #[test]
    fn analysis_has_the_vendors_number_of_entries() {
        for label in [
            Label::Ai,
            Label::Human,
            Label::Edited,
            Label::AiEdited,
            Label::Watermarked("Grok".to_owned()),
        ] {
            for n in 0..50 {
                let analysis = analysis(label.clone(), 0.9, n);
                assert_eq!(analysis.image_tags.len(), 5);
                assert_eq!(analysis.key_indicators.len(), 3);
                assert_eq!(analysis.visual_patterns.len(), 2);
                assert_eq!(analysis.recommendations.len(), 3);
                assert_eq!(analysis.detailed_reasoning.matches(". ").count(), 2);
            }
        }
    }

    #[test]
    fn analysis_depends_on_the_rng_alone() {
        let describe = |n| analysis(Label::Ai, 0.9, n);
        assert_eq!(describe(1), describe(1));
        assert!((2..50).any(|n| describe(n) != describe(1)));
    }

    #[test]
    fn agreement_follows_the_confidence_in_the_label() {
        let agreement = |label, probability| analysis(label, probability, 1).agreement;
        assert_eq!(agreement(Label::Ai, 0.85), "strong");
        assert_eq!(agreement(Label::Human, 0.15), "strong");
        assert_eq!(agreement(Label::Human, 0.2), "moderate");
        assert_eq!(agreement(Label::Ai, 0.5), "weak");
        assert_eq!(agreement(Label::AiEdited, 0.4), "disagreement");
    }
}
