//! XMP (ISO 16684-1): the program that made the picture, and its IPTC digital source type.
//!
//! Properties are found by their local names, as attributes and as elements; prefixes are
//! anyone's choice, so they are not looked at. A packet torn off says what stands before that.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::source_type::SourceType;
use super::{ProvenanceSignals, bounded, names};

/// The properties that are read.
const PROPERTIES: [&str; 5] = [
    "CreatorTool",
    "DigitalSourceType",
    "DigitalSourceFileType",
    "Make",
    "Model",
];

/// Takes what the packet says.
pub fn read(clues: &mut ProvenanceSignals, packet: &[u8]) {
    let packet = String::from_utf8_lossy(bounded(packet));
    let found = properties(&packet);
    let property = |name: &str| found.get(name).map(String::as_str);
    let source = ["DigitalSourceType", "DigitalSourceFileType"]
        .iter()
        .find_map(|name| SourceType::of(property(name)?));
    let creator = property("CreatorTool");
    match source {
        Some(SourceType::Generated) => {
            clues.add_generated(creator.filter(|creator| !names::is_editor(creator)));
        }
        Some(SourceType::Composite) => return clues.add_ai_edited(creator),
        Some(SourceType::Edited) => clues.add_edited(creator),
        Some(SourceType::Captured) => clues.add_captured(None),
        None => {}
    }
    if let Some(creator) = creator {
        clues.add_software(creator);
    }
    if let (Some(make), Some(model)) = (property("Make"), property("Model")) {
        clues.add_captured(Some(&names::camera(make, model)));
    }
}

/// The first value of each of [`PROPERTIES`].
fn properties(packet: &str) -> HashMap<&'static str, String> {
    let mut found = HashMap::new();
    let mut keep = |name: &str, value: &str| {
        let value = value.trim();
        if let Some(known) = PROPERTIES.iter().find(|known| **known == name)
            && !value.is_empty()
        {
            found.entry(*known).or_insert_with(|| value.to_owned());
        }
    };
    let mut reader = Reader::from_str(packet);
    reader.config_mut().check_end_names = false;
    // the element that what follows is a value of, and that value so far
    let mut open = String::new();
    let mut value = String::new();
    while let Ok(event) = reader.read_event() {
        match event {
            Event::Start(element) => {
                attributes(&element, &mut keep);
                if !is_container(&element) {
                    element.local_name().into_inner().clone_into(&mut open);
                }
                value.clear();
            }
            Event::Empty(element) => attributes(&element, &mut keep),
            Event::Text(text) => value.push_str(&text),
            Event::CData(text) => value.push_str(&text),
            Event::GeneralRef(reference) => value.extend(letter(&reference)),
            Event::End(_) => {
                keep(&open, &value);
                value.clear();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    found
}

/// Takes an element's attributes; `rdf:resource` is the value of the element.
fn attributes(element: &BytesStart<'_>, keep: &mut impl FnMut(&str, &str)) {
    // names said twice are not looked for: that takes a time that grows with their square
    for attribute in element.attributes().with_checks(false).flatten() {
        let value = quick_xml::escape::unescape(&attribute.value).unwrap_or_default();
        match attribute.key.local_name().into_inner() {
            "resource" => keep(element.local_name().into_inner(), &value),
            name => keep(name, &value),
        }
    }
}

/// Whether it is a list, or an item of one, around a property's value.
fn is_container(element: &BytesStart<'_>) -> bool {
    matches!(
        element.local_name().into_inner(),
        "Alt" | "Bag" | "Seq" | "li"
    )
}

/// The letter that `&…;` stands for.
fn letter(name: &str) -> Option<char> {
    let text = format!("&{name};");
    quick_xml::escape::unescape(&text).ok()?.chars().next()
}

#[cfg(test)]
mod tests;
