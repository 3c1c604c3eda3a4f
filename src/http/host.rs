//! Hosts that requests name, and the hosts by which the control plane may be called.
//!
//! A web page whose own host name resolves to this machine (DNS rebinding) shares an origin with the
//! server, so no check of origins stops it. Public names are therefore refused unless a setting names
//! them: a page on the web cannot have a local name.

use std::net::{IpAddr, Ipv6Addr};

use url::Url;

use crate::settings::Config;

/// Longest host with its port: the 253 characters of RFC 1035, and room for the port.
const HOST_BYTES_MAX: usize = 300;

/// Zones that public DNS does not have. Every name below each of these zones is allowed.
const LOCAL_ZONES: [&str; 5] = [
    "localhost",
    // host.docker.internal, and ICANN's private-use zone.
    "internal",
    // Multicast DNS, and *.svc.cluster.local of Kubernetes.
    "local",
    "test",
    "svc.cluster.local",
];

/// The host of a request, without its port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Host<'a> {
    Address(IpAddr),
    /// A name without the final dot of a fully qualified name. ASCII, in any case.
    Name(&'a str),
}

impl<'a> Host<'a> {
    /// Parses `host[:port]` (RFC 9110 §7.2). Returns `None` if `text` is empty, too long or
    /// malformed, or has characters that no DNS name has.
    #[must_use]
    pub fn parse(text: &'a str) -> Option<Self> {
        if text.len() > HOST_BYTES_MAX {
            return None;
        }
        if let Some(rest) = text.strip_prefix('[') {
            let (address, port) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            let is_whole = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            return is_whole.then_some(Self::Address(address.into()));
        }
        let (name, port) = text.split_once(':').unwrap_or((text, ""));
        let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
        let name = name.strip_suffix('.').unwrap_or(name);
        if name.is_empty() || !name.bytes().all(is_of_name) || !is_port(port) {
            return None;
        }
        Some(name.parse().map_or(Self::Name(name), Self::Address))
    }
}

/// `true` if `text` is a port number, or empty (RFC 3986 §3.2.3).
fn is_port(text: &str) -> bool {
    text.is_empty()
        || (text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok())
}

/// `true` if `name` has at least one label before `.zone`. Both are ASCII.
fn is_below(name: &str, zone: &str) -> bool {
    let Some(at) = name.len().checked_sub(zone.len()) else {
        return false;
    };
    at > 1 && name.as_bytes()[at - 1] == b'.' && name[at..].eq_ignore_ascii_case(zone)
}

/// The hosts by which the control plane and the documentation pages may be called.
#[derive(Debug, Clone)]
pub struct AllowedHosts {
    allows_all: bool,
    names: Vec<String>,
    /// Every name below these is allowed.
    zones: Vec<String>,
}

impl AllowedHosts {
    /// Collects the hosts of the settings `--public-url`, `--tls-name` and `--allow-host`, and
    /// `vendor_hosts`.
    #[must_use]
    pub fn new(config: &Config, vendor_hosts: impl IntoIterator<Item = &'static str>) -> Self {
        let settings = config
            .tls
            .tls_names
            .iter()
            .chain(&config.control.allow_hosts);
        let mut allowed = Self {
            allows_all: false,
            names: vendor_hosts.into_iter().map(str::to_owned).collect(),
            zones: LOCAL_ZONES.map(str::to_owned).into(),
        };
        for setting in settings {
            match setting.strip_prefix("*.") {
                _ if setting == "*" => allowed.allows_all = true,
                Some(zone) => allowed.zones.push(zone.to_owned()),
                None => allowed.names.push(setting.clone()),
            }
        }
        let public_url = config
            .public_url
            .as_deref()
            .and_then(|url| Url::parse(url).ok());
        // `Host::parse` strips the final dot of a request's host; the setting may have one too.
        let public_host = public_url
            .as_ref()
            .and_then(Url::host_str)
            .map(|host| host.trim_end_matches('.').to_owned());
        allowed.names.extend(public_host);
        allowed
    }

    /// `true` if the control plane may be called by this host. IP addresses and names without a
    /// dot are always allowed: neither can be a public name that resolves to this machine.
    #[must_use]
    pub fn allows(&self, host: Host<'_>) -> bool {
        let Host::Name(name) = host else {
            return true;
        };
        self.allows_all
            || !name.contains('.')
            || self
                .names
                .iter()
                .any(|known| known.eq_ignore_ascii_case(name))
            || self.zones.iter().any(|zone| is_below(name, zone))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(set: impl FnOnce(&mut Config)) -> impl Fn(&str) -> bool {
        let mut config = Config::defaults();
        set(&mut config);
        let allowed = AllowedHosts::new(&config, ["api.vendor.com"]);
        move |text| allowed.allows(Host::parse(text).expect("a host"))
    }

    #[test]
    fn parse_host_with_or_without_port_returns_name_or_address() {
        let address = |text: &str| Host::Address(text.parse().expect("an address"));
        for (text, host) in [
            ("mock", Host::Name("mock")),
            ("Mock_1.b-c.test:8080", Host::Name("Mock_1.b-c.test")),
            ("mock.", Host::Name("mock")),
            ("mock.:80", Host::Name("mock")),
            ("mock:", Host::Name("mock")),
            ("127.0.0.1:1", address("127.0.0.1")),
            ("[::1]", address("::1")),
            ("[::1]:65535", address("::1")),
        ] {
            assert_eq!(Host::parse(text), Some(host), "{text}");
        }
    }

    #[test]
    fn parse_malformed_host_returns_none() {
        let long = "h".repeat(301);
        for text in [
            "", ".", ":80", "a b", "a/b", "a@b", "u:p@a", "a:b", "a:80:80", "a:65536", "a:+1",
            "a,b", "::1", "[::1", "[::1]x", "[::1]:x", "[]", "[a]", "\u{fc}", "a%62", &long,
        ] {
            assert_eq!(Host::parse(text), None, "{text}");
        }
    }

    #[test]
    fn allows_with_default_settings_admits_only_local_and_vendor_hosts() {
        let allows = allowed(|_| {});
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "localhost.",
            "a.b.localhost",
            "stuntdouble",
            "host.docker.internal:80",
            "a.INTERNAL.",
            "printer.local",
            "mock.ns.svc.cluster.local",
            "evil.test",
            "a.b.internal.evil.test",
            "10.0.0.7",
            "8.8.8.8",
            "[2001:db8::1]:8080",
            "api.vendor.com",
            "API.vendor.com.",
        ] {
            assert!(allows(host), "{host}");
        }
        for host in [
            "evil.com",
            "evillocalhost.com",
            "localhost.evil.com",
            "evil.localhost.com",
            "x.notinternal",
            "host.docker.internal.evil.com",
            "evil.mytest",
            ".localhost",
            "x.api.vendor.com",
            "api.vendor.com.evil.com",
            "127.0.0.1.nip.io",
            "127.1",
            "127.0.0.1.evil.com",
        ] {
            assert!(!allows(host), "{host}");
        }
    }

    #[test]
    fn allows_with_configured_hosts_admits_them() {
        let allows = allowed(|config| {
            config.public_url = Some("https://Mock.Example.com:8443".to_owned());
            config.tls.tls_names = vec!["api.b.example".to_owned(), "*.c.example".to_owned()];
            config.control.allow_hosts = vec!["d.example".to_owned(), String::new()];
        });
        for host in [
            "mock.example.com",
            "api.b.example:1",
            "x.c.example",
            "D.example.",
        ] {
            assert!(allows(host), "{host}");
        }
        for host in [
            "x.mock.example.com",
            "b.example",
            "c.example",
            "xc.example",
            "x.d.example",
        ] {
            assert!(!allows(host), "{host}");
        }
        assert!(allowed(
            |config| config.control.allow_hosts = vec!["*".to_owned()]
        )("evil.com"));
    }
}
