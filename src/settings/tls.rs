//! TLS, for clients that always call the vendors' own hosts by https.

use clap::Args;
use clap::builder::FalseyValueParser;
use rustls::pki_types::ServerName;

/// Settings of TLS.
#[derive(Debug, Clone, Args)]
pub struct TlsSettings {
    /// Accept TLS connections too, with a certificate for the vendors' own hosts, signed by the
    /// authority at `/_mock/ca.pem`
    #[arg(long, env = "STUNTDOUBLE_TLS", value_parser = FalseyValueParser::new())]
    pub tls: bool,
    /// Port for TLS connections; 0 picks a free port
    #[arg(
        long,
        env = "STUNTDOUBLE_TLS_PORT",
        default_value_t = 8443,
        value_name = "PORT"
    )]
    pub tls_port: u16,
    /// Additional host or address for the certificate; repeat the flag or separate names by commas
    #[arg(
        long = "tls-name",
        env = "STUNTDOUBLE_TLS_NAME",
        value_name = "NAME",
        value_delimiter = ',',
        value_parser = parse_san
    )]
    pub tls_names: Vec<String>,
}

/// Parses a subject alternative name of a certificate: a host, `*.` and a host, or an address. A
/// final dot is dropped. An empty text is accepted, since a variable may be set to nothing.
///
/// # Errors
/// Returns an error if `name` has none of these forms.
pub(super) fn parse_san(name: &str) -> Result<String, String> {
    let text = name.strip_suffix('.').unwrap_or(name);
    let host = text.strip_prefix("*.").unwrap_or(text);
    let is_name = ServerName::try_from(host).is_ok_and(|it| match it {
        ServerName::DnsName(_) => !host.ends_with('.'),
        _ => host == text,
    });
    if is_name || name.is_empty() {
        return Ok(text.to_owned());
    }
    Err("expected a host name or an address without port, such as api.example.test, *.example.test or 10.0.0.7".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_san_accepts_only_hosts_and_addresses() {
        for good in ["", "mock", "a.b.test", "*.b.test", "10.0.0.7", "::1"] {
            assert_eq!(parse_san(good).as_deref(), Ok(good));
        }
        assert_eq!(parse_san("a.b.test.").as_deref(), Ok("a.b.test"));
        for bad in [
            ".",
            "a.b..",
            "a:8443",
            "https://a",
            "[::1]",
            "*.10.0.0.7",
            "a.*.b",
            "a b",
            "*",
        ] {
            assert!(parse_san(bad).is_err(), "{bad}");
        }
    }
}
