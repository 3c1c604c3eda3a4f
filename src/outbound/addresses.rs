//! Which addresses may be called, whatever name they have.

use std::error::Error;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Where clouds tell a machine its credentials, by the address's number alone: never a test's.
const METADATA: [IpAddr; 2] = [
    IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254)),
    IpAddr::V6(Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254)),
];

/// Why that address is not called, under whatever name `who` says.
pub(super) fn refusal(who: &str, address: IpAddr) -> String {
    if METADATA.contains(&address.to_canonical()) {
        return format!(
            "{who} is where clouds tell a machine its credentials; it is not called without the setting allow-public"
        );
    }
    format!(
        "{who} is a public address; only loopback and private ones are called without the setting allow-public"
    )
}

/// Loopback, private, link-local and unique-local addresses: those of tests.
pub(super) fn is_private(address: IpAddr) -> bool {
    let address = address.to_canonical();
    if METADATA.contains(&address) {
        return false;
    }
    match address {
        IpAddr::V4(v4) => v4.is_loopback() || v4.is_private() || v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_loopback() || v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

/// Resolves names to those of their addresses that may be called.
#[derive(Debug)]
pub(super) struct Addresses {
    pub(super) allow_public: bool,
}

impl Resolve for Addresses {
    fn resolve(&self, name: Name) -> Resolving {
        let allow_public = self.allow_public;
        Box::pin(async move {
            let found = callable(name.as_str(), allow_public).await?;
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Those of a host's addresses that may be called, with no port yet.
///
/// # Errors
/// If it has none, or only such that may not.
pub(super) async fn callable(
    host: &str,
    allow_public: bool,
) -> Result<Vec<SocketAddr>, Box<dyn Error + Send + Sync>> {
    let found = tokio::net::lookup_host((host, 0)).await?;
    let (may, may_not): (Vec<_>, Vec<_>) =
        found.partition(|address| allow_public || is_private(address.ip()));
    match may_not.first() {
        Some(public) if may.is_empty() => {
            let who = format!("{host} ({})", public.ip());
            Err(refusal(&who, public.ip()).into())
        }
        _ => Ok(may),
    }
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
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fd00:ec2::254",
        ] {
            assert!(!is_private(public.parse().expect("an address")), "{public}");
        }
    }
}
