//! Which URLs may be called at all, as they are written.

const URL_CHARS_MAX: usize = 2_048;

/// Checks that it is a URL of http or https, and not too long.
///
/// # Errors
/// One line on why it is none.
pub fn check_url(url: &str) -> Result<(), String> {
    if url.chars().count() > URL_CHARS_MAX {
        return Err(format!("longer than {URL_CHARS_MAX} characters"));
    }
    match url::Url::parse(url) {
        Err(error) => Err(error.to_string()),
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => Ok(()),
        Ok(_) => Err(format!("{url} is no http or https URL")),
    }
}
