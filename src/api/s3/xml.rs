//! XML in the format of S3.

use std::fmt::Write as _;

/// Appends an element with escaped text. Characters that XML 1.0 does not allow become U+FFFD.
pub(super) fn element(xml: &mut String, name: &str, text: &str) {
    let _ = write!(xml, "<{name}>");
    for c in text.chars() {
        match c {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\'' => xml.push_str("&apos;"),
            '\r' => xml.push_str("&#13;"),
            '\n' | '\t' => xml.push(c),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => xml.push('\u{fffd}'),
            c => xml.push(c),
        }
    }
    let _ = write!(xml, "</{name}>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn element_escapes_text() {
        let mut xml = String::new();
        element(&mut xml, "Key", "<a>&\"b'\u{1}\r\nü");
        assert_eq!(
            xml,
            "<Key>&lt;a&gt;&amp;&quot;b&apos;\u{fffd}&#13;\nü</Key>"
        );
    }
}
