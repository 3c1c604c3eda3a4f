//! Names in ZIPs: UTF-8 or, as in the beginning, code page 437.

/// Longer names are cut.
pub const NAME_BYTES_MAX: usize = 1_024;

/// Code page 437 from 0x80 on; below, it is ASCII.
const CODE_PAGE_437: &str = "\
    ÇüéâäàåçêëèïîìÄÅÉæÆôöòûùÿÖÜ¢£¥₧ƒ\
    áíóúñÑªº¿⌐¬½¼¡«»░▒▓│┤╡╢╖╕╣║╗╝╜╛┐\
    └┴┬├─┼╞╟╚╔╩╦╠═╬╧╨╤╥╙╘╒╓╫╪┘┌█▄▌▐▀\
    αßΓπΣσµτΦΘΩδ∞φε∩≡±≥≤⌠⌡÷≈°∙·√ⁿ²■\u{a0}";

/// The name: what claims to be UTF-8 or reads as such is, everything else is in code page 437.
/// Many a program writes UTF-8 and does not say so.
pub fn decode(raw: &[u8], is_utf8: bool) -> String {
    match std::str::from_utf8(raw) {
        Ok(name) => name.to_owned(),
        Err(_) if is_utf8 => String::from_utf8_lossy(raw).into_owned(),
        Err(_) => raw.iter().map(|byte| of_code_page_437(*byte)).collect(),
    }
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
        assert_eq!(decode("été.jpg".as_bytes(), false), "été.jpg");
        assert_eq!(decode("사진.jpg".as_bytes(), true), "사진.jpg");
        assert_eq!(decode(b"\x82t\x82.jpg", false), "été.jpg");
        assert_eq!(decode(b"\x82t\x82.jpg", true), "\u{fffd}t\u{fffd}.jpg");
        assert_eq!(CODE_PAGE_437.chars().count(), 128);
        assert_eq!(decode(b"\x80\xe1\xff", false), "Çß\u{a0}");
    }
}
