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

    /// Index among [`Self::ALL`].
    #[must_use]
    pub fn index(self) -> usize {
        let mut all = Self::ALL.into_iter();
        all.position(|locale| locale == self).unwrap_or_default()
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

/// A report on an order, in one language.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    pub locale: Locale,
    pub state: ReportState,
}

/// How a report stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "status")]
pub enum ReportState {
    /// It is made, or with this code is not going to be.
    Generating { failing: Option<String> },
    /// It is in the blob of that key.
    Ready { key: String },
    /// It is drawn whenever it is downloaded. Orders of test keys store nothing.
    Sample,
    /// It was not made; it may be asked for again.
    Failed { code: String },
}

impl Report {
    /// The key of its blob, once it is there.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match &self.state {
            ReportState::Ready { key } => Some(key),
            ReportState::Generating { .. } | ReportState::Sample | ReportState::Failed { .. } => {
                None
            }
        }
    }
}

/// An order's reports, one a language.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Reports(Vec<Report>);

impl Reports {
    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// In the order they were asked for.
    pub fn iter(&self) -> impl Iterator<Item = &Report> {
        self.0.iter()
    }

    /// The blobs of those that are there, by key.
    pub fn keys(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(Report::key)
    }

    /// That of a language, whatever its state.
    #[must_use]
    pub fn get(&self, locale: Locale) -> Option<&Report> {
        self.0.iter().find(|report| report.locale == locale)
    }

    /// One of that language is wanted; it will fail with the code `failing`, if one is given.
    /// False if it is made or under way.
    pub fn request(&mut self, locale: Locale, failing: Option<String>) -> bool {
        let failed = |report: &Report| matches!(report.state, ReportState::Failed { .. });
        if self.get(locale).is_some_and(|report| !failed(report)) {
            return false;
        }
        self.0.retain(|report| report.locale != locale);
        self.0.push(Report {
            locale,
            state: ReportState::Generating { failing },
        });
        true
    }

    /// That of a language is over. False if nobody wants it.
    pub fn finish(&mut self, locale: Locale, state: ReportState) -> bool {
        let mut wanted = self.0.iter_mut();
        match wanted.find(|report| report.locale == locale) {
            None => false,
            Some(report) => {
                report.state = state;
                true
            }
        }
    }
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
    pub fn from_probability(probability: f64) -> Self {
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
