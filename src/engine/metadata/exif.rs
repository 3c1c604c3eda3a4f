//! EXIF: the camera, the program and the remarks.

use std::borrow::Cow;

use exif::{Exif, In, Reader, Tag, Value};

use super::{Clues, TEXT_BYTES_MAX, c2pa, iim, names, xmp};

/// Where TIFF files keep what has segments or chunks of its own in other formats.
const XMP: Tag = Tag(exif::Context::Tiff, 700);
const IPTC: Tag = Tag(exif::Context::Tiff, 33_723);
const PHOTOSHOP: Tag = Tag(exif::Context::Tiff, 34_377);
const C2PA: Tag = Tag(exif::Context::Tiff, 52_545);
/// The user's comment where Pillow's callers put it: beside the camera, not in EXIF's own part.
const STRAY_COMMENT: Tag = Tag(exif::Context::Tiff, 0x9286);

/// Takes what the EXIF block says; it begins with its TIFF header.
pub fn read(clues: &mut Clues, block: &[u8]) {
    let found = Reader::new()
        .continue_on_error(true)
        .read_raw(block.to_vec())
        .or_else(|error| error.distill_partial_result(|_| {}));
    let Ok(found) = found else { return };
    if let Some(program) = text(&found, Tag::Software) {
        clues.tool(&program);
    }
    let description = text(&found, Tag::ImageDescription).unwrap_or_default();
    let artist = text(&found, Tag::Artist).unwrap_or_default();
    if names::is_signature(&description) && names::is_uuid(&artist) {
        clues.generator("Grok");
    }
    for tag in [Tag::UserComment, STRAY_COMMENT] {
        if let Some(comment) = text(&found, tag) {
            clues.settings(&comment);
        }
    }
    clues.settings(&description);
    for (tag, read) in [
        (XMP, xmp::read as fn(&mut Clues, &[u8])),
        (IPTC, iim::read),
        (PHOTOSHOP, iim::read_resources),
        (C2PA, c2pa::read),
    ] {
        if let Some(bytes) = bytes(&found, tag) {
            read(clues, &bytes);
        }
    }
    let make = text(&found, Tag::Make).unwrap_or_default();
    let model = text(&found, Tag::Model).unwrap_or_default();
    let is_graph = clues.settings(&make) | clues.settings(&model);
    if is_graph || make.is_empty() {
        return;
    }
    if model.is_empty() {
        // a camera has a model
        clues.tool(&make);
    } else {
        clues.captured(Some(&names::camera(&make, &model)));
    }
}

/// What a field of bytes holds; some writers call it one of long words.
fn bytes(found: &Exif, tag: Tag) -> Option<Cow<'_, [u8]>> {
    match &found.get_field(tag, In::PRIMARY)?.value {
        Value::Byte(bytes) | Value::Undefined(bytes, _) => Some(Cow::Borrowed(bytes)),
        Value::Long(words) => {
            let order = if found.little_endian() {
                u32::to_le_bytes
            } else {
                u32::to_be_bytes
            };
            Some(words.iter().copied().flat_map(order).collect())
        }
        _ => None,
    }
}

fn text(found: &Exif, tag: Tag) -> Option<String> {
    let field = found.get_field(tag, In::PRIMARY)?;
    let text = match &field.value {
        Value::Ascii(lines) => Cow::Owned(lines.join(&b' ')),
        Value::Undefined(bytes, _) | Value::Byte(bytes) => Cow::Borrowed(bytes),
        _ => return None,
    };
    let text = &text[..text.len().min(TEXT_BYTES_MAX)];
    let text = commented(text);
    let text = text.trim_matches(['\0', ' ', '\n', '\r', '\t']);
    (!text.is_empty()).then(|| text.to_owned())
}

/// A text that may say its character code in eight bytes, as user comments do.
fn commented(bytes: &[u8]) -> String {
    if let Some(wide) = bytes.strip_prefix(b"UNICODE\0") {
        // EXIF leaves the order of UTF-16 open; Latin letters betray it
        let zeros_first = wide.iter().step_by(2).filter(|&&byte| byte == 0).count();
        let zeros_second = wide
            .iter()
            .skip(1)
            .step_by(2)
            .filter(|&&byte| byte == 0)
            .count();
        let is_big_endian = zeros_first >= zeros_second;
        let units = wide.chunks_exact(2).map(|pair| {
            if is_big_endian {
                u16::from_be_bytes([pair[0], pair[1]])
            } else {
                u16::from_le_bytes([pair[0], pair[1]])
            }
        });
        char::decode_utf16(units)
            .map(|letter| letter.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    } else {
        let plain = bytes.strip_prefix(b"ASCII\0\0\0").unwrap_or(bytes);
        String::from_utf8_lossy(plain).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn user_comments_are_read_in_either_order() {
        let big: Vec<u8> = "Steps: 2"
            .encode_utf16()
            .flat_map(u16::to_be_bytes)
            .collect();
        let little: Vec<u8> = "Steps: 2"
            .encode_utf16()
            .flat_map(u16::to_le_bytes)
            .collect();
        for wide in [big, little] {
            assert_eq!(
                commented(&[b"UNICODE\0", wide.as_slice()].concat()),
                "Steps: 2"
            );
        }
        assert_eq!(commented(b"ASCII\0\0\0plain"), "plain");
    }
}
