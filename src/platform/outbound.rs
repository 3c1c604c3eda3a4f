//! What leaves the program by HTTP, and by HTTPS. The only module that names the HTTP client.
//!
//! Only loopback and private addresses are called unless the setting `outbound-allow-public` says
//! otherwise, and metadata addresses of clouds never; redirects are not followed, and no proxy is used. Certificates are not checked:
//! who is called are the receivers of tests, which sign their own. Timeouts are real time,
//! whatever the accounts' clocks show. No body is held in memory whole, but that of a JSON post.
//! The command line goes out here, too ([`send`]); it calls whom it is told to, and waits.
//!
//! Rules may have something done to a call ([`CallOverrides`]); what they break is seen by who is called.
//!
//! The client is made for the first call, so that a server that calls nobody pays for none.

mod cli_request;
mod faulty_request;
mod fetch;
mod overrides;
mod put;
mod request_error;
mod ssrf_filter;
mod throttle;
mod urls;
mod webhook_response;

#[cfg(test)]
mod tests;

pub use cli_request::{CliRequest, CliResponse, SendError, send};
pub use faulty_request::GARBAGE;
pub use fetch::{DownloadedFile, FetchError};
pub use overrides::CallOverrides;
pub use put::PutError;
pub use ssrf_filter::is_local_address;
pub use throttle::Throttle;
pub use urls::check_url;
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

/// Idle connections kept to one receiver.
const IDLE_PER_HOST_MAX: usize = 8;
/// Shorter than the keep-alive of the usual servers, so that none is closed as it is used.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);
/// What a file has to be there within, whole.
const FETCH_TIMEOUT: Duration = Duration::from_secs(10);
/// Time in which a name has to be resolved for [`OutboundClient::refusal`].
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(1);
/// What a file has to be away and answered within.
const PUT_TIMEOUT: Duration = Duration::from_secs(30);
const AGENT: &str = concat!("stuntdouble/", env!("CARGO_PKG_VERSION"));
const JSON: &str = "application/json";

/// The way out. Clones share it.
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

impl OutboundClient {
    /// A way out on which the answer to what is posted or got has to come within `timeout`.
    #[must_use]
    pub fn new(timeout: Duration, allow_public: bool) -> Self {
        let timeouts = OutboundTimeouts {
            response: timeout,
            fetch: FETCH_TIMEOUT,
            put: PUT_TIMEOUT,
        };
        Self::with_timeout(timeouts, allow_public)
    }

    fn with_timeout(timeouts: OutboundTimeouts, allow_public: bool) -> Self {
        Self {
            client: Arc::default(),
            allow_public,
            timeouts,
        }
    }

    /// Posts a JSON body, treated so: the answer, of whose body only the begin is read.
    ///
    /// # Errors
    /// One line that says why there was no answer.
    pub async fn post_json(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
        treatment: &CallOverrides,
    ) -> Result<WebhookResponse, String> {
        treatment.apply_delay().await;
        if let Some(respond) = treatment.stub_response()? {
            return Ok(respond.into());
        }
        let allowed = self.check_url(url)?;
        let (timeout, bytes) = (self.timeouts.response, body.len() as u64);
        if let Some(broken) = treatment.connection_fault() {
            let request = RawRequest {
                method: "POST",
                shown: url,
                url: allowed,
                media_type: JSON,
                headers,
                body: body.as_bytes(),
                bytes,
            };
            return Err(self.send_with_fault(request, broken, timeout).await);
        }
        let mut request = self
            .client()?
            .post(allowed)
            .timeout(timeout)
            .header("content-type", JSON);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        request = match treatment.throttle() {
            Some(pace) => {
                let body = Full::new(Bytes::from(body));
                let request = request.header("content-length", bytes);
                request.body(reqwest::Body::wrap(ThrottledBody::new(body, pace)))
            }
            None => request.body(body),
        };
        let sent = request.send().await;
        let response = sent.map_err(|error| request_error(url, error, timeout))?;
        Ok(WebhookResponse::read(response).await)
    }

    /// The headers that a JSON body of so many bytes is posted with.
    #[must_use]
    pub fn headers_of_json(
        url: &str,
        headers: &[(&str, &str)],
        bytes: usize,
    ) -> BTreeMap<String, String> {
        let host = reqwest::Url::parse(url).map(|url| authority(&url));
        let host = host.unwrap_or_default();
        let length = bytes.to_string();
        let ours = [
            ("accept", "*/*"),
            ("content-length", &length),
            ("content-type", JSON),
            ("host", &host),
            ("user-agent", AGENT),
        ];
        let all = ours.iter().chain(headers);
        all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect()
    }

    /// Returns one line on why `url` is not called: its host is, or has only, addresses that are not
    /// called. `None` if it is called, or its name cannot be resolved within a second.
    pub async fn refusal(&self, url: &str) -> Option<String> {
        let url = match self.check_url(url) {
            Ok(url) => url,
            Err(line) => return Some(line),
        };
        let name = url.domain()?;
        let found =
            tokio::time::timeout(LOOKUP_TIMEOUT, resolve_allowed(name, self.allow_public)).await;
        let error = found.ok()?.err()?;
        (!error.is::<std::io::Error>()).then(|| error.to_string())
    }

    /// The client; made if this is the first call.
    fn client(&self) -> Result<&reqwest::Client, String> {
        let allow_public = self.allow_public;
        self.client
            .get_or_init(|| {
                let built = builder(allow_public).build();
                built.map_err(|error| error_chain(&error))
            })
            .as_ref()
            .map_err(Clone::clone)
    }

    /// The URL, if it may be called; names are judged again when they are resolved.
    fn check_url(&self, url: &str) -> Result<reqwest::Url, String> {
        let parsed = reqwest::Url::parse(url);
        let shown = shown_url(url);
        let url = parsed.map_err(|error| format!("{shown}: {error}"))?;
        if !matches!(url.scheme(), "http" | "https") {
            return Err(format!(
                "{shown}: only http:// and https:// URLs are called"
            ));
        }
        let literal = url
            .host_str()
            .and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        let refused = literal.and_then(|address| {
            blocked_address_message(&address.to_string(), address, self.allow_public)
        });
        refused.map_or(Ok(url), Err)
    }
}

fn builder(allow_public: bool) -> reqwest::ClientBuilder {
    // Of two that come first at once, one is late, and finds ring there as well.
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

/// The host as a request names it: with its port, where that is not the scheme's own.
fn authority(url: &reqwest::Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port()
        .map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}
