//! Conditional requests (RFC 9110 §13), as far as S3 supports them.

use axum::http::{HeaderMap, header};

use super::error::S3Error;
use super::fields::header as lines_of;
use crate::platform::clock;
use crate::storage::blobs::BlobMeta;

/// Comparison of entity tags (RFC 9110 §8.8.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// Outcome of the conditions of a GET or HEAD.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReadOutcome {
    Send,
    /// 304: the client has the object.
    NotModified,
}

/// Evaluates the conditions of a GET or HEAD, in the order of RFC 9110 §13.2.2.
///
/// # Errors
/// Returns [`S3Error::PreconditionFailed`] if `If-Match` or `If-Unmodified-Since` does not hold.
pub(super) fn check_read(headers: &HeaderMap, meta: &BlobMeta) -> Result<ReadOutcome, S3Error> {
    let date = |name: &str| {
        let text = lines_of(headers, name)?;
        clock::parse_http_date(text.trim())
    };
    // HTTP dates have whole seconds.
    let modified_s = meta.modified_at.ms().div_euclid(1000);
    if let Some(tags) = lines_of(headers, header::IF_MATCH.as_str()) {
        check_if_match(&tags, meta)?;
    } else if let Some(date) = date(header::IF_UNMODIFIED_SINCE.as_str())
        && modified_s > date.ms().div_euclid(1000)
    {
        return Err(S3Error::PreconditionFailed {
            condition: "If-Unmodified-Since",
            reason: format!(
                "If-Unmodified-Since: the object was modified at {}",
                clock::http_date(meta.modified_at)
            ),
            claim: None,
        });
    }
    let is_unmodified = match lines_of(headers, header::IF_NONE_MATCH.as_str()) {
        Some(tags) => matches_any_etag(&tags, meta, Comparison::Weak),
        None => date(header::IF_MODIFIED_SINCE.as_str())
            .is_some_and(|date| modified_s <= date.ms().div_euclid(1000)),
    };
    Ok(if is_unmodified {
        ReadOutcome::NotModified
    } else {
        ReadOutcome::Send
    })
}

/// Conditions of a PUT on the object that it would replace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct WriteConditions {
    /// Value of `If-Match`.
    if_match: Option<String>,
    /// `true` if the request has `If-None-Match: *`.
    is_new_required: bool,
}

impl WriteConditions {
    /// Reads the conditions of a PUT.
    ///
    /// # Errors
    /// Returns [`S3Error::NotImplemented`] for a condition that S3 does not have.
    pub fn new(headers: &HeaderMap) -> Result<Self, S3Error> {
        let if_none_match = lines_of(headers, header::IF_NONE_MATCH.as_str());
        if let Some(tags) = &if_none_match
            && tags.trim() != "*"
        {
            return Err(S3Error::NotImplemented {
                name: "If-None-Match",
                reason: format!("If-None-Match: {tags} is not supported on PUT; use *"),
            });
        }
        if headers.contains_key(header::IF_UNMODIFIED_SINCE) {
            return Err(S3Error::NotImplemented {
                name: "If-Unmodified-Since",
                reason: "If-Unmodified-Since: not supported on PUT; use If-Match or If-None-Match"
                    .to_owned(),
            });
        }
        Ok(Self {
            if_match: lines_of(headers, header::IF_MATCH.as_str()),
            is_new_required: if_none_match.is_some(),
        })
    }

    /// Returns `true` if there are no conditions.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Checks the conditions against the stored object. `current` is `None` if there is none.
    ///
    /// # Errors
    /// Returns the error of `no_such_key` if `If-Match` finds no object, [`S3Error::PreconditionFailed`] if
    /// a condition does not hold.
    pub fn check(
        &self,
        current: Option<&BlobMeta>,
        no_such_key: impl FnOnce() -> S3Error,
    ) -> Result<(), S3Error> {
        if let Some(tags) = &self.if_match {
            let Some(current) = current else {
                return Err(no_such_key());
            };
            check_if_match(tags, current)?;
        }
        match current {
            Some(current) if self.is_new_required => Err(S3Error::PreconditionFailed {
                condition: "If-None-Match",
                reason: format!(
                    "If-None-Match: the object exists, with ETag \"{}\"",
                    current.etag
                ),
                claim: None,
            }),
            _ => Ok(()),
        }
    }
}

fn check_if_match(tags: &str, meta: &BlobMeta) -> Result<(), S3Error> {
    if matches_any_etag(tags, meta, Comparison::Strong) {
        return Ok(());
    }
    Err(S3Error::PreconditionFailed {
        condition: "If-Match",
        reason: format!(
            "If-Match: {tags}, but the object has ETag \"{}\"",
            meta.etag
        ),
        claim: None,
    })
}

/// Returns `true` if a list of entity tags is `*` or has the tag of the object. As in S3, quotes are
/// optional.
fn matches_any_etag(tags: &str, meta: &BlobMeta, comparison: Comparison) -> bool {
    // Splitting at commas is safe: tags of objects have none.
    tags.trim() == "*"
        || tags.split(',').any(|tag| {
            let tag = tag.trim();
            let (is_weak, opaque) = match tag.strip_prefix("W/") {
                Some(opaque) => (true, opaque),
                None => (false, tag),
            };
            let is_comparable = !is_weak || comparison == Comparison::Weak;
            is_comparable && opaque.trim_matches('"') == meta.etag
        })
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;
    use crate::model::time::Timestamp;

    /// Modified 7 ms after [`THEN`].
    fn meta() -> BlobMeta {
        BlobMeta {
            content_type: None,
            headers: [].into(),
            etag: "e1".to_owned(),
            bytes: 10,
            modified_at: Timestamp::from_ms(1_773_309_600_007),
        }
    }

    const BEFORE: &str = "Thu, 12 Mar 2026 09:59:59 GMT";
    const THEN: &str = "Thu, 12 Mar 2026 10:00:00 GMT";

    fn headers(lines: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(
                HeaderName::from_static(name),
                HeaderValue::from_static(value),
            );
        }
        headers
    }

    #[test]
    fn check_read_follows_the_order_of_rfc_9110() {
        for (lines, expected) in [
            (&[][..], 200),
            (&[("if-match", "\"e1\"")], 200),
            (&[("if-match", "e1")], 200),
            (&[("if-match", "*")], 200),
            (&[("if-match", "\"e0\", \"e1\"")], 200),
            (&[("if-match", "\"e0\""), ("if-match", "\"e1\"")], 200),
            (&[("if-match", "\"e0\"")], 412),
            (&[("if-match", "W/\"e1\"")], 412),
            (&[("if-match", "")], 412),
            (&[("if-unmodified-since", THEN)], 200),
            (&[("if-unmodified-since", BEFORE)], 412),
            (&[("if-unmodified-since", "yesterday")], 200),
            (
                &[("if-match", "\"e1\""), ("if-unmodified-since", BEFORE)],
                200,
            ),
            (
                &[("if-match", "\"e0\""), ("if-unmodified-since", THEN)],
                412,
            ),
            (&[("if-match", "\"e0\""), ("if-none-match", "\"e1\"")], 412),
            (&[("if-match", "\"e1\""), ("if-none-match", "\"e1\"")], 304),
            (
                &[("if-unmodified-since", BEFORE), ("if-none-match", "*")],
                412,
            ),
            (&[("if-none-match", "\"e1\"")], 304),
            (&[("if-none-match", "\"e0\", W/\"e1\"")], 304),
            (
                &[("if-none-match", "\"e0\""), ("if-none-match", "\"e1\"")],
                304,
            ),
            (&[("if-none-match", "*")], 304),
            (&[("if-none-match", "\"e2\"")], 200),
            (
                &[("if-none-match", "\"e2\""), ("if-modified-since", THEN)],
                200,
            ),
            (&[("if-modified-since", THEN)], 304),
            (&[("if-modified-since", BEFORE)], 200),
            (&[("if-modified-since", "yesterday")], 200),
        ] {
            let status = match check_read(&headers(lines), &meta()) {
                Ok(ReadOutcome::Send) => 200,
                Ok(ReadOutcome::NotModified) => 304,
                Err(_) => 412,
            };
            assert_eq!(status, expected, "{lines:?}");
        }
    }

    #[test]
    fn check_of_a_write_depends_on_the_stored_object() {
        for (lines, on_nothing, on_object) in [
            (&[][..], 200, 200),
            (&[("if-match", "\"e1\"")], 404, 200),
            (&[("if-match", "e1")], 404, 200),
            (&[("if-match", "*")], 404, 200),
            (&[("if-match", "W/\"e1\"")], 404, 412),
            (&[("if-match", "\"e0\"")], 404, 412),
            (&[("if-none-match", "*")], 200, 412),
            (&[("if-none-match", "*"), ("if-match", "\"e1\"")], 404, 412),
            (&[("if-modified-since", THEN)], 200, 200),
        ] {
            let conditions = WriteConditions::new(&headers(lines)).expect("known conditions");
            let no_such_key = || S3Error::NoSuchKey {
                bucket: "b".to_owned(),
            };
            let status = |current| match conditions.check(current, no_such_key) {
                Ok(()) => 200,
                Err(S3Error::NoSuchKey { .. }) => 404,
                Err(_) => 412,
            };
            let statuses = (status(None), status(Some(&meta())));
            assert_eq!(statuses, (on_nothing, on_object), "{lines:?}");
        }
        for lines in [
            [("if-none-match", "\"e1\"")],
            [("if-none-match", "")],
            [("if-none-match", "*, \"e1\"")],
            [("if-unmodified-since", THEN)],
        ] {
            let conditions = WriteConditions::new(&headers(&lines));
            assert!(
                matches!(conditions, Err(S3Error::NotImplemented { .. })),
                "{lines:?}"
            );
        }
    }
}
