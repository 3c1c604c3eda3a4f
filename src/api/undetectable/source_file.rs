//! Files that `/detect` and `/bulk-upload` name by URL: uploads, or files to download.

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

/// First part of the object key of an upload.
const KEY_PREFIX: &str = "uploads/";

/// Characters of the name of a downloaded file. A longer name keeps its end.
const NAME_CHARS_MAX: usize = 255;

/// Checks that `url` is a URL, or contains the key of an upload.
///
/// # Errors
/// Returns [`ErrorCode::InputUrlEmpty`] if neither is so.
pub fn check_url(url: &str) -> Result<(), ApiError> {
    let error = |message: &str| {
        Err(ApiError::new(
            ErrorCode::InputUrlEmpty,
            format!("url: {message}"),
        ))
    };
    let has_key =
        || object_key_in_url(url).is_some_and(|key| key.trim_end().len() > KEY_PREFIX.len());
    match url.trim() {
        "" if url.is_empty() => error("empty"),
        "" => error("blank"),
        trimmed if url::Url::parse(trimmed).is_err() && !has_key() => {
            error("neither a URL nor the key of an upload")
        }
        _ => Ok(()),
    }
}

/// Returns the upload of `account` that `url` names. If the setting allows, downloads a URL that cannot
/// name an upload. The download belongs to the account until [`discard_if_refused`] deletes it.
///
/// # Errors
/// Returns [`ErrorCode::FileMetadata`] if there is no upload and nothing can be downloaded, or the error
/// of `check_name`.
pub async fn find_or_fetch(
    state: &Services,
    account: &Account,
    url: &str,
    check_name: impl FnOnce(&str) -> Result<(), ApiError>,
) -> Result<UploadedFile, ApiError> {
    let error = |message: &str| ApiError::new(ErrorCode::FileMetadata, format!("url: {message}"));
    let url = url.trim();
    let key = object_key_in_url(url);
    if let Some(key) = &key
        && let Some(upload) = state.orders.find_upload(account, key).await?
    {
        check_name(&upload.upload.name)?;
        return Ok(upload);
    }
    let is_external = has_http_scheme(url) && !key.as_deref().is_some_and(is_issued_key);
    if state.config.orders.fetch && is_external {
        let name = file_name_in_url(url);
        check_name(&name)?;
        let downloaded = state.orders.download(account, url, &name).await;
        return downloaded.map_err(|failure| match failure {
            DownloadError::Unavailable(message) => error(&message),
            DownloadError::Internal(failure) => failure.into(),
        });
    }
    Err(match key {
        Some(key) => error(&format!("no upload of this API key at {key}")),
        None if state.config.orders.fetch => error("not an http or https URL"),
        None => error("contains no uploads/, and fetching other URLs is off"),
    })
}

/// Returns the order that processes `file`, at a price of `credits`.
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

/// Returns `response`, and deletes the download that the request caused if `response` is an error.
///
/// # Errors
/// Returns the error of `response`, or of the deletion.
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

/// Returns the file name with `_` in place of characters other than `A-Z a-z 0-9 . _ -`.
pub fn sanitize_file_name(name: &str) -> String {
    let is_safe = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    name.chars()
        .map(|c| if is_safe(c) { c } else { '_' })
        .collect()
}

/// Returns `true` if the server may have issued `key`: it has the UUID of an upload.
fn is_issued_key(key: &str) -> bool {
    let owner = key_owner(key);
    matches!(owner, Some(KeyOwner::Upload(id)) if canonical_uuid(id).as_deref() == Some(id))
}

fn has_http_scheme(url: &str) -> bool {
    let scheme = url.split("://").next().unwrap_or_default();
    scheme.eq_ignore_ascii_case("http") || scheme.eq_ignore_ascii_case("https")
}

/// Returns a URL without query and fragment, percent-decoded.
fn url_path(url: &str) -> Cow<'_, str> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    percent_decode_str(path).decode_utf8_lossy()
}

/// Returns the object key in a URL, whatever its scheme, host and bucket: the last one in the path, else in
/// the query. `None` if there is none.
fn object_key_in_url(url: &str) -> Option<String> {
    let last_key = |text: &str| {
        let begin = text.rfind(KEY_PREFIX)?;
        Some(text[begin..].to_owned())
    };
    last_key(&url_path(url)).or_else(|| {
        let decoded_url = percent_decode_str(url).decode_utf8_lossy();
        let key = last_key(&decoded_url)?;
        key.split(['?', '#', '&']).next().map(str::to_owned)
    })
}

/// Returns the file name at the end of the path of a URL.
fn file_name_in_url(url: &str) -> String {
    let name = sanitize_file_name(url_path(url).rsplit('/').next().unwrap_or_default());
    name[name.len().saturating_sub(NAME_CHARS_MAX)..].to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_key_in_url_finds_the_key_in_every_form() {
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
    fn check_url_without_url_and_key_is_input_url_empty() {
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
            let error = check_url(url).expect_err(url);
            let code = ErrorCode::InputUrlEmpty;
            assert_eq!(error, ApiError::new(code, error.reason()), "{url:?}");
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
    fn sanitize_file_name_keeps_suffix_and_extension() {
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
    fn file_name_in_url_is_the_end_of_the_path() {
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
    fn is_issued_key_requires_a_uuid() {
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
    fn has_http_scheme_accepts_http_and_https_only() {
        assert!(has_http_scheme("http://h/a.jpg") && has_http_scheme("HTTPS://h/a.jpg"));
        for url in [
            "",
            "uploads/a.jpg",
            "ftp://h/a.jpg",
            "http:/h/a.jpg",
            "//h/a.jpg",
        ] {
            assert!(!has_http_scheme(url), "{url}");
        }
    }
}
