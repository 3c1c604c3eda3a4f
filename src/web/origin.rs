//! The origin a client called us by: scheme, host and port. The URLs it is given start so.

use axum::http::HeaderMap;
use axum::http::header::HOST;

use super::Verbs;
use crate::presign::host_of;
use crate::store::StoreError;

/// Longest host name taken, with its port (RFC 1035's 253 and a little).
const HOST_BYTES_MAX: usize = 300;

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
    /// The origin of the request, which links may be made for from now on. The setting
    /// `public-url` overrides it; what a proxy forwarded counts where the setting says so.
    ///
    /// # Errors
    /// If the request's host is none, or cannot be kept.
    pub async fn of(verbs: &Verbs, headers: &HeaderMap) -> Result<Self, OriginError> {
        let origin = match &verbs.config.public_url {
            Some(url) => url.clone(),
            None => read(headers, verbs.config.trust_forwarded)?,
        };
        verbs
            .links
            .know(&host_of(&origin))
            .await
            .map_err(OriginError::Store)?;
        Ok(Self(origin))
    }
}

/// The host that the client called, with its port, as it says or, where that is believed, as the
/// proxy before us says.
#[must_use]
pub fn host(headers: &HeaderMap, trust_forwarded: bool) -> Option<String> {
    let forwarded = trust_forwarded.then(|| forwarded(headers, "x-forwarded-host"));
    forwarded.flatten().or_else(|| text(headers, HOST.as_str()))
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get(name)?;
    Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
}

/// What the proxy nearest to the client said.
fn forwarded(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = text(headers, name)?;
    Some(value.split(',').next().unwrap_or(&value).trim().to_owned())
}

fn read(headers: &HeaderMap, trust_forwarded: bool) -> Result<String, OriginError> {
    let proto = trust_forwarded.then(|| forwarded(headers, "x-forwarded-proto"));
    let scheme = match proto.flatten().as_deref() {
        Some("https") => "https",
        _ => "http",
    };
    let host = host(headers, trust_forwarded)
        .ok_or_else(|| OriginError::Host("Host: missing, so no URL can be made".to_owned()))?;
    let fits = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if host.is_empty() || host.len() > HOST_BYTES_MAX || !host.chars().all(fits) {
        return Err(OriginError::Host(format!("Host: {host} is no host")));
    }
    Ok(format!("{scheme}://{host}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
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

    #[test]
    fn the_origin_is_the_host_the_client_called() {
        let all = headers(&[
            ("host", "mock:8080"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "a.b, c"),
        ]);
        assert_eq!(read(&all, false).ok().as_deref(), Some("http://mock:8080"));
        assert_eq!(read(&all, true).ok().as_deref(), Some("https://a.b"));
        assert_eq!(
            read(&headers(&[("host", "[::1]:80")]), false)
                .ok()
                .as_deref(),
            Some("http://[::1]:80")
        );
        for bad in ["", "a b", "a/b", "a@b"] {
            assert!(read(&headers(&[("host", bad)]), false).is_err(), "{bad}");
        }
        assert!(read(&HeaderMap::new(), false).is_err());
    }
}
