//! CORS of BIZ MORI's API (Fetch standard, §3.2): decides which pages may call the API and read its
//! responses.
//!
//! The vendor allows every origin. The server allows only pages of local hosts, and the origins of a
//! setting: webhooks can call private addresses, and pages of the internet must not gain that ability.
//!
//! tower-http's `CorsLayer` does not fit: it answers preflights without journal and log, treats every
//! `OPTIONS` as a preflight, and adds its headers after the journal has recorded the response.

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

/// Request header of a page in a public network that wants to call a private one (Private Network
/// Access, §3).
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

/// Longest refused origin in a message, in characters.
const ORIGIN_CHARS_MAX: usize = 200;

/// Origins whose pages may call the API.
#[derive(Debug)]
pub(super) struct AllowedOrigins {
    allows_all: bool,
    /// Origins of the setting, in lower case.
    origins: Vec<String>,
    hosts: AllowedHosts,
}

/// Verdict on the `Origin` of a request to the API. Also an extension of the request, so that the
/// middleware adds the headers before it records the response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CorsVerdict {
    /// The request names no origin, so no page of another origin made it.
    NoOrigin,
    Allowed(HeaderValue),
    /// The origin is not allowed. Holds a message that names the setting.
    Refused(String),
}

impl AllowedOrigins {
    /// Collects the origins of the setting `--allow-origin`. Pages of `hosts` are allowed as well.
    pub(super) fn new(config: &Config, hosts: AllowedHosts) -> Self {
        let settings = &config.control.allow_origins;
        Self {
            allows_all: settings.iter().any(|origin| origin == "*"),
            origins: settings.clone(),
            hosts,
        }
    }

    /// Judges the origin of a request. `None` if the request is not for BIZ MORI's API.
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
        Some(CorsVerdict::Refused(refusal_message(&shown)))
    }

    /// `true` if pages of `origin` may call the API. An IP address is allowed if it belongs to this
    /// machine or to a private network.
    fn allows(&self, origin: &str) -> bool {
        let origin = origin.to_ascii_lowercase();
        if self.allows_all || self.origins.contains(&origin) {
            return true;
        }
        let authority = origin
            .strip_prefix("http://")
            .or_else(|| origin.strip_prefix("https://"));
        match authority.and_then(Host::parse) {
            Some(Host::Address(address)) => is_local_address(address),
            Some(name @ Host::Name(_)) => self.hosts.allows(name),
            None => false,
        }
    }
}

/// `true` for all paths under `/api/v2` and `/api/v3`, even those without a route.
fn is_covered(path: &str) -> bool {
    let mut segments = path.split('/').skip(1);
    segments.next() == Some("api") && matches!(segments.next(), Some("v2" | "v3"))
}

fn refusal_message(origin: &str) -> String {
    // The setting takes a single origin; a header value may be empty or a list.
    let is_single = !origin.is_empty() && !origin.contains([' ', ',']);
    let setting = if is_single { origin } else { "ORIGIN" };
    format!(
        "Origin: pages of {origin} are not allowed; start the server with --allow-origin {setting} \
         (STUNTDOUBLE_ALLOW_ORIGIN)"
    )
}

impl CorsVerdict {
    /// Returns the message about a refused origin. `None` if the origin is not refused.
    pub(super) fn refusal(&self) -> Option<&str> {
        match self {
            Self::Refused(message) => Some(message),
            Self::NoOrigin | Self::Allowed(_) => None,
        }
    }

    /// Adds the headers of the verdict to a response. A second call changes nothing.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        let mut names = headers
            .get_all(VARY)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','));
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
            Self::Refused(message) => {
                let reason = match headers.get(X_MOCK_REASON).map(HeaderValue::to_str) {
                    Some(Ok(own)) if own.contains("--allow-origin") => return,
                    Some(Ok(own)) => header_line(&format!("{own}; {message}")),
                    _ => header_line(message),
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

    fn verdict_on(origins: &[&str], set: impl FnOnce(&mut Config)) -> CorsVerdict {
        let mut config = Config::defaults();
        set(&mut config);
        let hosts = AllowedHosts::new(&config, ["api.vendor.com"]);
        let mut request = Request::builder().uri("/api/v2/orders");
        for origin in origins {
            request = request.header(ORIGIN, *origin);
        }
        let request = request.body(Body::empty()).expect("a request");
        AllowedOrigins::new(&config, hosts)
            .judge(&request)
            .expect("a path of the API")
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
            assert_eq!(verdict_on(&[origin], |_| {}), allowed, "{origin}");
        }
        assert_eq!(verdict_on(&[], |_| {}), CorsVerdict::NoOrigin);
    }

    #[test]
    fn judge_refuses_pages_of_the_internet_and_malformed_origins() {
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
            let verdict = verdict_on(origins, |_| {});
            let line = verdict.refusal().unwrap_or_default();
            assert!(line.contains("--allow-origin"), "{origins:?}: {verdict:?}");
        }
    }

    #[test]
    fn judge_allows_origins_of_settings() {
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
            let verdict = verdict_on(&[origin], set);
            assert!(matches!(verdict, CorsVerdict::Allowed(_)), "{origin}");
        }
        for origin in [
            "http://app.example.com",
            "https://app.example.com:444",
            "https://x.app.example.com",
            "app://y",
        ] {
            assert!(verdict_on(&[origin], set).refusal().is_some(), "{origin}");
        }
        let all = |config: &mut Config| config.control.allow_origins = vec!["*".to_owned()];
        let verdict = verdict_on(&["https://evil.com"], all);
        assert!(matches!(verdict, CorsVerdict::Allowed(_)));
        let hosts = |config: &mut Config| config.control.allow_hosts = vec!["d.example".to_owned()];
        let verdict = verdict_on(&["https://d.example:8443"], hosts);
        assert!(matches!(verdict, CorsVerdict::Allowed(_)));
    }

    #[test]
    fn is_covered_is_true_only_below_the_api_versions() {
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
    fn write_twice_equals_write_once_and_keeps_existing_headers() {
        let refused = CorsVerdict::Refused(refusal_message("https://evil.com"));
        let allowed = CorsVerdict::Allowed(HeaderValue::from_static("http://localhost"));
        for verdict in [refused, allowed, CorsVerdict::NoOrigin] {
            let mut headers = HeaderMap::new();
            headers.insert(VARY, HeaderValue::from_static("accept"));
            headers.insert(X_MOCK_REASON, HeaderValue::from_static("reason"));
            verdict.write(&mut headers);
            let once = headers.clone();
            verdict.write(&mut headers);
            assert_eq!(headers, once);
            let vary: Vec<_> = headers.get_all(VARY).iter().collect();
            assert_eq!(vary, ["accept", "Origin"]);
            let reason = headers[X_MOCK_REASON].to_str().expect("ASCII");
            assert!(reason.starts_with("reason"), "{reason}");
        }
    }
}
