//! What leaves the server by HTTP. The only module that names the HTTP client.
//!
//! Only loopback and private addresses are called unless the setting `allow-public` says
//! otherwise; redirects are not followed, no proxy is used, and of an answer only the status
//! is read. Timeouts are real time, whatever the accounts' clocks show.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::redirect::Policy;

/// Idle connections kept to one receiver.
const IDLE_PER_HOST_MAX: usize = 8;
/// Shorter than the keep-alive of the usual servers, so that none is closed as it is used.
const IDLE_TIMEOUT: Duration = Duration::from_secs(1);

/// The way out.
#[derive(Debug, Clone)]
pub struct Outbound {
    client: reqwest::Client,
    allow_public: bool,
}

impl Outbound {
    /// A way out on which an answer has to come within `timeout`.
    ///
    /// # Errors
    /// If the client cannot be made.
    pub fn new(timeout: Duration, allow_public: bool) -> Result<Self, String> {
        let client = reqwest::Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .timeout(timeout)
            .tcp_nodelay(true)
            .pool_max_idle_per_host(IDLE_PER_HOST_MAX)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .dns_resolver(Arc::new(Addresses { allow_public }))
            .user_agent(concat!("stuntdouble/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| chain(&error))?;
        Ok(Self {
            client,
            allow_public,
        })
    }

    /// Posts a JSON body: the status of the answer.
    ///
    /// # Errors
    /// One line that says why there was no answer.
    pub async fn post_json(
        &self,
        url: &str,
        headers: &[(&str, &str)],
        body: String,
    ) -> Result<u16, String> {
        let mut request = self
            .client
            .post(self.allowed(url)?)
            .header("content-type", "application/json");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request
            .body(body)
            .send()
            .await
            .map_err(|error| chain(&error))?;
        Ok(answer.status().as_u16())
    }

    /// Gets a URL: the status of the answer.
    ///
    /// # Errors
    /// One line that says why there was no answer.
    pub async fn get(&self, url: &str) -> Result<u16, String> {
        let answer = self
            .client
            .get(self.allowed(url)?)
            .send()
            .await
            .map_err(|error| chain(&error))?;
        Ok(answer.status().as_u16())
    }

    /// The URL, if it may be called; names are judged again when they are resolved.
    fn allowed(&self, url: &str) -> Result<reqwest::Url, String> {
        let url = reqwest::Url::parse(url).map_err(|error| format!("{url}: {error}"))?;
        if url.scheme() != "http" {
            return Err(format!("{url}: only http:// is called"));
        }
        let literal = url
            .host_str()
            .and_then(|host| host.trim_matches(['[', ']']).parse::<IpAddr>().ok());
        match literal.filter(|address| !self.may_call(*address)) {
            Some(address) => Err(refusal(&address.to_string())),
            None => Ok(url),
        }
    }

    fn may_call(&self, address: IpAddr) -> bool {
        self.allow_public || is_private(address)
    }
}

fn refusal(who: &str) -> String {
    format!(
        "{who} is a public address; only loopback and private ones are called without the setting allow-public"
    )
}

/// Loopback, private, link-local and unique-local addresses: those of tests.
fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => is_private(IpAddr::V4(v4)),
            None => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
        },
    }
}

#[derive(Debug)]
struct Addresses {
    allow_public: bool,
}

impl Resolve for Addresses {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_public = self.allow_public;
        Box::pin(async move {
            let found: Vec<SocketAddr> =
                tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let (may, may_not): (Vec<_>, Vec<_>) = found
                .into_iter()
                .partition(|address| allow_public || is_private(address.ip()));
            match may_not.first() {
                Some(public) if may.is_empty() => {
                    Err(refusal(&format!("{} ({})", name.as_str(), public.ip())).into())
                }
                _ => Ok(Box::new(may.into_iter()) as Addrs),
            }
        })
    }
}

/// An error and its causes in one line; the client's own top line says little.
fn chain(error: &dyn std::error::Error) -> String {
    let mut line = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        line = format!("{line}: {error}");
        cause = error.source();
    }
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_and_private_addresses_are_of_tests() {
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "::1",
            "fd00::1",
        ] {
            assert!(
                is_private(private.parse().expect("an address")),
                "{private}"
            );
        }
        for public in [
            "8.8.8.8",
            "0.0.0.0",
            "172.32.0.1",
            "2001:db8::1",
            "::ffff:8.8.8.8",
            "::",
        ] {
            assert!(!is_private(public.parse().expect("an address")), "{public}");
        }
    }
}
