//! Defence against web pages: the same-origin check of unsafe methods, and the response headers
//! that disarm content of users and rules.

use axum::http::header::{CONTENT_SECURITY_POLICY, ORIGIN, X_CONTENT_TYPE_OPTIONS};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::Url;

/// Header with the relation of the requesting page to the server (W3C Fetch Metadata).
const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
/// Values for requests of the server's own pages, and for URLs typed into the address bar.
const OWN_SITES: [&str; 2] = ["same-origin", "none"];

const NOSNIFF: HeaderValue = HeaderValue::from_static("nosniff");
/// Policy by which a browser shows a document in an opaque origin, without scripts, forms and plugins.
const SANDBOX: HeaderValue = HeaderValue::from_static("sandbox");
const NO_FRAMES: HeaderValue = HeaderValue::from_static("frame-ancestors 'none'");

/// Areas of paths that need different protection in a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Area {
    /// `/_mock`.
    Control,
    /// `/docs`, the documentation pages.
    Docs,
    /// `/_s3`: bytes that users upload.
    Storage,
    /// All other requests.
    Vendor,
}

impl Area {
    pub(super) fn for_path(path: &str) -> Self {
        match path.split('/').nth(1) {
            Some("_mock") => Self::Control,
            Some("docs") => Self::Docs,
            Some("_s3") => Self::Storage,
            _ => Self::Vendor,
        }
    }

    /// `true` for the server's own pages, which other hosts and frames must not reach.
    pub(super) const fn is_own_page(self) -> bool {
        matches!(self, Self::Control | Self::Docs)
    }

    /// Adds the protective headers of this area. A second call changes nothing.
    pub(super) fn protect(self, headers: &mut HeaderMap) {
        match self {
            Self::Control | Self::Docs => {
                headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
                let mut policies = headers.get_all(CONTENT_SECURITY_POLICY).iter();
                if !policies.any(|policy| policy == NO_FRAMES) {
                    headers.append(CONTENT_SECURITY_POLICY, NO_FRAMES);
                }
            }
            Self::Storage => sandbox(headers),
            Self::Vendor => {}
        }
    }
}

/// Disarms a response whose bytes a user or a rule supplied, even if its own headers say otherwise.
/// A second call changes nothing.
///
/// Browsers enforce all policies of a response, so a policy of a rule can only restrict more.
/// The sandbox policy comes first, so that no malformed policy before it can swallow it.
pub fn sandbox(headers: &mut HeaderMap) {
    headers.insert(X_CONTENT_TYPE_OPTIONS, NOSNIFF);
    let policies = headers.get_all(CONTENT_SECURITY_POLICY).iter();
    let own: Vec<_> = policies
        .filter(|policy| *policy != SANDBOX)
        .cloned()
        .collect();
    headers.insert(CONTENT_SECURITY_POLICY, SANDBOX);
    for policy in own {
        headers.append(CONTENT_SECURITY_POLICY, policy);
    }
}

/// `true` if a page of another origin must not make this request.
///
/// Safe methods (RFC 9110 §9.2.1) change nothing, and without CORS their responses stay hidden from
/// other origins. The inbox accepts webhooks from any origin.
#[must_use]
pub fn requires_same_origin(method: &Method, path: &str) -> bool {
    Area::for_path(path) == Area::Control && !method.is_safe() && !is_inbox_delivery(method, path)
}

/// `true` if the request is a webhook for the inbox: `POST /_mock/inbox/{name}`.
#[must_use]
pub fn is_inbox_delivery(method: &Method, path: &str) -> bool {
    let name = path.strip_prefix("/_mock/inbox/");
    method == Method::POST && name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// Checks that a request comes from a page of `own_origin` or from no web page at all.
/// `own_origin` is `None` if the request names no host.
///
/// # Errors
/// Returns the header that names another origin, with its value.
pub(super) fn check_origin(headers: &HeaderMap, own_origin: Option<&str>) -> Result<(), String> {
    let shown = |name: &str, value: &HeaderValue| {
        format!("{name}: {}", String::from_utf8_lossy(value.as_bytes()))
    };
    let mut sites = headers.get_all(SEC_FETCH_SITE).iter().peekable();
    if sites.peek().is_some() {
        let mut others = sites.filter(|site| !OWN_SITES.iter().any(|own| own == site));
        return others
            .next()
            .map_or(Ok(()), |site| Err(shown("Sec-Fetch-Site", site)));
    }
    let own = own_origin
        .and_then(|own| Url::parse(own).ok())
        .map(|own| own.origin());
    let is_own = |value: &HeaderValue| {
        let origin = value.to_str().ok().and_then(|text| Url::parse(text).ok());
        origin.is_some_and(|origin| own.as_ref() == Some(&origin.origin()))
    };
    let mut others = headers
        .get_all(ORIGIN)
        .iter()
        .filter(|value| !is_own(value));
    others
        .next()
        .map_or(Ok(()), |origin| Err(shown("Origin", origin)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "http://localhost:8080";

    fn headers(lines: &[(&HeaderName, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(*name, value.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn check_origin_of_own_pages_and_of_non_browsers_passes() {
        for lines in [
            &[][..],
            &[(&SEC_FETCH_SITE, "same-origin")],
            &[(&SEC_FETCH_SITE, "none")],
            &[
                (&SEC_FETCH_SITE, "same-origin"),
                (&ORIGIN, "http://evil.test"),
            ],
            &[(&ORIGIN, "http://localhost:8080")],
            &[(&ORIGIN, "HTTP://LOCALHOST:8080")],
        ] {
            assert_eq!(
                check_origin(&headers(lines), Some(OWN)),
                Ok(()),
                "{lines:?}"
            );
        }
        let lines = headers(&[(&ORIGIN, "https://mock")]);
        assert_eq!(check_origin(&lines, Some("https://mock:443")), Ok(()));
    }

    #[test]
    fn check_origin_of_other_pages_fails() {
        for lines in [
            &[(&SEC_FETCH_SITE, "cross-site")][..],
            &[(&SEC_FETCH_SITE, "same-site")],
            &[(&SEC_FETCH_SITE, "Same-Origin")],
            &[(&SEC_FETCH_SITE, "")],
            &[(&SEC_FETCH_SITE, "none"), (&SEC_FETCH_SITE, "cross-site")],
            &[(&SEC_FETCH_SITE, "cross-site"), (&ORIGIN, OWN)],
            &[(&ORIGIN, "null")],
            &[(&ORIGIN, "")],
            &[(&ORIGIN, "http://evil.test")],
            &[(&ORIGIN, "http://localhost")],
            &[(&ORIGIN, "http://localhost:3000")],
            &[(&ORIGIN, "https://localhost:8080")],
            &[(&ORIGIN, "file://localhost:8080")],
            &[(&ORIGIN, "http://localhost:8080.evil.test")],
            &[(&ORIGIN, OWN), (&ORIGIN, "http://evil.test")],
        ] {
            assert!(
                check_origin(&headers(lines), Some(OWN)).is_err(),
                "{lines:?}"
            );
        }
        let lines = headers(&[(&ORIGIN, OWN)]);
        assert!(
            check_origin(&lines, None).is_err(),
            "the request names no host"
        );
    }

    #[test]
    fn only_unsafe_methods_of_the_control_plane_require_the_same_origin() {
        for (method, path) in [
            (Method::POST, "/_mock/reset"),
            (Method::POST, "/_mock"),
            (Method::DELETE, "/_mock/accounts/a"),
            (Method::PATCH, "/_mock/nothing"),
            (Method::PUT, "/_mock/inbox/a"),
            (Method::DELETE, "/_mock/inbox/a"),
            (Method::POST, "/_mock/inbox/"),
            (Method::POST, "/_mock/inbox/a/messages"),
        ] {
            assert!(requires_same_origin(&method, path), "{method} {path}");
        }
        for (method, path) in [
            (Method::GET, "/_mock/accounts"),
            (Method::HEAD, "/_mock/accounts"),
            (Method::OPTIONS, "/_mock/reset"),
            (Method::POST, "/_mock/inbox/a"),
            (Method::POST, "/detect"),
            (Method::PUT, "/_s3/bizmori/_mock/reset"),
            (Method::POST, "/_mocked/reset"),
        ] {
            assert!(!requires_same_origin(&method, path), "{method} {path}");
        }
    }

    #[test]
    fn sandbox_puts_its_policy_before_those_of_the_response() {
        let own = [
            (
                &CONTENT_SECURITY_POLICY,
                "sandbox allow-scripts allow-same-origin",
            ),
            (&CONTENT_SECURITY_POLICY, "\"sandbox"),
            (&X_CONTENT_TYPE_OPTIONS, "sniff"),
            (&X_CONTENT_TYPE_OPTIONS, "away"),
        ];
        let mut response = headers(&own);
        sandbox(&mut response);
        let mut twice = response.clone();
        Area::Storage.protect(&mut twice);
        assert_eq!(twice, response);
        let all =
            |name: &HeaderName| -> Vec<_> { response.get_all(name).iter().cloned().collect() };
        assert_eq!(all(&X_CONTENT_TYPE_OPTIONS), ["nosniff"]);
        assert_eq!(
            all(&CONTENT_SECURITY_POLICY),
            [
                "sandbox",
                "sandbox allow-scripts allow-same-origin",
                "\"sandbox"
            ]
        );
    }
}
