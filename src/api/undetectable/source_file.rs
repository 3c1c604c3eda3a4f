//! The objects that clients name by URL, in `/detect` and `/bulk-upload`: what they are called, and
//! the orders that are made of them.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

use super::error::{ApiError, ErrorCode};
use super::fields::canonical_uuid;
use super::{UndetectableResult, credits};
use crate::http::Services;
use crate::model::order::{ApiVersion, Vendor};
use crate::model::work::Work;
use crate::services::accounts::Account;
use crate::services::orders::{
    Charge, DownloadError, FileSource, KeyOwner, NewFile, NewOrder, UploadedFile, key_owner,
};

/// Where in a URL an object's key begins.
const KEY_PREFIX: &str = "uploads/";

/// Characters of a name that is downloaded, from its end.
const NAME_CHARS_MAX: usize = 255;

/// Checks that `url` is a URL, or has the key of an upload in it.
///
/// # Errors
/// Returns a refusal of [`ErrorCode::InputUrlEmpty`] if it has neither.
pub fn check_url(url: &str) -> Result<(), ApiError> {
    let refused = |line: &str| {
        Err(ApiError::new(
            ErrorCode::InputUrlEmpty,
            format!("url: {line}"),
        ))
    };
    let has_key =
        || object_key_in_url(url).is_some_and(|key| key.trim_end().len() > KEY_PREFIX.len());
    match url.trim() {
        "" if url.is_empty() => refused("empty"),
        "" => refused("blank"),
        trimmed if url::Url::parse(trimmed).is_err() && !has_key() => {
            refused("neither a URL nor the key of an upload")
        }
        _ => Ok(()),
    }
}

/// The account's object that the URL means. Where it cannot mean one it is downloaded, if that is
/// set, unless `check` refuses its name; from then on it is the account's, until [`discard_if_refused`] has
/// it go again.
///
/// # Errors
/// If the URL means none, nothing is there, its name is refused, or it cannot be had.
pub async fn source_file(
    state: &Services,
    account: &Account,
    url: &str,
    check: impl FnOnce(&str) -> Result<(), ApiError>,
) -> Result<UploadedFile, ApiError> {
    let missing = |line: &str| ApiError::new(ErrorCode::FileMetadata, format!("url: {line}"));
    let url = url.trim();
    let key = object_key_in_url(url);
    if let Some(key) = &key
        && let Some(found) = state.orders.find_upload(account, key).await?
    {
        check(&found.upload.name)?;
        return Ok(found);
    }
    let is_foreign = has_host(url) && !key.as_deref().is_some_and(is_issued_key);
    if state.config.orders.fetch && is_foreign {
        let name = file_name_in_url(url);
        check(&name)?;
        let downloaded = state.orders.download(account, url, &name).await;
        return downloaded.map_err(|error| match error {
            DownloadError::Unavailable(message) => missing(&message),
            DownloadError::Internal(error) => error.into(),
        });
    }
    Err(match key {
        Some(key) => missing(&format!("nothing that this key uploaded is at {key}")),
        None if state.config.orders.fetch => missing("is no URL of http or https"),
        None => missing("has no uploads/ in it, and is not fetched"),
    })
}

/// The order that a file is looked at by, for so many credits.
pub fn new_order(
    operation: &'static str,
    account: &Account,
    origin: String,
    file: &UploadedFile,
    work: Work,
    credits: u32,
) -> NewOrder {
    let (key, bytes) = (file.upload.key.clone(), file.content.bytes);
    let name = file.upload.name.clone();
    NewOrder {
        operation,
        idempotency_key: None,
        vendor: Vendor::Undetectable,
        origin,
        name: None,
        api: ApiVersion::default(),
        work,
        files: vec![NewFile::new(name, FileSource::Stored { key, bytes })],
        id: None,
        charge: Some(Charge {
            credits,
            limit: credits::credit_limit(account),
        }),
        request_digest: None,
    }
}

/// The answer to a request for that file. What was downloaded for one that is refused goes.
///
/// # Errors
/// As the request was refused, or if the file cannot be removed.
pub async fn discard_if_refused(
    state: &Services,
    file: &UploadedFile,
    response: UndetectableResult,
) -> UndetectableResult {
    if response.is_err() {
        state.orders.discard(file).await?;
    }
    response
}

/// The name as it stands in a key: what is none of `A-Z a-z 0-9 . _ -` is `_`.
pub fn sanitize_file_name(name: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.chars()
        .map(|c| if safe(c) { c } else { '_' })
        .collect()
}

/// Whether the key is one that clients are told to upload to: it has a UUID where those have it.
fn is_issued_key(key: &str) -> bool {
    let owner = key_owner(key);
    matches!(owner, Some(KeyOwner::Upload(id)) if canonical_uuid(id).as_deref() == Some(id))
}

/// Whether there is anything to be called.
fn has_host(url: &str) -> bool {
    let scheme = url.split("://").next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// A URL without its query and fragment, decoded.
fn url_path(url: &str) -> Cow<'_, str> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    percent_decode_str(path).decode_utf8_lossy()
}

/// The object's key in any URL that clients make of it, whatever its scheme, host and bucket; where
/// its path has none, its query may.
fn object_key_in_url(url: &str) -> Option<String> {
    let key_at_the_end_of = |text: &str| {
        let begin = text.rfind(KEY_PREFIX)?;
        Some(text[begin..].to_owned())
    };
    key_at_the_end_of(&url_path(url)).or_else(|| {
        let whole = percent_decode_str(url).decode_utf8_lossy();
        let key = key_at_the_end_of(&whole)?;
        key.split(['?', '#', '&']).next().map(str::to_owned)
    })
}

/// What a file of the URL is called: the end of its path.
fn file_name_in_url(url: &str) -> String {
    let name = sanitize_file_name(url_path(url).rsplit('/').next().unwrap_or_default());
    name[name.len().saturating_sub(NAME_CHARS_MAX)..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_url_leads_to_the_key() {
        let key = "uploads/0f0e-1_20260312-100000_a.jpg";
        for url in [
            format!("https://ai-image-detector-prod.nyc3.digitaloceanspaces.com/{key}"),
            format!("https://ai-image-detector-dev.nyc3.digitaloceanspaces.com/{key}"),
            format!("http://127.0.0.1:8080/{key}"),
            format!("http://mock:8080/_s3/ai-image-detector-prod/{key}"),
            format!("http://mock:8080/_s3/ai-image-detector-prod/{key}?X-Amz-Date=1&x=uploads/y"),
            format!("http://ai-image-detector-prod.localhost:8080/{key}"),
            format!("https://host.invalid:99999999/{key}#part"),
            key.to_owned(),
            key.replace('/', "%2F"),
            format!("https://host/uploads/{key}"),
            format!("https://proxy/get?url=https%3A%2F%2Fhost%2F{key}&w=100"),
        ] {
            assert_eq!(object_key_in_url(&url).as_deref(), Some(key), "{url}");
        }
        assert_eq!(
            object_key_in_url(&format!("http://h%ff/{key}")).as_deref(),
            Some(key)
        );
        for url in ["", "https://host/a.jpg", "https://host/?upload/a", "%ff"] {
            assert_eq!(object_key_in_url(url), None, "{url}");
        }
    }

    #[test]
    fn check_of_what_is_neither_a_url_nor_a_key_refuses_it() {
        for url in [
            "",
            " ",
            "\t\r\n",
            "not a url",
            "a.jpg",
            "/a.jpg",
            "//host/a.jpg",
            "example.com/a.jpg",
            "http://",
            "http:// ",
            "https:///",
            "http://?x=1",
            "http://:80/a.jpg",
            "uploads/",
            "http://a b/c.jpg",
            "://host/a.jpg",
        ] {
            let refusal = check_url(url).expect_err(url);
            let code = ErrorCode::InputUrlEmpty;
            assert_eq!(
                refusal,
                ApiError::new(code, refusal.with_reason()),
                "{url:?}"
            );
        }
        for url in [
            "http://host",
            "https://host/a.jpg",
            " http://host/a.jpg\n",
            "uploads/a.jpg",
            "uploads%2Fa.jpg",
            "ftp://host/a.jpg",
            "http:// /uploads/a.jpg",
            "https://host.invalid:99999999/uploads/a.jpg",
            "not a url/uploads/a.jpg",
        ] {
            assert_eq!(check_url(url), Ok(()), "{url:?}");
        }
    }

    #[test]
    fn a_name_is_made_safe_and_keeps_its_suffix_and_extension() {
        for (name, expected) in [
            ("photo_ai.jpg", "photo_ai.jpg"),
            ("my photo (1).JPG", "my_photo__1_.JPG"),
            ("../../etc/passwd.png", ".._.._etc_passwd.png"),
            ("a\\b%2F\"c\u{7f}.png", "a_b_2F_c_.png"),
            ("사진_ai.jpg", "___ai.jpg"),
        ] {
            assert_eq!(sanitize_file_name(name), expected, "{name}");
        }
    }

    #[test]
    fn what_is_downloaded_is_called_as_its_path_ends() {
        for (url, name) in [
            ("https://host/a/b%20c.jpg?x=/y.png#z", "b_c.jpg"),
            ("http://host/a%2Fb.png", "b.png"),
            ("http://host/", ""),
            ("http://host", "host"),
        ] {
            assert_eq!(file_name_in_url(url), name, "{url}");
        }
        let long = format!("http://host/{}.jpg", "a".repeat(300));
        let name = file_name_in_url(&long);
        assert!(name.len() == 255 && name.ends_with("a.jpg"), "{name}");
    }

    #[test]
    fn a_key_with_a_uuid_is_given_out() {
        let id = "0f0e0d0c-0b0a-4908-8706-050403020100";
        assert!(is_issued_key(&format!(
            "uploads/{id}_20260312-100000_a.jpg"
        )));
        for key in ["uploads/photo_ai.jpg", "uploads/a.jpg", "uploads/_a.jpg"] {
            assert!(!is_issued_key(key), "{key}");
        }
        assert!(!is_issued_key(&format!("uploads/{id}/a_b.jpg")));
    }

    #[test]
    fn only_what_can_be_called_has_a_host() {
        assert!(has_host("http://h/a.jpg") && has_host("HTTPS://h/a.jpg"));
        for url in [
            "",
            "uploads/a.jpg",
            "ftp://h/a.jpg",
            "http:/h/a.jpg",
            "//h/a.jpg",
        ] {
            assert!(!has_host(url), "{url}");
        }
    }
}
