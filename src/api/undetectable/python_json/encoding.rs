//! Decoding as `json.loads` does: the encoding by `json.detect_encoding`, surrogates let through.
//!
//! Decoded text is WTF-8, which is UTF-8 that may have surrogates in it.

use std::borrow::Cow;

const BYTES_OF_SURROGATE: usize = 3;

/// Decodes `bytes` to WTF-8, without a byte order mark. `None` if the bytes do not fit the detected
/// encoding.
pub(super) fn decode(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    match bytes {
        [0, 0, 0xfe, 0xff, rest @ ..] => utf_32(rest, u32::from_be_bytes),
        [0xff, 0xfe, 0, 0, rest @ ..] => utf_32(rest, u32::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf_16(rest, u16::from_be_bytes),
        [0xff, 0xfe, rest @ ..] => utf_16(rest, u16::from_le_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] => utf_8(rest),
        [0, 0, _, _, ..] => utf_32(bytes, u32::from_be_bytes),
        [0, _, _, _, ..] | [0, _] => utf_16(bytes, u16::from_be_bytes),
        [_, 0, 0, 0, ..] => utf_32(bytes, u32::from_le_bytes),
        [_, 0, _, _, ..] | [_, 0] => utf_16(bytes, u16::from_le_bytes),
        _ => utf_8(bytes),
    }
}

/// Checks that `bytes` are WTF-8. Surrogate pairs of three bytes each are two characters, as Python has
/// them.
fn utf_8(bytes: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut rest = bytes;
    while let Err(error) = std::str::from_utf8(rest) {
        rest = &rest[error.valid_up_to()..];
        let [0xed, 0xa0..=0xbf, 0x80..=0xbf, ..] = rest else {
            return None;
        };
        rest = &rest[BYTES_OF_SURROGATE..];
    }
    Some(Cow::Borrowed(bytes))
}

fn utf_16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Option<Cow<'_, [u8]>> {
    let (units, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let units = units.iter().map(|bytes| unit(*bytes));
    let mut text = Vec::with_capacity(bytes.len());
    for decoded in char::decode_utf16(units) {
        let code_point = decoded.map_or_else(|lone| lone.unpaired_surrogate().into(), u32::from);
        push(&mut text, code_point);
    }
    Some(Cow::Owned(text))
}

fn utf_32(bytes: &[u8], unit: fn([u8; 4]) -> u32) -> Option<Cow<'_, [u8]>> {
    let (units, rest) = bytes.as_chunks::<4>();
    if !rest.is_empty() {
        return None;
    }
    let mut text = Vec::with_capacity(bytes.len());
    for code_point in units.iter().map(|bytes| unit(*bytes)) {
        if code_point > char::MAX.into() {
            return None;
        }
        push(&mut text, code_point);
    }
    Some(Cow::Owned(text))
}

/// Appends a code point, which may be a surrogate.
pub(super) fn push(text: &mut Vec<u8>, code_point: u32) {
    if let Some(c) = char::from_u32(code_point) {
        text.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    } else {
        let low_bits = |shift: u32| ((code_point >> shift) & 0x3f) as u8;
        text.extend([0xed, 0x80 | low_bits(6), 0x80 | low_bits(0)]);
    }
}

/// Number of characters in WTF-8 text.
pub(super) fn count_chars(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

/// Returns WTF-8 text with U+FFFD in place of surrogates.
pub(super) fn to_string(text: &[u8]) -> String {
    let mut string = String::with_capacity(text.len());
    let mut rest = text;
    loop {
        let error = match std::str::from_utf8(rest) {
            Ok(valid) => {
                string.push_str(valid);
                return string;
            }
            Err(error) => error,
        };
        let (valid, surrogate) = rest.split_at(error.valid_up_to());
        string.push_str(&String::from_utf8_lossy(valid));
        string.push(char::REPLACEMENT_CHARACTER);
        rest = surrogate.get(BYTES_OF_SURROGATE..).unwrap_or_default();
    }
}
