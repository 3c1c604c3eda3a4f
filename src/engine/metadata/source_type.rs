//! The IPTC's digital source types (<https://cv.iptc.org/newscodes/digitalsourcetype/>), which
//! XMP and C2PA manifests both use, as far as they settle where a picture comes from.

/// Where a picture says it comes from, by its digital source type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceType {
    /// A machine that was trained made it.
    Generated,
    /// Such a machine made a part of it.
    Composite,
    /// People or programs changed it.
    Edited,
    /// A camera or a scanner took it.
    Captured,
}

impl SourceType {
    /// What the value stands for, a whole URI or its last part alone. Of what is drawn or
    /// computed without training (`digitalCreation`, `algorithmicMedia`) nothing follows.
    pub fn of(value: &str) -> Option<Self> {
        let name = value.trim().rsplit(['/', ':', '#']).next()?;
        match name.to_ascii_lowercase().as_str() {
            // the second is C2PA's own
            "trainedalgorithmicmedia" | "trainedalgorithmicdata" => Some(Self::Generated),
            "compositewithtrainedalgorithmicmedia" | "compositesynthetic" => Some(Self::Composite),
            "algorithmicallyenhanced" | "humanedits" | "minorhumanedits" | "compositecapture" => {
                Some(Self::Edited)
            }
            "digitalcapture"
            | "computationalcapture"
            | "negativefilm"
            | "positivefilm"
            | "print" => Some(Self::Captured),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_uris_and_short_forms_are_known() {
        let scheme = "http://cv.iptc.org/newscodes/digitalsourcetype/";
        for (name, source) in [
            ("trainedAlgorithmicMedia", Some(SourceType::Generated)),
            (
                "compositeWithTrainedAlgorithmicMedia",
                Some(SourceType::Composite),
            ),
            ("compositeSynthetic", Some(SourceType::Composite)),
            ("algorithmicallyEnhanced", Some(SourceType::Edited)),
            ("computationalCapture", Some(SourceType::Captured)),
            ("negativeFilm", Some(SourceType::Captured)),
            ("algorithmicMedia", None),
            ("digitalCreation", None),
            ("", None),
        ] {
            assert_eq!(SourceType::of(name), source, "{name}");
            assert_eq!(SourceType::of(&format!("{scheme}{name}")), source, "{name}");
        }
        let own = "http://c2pa.org/digitalsourcetype/trainedAlgorithmicData";
        assert_eq!(SourceType::of(own), Some(SourceType::Generated));
        let prose = "not trainedAlgorithmicMedia at all";
        assert_eq!(SourceType::of(prose), None);
    }
}
