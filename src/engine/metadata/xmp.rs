//! XMP (ISO 16684-1): creator tool, camera, and IPTC digital source type.
//!
//! Properties are matched by local name, as attributes and as elements. Prefixes are arbitrary and
//! ignored. A truncated packet is read as far as it goes.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::source_type::SourceType;
use super::{ProvenanceSignals, limit_text, names};

/// Local names of the properties that are read.
const PROPERTIES: [&str; 5] = [
    "CreatorTool",
    "DigitalSourceType",
    "DigitalSourceFileType",
    "Make",
    "Model",
];

/// Adds the signals of an XMP packet.
pub fn read(signals: &mut ProvenanceSignals, packet_bytes: &[u8]) {
    let packet = String::from_utf8_lossy(limit_text(packet_bytes));
    let found = properties(&packet);
    let property = |name: &str| found.get(name).map(String::as_str);
    let source = ["DigitalSourceType", "DigitalSourceFileType"]
        .iter()
        .find_map(|name| SourceType::from_value(property(name)?));
    let creator = property("CreatorTool");
    match source {
        Some(SourceType::Generated) => {
            signals.add_generated(creator.filter(|creator| !names::is_editor(creator)));
        }
        Some(SourceType::Composite) => return signals.add_ai_edited(creator),
        Some(SourceType::Edited) => signals.add_edited(creator),
        Some(SourceType::Captured) => signals.add_captured(None),
        None => {}
    }
    if let Some(creator) = creator {
        signals.add_software(creator);
    }
    if let (Some(make), Some(model)) = (property("Make"), property("Model")) {
        signals.add_captured(Some(&names::camera(make, model)));
    }
}

/// Returns the first non-empty value of each of [`PROPERTIES`].
fn properties(packet: &str) -> HashMap<&'static str, String> {
    let mut found = HashMap::new();
    let mut record = |name: &str, value: &str| {
        let value = value.trim();
        if let Some(known) = PROPERTIES.iter().find(|known| **known == name)
            && !value.is_empty()
        {
            found.entry(*known).or_insert_with(|| value.to_owned());
        }
    };
    let mut reader = Reader::from_str(packet);
    reader.config_mut().check_end_names = false;
    // Name of the innermost open property element, and the text in it so far.
    let mut open = String::new();
    let mut value = String::new();
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(element) => {
                record_attributes(&element, &mut record);
                if !is_container(&element) {
                    element.local_name().into_inner().clone_into(&mut open);
                }
                value.clear();
            }
            Event::Empty(element) => record_attributes(&element, &mut record),
            Event::Text(text) => value.push_str(&text),
            Event::CData(text) => value.push_str(&text),
            Event::GeneralRef(reference) => value.extend(resolve_reference(&reference)),
            Event::End(_) => {
                record(&open, &value);
                value.clear();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    found
}

/// Records the attributes of an element. `rdf:resource` is the value of the element itself.
fn record_attributes(element: &BytesStart<'_>, record: &mut impl FnMut(&str, &str)) {
    // The check for duplicates takes quadratic time.
    for attribute in element.attributes().with_checks(false).flatten() {
        let value = quick_xml::escape::unescape(&attribute.value).unwrap_or_default();
        match attribute.key.local_name().into_inner() {
            "resource" => record(element.local_name().into_inner(), &value),
            name => record(name, &value),
        }
    }
}

/// `true` if the element is an RDF list or list item around the value of a property.
fn is_container(element: &BytesStart<'_>) -> bool {
    matches!(
        element.local_name().into_inner(),
        "Alt" | "Bag" | "Seq" | "li"
    )
}

/// Returns the character of an entity or character reference.
fn resolve_reference(name: &str) -> Option<char> {
    let text = format!("&{name};");
    quick_xml::escape::unescape(&text).ok()?.chars().next()
}

#[cfg(test)]
mod tests;
