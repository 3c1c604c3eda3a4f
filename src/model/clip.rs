//! Shortens texts of clients and receivers for log lines.

use std::borrow::Cow;

/// Returns `text`, cut after `chars_max` characters and then ending in `…`.
#[must_use]
pub fn clip(text: &str, chars_max: usize) -> Cow<'_, str> {
    match text.char_indices().nth(chars_max) {
        None => Cow::Borrowed(text),
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clip_cuts_between_characters_and_adds_an_ellipsis() {
        assert_eq!(clip("", 0), "");
        assert_eq!(clip("héé", 3), "héé");
        assert_eq!(clip("héé!", 3), "héé…");
        assert_eq!(clip("x", 0), "…");
    }
}
