//! The origin a client called us by: scheme, host and port. The URLs it is given start so.

use std::convert::Infallible;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::request::Parts;

use super::host::Host;
use super::{ConnectionHandle, Services};
use crate::platform::presign::host_of;
use crate::storage::db::StoreError;

/// How a client called: what it said, and whether by TLS.
#[derive(Debug, Clone, Default)]
pub struct RequestContext {
    pub headers: HeaderMap,
    is_tls: bool,
}

impl<S: Sync> FromRequestParts<S> for RequestContext {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        let connection = parts.extensions.get::<ConnectInfo<ConnectionHandle>>();
        Ok(Self {
            headers: parts.headers.clone(),
            is_tls: connection.is_some_and(|ConnectInfo(connection)| connection.is_tls()),
        })
    }
}

impl RequestContext {
    /// Returns `scheme://host[:port]` that the client called, or what a proxy forwarded if
    /// `trust_forwarded`.
    ///
    /// # Errors
    /// Returns [`OriginError::Host`] if the request names no host, or a malformed one.
    pub fn origin(&self, trust_forwarded: bool) -> Result<String, OriginError> {
        origin_of(&self.headers, self.is_tls, trust_forwarded)
    }
}

/// `scheme://host[:port]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin(pub String);

/// Why an origin cannot be told.
#[derive(Debug, Clone)]
pub enum OriginError {
    /// One line on what is wrong with the host.
    Host(String),
    Store(StoreError),
}

impl Origin {
    /// The origin of the request, which links may be made for from now on: `https` where it came by
    /// TLS. The setting `public-url` overrides it; what a proxy forwarded counts where the setting
    /// says so.
    ///
    /// # Errors
    /// If the request's host is none, or cannot be kept.
    pub async fn resolve(
        state: &Services,
        request_context: &RequestContext,
    ) -> Result<Self, OriginError> {
        let origin = match &state.config.public_url {
            Some(url) => url.clone(),
            None => origin_of(
                &request_context.headers,
                request_context.is_tls,
                state.config.trust_forwarded,
            )?,
        };
        state
            .links
            .register_host(&host_of(&origin))
            .await
            .map_err(OriginError::Store)?;
        Ok(Self(origin))
    }
}

/// The host that the client called, with its port, as it says or, where that is believed, as the
/// proxy before us says.
#[must_use]
pub fn origin_host(headers: &HeaderMap, trust_forwarded: bool) -> Option<String> {
    let forwarded = trust_forwarded.then(|| forwarded(headers, "x-forwarded-host"));
    forwarded
        .flatten()
        .or_else(|| header_text(headers, HOST.as_str()))
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// What the proxy nearest to the client said.
fn forwarded(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = header_text(headers, name)?;
    Some(value.split(',').next().unwrap_or(&value).trim().to_owned())
}

/// Returns `scheme://host[:port]` of a request: `https` if it came by TLS, or what a proxy forwarded
/// if `trust_forwarded`.
///
/// # Errors
/// Returns [`OriginError::Host`] if the request names no host, or a malformed one.
pub(super) fn origin_of(
    headers: &HeaderMap,
    is_tls: bool,
    trust_forwarded: bool,
) -> Result<String, OriginError> {
    let proto = trust_forwarded.then(|| forwarded(headers, "x-forwarded-proto"));
    let scheme = match proto.flatten().as_deref() {
        Some("https") => "https",
        None if is_tls => "https",
        _ => "http",
    };
    let host = origin_host(headers, trust_forwarded)
        .ok_or_else(|| OriginError::Host("Host: missing, so no URL can be made".to_owned()))?;
    if Host::parse(&host).is_none() {
        return Err(OriginError::Host(format!("Host: {host:?} is not a host")));
    }
    Ok(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn called(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| {
                (
                    axum::http::HeaderName::from_static(name),
                    value.parse().expect("a value"),
                )
            })
            .collect()
    }

    fn read(headers: &HeaderMap, trust_forwarded: bool) -> Option<String> {
        origin_of(headers, false, trust_forwarded).ok()
    }

    #[test]
    fn the_origin_is_the_host_the_client_called() {
        let all = called(&[
            ("host", "mock:8080"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.b, c"),
        ]);
        assert_eq!(read(&all, false).as_deref(), Some("http://mock:8080"));
        assert_eq!(read(&all, true).as_deref(), Some("https://a.b"));
        let address = called(&[("host", "[::1]:80")]);
        assert_eq!(read(&address, false).as_deref(), Some("http://[::1]:80"));
        for bad in ["", "a b", "a/b", "a@b"] {
            assert_eq!(read(&called(&[("host", bad)]), false), None, "{bad}");
        }
        assert_eq!(read(&HeaderMap::new(), false), None);
    }

    #[test]
    fn by_tls_it_is_https_unless_a_proxy_says_otherwise() {
        let plain = called(&[("host", "api.bizmori.com")]);
        let origin = |name: &HeaderMap, trusted| origin_of(name, true, trusted).ok();
        for trusted in [false, true] {
            assert_eq!(
                origin(&plain, trusted).as_deref(),
                Some("https://api.bizmori.com")
            );
        }
        let forwarded = called(&[("host", "mock:8443"), ("x-forwarded-proto", "http")]);
        assert_eq!(
            origin(&forwarded, false).as_deref(),
            Some("https://mock:8443")
        );
        assert_eq!(
            origin(&forwarded, true).as_deref(),
            Some("http://mock:8443")
        );
    }
}
