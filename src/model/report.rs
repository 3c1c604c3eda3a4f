//! Reports on what was found: their languages, their kinds, and what an AI detection says.

use serde::{Deserialize, Serialize};

/// The languages reports are written in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Locale {
    /// The vendor's own.
    #[default]
    #[serde(rename = "ko-KR")]
    KoKr,
    #[serde(rename = "en-US")]
    EnUs,
    #[serde(rename = "ja-JP")]
    JaJp,
}

impl Locale {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::KoKr, Self::EnUs, Self::JaJp];

    /// Its BCP 47 tag, as the vendor spells it.
    #[must_use]
    pub const fn tag(self) -> &'static str {
        match self {
            Self::KoKr => "ko-KR",
            Self::EnUs => "en-US",
            Self::JaJp => "ja-JP",
        }
    }

    /// The locale spelled exactly so.
    #[must_use]
    pub fn of_tag(tag: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|locale| locale.tag() == tag)
    }
}

/// What a report is on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReportKind {
    /// Whether a file bears a watermark.
    WatermarkDetection,
    /// Whether a picture was made by a machine.
    AiDetection,
}

/// The quarter a probability lies in, as BIZ MORI reads it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Likelihood {
    /// 0.75 and above.
    LikelyAi,
    /// 0.5 and above.
    UncertainAi,
    /// 0.25 and above.
    UncertainReal,
    /// Below.
    LikelyReal,
}

impl Likelihood {
    /// The one a probability of 0 to 1 stands for.
    #[must_use]
    pub fn of(probability: f64) -> Self {
        match probability {
            p if p >= 0.75 => Self::LikelyAi,
            p if p >= 0.5 => Self::UncertainAi,
            p if p >= 0.25 => Self::UncertainReal,
            _ => Self::LikelyReal,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_locale_is_known_by_its_tag_alone() {
        for locale in Locale::ALL {
            assert_eq!(Locale::of_tag(locale.tag()), Some(locale));
            let json = serde_json::to_string(&locale).expect("JSON");
            assert_eq!(json, format!("\"{}\"", locale.tag()));
        }
        for other in ["", "ko", "ko-kr", "en-GB", "ja_JP"] {
            assert_eq!(Locale::of_tag(other), None, "{other}");
        }
    }
}
