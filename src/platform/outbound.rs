//! Outbound HTTP and HTTPS: webhooks, zero copy, input files, and the calls of the command line
//! ([`send`]). The only module that names the HTTP client.
//!
//! The server calls only loopback and private addresses, unless `--outbound-allow-public` is set, and never
//! metadata addresses of clouds. Redirects are not followed, and no proxy is used. Certificates are not
//! checked, because receivers in tests have self-signed ones. Timeouts are in real time. Bodies are
//! streamed, except those of webhooks.
//!
//! Rules can change a call ([`CallOverrides`]). The receiver observes a fault on the wire.
//!
//! The client is built at the first call, so that a server without calls needs no memory for it.

mod cli_request;
mod faulty_request;
mod fetch;
mod overrides;
mod put;
mod request_error;
mod ssrf_filter;
mod throttle;
mod webhook_response;

#[cfg(test)]
mod tests;

pub use cli_request::{CliRequest, CliResponse, SendError, send, send_streaming};
pub use faulty_request::GARBAGE;
pub use fetch::{DownloadedFile, FetchError};
pub use overrides::CallOverrides;
pub use put::PutError;
pub use ssrf_filter::is_local_address;
pub use throttle::Throttle;
pub use webhook_response::WebhookResponse;

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use reqwest::redirect::Policy;

use faulty_request::RawRequest;
use request_error::{error_chain, request_error, shown_url, timeout_message};
use ssrf_filter::{FilteringResolver, blocked_address_message, resolve_allowed};
use throttle::ThrottledBody;
use webhook_response::join_headers;

/// Longest URL that [`check_url`] accepts, in characters.
const URL_CHARS_MAX: usize = 2_048;
/// Maximum number of idle connections to each receiver.
const IDLE_PER_HOST_MAX: usize = 8;
/// Shorter than the keep-alive timeout of common servers, so that no connection is closed while the
/// client sends on it.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);
/// Timeout of a whole download.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// Timeout of name resolution in [`OutboundClient::refusal`].
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(1);
/// Timeout of a whole upload, with its response.
const PUT_TIMEOUT: Duration = Duration::from_secs(30);
const AGENT: &str = concat!("stuntdouble/", env!("CARGO_PKG_VERSION"));
const JSON: &str = "application/json";

/// HTTP client of the server. Clones share connections.
#[derive(Debug, Clone)]
pub struct OutboundClient {
    client: Arc<OnceLock<Result<reqwest::Client, String>>>,
    allow_public: bool,
    timeouts: OutboundTimeouts,
}

#[derive(Debug, Clone, Copy)]
struct OutboundTimeouts {
    response: Duration,
    fetch: Duration,
    put: Duration,
}

/// Checks that `url` is an http or https URL of at most 2,048 characters.
///
/// # Errors
/// Returns a message if it is not.
pub fn check_url(url: &str) -> Result<(), String> {
    if url.chars().count() > URL_CHARS_MAX {
        return Err(format!("longer than {URL_CHARS_MAX} characters"));
    }
    match reqwest::Url::parse(url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") && parsed.has_host() => Ok(()),
        Ok(_) => Err(format!("expected an http or https URL, got {url}")),
        Err(url::ParseError::RelativeUrlWithoutBase) => {
            Err(format!("expected an http or https URL, got {url:?}"))
        }
        Err(error) => Err(error.to_string()),
    }
}

impl OutboundClient {
    /// Creates a client. `timeout` applies to webhooks.
    #[must_use]
    pub fn new(timeout: Duration, allow_public: bool) -> Self {
        let timeouts = OutboundTimeouts {
            response: timeout,
            fetch: FETCH_TIMEOUT,
            put: PUT_TIMEOUT,
        };
        Self::with_timeouts(timeouts, allow_public)
    }

    fn with_timeouts(timeouts: OutboundTimeouts, allow_public: bool) -> Self {
        Self {
            client: Arc::default(),
            allow_public,
            timeouts,
        }
    }

    /// Posts a JSON body, with the overrides of rules. Only the start of the response's body is read.
    ///
    /// # Errors
    /// Returns a message that says why there was no response.
    pub async fn post_json(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
        overrides: &CallOverrides,
    ) -> Result<WebhookResponse, String> {
        overrides.apply_delay().await;
        if let Some(respond) = overrides.stub_response()? {
            return Ok(respond.into());
        }
        let parsed_url = self.parse_allowed_url(url)?;
        let timeout = self.timeouts.response;
        let bytes = body.len() as u64;
        if let Some(fault) = overrides.connection_fault() {
            let request = RawRequest {
                method: "POST",
                original_url: url,
                url: parsed_url,
                media_type: JSON,
                headers,
                body: body.as_bytes(),
                bytes,
            };
            return Err(self.send_with_fault(request, fault, timeout).await);
        }
        let mut request = self
            .client()?
            .post(parsed_url)
            .timeout(timeout)
            .header("content-type", JSON);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request = match overrides.throttle() {
            Some(throttle) => {
                let body = ThrottledBody::new(Full::new(Bytes::from(body)), throttle);
                request
                    .header("content-length", bytes)
                    .body(reqwest::Body::wrap(body))
            }
            None => request.body(body),
        };
        let response = request
            .send()
            .await
            .map_err(|error| request_error(url, error, timeout))?;
        Ok(WebhookResponse::read(response).await)
    }

    /// Returns all headers with which [`Self::post_json`] sends a body of `bytes` bytes.
    #[must_use]
    pub fn headers_of_json(
        url: &str,
        headers: &[(&str, &str)],
        bytes: usize,
    ) -> BTreeMap<String, String> {
        let host = reqwest::Url::parse(url)
            .map(|url| authority(&url))
            .unwrap_or_default();
        let length = bytes.to_string();
        let client_headers = [
            ("accept", "*/*"),
            ("content-length", &length),
            ("content-type", JSON),
            ("host", &host),
            ("user-agent", AGENT),
        ];
        client_headers
            .iter()
            .chain(headers)
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// Returns the reason why `url` must not be called: its address, or all addresses of its name, are
    /// blocked. `None` if the URL may be called, or if its name cannot be resolved within a second.
    pub async fn refusal(&self, url: &str) -> Option<String> {
        let url = match self.parse_allowed_url(url) {
            Ok(url) => url,
            Err(message) => return Some(message),
        };
        let name = url.domain()?;
        let lookup = resolve_allowed(name, self.allow_public);
        let resolved = tokio::time::timeout(LOOKUP_TIMEOUT, lookup).await;
        let error = resolved.ok()?.err()?;
        (!error.is::<std::io::Error>()).then(|| error.to_string())
    }

    /// Returns the client. Builds it at the first call.
    fn client(&self) -> Result<&reqwest::Client, String> {
        let allow_public = self.allow_public;
        self.client
            .get_or_init(|| {
                builder(allow_public)
                    .build()
                    .map_err(|error| error_chain(&error))
            })
            .as_ref()
            .map_err(Clone::clone)
    }

    /// Parses a URL, and checks its scheme and its address if the host is one. Names are checked by
    /// [`FilteringResolver`] when they are resolved.
    fn parse_allowed_url(&self, url: &str) -> Result<reqwest::Url, String> {
        let shown = shown_url(url);
        let parsed = reqwest::Url::parse(url).map_err(|error| format!("{shown}: {error}"))?;
        if !matches!(parsed.scheme(), "http" | "https") {
            return Err(format!(
                "{shown}: only http:// and https:// URLs are called"
            ));
        }
        let address = parsed
            .host_str()
            .and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        let blocked = address.and_then(|address| {
            blocked_address_message(&address.to_string(), address, self.allow_public)
        });
        blocked.map_or(Ok(parsed), Err)
    }
}

fn builder(allow_public: bool) -> reqwest::ClientBuilder {
    // Fails if a provider is installed already, which is always ring.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .tls_danger_accept_invalid_certs(true)
        .redirect(Policy::none())
        .no_proxy()
        .tcp_nodelay(true)
        .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
        .pool_idle_timeout(IDLE_TIMEOUT)
        .dns_resolver(Arc::new(FilteringResolver { allow_public }))
        .user_agent(AGENT)
}

/// Returns the value of `Host` for a URL: with the port unless it is the scheme's default.
fn authority(url: &reqwest::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
