//! Entry names in ZIP files: UTF-8, or code page 437.

use rawzip::crc32;
use rawzip::extra_fields::{ExtraFieldId, ExtraFields};

/// Maximum length of an entry name. The rest is cut off.
pub const NAME_BYTES_MAX: usize = 1_024;

const UNICODE_PATH_VERSION: u8 = 1;

/// Code page 437 from 0x80 on. The lower half is ASCII.
const CODE_PAGE_437: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Decodes the name `raw`, and returns `true` with it if it is in code page 437. A name is UTF-8 if
/// its flag says so or if it is valid UTF-8: many programs write UTF-8 without the flag.
pub fn decode(raw: &[u8], is_utf8: bool) -> (String, bool) {
    match std::str::from_utf8(raw) {
        Ok(name) => (name.to_owned(), false),
        Err(_) if is_utf8 => (String::from_utf8_lossy(raw).into_owned(), false),
        Err(_) => {
            let name = raw.iter().map(|byte| code_page_437_char(*byte)).collect();
            (name, true)
        }
    }
}

/// Returns the name from the Info-ZIP Unicode Path extra field (APPNOTE 4.6.9). `None` if there is
/// no such field, or if its checksum does not match `raw`.
pub fn unicode_path(raw: &[u8], mut extra: ExtraFields<'_>) -> Option<String> {
    let (_, field) = extra.find(|(id, _)| *id == ExtraFieldId::INFO_ZIP_UNICODE_PATH)?;
    let versioned = field.strip_prefix(&[UNICODE_PATH_VERSION])?;
    let utf8 = versioned.strip_prefix(&crc32(raw).to_le_bytes())?;
    let name = std::str::from_utf8(utf8).ok()?;
    let is_valid = (1..=NAME_BYTES_MAX).contains(&name.len());
    is_valid.then(|| name.to_owned())
}

fn code_page_437_char(byte: u8) -> char {
    let index = byte.checked_sub(0x80).map(usize::from);
    let upper = index.and_then(|index| CODE_PAGE_437.chars().nth(index));
    upper.unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decode_prefers_utf8_and_falls_back_to_code_page_437() {
        let utf8_name = |name: &str| (name.to_owned(), false);
        assert_eq!(decode("été.jpg".as_bytes(), false), utf8_name("été.jpg"));
        assert_eq!(decode("사진.jpg".as_bytes(), true), utf8_name("사진.jpg"));
        let cp437_name = |name: &str| (name.to_owned(), true);
        assert_eq!(decode(b"\x82t\x82.jpg", false), cp437_name("été.jpg"));
        let lossy = "\u{fffd}t\u{fffd}.jpg";
        assert_eq!(decode(b"\x82t\x82.jpg", true), utf8_name(lossy));
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
        assert_eq!(decode(b"\x80\xe1\xff", false), cp437_name("Çß\u{a0}"));
    }

    #[test]
    fn unicode_path_is_ignored_unless_its_checksum_matches_the_name() {
        let field = |version: u8, legacy_name: &[u8], name: &[u8]| {
            let field = [&[version], &crc32(legacy_name).to_le_bytes()[..], name].concat();
            let length = u16::try_from(field.len()).expect("a short field");
            [b"up", &length.to_le_bytes()[..], &field].concat()
        };
        let utf8 = "ソ.jpg";
        let raw = b"\x83\x5c.jpg";
        let valid = field(1, raw, utf8.as_bytes());
        assert_eq!(
            unicode_path(raw, ExtraFields::new(&valid)).as_deref(),
            Some(utf8)
        );
        let after_another_field = [&b"\x01\0\x02\0ab"[..], &valid].concat();
        assert_eq!(
            unicode_path(raw, ExtraFields::new(&after_another_field)).as_deref(),
            Some(utf8)
        );
        for bad in [
            Vec::new(),
            field(2, raw, utf8.as_bytes()),
            field(1, b"other.jpg", utf8.as_bytes()),
            field(1, raw, b""),
            field(1, raw, b"\xff"),
            valid[..valid.len() - 1].to_vec(),
            valid[..3].to_vec(),
        ] {
            assert_eq!(unicode_path(raw, ExtraFields::new(&bad)), None, "{bad:?}");
        }
    }
}
