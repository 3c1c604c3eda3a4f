//! XMP: the program that made the picture, and its IPTC digital source type.
//!
//! Properties are found by their local names, as attributes and as elements; prefixes are
//! anyone's choice, so they are not looked at.

use super::{Clues, bounded, names};

/// What a picture of a machine alone has as its digital source type
/// (<https://cv.iptc.org/newscodes/digitalsourcetype/>).
pub const TRAINED: &str = "trainedAlgorithmicMedia";

/// What a generator is called that does not say its name.
pub const UNNAMED: &str = "AI generator";

/// Takes what the packet says.
pub fn read(clues: &mut Clues, packet: &[u8]) {
    let packet = String::from_utf8_lossy(bounded(packet));
    let creator = property(&packet, "CreatorTool");
    for name in ["CreatorTool", "Credit", "AISystemUsed", "softwareAgent"] {
        if let Some(tool) = property(&packet, name) {
            clues.tool(&tool);
        }
    }
    if let Some(description) = property(&packet, "UserComment") {
        clues.prose(&description);
    }
    // compositeWithTrainedAlgorithmicMedia, spelt with a large T, is a person's picture
    if packet.contains("DigitalSourceType") && packet.contains(TRAINED) {
        let named = creator.map(|tool| names::one_line(&tool));
        clues.generator(
            named
                .as_deref()
                .filter(|tool| !tool.is_empty())
                .unwrap_or(UNNAMED),
        );
    }
}

/// The value of the first property of this local name: `name="…"` or `<…name>…</`.
fn property(packet: &str, name: &str) -> Option<String> {
    packet.match_indices(name).find_map(|(at, _)| {
        let rest = packet[at + name.len()..].trim_start();
        let value = if let Some(quoted) = rest.strip_prefix('=') {
            let quoted = quoted.trim_start();
            let quote = quoted
                .chars()
                .next()
                .filter(|quote| matches!(quote, '"' | '\''))?;
            quoted[1..].split(quote).next()
        } else {
            rest.strip_prefix('>')
                .and_then(|content| content.split('<').next())
        }?;
        let value = unescaped(value.trim());
        (!value.is_empty()).then_some(value)
    })
}

fn unescaped(value: &str) -> String {
    value
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&apos;", "'")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::picture::Provenance;

    fn provenance(packet: &str) -> Provenance {
        let mut clues = Clues::default();
        read(&mut clues, packet.as_bytes());
        clues.settled()
    }

    #[test]
    fn the_source_type_says_generator_in_either_spelling() {
        for packet in [
            "<a:DigitalSourceType>http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia</a:DigitalSourceType><xmp:CreatorTool>Maker &amp; Son</xmp:CreatorTool>",
            r#"<r:Description xmp:CreatorTool = 'Maker &amp; Son' Iptc4xmpExt:DigitalSourceType="trainedAlgorithmicMedia"/>"#,
        ] {
            assert_eq!(
                provenance(packet),
                Provenance::Generator("Maker & Son".to_owned())
            );
        }
        assert_eq!(
            provenance(r#"<d DigitalSourceType="trainedAlgorithmicMedia"/>"#),
            Provenance::Generator(UNNAMED.to_owned())
        );
    }

    #[test]
    fn a_composite_is_its_editors() {
        let packet = r#"xmp:CreatorTool="Adobe Photoshop 25.1" e:DigitalSourceType="compositeWithTrainedAlgorithmicMedia""#;
        assert_eq!(
            provenance(packet),
            Provenance::Editor("Adobe Photoshop 25.1".to_owned())
        );
        assert_eq!(
            provenance("CreatorTool CreatorTool= CreatorTool=\""),
            Provenance::Unknown
        );
    }
}
