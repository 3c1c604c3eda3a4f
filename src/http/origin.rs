//! Origin by which a client called the server: scheme, host and port. URLs in responses start with it.

use std::convert::Infallible;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::header::HOST;
use axum::http::request::Parts;

use super::host::Host;
use super::{ConnectionHandle, Services};
use crate::platform::presign::host_of;
use crate::storage::db::InternalError;

/// Facts of a request that handlers need besides its body: its headers, and whether it came over TLS.
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
    /// Returns `scheme://host[:port]` that the client called, or the origin that a proxy forwarded if
    /// `trust_forwarded` is set.
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

/// Reason why the origin of a request is unknown.
#[derive(Debug, Clone)]
pub enum OriginError {
    /// The host is missing or malformed. Holds the message.
    Host(String),
    Store(InternalError),
}

impl Origin {
    /// Returns the origin of the request, and registers its host, so that presigned URLs with this host
    /// are valid. The setting `--public-url` overrides the request; `--trust-forwarded` admits the
    /// headers of a proxy.
    ///
    /// # Errors
    /// Returns [`OriginError::Host`] if the host is missing or malformed, and [`OriginError::Store`] if
    /// the host cannot be stored.
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
            .presigned_urls
            .register_host(&host_of(&origin))
            .await
            .map_err(OriginError::Store)?;
        Ok(Self(origin))
    }
}

/// Returns the host that the client called, with its port: the value of `Host`, or the host that a
/// proxy forwarded if `trust_forwarded` is set. `None` if the request names no host.
#[must_use]
pub fn origin_host(headers: &HeaderMap, trust_forwarded: bool) -> Option<String> {
    trust_forwarded
        .then(|| forwarded_value(headers, "x-forwarded-host"))
        .flatten()
        .or_else(|| header_text(headers, HOST.as_str()))
}

fn header_text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// Returns the first element of a forwarding header, which the proxy nearest to the client added.
fn forwarded_value(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = header_text(headers, name)?;
    Some(value.split(',').next().unwrap_or(&value).trim().to_owned())
}

/// Returns `scheme://host[:port]` of a request: `https` if it came over TLS, or the origin that a proxy
/// forwarded if `trust_forwarded` is set.
///
/// # Errors
/// Returns [`OriginError::Host`] if the request names no host, or a malformed one.
pub(super) fn origin_of(
    headers: &HeaderMap,
    is_tls: bool,
    trust_forwarded: bool,
) -> Result<String, OriginError> {
    let proto = trust_forwarded
        .then(|| forwarded_value(headers, "x-forwarded-proto"))
        .flatten();
    let scheme = match proto.as_deref() {
        Some("https") => "https",
        None if is_tls => "https",
        _ => "http",
    };
    let host = origin_host(headers, trust_forwarded).ok_or_else(|| {
        OriginError::Host("Host: missing; URLs in responses are built from it".to_owned())
    })?;
    if Host::parse(&host).is_none() {
        return Err(OriginError::Host(format!("Host: {host:?} is not a host")));
    }
    Ok(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header_map(pairs: &[(&'static str, &str)]) -> HeaderMap {
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

    fn plain_origin(headers: &HeaderMap, trust_forwarded: bool) -> Option<String> {
        origin_of(headers, false, trust_forwarded).ok()
    }

    #[test]
    fn origin_of_plain_request_is_its_host_or_the_forwarded_one() {
        let all = header_map(&[
            ("host", "mock:8080"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.b, c"),
        ]);
        assert_eq!(
            plain_origin(&all, false).as_deref(),
            Some("http://mock:8080")
        );
        assert_eq!(plain_origin(&all, true).as_deref(), Some("https://a.b"));
        let address = header_map(&[("host", "[::1]:80")]);
        assert_eq!(
            plain_origin(&address, false).as_deref(),
            Some("http://[::1]:80")
        );
        for bad in ["", "a b", "a/b", "a@b"] {
            assert_eq!(
                plain_origin(&header_map(&[("host", bad)]), false),
                None,
                "{bad}"
            );
        }
        assert_eq!(plain_origin(&HeaderMap::new(), false), None);
    }

    #[test]
    fn origin_of_tls_request_is_https_unless_a_proxy_forwards_http() {
        let plain = header_map(&[("host", "api.bizmori.com")]);
        let origin = |name: &HeaderMap, trusted| origin_of(name, true, trusted).ok();
        for trusted in [false, true] {
            assert_eq!(
                origin(&plain, trusted).as_deref(),
                Some("https://api.bizmori.com")
            );
        }
        let forwarded = header_map(&[("host", "mock:8443"), ("x-forwarded-proto", "http")]);
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
