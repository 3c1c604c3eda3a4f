//! CORS of BIZ MORI's API (Fetch standard, §3.2): the pages that may call it and read its responses.
//!
//! The vendor allows every origin. The server allows pages of local hosts, and origins that a
//! setting names: it can be made to call private addresses by webhook, and pages of the internet
//! must not have that.
//!
//! tower-http's `CorsLayer` does not fit here: it answers preflights out of sight of journal and log,
//! takes every `OPTIONS` for a preflight, and adds its headers after the journal has recorded the
//! response.

use axum::extract::Request;
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD,
    ORIGIN, VARY,
};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::{IntoResponse, Response};

use super::explain_headers::{X_MOCK_REASON, header_line};
use super::host::{AllowedHosts, Host};
use crate::platform::outbound::is_local_address;
use crate::settings::Config;

/// Private Network Access, §3: a page of a public network asks whether it may call a private one.
const REQUEST_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-request-private-network");
const ALLOW_PRIVATE_NETWORK: HeaderName =
    HeaderName::from_static("access-control-allow-private-network");

const METHODS: HeaderValue = HeaderValue::from_static("GET, POST, PUT, DELETE");
const EXPOSED: HeaderValue =
    HeaderValue::from_static("x-mock-request, x-mock-reason, x-mock-outcome");
const VARY_ORIGIN: HeaderValue = HeaderValue::from_static("Origin");
const VARY_PREFLIGHT: HeaderValue =
    HeaderValue::from_static("Origin, Access-Control-Request-Headers");

/// Characters shown of a refused origin.
const ORIGIN_CHARS_MAX: usize = 200;

/// Origins whose pages may call the API.
#[derive(Debug)]
pub(super) struct AllowedOrigins {
    allows_all: bool,
    /// In lower case.
    origins: Vec<String>,
    hosts: AllowedHosts,
}

/// Verdict on the `Origin` of a request to the API. An extension of that request, so that its response
/// is written with the headers before it is recorded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CorsVerdict {
    /// The request names no origin: no page of another origin made it.
    NoOrigin,
    Allowed(HeaderValue),
    /// Line on the origin and the setting.
    Refused(String),
}

impl AllowedOrigins {
    /// Collects the origins of the setting `--allow-origin`. Pages of `hosts` are allowed besides.
    pub(super) fn new(config: &Config, hosts: AllowedHosts) -> Self {
        let settings = &config.control.allow_origins;
        Self {
            allows_all: settings.iter().any(|origin| origin == "*"),
            origins: settings.clone(),
            hosts,
        }
    }

    /// Judges the origin of a request. `None` if the request is not one to BIZ MORI's API.
    pub(super) fn judge(&self, request: &Request) -> Option<CorsVerdict> {
        if !is_covered(request.uri().path()) {
            return None;
        }
        let mut origins = request.headers().get_all(ORIGIN).iter();
        let Some(origin) = origins.next() else {
            return Some(CorsVerdict::NoOrigin);
        };
        let text = String::from_utf8_lossy(origin.as_bytes());
        if origins.next().is_none() && self.allows(&text) {
            return Some(CorsVerdict::Allowed(origin.clone()));
        }
        let mut shown: String = text.chars().take(ORIGIN_CHARS_MAX).collect();
        if shown.len() < text.len() {
            shown.push_str("...");
        }
        Some(CorsVerdict::Refused(refusal(&shown)))
    }

    /// `true` if pages of that origin may call the API. An address counts as local only if it is one
    /// of this machine or of a private network.
    fn allows(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        if self.allows_all || self.origins.contains(&origin) {
            return true;
        }
        let host = origin.strip_prefix("http://");
        let host = host.or_else(|| origin.strip_prefix("https://"));
        match host.and_then(Host::parse) {
            Some(Host::Address(address)) => is_local_address(address),
            Some(name @ Host::Name(_)) => self.hosts.allows(name),
            None => false,
        }
    }
}

/// `true` for paths under `/api/v2` and `/api/v3`, whether there is a route or not.
fn is_covered(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    segments.next() == Some("api") && matches!(segments.next(), Some("v2" | "v3"))
}

fn refusal(origin: &str) -> String {
    // The setting takes one origin, not what else a client may have sent.
    let is_one = !origin.is_empty() && !origin.contains([' ', ',']);
    let setting = if is_one { origin } else { "ORIGIN" };
    format!(
        "Origin: pages of {origin} are not allowed; start the server with --allow-origin {setting} \
         (STUNTDOUBLE_ALLOW_ORIGIN)"
    )
}

impl CorsVerdict {
    /// The line about an origin that is refused.
    pub(super) fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refused(line) => Some(line),
            Self::NoOrigin | Self::Allowed(_) => None,
        }
    }

    /// Adds the headers of the verdict to a response. Calling it twice changes nothing.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let vary = headers.get_all(VARY).iter();
        let mut names = vary
            .filter_map(|value| value.to_str().ok())
            .flat_map(|it| it.split(','));
        let has_origin = names
            .any(|name| matches!(name.trim(), "*") || name.trim().eq_ignore_ascii_case("origin"));
        if !has_origin {
            headers.append(VARY, VARY_ORIGIN);
        }
        match self {
            Self::NoOrigin => {}
            Self::Allowed(origin) => {
                headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
                headers.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
            }
            Self::Refused(line) => {
                let reason = match headers.get(X_MOCK_REASON).map(HeaderValue::to_str) {
                    Some(Ok(own)) if own.contains("--allow-origin") => return,
                    Some(Ok(own)) => header_line(&format!("{own}; {line}")),
                    _ => header_line(line),
                };
                headers.insert(X_MOCK_REASON, reason);
            }
        }
    }
}

/// `true` if the request is a preflight (Fetch standard, §3.2.2).
pub(super) fn is_preflight(request: &Request) -> bool {
    let headers = request.headers();
    request.method() == Method::OPTIONS
        && headers.contains_key(ORIGIN)
        && headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}

/// Returns the response to a preflight of an allowed origin. [`CorsVerdict::write`] adds the origin.
pub(super) fn preflight_response(parts: &Parts) -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    let headers = response.headers_mut();
    headers.insert(VARY, VARY_PREFLIGHT);
    headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
    for requested in parts.headers.get_all(ACCESS_CONTROL_REQUEST_HEADERS) {
        headers.append(ACCESS_CONTROL_ALLOW_HEADERS, requested.clone());
    }
    if parts
        .headers
        .get(REQUEST_PRIVATE_NETWORK)
        .is_some_and(|value| value == "true")
    {
        headers.insert(ALLOW_PRIVATE_NETWORK, HeaderValue::from_static("true"));
    }
    response
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    fn judged(origins: &[&str], set: impl FnOnce(&mut Config)) -> CorsVerdict {
        let mut config = Config::defaults();
        set(&mut config);
        let hosts = AllowedHosts::new(&config, ["api.vendor.com"]);
        let mut request = Request::builder().uri("/api/v2/orders");
        for origin in origins {
            request = request.header(ORIGIN, *origin);
        }
        let request = request.body(Body::empty()).expect("a request");
        let verdict = AllowedOrigins::new(&config, hosts).judge(&request);
        verdict.expect("a path of the API")
    }

    #[test]
    fn judge_allows_pages_of_local_hosts() {
        for origin in [
            "http://localhost",
            "http://localhost:3000",
            "https://app.localhost:5173",
            "http://127.0.0.1:8080",
            "http://[::1]:3000",
            "http://192.168.1.7",
            "http://0.0.0.0:3000",
            "http://frontend:3000",
            "http://host.docker.internal",
            "https://shop.test",
            "HTTP://LOCALHOST:3000",
            "https://api.vendor.com",
        ] {
            let allowed = CorsVerdict::Allowed(origin.parse().expect("a value"));
            assert_eq!(judged(&[origin], |_| {}), allowed, "{origin}");
        }
        assert_eq!(judged(&[], |_| {}), CorsVerdict::NoOrigin);
    }

    #[test]
    fn judge_refuses_pages_of_the_internet_and_what_is_no_origin() {
        for origins in [
            &["https://evil.com"][..],
            &["http://localhost.evil.com"],
            &["http://8.8.8.8"],
            &["http://[2001:db8::1]"],
            &["null"],
            &[""],
            &["file://"],
            &["localhost"],
            &["chrome-extension://abcdef"],
            &["http://localhost/"],
            &["http://u@localhost"],
            &["http://localhost, https://evil.com"],
            &["http://localhost", "https://evil.com"],
        ] {
            let verdict = judged(origins, |_| {});
            let line = verdict.refusal().unwrap_or_default();
            assert!(line.contains("--allow-origin"), "{origins:?}: {verdict:?}");
        }
    }

    #[test]
    fn judge_allows_the_origins_of_the_settings() {
        let set = |config: &mut Config| {
            config.control.allow_origins = ["https://app.example.com", "null", "app://x"]
                .map(str::to_owned)
                .into();
        };
        for origin in [
            "https://app.example.com",
            "https://APP.example.com",
            "null",
            "app://x",
        ] {
            let verdict = judged(&[origin], set);
            assert!(matches!(verdict, CorsVerdict::Allowed(_)), "{origin}");
        }
        for origin in [
            "http://app.example.com",
            "https://app.example.com:444",
            "https://x.app.example.com",
            "app://y",
        ] {
            assert!(judged(&[origin], set).refusal().is_some(), "{origin}");
        }
        let all = |config: &mut Config| config.control.allow_origins = vec!["*".to_owned()];
        let verdict = judged(&["https://evil.com"], all);
        assert!(matches!(verdict, CorsVerdict::Allowed(_)));
        let hosts = |config: &mut Config| config.control.allow_hosts = vec!["d.example".to_owned()];
        let verdict = judged(&["https://d.example:8443"], hosts);
        assert!(matches!(verdict, CorsVerdict::Allowed(_)));
    }

    #[test]
    fn covered_paths_are_those_of_the_api() {
        for path in ["/api/v2", "/api/v2/", "/api/v3/orders/1", "/api/v2/nothing"] {
            assert!(is_covered(path), "{path}");
        }
        for path in [
            "/",
            "/api",
            "/api/v22",
            "/api/v1/x",
            "/x/api/v2",
            "/_mock/api/v2",
            "/api//v2",
        ] {
            assert!(!is_covered(path), "{path}");
        }
    }

    #[test]
    fn write_twice_changes_nothing_and_keeps_what_a_response_has() {
        let refused = CorsVerdict::Refused(refusal("https://evil.com"));
        let allowed = CorsVerdict::Allowed(HeaderValue::from_static("http://localhost"));
        for verdict in [refused, allowed, CorsVerdict::NoOrigin] {
            let mut headers = HeaderMap::new();
            headers.insert(VARY, HeaderValue::from_static("accept"));
            headers.insert(X_MOCK_REASON, HeaderValue::from_static("why"));
            verdict.write(&mut headers);
            let once = headers.clone();
            verdict.write(&mut headers);
            assert_eq!(headers, once);
            let vary: Vec<_> = headers.get_all(VARY).iter().collect();
            assert_eq!(vary, ["accept", "Origin"]);
            let reason = headers[X_MOCK_REASON].to_str().expect("ASCII");
            assert!(reason.starts_with("why"), "{reason}");
        }
    }
}
