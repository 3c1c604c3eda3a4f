//! EXIF: the camera, the program and the remarks.

use std::borrow::Cow;

use exif::{Exif, In, Reader, Tag, Value};

use super::{Clues, TEXT_BYTES_MAX, names, xmp};

/// The tag under which TIFF files keep their XMP.
const XMP: Tag = Tag(exif::Context::Tiff, 700);

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
    for tag in [Tag::ImageDescription, Tag::UserComment, Tag::Artist] {
        if let Some(remark) = text(&found, tag) {
            clues.prose(&remark);
        }
    }
    if let Some(field) = found.get_field(XMP, In::PRIMARY) {
        match &field.value {
            Value::Byte(packet) | Value::Undefined(packet, _) => xmp::read(clues, packet),
            _ => {}
        }
    }
    let make = text(&found, Tag::Make).unwrap_or_default();
    let model = text(&found, Tag::Model).unwrap_or_default();
    if !make.is_empty() && !model.is_empty() {
        clues.camera.get_or_insert_with(|| camera(&make, &model));
    }
}

/// `Make Model`, the make not said twice.
fn camera(make: &str, model: &str) -> String {
    let brand = |name: &str| {
        name.split_whitespace()
            .next()
            .unwrap_or_default()
            .to_lowercase()
    };
    if brand(make) == brand(model) {
        names::one_line(model)
    } else {
        names::one_line(&format!("{make} {model}"))
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
    fn the_make_is_not_said_twice() {
        for (make, model, name) in [
            ("Canon", "Canon EOS R5", "Canon EOS R5"),
            ("NIKON CORPORATION", "NIKON D750", "NIKON D750"),
            ("Google", "Pixel 8", "Google Pixel 8"),
            ("SONY", "ILCE-7M4", "SONY ILCE-7M4"),
        ] {
            assert_eq!(camera(make, model), name);
        }
    }

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
