//! Names in ZIPs: UTF-8 or, as in the beginning, code page 437.

use rawzip::crc32;
use rawzip::extra_fields::{ExtraFieldId, ExtraFields};

/// Longer names are cut.
pub const NAME_BYTES_MAX: usize = 1_024;

const UNICODE_PATH_VERSION: u8 = 1;

/// Code page 437 from 0x80 on; below, it is ASCII.
const CODE_PAGE_437: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// Decodes a name, and says whether it is in code page 437: it is if it neither claims to be UTF-8 nor
/// reads as UTF-8. Many a program writes UTF-8 and does not say so.
pub fn decode(raw: &[u8], is_utf8: bool) -> (String, bool) {
    match std::str::from_utf8(raw) {
        Ok(name) => (name.to_owned(), false),
        Err(_) if is_utf8 => (String::from_utf8_lossy(raw).into_owned(), false),
        Err(_) => {
            let name = raw.iter().map(|byte| of_code_page_437(*byte)).collect();
            (name, true)
        }
    }
}

/// Returns the name in the extra field of Info-ZIP's Unicode Path (APPNOTE 4.6.9). `None` if there is no
/// such field, or if it does not belong to the name `raw`, as its checksum says.
pub fn unicode_path(raw: &[u8], mut extra: ExtraFields<'_>) -> Option<String> {
    let (_, field) = extra.find(|(id, _)| *id == ExtraFieldId::INFO_ZIP_UNICODE_PATH)?;
    let name = field.strip_prefix(&[UNICODE_PATH_VERSION])?;
    let name = name.strip_prefix(&crc32(raw).to_le_bytes())?;
    let name = std::str::from_utf8(name).ok()?;
    let fits = (1..=NAME_BYTES_MAX).contains(&name.len());
    fits.then(|| name.to_owned())
}

fn of_code_page_437(byte: u8) -> char {
    let upper = byte.checked_sub(0x80).map(usize::from);
    let upper = upper.and_then(|at| CODE_PAGE_437.chars().nth(at));
    upper.unwrap_or(char::from(byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_utf8_where_it_can_be_and_code_page_437_where_not() {
        let name = |name: &str| (name.to_owned(), false);
        assert_eq!(decode("été.jpg".as_bytes(), false), name("été.jpg"));
        assert_eq!(decode("사진.jpg".as_bytes(), true), name("사진.jpg"));
        let other = |name: &str| (name.to_owned(), true);
        assert_eq!(decode(b"\x82t\x82.jpg", false), other("été.jpg"));
        let lossy = "\u{fffd}t\u{fffd}.jpg";
        assert_eq!(decode(b"\x82t\x82.jpg", true), name(lossy));
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
        assert_eq!(decode(b"\x80\xe1\xff", false), other("Çß\u{a0}"));
    }

    #[test]
    fn unicode_path_counts_if_it_belongs_to_the_name() {
        let field = |version: u8, of: &[u8], name: &[u8]| {
            let field = [&[version], &crc32(of).to_le_bytes()[..], name].concat();
            let length = u16::try_from(field.len()).expect("a short field");
            [b"up", &length.to_le_bytes()[..], &field].concat()
        };
        let utf8 = "ソ.jpg";
        let (raw, fine) = (b"\x83\x5c.jpg", field(1, b"\x83\x5c.jpg", utf8.as_bytes()));
        assert_eq!(
            unicode_path(raw, ExtraFields::new(&fine)).as_deref(),
            Some(utf8)
        );
        let behind_another = [&b"\x01\0\x02\0ab"[..], &fine].concat();
        assert_eq!(
            unicode_path(raw, ExtraFields::new(&behind_another)).as_deref(),
            Some(utf8)
        );
        for bad in [
            Vec::new(),
            field(2, raw, utf8.as_bytes()),
            field(1, b"other.jpg", utf8.as_bytes()),
            field(1, raw, b""),
            field(1, raw, b"\xff"),
            fine[..fine.len() - 1].to_vec(),
            fine[..3].to_vec(),
        ] {
            assert_eq!(unicode_path(raw, ExtraFields::new(&bad)), None, "{bad:?}");
        }
    }
}
