//! Filter of addresses against SSRF. Names are filtered by the addresses to which they resolve.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Addresses at which clouds serve credentials and configuration of a machine, without authentication.
const CLOUD_METADATA_ADDRESSES: [IpAddr; 11] = [
    // AWS, Google Cloud, Azure, DigitalOcean, Oracle and others.
    v4(169, 254, 169, 254),
    // AWS: credentials of ECS tasks and of EKS pods.
    v4(169, 254, 170, 2),
    v4(169, 254, 170, 23),
    // Tencent Cloud.
    v4(169, 254, 0, 23),
    // Scaleway.
    v4(169, 254, 42, 42),
    // Alibaba Cloud.
    v4(100, 100, 100, 200),
    // Azure's host agent.
    v4(168, 63, 129, 16),
    // AWS over IPv6, with the credentials of EKS pods.
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254]),
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23]),
    // Google Cloud over IPv6.
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254]),
    // Scaleway over IPv6.
    v6([0xfd00, 0x42, 0, 0, 0, 0, 0, 0x42]),
];

const fn v4(a: u8, b: u8, c: u8, d: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(a, b, c, d))
}

const fn v6(segments: [u16; 8]) -> IpAddr {
    IpAddr::V6(Ipv6Addr::from_segments(segments))
}

/// Scope of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AddressScope {
    /// This machine, and private networks.
    Local,
    Public,
    /// One of [`CLOUD_METADATA_ADDRESSES`].
    Metadata,
    /// `0.0.0.0/8` or `::`.
    Unspecified,
    /// Multicast or broadcast.
    Group,
}

/// `true` for an address of this machine or of a private network.
#[must_use]
pub fn is_local_address(address: IpAddr) -> bool {
    matches!(
        AddressScope::from_address(address),
        AddressScope::Local | AddressScope::Unspecified
    )
}

impl AddressScope {
    fn from_address(address: IpAddr) -> Self {
        let address = address.to_canonical();
        let is_metadata = |address: &IpAddr| CLOUD_METADATA_ADDRESSES.contains(address);
        if is_metadata(&address) {
            return Self::Metadata;
        }
        match address {
            IpAddr::V4(v4) if v4.octets()[0] == 0 => Self::Unspecified,
            IpAddr::V4(v4) if v4.is_multicast() || v4.is_broadcast() => Self::Group,
            IpAddr::V4(v4) if is_local(v4) => Self::Local,
            IpAddr::V4(_) => Self::Public,
            IpAddr::V6(v6) if v6.is_unspecified() => Self::Unspecified,
            IpAddr::V6(v6) if v6.is_multicast() => Self::Group,
            IpAddr::V6(v6)
                if v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local() =>
            {
                Self::Local
            }
            IpAddr::V6(v6) => match embedded_v4(v6) {
                Some(v4) if is_metadata(&v4.into()) => Self::Metadata,
                _ => Self::Public,
            },
        }
    }

    /// Returns the reason why an address of this scope is blocked, to follow its name in a sentence.
    /// `None` if the address may be called.
    fn blocked_message(self, allow_public: bool) -> Option<&'static str> {
        match self {
            Self::Local => None,
            Self::Public if allow_public => None,
            Self::Public => Some(
                "is a public address; only loopback and private addresses are called without --outbound-allow-public",
            ),
            Self::Metadata => Some(
                "is a cloud metadata address, which serves credentials; it is never called, not even with --outbound-allow-public",
            ),
            Self::Unspecified => Some(
                "is the unspecified address, which cannot be called; to call this machine, use 127.0.0.1 or [::1]",
            ),
            Self::Group => Some("is a multicast or broadcast address, which cannot be called"),
        }
    }
}

/// `true` for loopback, private and link-local addresses, the shared address space of RFC 6598
/// (Tailscale, Kubernetes), and the benchmark networks of RFC 2544 (`OrbStack`).
fn is_local(v4: Ipv4Addr) -> bool {
    let [a, b, ..] = v4.octets();
    let is_shared = a == 100 && b & 0b1100_0000 == 64;
    let is_benchmark = a == 198 && b & 0b1111_1110 == 18;
    v4.is_loopback() || v4.is_private() || v4.is_link_local() || is_shared || is_benchmark
}

/// Returns the IPv4 address to which a gateway translates `v6`. `None` if `v6` embeds no IPv4 address.
fn embedded_v4(v6: Ipv6Addr) -> Option<Ipv4Addr> {
    let octets = v6.octets();
    let v4_at = |at: usize| {
        let bytes = [octets[at], octets[at + 1], octets[at + 2], octets[at + 3]];
        Some(Ipv4Addr::from(bytes))
    };
    match v6.segments() {
        // NAT64 with the well-known prefix (RFC 6052) and with a local one (RFC 8215), and
        // IPv4-compatible addresses (RFC 4291).
        [0x64, 0xff9b, 0, 0, 0, 0, ..] | [0x64, 0xff9b, 1, ..] | [0, 0, 0, 0, 0, 0, ..] => {
            v4_at(12)
        }
        // 6to4 (RFC 3056).
        [0x2002, ..] => v4_at(2),
        _ => None,
    }
}

/// Returns the reason why `address`, called `name` in the message, is blocked. `None` if it may be called.
pub(super) fn blocked_address_message(
    name: &str,
    address: IpAddr,
    allow_public: bool,
) -> Option<String> {
    let reason = AddressScope::from_address(address).blocked_message(allow_public)?;
    Some(format!("{name} {reason}"))
}

/// Resolver of the HTTP client. Returns only addresses that may be called.
#[derive(Debug)]
pub(super) struct FilteringResolver {
    pub(super) allow_public: bool,
}

impl Resolve for FilteringResolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_public = self.allow_public;
        Box::pin(async move {
            let addresses = resolve_allowed(name.as_str(), allow_public).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// Resolves `host` to the addresses that may be called, with port 0.
///
/// # Errors
/// Returns the reason why the first address is blocked if all are, or the error of the resolution.
pub(super) async fn resolve_allowed(
    host: &str,
    allow_public: bool,
) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
    let mut allowed = Vec::new();
    let mut first_blocked = None;
    for address in tokio::net::lookup_host((host, 0)).await? {
        let name = format!("{host} ({})", address.ip());
        match blocked_address_message(&name, address.ip(), allow_public) {
            None => allowed.push(address),
            Some(message) => first_blocked = first_blocked.or(Some(message)),
        }
    }
    match first_blocked {
        Some(message) if allowed.is_empty() => Err(message.into()),
        _ => Ok(allowed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope(address: &str) -> AddressScope {
        AddressScope::from_address(address.parse().expect("an address"))
    }

    #[test]
    fn local_addresses_are_allowed_without_a_setting() {
        for local in [
            "127.0.0.1",
            "127.255.255.255",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.1.1",
            "100.64.0.0",
            "100.127.255.255",
            "100.100.100.199",
            "198.18.0.1",
            "198.19.255.255",
            "::1",
            "fd00::1",
            "fe80::1",
            "::ffff:192.168.1.1",
            "::ffff:100.64.0.1",
        ] {
            assert_eq!(scope(local), AddressScope::Local, "{local}");
        }
    }

    #[test]
    fn public_addresses_are_allowed_only_with_the_setting() {
        for public in [
            "8.8.8.8",
            "172.32.0.1",
            "100.63.255.255",
            "100.128.0.0",
            "198.17.255.255",
            "198.20.0.0",
            "2001:db8::1",
            "::ffff:8.8.8.8",
            // A gateway would translate these addresses, in an unknown network.
            "64:ff9b::10.0.0.1",
            "2002:7f00:1::1",
            "::127.0.0.1",
        ] {
            assert_eq!(scope(public), AddressScope::Public, "{public}");
        }
        assert!(AddressScope::Public.blocked_message(false).is_some());
        assert_eq!(AddressScope::Public.blocked_message(true), None);
    }

    #[test]
    fn metadata_addresses_are_blocked_in_any_notation() {
        for metadata in [
            "169.254.169.254",
            "169.254.170.2",
            "169.254.170.23",
            "169.254.0.23",
            "169.254.42.42",
            "100.100.100.200",
            "168.63.129.16",
            "fd00:ec2::254",
            "fd00:ec2::23",
            "fd20:ce::254",
            "fd00:42::42",
            "::ffff:169.254.169.254",
            "::ffff:100.100.100.200",
            "64:ff9b::169.254.169.254",
            "64:ff9b::168.63.129.16",
            "64:ff9b:1::169.254.170.2",
            "2002:a9fe:a9fe::1",
            "::169.254.169.254",
        ] {
            assert_eq!(scope(metadata), AddressScope::Metadata, "{metadata}");
        }
        for allow_public in [false, true] {
            assert!(
                AddressScope::Metadata
                    .blocked_message(allow_public)
                    .is_some()
            );
        }
    }

    #[test]
    fn unspecified_and_group_addresses_are_blocked() {
        for unspecified in ["0.0.0.0", "0.1.2.3", "::", "::ffff:0.0.0.0"] {
            assert_eq!(
                scope(unspecified),
                AddressScope::Unspecified,
                "{unspecified}"
            );
        }
        for group in ["224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1"] {
            assert_eq!(scope(group), AddressScope::Group, "{group}");
        }
        for scope in [AddressScope::Unspecified, AddressScope::Group] {
            assert!(scope.blocked_message(true).is_some());
        }
    }
}
