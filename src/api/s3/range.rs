//! Range requests (RFC 9110 §14), as far as S3 supports them.

use axum::http::{HeaderMap, HeaderName, header};

use crate::platform::clock;
use crate::storage::blobs::BlobMeta;

/// Requested part of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RequestedRange {
    /// The whole object: no range, several ranges, or a malformed one.
    Full,
    /// Both bytes included.
    Bytes { first: u64, last: u64 },
    /// The range is outside the object.
    Unsatisfiable,
}

/// Returns the requested part of the object.
pub(super) fn requested_range(headers: &HeaderMap, meta: &BlobMeta) -> RequestedRange {
    match header_str(headers, &header::RANGE) {
        Some(range) if if_range_matches(headers, meta) => parse_range(range, meta.bytes),
        _ => RequestedRange::Full,
    }
}

/// Returns `true` if `If-Range` is missing or names this version of the object.
fn if_range_matches(headers: &HeaderMap, meta: &BlobMeta) -> bool {
    header_str(headers, &header::IF_RANGE).is_none_or(|validator| {
        validator == format!("\"{}\"", meta.etag) || validator == clock::http_date(meta.modified_at)
    })
}

fn parse_range(range: &str, bytes: u64) -> RequestedRange {
    let Some((unit, bounds)) = range.split_once('=') else {
        return RequestedRange::Full;
    };
    let Some((first, last)) = bounds.trim().split_once('-') else {
        return RequestedRange::Full;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") || bounds.contains(',') {
        return RequestedRange::Full;
    }
    // `None` for an empty number and for one beyond 64 bits.
    let parse = |digits: &str| digits.parse::<u64>().ok();
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_number(first) || !is_number(last) {
        return RequestedRange::Full;
    }
    match (parse(first), parse(last)) {
        (None, None) => RequestedRange::Full,
        (Some(first), Some(last)) if first > last => RequestedRange::Full,
        (Some(first), _) if first >= bytes => RequestedRange::Unsatisfiable,
        (Some(first), last) => RequestedRange::Bytes {
            first,
            last: last.unwrap_or(u64::MAX).min(bytes - 1),
        },
        (None, Some(length)) if length == 0 || bytes == 0 => RequestedRange::Unsatisfiable,
        (None, Some(length)) => RequestedRange::Bytes {
            first: bytes.saturating_sub(length),
            last: bytes - 1,
        },
    }
}

fn header_str<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::time::Timestamp;
    use axum::http::HeaderValue;

    fn meta() -> BlobMeta {
        BlobMeta {
            content_type: None,
            headers: [].into(),
            etag: "e1".to_owned(),
            bytes: 10,
            modified_at: Timestamp::from_ms(1_773_309_600_007),
        }
    }

    fn headers(name: HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn requested_range_follows_rfc_9110() {
        let bytes = |first, last| RequestedRange::Bytes { first, last };
        for (range, expected) in [
            ("bytes=0-3", bytes(0, 3)),
            ("bytes=4-", bytes(4, 9)),
            ("Bytes = 4-99", bytes(4, 9)),
            ("bytes=-3", bytes(7, 9)),
            ("bytes=-99", bytes(0, 9)),
            ("bytes=10-", RequestedRange::Unsatisfiable),
            ("bytes=-0", RequestedRange::Unsatisfiable),
            ("bytes=3-2", RequestedRange::Full),
            ("bytes=0-1,4-5", RequestedRange::Full),
            ("bytes=-", RequestedRange::Full),
            ("bytes=+1-2", RequestedRange::Full),
            ("bytes=x-y", RequestedRange::Full),
            ("lines=1-2", RequestedRange::Full),
            ("bytes", RequestedRange::Full),
        ] {
            assert_eq!(
                requested_range(&headers(header::RANGE, range), &meta()),
                expected,
                "{range}"
            );
        }
        assert_eq!(parse_range("bytes=0-", 0), RequestedRange::Unsatisfiable);
        assert_eq!(parse_range("bytes=-1", 0), RequestedRange::Unsatisfiable);
    }

    #[test]
    fn requested_range_with_if_range_of_another_version_is_full() {
        let mut request = headers(header::RANGE, "bytes=0-3");
        for (validator, expected) in [
            ("\"e1\"", RequestedRange::Bytes { first: 0, last: 3 }),
            ("\"e2\"", RequestedRange::Full),
            (
                "Thu, 12 Mar 2026 10:00:00 GMT",
                RequestedRange::Bytes { first: 0, last: 3 },
            ),
            ("Thu, 12 Mar 2026 10:00:01 GMT", RequestedRange::Full),
        ] {
            request.insert(header::IF_RANGE, HeaderValue::from_static(validator));
            assert_eq!(requested_range(&request, &meta()), expected, "{validator}");
        }
    }
}
