//! The label that China's generators write (TC260, 2025): a JSON object under the name `AIGC`,
//! in XMP or as a PNG's text.

use serde_json::Value;

use super::{Clues, names};

/// Takes what the label says: whatever is in it, a machine made the picture.
pub fn read(clues: &mut Clues, text: &str) {
    let Ok(Value::Object(label)) = serde_json::from_str(text.trim()) else {
        return;
    };
    let producer = label.get("ContentProducer").and_then(Value::as_str);
    if label.contains_key("Label") || producer.is_some() {
        // it is a name, or a company's number with the authorities
        clues.generated(producer.filter(|producer| names::generator_of_tool(producer).is_some()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::picture::Provenance;

    #[test]
    fn a_label_names_its_producer_or_none() {
        for (text, provenance) in [
            (
                r#"{"Label": "1", "ContentProducer": "doubao"}"#,
                Provenance::Generator("Doubao".to_owned()),
            ),
            (
                r#"{"Label": "1", "ContentProducer": "001191110102MACQD9K64010000"}"#,
                Provenance::Generator("AI generator".to_owned()),
            ),
            (r#"{"AIGC": 1}"#, Provenance::Unknown),
            ("Label", Provenance::Unknown),
        ] {
            let mut clues = Clues::default();
            read(&mut clues, text);
            assert_eq!(clues.settled(), provenance, "{text}");
        }
    }
}
